/**
 * `dpdk-net capture`: the frames of a running process as a pcapng file, or live into Wireshark.
 * @module
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Command } from 'commander';
import type { CaptureEvent } from '../control/capture.ts';
import { AttachError } from '../control/client.ts';
import { parseFilter } from '../control/frame-filter.ts';
import { eachFrame } from '../control/frame-ring.ts';
import { PcapngWriter } from '../link/pcapng.ts';
import { type AttachOptions, attachOptions, numberOf, withProcess } from './attached.ts';
import { UsageError } from './errors.ts';

const HELP = `
The filter is in tcpdump's words: arp, ip, ip6, tcp, udp, icmp, host A, net P, port N, with and, or,
not and parentheses.

Examples:
  dpdk-net capture --write frames.pcapng
  dpdk-net capture --write frames.pcapng --count 100 tcp and port 443
  dpdk-net capture | wireshark -k -i -
  dpdk-net capture not port 22 | tshark -r -

Frames are as the stack and its device exchange them: a large segment that the device will cut is
one frame. One that --snaplen cuts has the checksums that it had in memory, which a device may fill
in later. What the reader was too slow for is lost, and counted. Ctrl-C ends it.`;

const STDOUT = 1;

interface Options extends AttachOptions {
  readonly write?: string;
  readonly count?: string;
  readonly snaplen?: string;
}

export function addCaptureCommand(program: Command): void {
  attachOptions(program.command('capture'))
    .summary("a running process's frames as pcapng, also live into Wireshark")
    .description('Captures frames of a running process.')
    .argument('[filter...]', 'which frames; all when left out')
    .option('-w, --write <file>', 'into this file; to the standard output when left out')
    .option('-n, --count <number>', 'end after so many frames')
    .option('--snaplen <bytes>', 'no more of each frame than this')
    .addHelpText('after', HELP)
    .action(capture);
}

async function capture(words: string[], options: Options): Promise<void> {
  const { write, count, snaplen } = options;
  const filter = words.join(' ');
  checkFilter(filter);
  if (write === undefined && process.stdout.isTTY) {
    throw new UsageError('frames are nothing for a terminal: --write FILE, or | wireshark -k -i -');
  }
  const params = {
    filter,
    ...(snaplen === undefined ? {} : { snaplen: numberOf('--snaplen', snaplen) }),
  };
  const most = count === undefined ? Number.POSITIVE_INFINITY : numberOf('--count', count);
  await withProcess(options, async (client) => {
    const file = write === undefined ? STDOUT : openSync(write, 'w');
    const capturing = new Capturing(file, most);
    process.once('SIGINT', () => client.close());
    process.once('SIGTERM', () => client.close());
    try {
      await client.listen('capture', params, (event, records) => {
        if (!capturing.take(event as CaptureEvent, records)) client.close();
      });
    } catch (error) {
      // We have hung up, or the process has ended: either way this is the end of the file.
      if (!(error instanceof AttachError)) throw error;
    } finally {
      if (file !== STDOUT) closeSync(file);
    }
    process.stderr.write(`dpdk-net: ${capturing.frames} frames, ${capturing.lost} lost\n`);
  });
}

/** Throws UsageError for a filter that is wrong, before anybody is asked. */
export function checkFilter(filter: string): void {
  try {
    parseFilter(filter);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A file in the making. */
class Capturing {
  frames = 0;
  readonly #writer: PcapngWriter;
  readonly #most: number;
  readonly #interfaces: Map<string, number> = new Map();
  readonly #lost: Map<string, number> = new Map();
  #isOpen = true;

  constructor(file: number, most: number) {
    this.#most = most;
    this.#writer = new PcapngWriter((bytes) => this.#write(file, bytes));
  }

  /** Frames of all stacks that the socket was too slow for. */
  get lost(): number {
    return [...this.#lost.values()].reduce((sum, count) => sum + count, 0);
  }

  /** False when there is enough, or nobody reads any more. */
  take({ port, queue, mac, lost }: CaptureEvent, records: Uint8Array): boolean {
    const name = `${port}/${queue}`;
    this.#lost.set(name, lost);
    let index = this.#interfaces.get(name);
    if (index === undefined) {
      const bytes = mac.split(':').map((pair) => Number.parseInt(pair, 16));
      index = this.#writer.addInterface(name, Uint8Array.from(bytes));
      this.#interfaces.set(name, index);
    }
    const interfaceIndex = index;
    eachFrame(records, (time, direction, bytes, length) => {
      if (this.frames >= this.#most) return;
      this.#writer.frame(interfaceIndex, time, direction, bytes, length);
      this.frames++;
    });
    return this.#isOpen && this.frames < this.#most;
  }

  #write(file: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.#isOpen; ) {
      try {
        at += writeSync(file, bytes, at);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EPIPE') this.#isOpen = false;
        else if (code !== 'EAGAIN') throw error;
      }
    }
  }
}
