/**
 * `dpdk-net stats`: every counter of a running process that is not zero, with what it means.
 * @module
 */
import type { Command } from 'commander';
import * as Drop from '../base/drops.ts';
import type { StatsReport } from '../control/report.ts';
import * as NetStats from '../net/stats.ts';
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
  const { port, queue, counts, counters, loop, device, driver, pools } = report;
  const inUse = pools.reduce((sum, pool) => sum + pool.inUse, 0);
  const size = pools.reduce((sum, pool) => sum + pool.size, 0);
  return [
    `${port} queue ${queue}\n`,
    section('now', { ...counts }),
    section('drops', counters.drops, Drop.family.names),
    section('network', counters.net, NetStats.family.names),
    section('tcp', counters.tcp, TcpStats.family.names),
    section('loop', { ...loop }),
    section('device', device ?? {}),
    section('driver', driver ?? {}),
    section('packet memory', pools.length === 0 ? {} : { slots: size, in_use: inUse }),
  ].join('');
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
