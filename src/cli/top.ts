/**
 * `dpdk-net top`: what a running process does now, per queue, again and again.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { StatsReport } from '../control/report.ts';
import { type AttachOptions, attachOptions, print, withProcess } from './attached.ts';
import { UsageError } from './errors.ts';
import { shortNumber, tableText } from './table.ts';

const HELP = `
Rates are per second. "sleeps" says how often the loop had nothing to do: 0 under full load.

Examples:
  dpdk-net top
  dpdk-net top --interval 0.5 --count 10 --json`;

const CLEAR = '\x1b[H\x1b[J';

interface Options extends AttachOptions {
  readonly interval: string;
  readonly count?: string;
}

/** What a queue did in a second. */
interface Rates {
  readonly port: string;
  readonly queue: number;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bitsIn: number;
  readonly bitsOut: number;
  readonly connections: number;
  readonly drops: number;
  readonly retransmits: number;
  readonly sleeps: number;
}

export function addTopCommand(program: Command): void {
  attachOptions(program.command('top'))
    .summary('live rates of a running process')
    .description('Shows what each queue of a running process does now, again and again.')
    .option('-i, --interval <seconds>', 'from one look to the next', '1')
    .option('-n, --count <number>', 'end after so many')
    .addHelpText('after', HELP)
    .action(top);
}

async function top(options: Options): Promise<void> {
  const interval = Number(options.interval);
  const count = options.count === undefined ? Number.POSITIVE_INFINITY : Number(options.count);
  if (!(interval >= 0.05 && interval <= 3600)) {
    throw new UsageError(`--interval ${options.interval} is not a time from 0.05 to 3600 seconds`);
  }
  if (!(count >= 1)) throw new UsageError(`--count ${options.count} is not a number`);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  await withProcess(options, async (client) => {
    let before = await client.ask<StatsReport[]>('stats');
    let askedAt = performance.now();
    for (let i = 0; i < count && !stop.signal.aborted; i++) {
      await delay(interval * 1000, undefined, { signal: stop.signal }).catch(() => {});
      const now = await client.ask<StatsReport[]>('stats');
      const at = performance.now();
      const rates = now.map((report, index) =>
        ratesOf(before[index] ?? report, report, (at - askedAt) / 1000),
      );
      before = now;
      askedAt = at;
      if (options.json === true) print(`${JSON.stringify(rates)}\n`);
      else print(`${process.stdout.isTTY ? CLEAR : ''}${ratesText(rates)}`);
    }
  });
}

export function ratesOf(before: StatsReport, now: StatsReport, seconds: number): Rates {
  const rate = (read: (report: StatsReport) => number): number =>
    Math.max(read(now) - read(before), 0) / seconds;
  const sum = (values: Readonly<Record<string, number>>): number =>
    Object.values(values).reduce((total, value) => total + value, 0);
  return {
    port: now.port,
    queue: now.queue,
    framesIn: rate((report) => report.interface['frames_in'] ?? 0),
    framesOut: rate((report) => report.interface['frames_out'] ?? 0),
    bitsIn: rate((report) => (report.interface['bytes_in'] ?? 0) * 8),
    bitsOut: rate((report) => (report.interface['bytes_out'] ?? 0) * 8),
    connections: now.counts.connections,
    drops: rate((report) => sum(report.counters.drops)),
    retransmits: rate((report) => report.counters.tcp['tcp_retransmits'] ?? 0),
    sleeps: rate((report) => report.loop.sleeps),
  };
}

function ratesText(rates: readonly Rates[]): string {
  const headings = [
    'port',
    'queue',
    'frames in',
    'frames out',
    'bit/s in',
    'bit/s out',
    'connections',
    'drops',
    'retransmits',
    'sleeps',
  ];
  return tableText(
    headings,
    rates.map(({ port, queue, connections, ...rest }) => [
      port,
      queue,
      shortNumber(rest.framesIn),
      shortNumber(rest.framesOut),
      shortNumber(rest.bitsIn),
      shortNumber(rest.bitsOut),
      connections,
      shortNumber(rest.drops),
      shortNumber(rest.retransmits),
      shortNumber(rest.sleeps),
    ]),
  );
}
