/**
 * `dpdk-net trace`: what happens to each frame of a running process, in words.
 * @module
 */
import type { Command } from 'commander';
import { AttachError } from '../control/client.ts';
import type { TraceEvent } from '../control/trace.ts';
import { type AttachOptions, attachOptions, numberOf, print, withProcess } from './attached.ts';
import { checkFilter } from './capture.ts';

const HELP = `
A line for each frame ("<" came, ">" goes), for what was dropped and why ("x", below the frames
that came last), and for what became of connections ("=").

Examples:
  dpdk-net trace
  dpdk-net trace --count 20 port 80
  dpdk-net trace --json arp or icmp`;

const MARKS = { in: '<', out: '>', drop: 'x', tcp: '=' } as const;

interface Options extends AttachOptions {
  readonly count?: string;
}

export function addTraceCommand(program: Command): void {
  attachOptions(program.command('trace'))
    .summary("each frame's way through a running process, drop reasons in words")
    .description('Tells what happens to each frame of a running process.')
    .argument('[filter...]', 'which frames, as for capture; drops and connections are all told')
    .option('-n, --count <number>', 'end after so many lines')
    .addHelpText('after', HELP)
    .action(trace);
}

async function trace(words: string[], options: Options): Promise<void> {
  const filter = words.join(' ');
  checkFilter(filter);
  const most = numberOf('--count', options.count ?? `${Number.MAX_SAFE_INTEGER}`.slice(0, 15));
  let lines = 0;
  await withProcess(options, async (client) => {
    process.once('SIGINT', () => client.close());
    process.stdout.once('error', () => client.close());
    try {
      await client.listen('trace', { filter }, (event) => {
        if (lines >= most) return;
        lines++;
        const told = event as TraceEvent;
        print(options.json === true ? `${JSON.stringify(told)}\n` : lineOf(told));
        if (lines >= most) client.close();
      });
    } catch (error) {
      if (!(error instanceof AttachError)) throw error;
    }
  });
}

function lineOf({ at, port, queue, kind, text, drop }: TraceEvent): string {
  const name = drop === undefined ? '' : `${drop}: `;
  return `${(at / 1e6).toFixed(6)} ${port}/${queue} ${MARKS[kind]} ${name}${text}\n`;
}
