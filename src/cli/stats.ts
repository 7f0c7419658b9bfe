/**
 * `dpdk-net stats`: every counter of a running process that is not zero, with what it means.
 * @module
 */
import type { Command } from 'commander';
import * as Drop from '../base/drops.ts';
import type { StatsReport } from '../control/report.ts';
import * as NetStats from '../net/stats.ts';
import { quantileOf } from '../runtime/loop-meter.ts';
import * as TcpStats from '../tcp/stats.ts';
import { type AttachOptions, attachOptions, printList } from './attached.ts';

export function addStatsCommand(program: Command): void {
  attachOptions(program.command('stats'))
    .summary('the counters of a running process')
    .description('Every counter of a running process that is not zero, per stack, in words.')
    .action((options: AttachOptions) => printList<StatsReport>('stats', {}, options, statsText));
}

function statsText(reports: readonly StatsReport[]): string {
  return reports.map(reportText).join('\n');
}

function reportText(report: StatsReport): string {
  const { port, queue, counts, counters, neighbors, loop, times, link, device } = report;
  const { events = {}, driver = {}, pools = [] } = device ?? {};
  const inUse = pools.reduce((sum, pool) => sum + pool.inUse, 0);
  const size = pools.reduce((sum, pool) => sum + pool.size, 0);
  return [
    `${port} queue ${queue}${report.isLate ? ' (did not answer in time)' : ''}\n`,
    section('now', { ...counts }),
    section('drops', counters.drops, Drop.family.names),
    section('network', counters.net, NetStats.family.names),
    section('tcp', counters.tcp, TcpStats.family.names),
    section('neighbors', neighbors),
    section('loop', { ...loop, ...middles(times) }),
    section('queue', link),
    section('device', events),
    section('driver', driver),
    section('packet memory', pools.length === 0 ? {} : { slots: size, in_use: inUse }),
  ].join('');
}

/** What half of the polls, and 99 in 100, stay below. */
function middles({ poll, lag }: StatsReport['times']): Record<string, number> {
  return {
    poll_p50_us: quantileOf(poll, 0.5),
    poll_p99_us: quantileOf(poll, 0.99),
    lag_p50_us: quantileOf(lag, 0.5),
    lag_p99_us: quantileOf(lag, 0.99),
  };
}

function section(
  title: string,
  values: Readonly<Record<string, number>>,
  names: readonly { readonly name: string; readonly meaning: string }[] = [],
): string {
  const rows = Object.entries(values).filter(([, value]) => value !== 0);
  if (rows.length === 0) return '';
  const lines = rows.map(([name, value]) => {
    const meaning = names.find((entry) => entry.name === name)?.meaning ?? '';
    return `    ${String(value).padStart(14)}  ${name.padEnd(28)}  ${meaning}`.trimEnd();
  });
  return `  ${title}\n${lines.join('\n')}\n`;
}
