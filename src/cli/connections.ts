/**
 * `dpdk-net connections`: what `ss -ti` tells of the kernel's, of the stack's.
 * @module
 */
import type { Command } from 'commander';
import { Prefix } from '../base/address.ts';
import type { ConnectionFilter, ConnectionReport } from '../control/connections.ts';
import type { TcpInfo } from '../tcp/info.ts';
import { type AttachOptions, attachOptions, numberOf, printList } from './attached.ts';
import { UsageError } from './errors.ts';
import { shortNumber, tableText } from './table.ts';

const HELP = `
Examples:
  dpdk-net connections
  dpdk-net connections --state established --port 443
  dpdk-net connections --address 10.0.0.0/24 --details
  dpdk-net connections --json --limit 100`;

interface Options extends AttachOptions {
  readonly state?: string;
  readonly address?: string;
  readonly port?: string;
  readonly limit?: string;
  readonly details?: boolean;
}

export function addConnectionsCommand(program: Command): void {
  attachOptions(program.command('connections'))
    .summary('the TCP connections of a running process')
    .description('The TCP connections of a running process, with what each knows about itself.')
    .option('--state <state>', 'only those in this state: established, time-wait, ...')
    .option('-a, --address <address>', 'only those with an end at this address or in this network')
    .option('--port <number>', 'only those with this port at either end')
    .option('-n, --limit <number>', 'no more than so many')
    .option('-i, --details', 'a second line: round trip, window, losses (always with --json)')
    .addHelpText('after', HELP)
    .action((options: Options) =>
      printList<ConnectionReport>('connections', { ...filterOf(options) }, options, (list) =>
        connectionsText(list, options.details === true),
      ),
    );
}

function filterOf({ state, address, port, limit }: Options): ConnectionFilter {
  if (address !== undefined && !isNetwork(address)) {
    throw new UsageError(`--address ${address} is neither an address nor a network`);
  }
  return {
    ...(state === undefined ? {} : { state }),
    ...(address === undefined ? {} : { address }),
    ...(port === undefined ? {} : { port: numberOf('--port', port) }),
    ...(limit === undefined ? {} : { limit: numberOf('--limit', limit) }),
  };
}

function isNetwork(text: string): boolean {
  try {
    return (
      Prefix.parse(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`) !== null
    );
  } catch {
    return false;
  }
}

export function connectionsText(list: readonly ConnectionReport[], details: boolean): string {
  if (list.length === 0) return 'no connection\n';
  const rows = list.map(
    ({ state, receiveQueue, sendQueue, local, localPort, remote, remotePort }) => [
      state,
      receiveQueue,
      sendQueue,
      endText(local, localPort),
      endText(remote, remotePort),
    ],
  );
  const table = tableText(['state', 'to read', 'to send', 'local', 'peer'], rows);
  if (!details) return table;
  const [heading, ...lines] = table.trimEnd().split('\n');
  const pairs = lines.map((line, index) => `${line}\n     ${detailsText(list[index]!.info)}`);
  return `${[heading, ...pairs].join('\n')}\n`;
}

function endText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** In the words of `ss -ti` where it has them. */
function detailsText(info: TcpInfo): string {
  const words = [
    info.congestion,
    info.timestamps ? 'ts' : '',
    info.sack ? 'sack' : '',
    info.ecn ? 'ecn' : '',
    info.windowScaling ? `wscale:${info.sendScale},${info.receiveScale}` : '',
    `rto:${info.rtoMs}`,
    `rtt:${(info.rttUs / 1000).toFixed(3)}/${(info.rttVarUs / 1000).toFixed(3)}`,
    `mss:${info.sendMss}`,
    `pmtu:${info.pathMtu}`,
    `cwnd:${info.cwndBytes}`,
    Number.isFinite(info.ssthreshBytes ?? Infinity) ? `ssthresh:${info.ssthreshBytes}` : '',
    `bytes_sent:${info.bytesSent}`,
    info.bytesRetransmitted > 0 ? `bytes_retrans:${info.bytesRetransmitted}` : '',
    `bytes_received:${info.bytesReceived}`,
    `segs_out:${info.segmentsOut}`,
    `segs_in:${info.segmentsIn}`,
    info.totalRetransmits > 0 ? `retrans:${info.retransmitted}/${info.totalRetransmits}` : '',
    info.pacingRate > 0 ? `pacing_rate:${shortNumber(info.pacingRate * 8)}bit/s` : '',
    `minrtt:${(info.minRttUs / 1000).toFixed(3)}`,
    `last_rcv:${info.lastReceivedMs}ms`,
  ];
  return words.filter((word) => word !== '').join(' ');
}
