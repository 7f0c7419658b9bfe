/**
 * Runs both-ends.mjs on the stack and on the kernel by turns, each in a process of its own.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { at } from '../../tools/house/root.mjs';

const LIMIT_MS = 300_000;
const WAYS = { stack: ['--import', at('lib/node/register.js')], kernel: [] };

/** What `given` costs { stack, kernel }: for each the reports of `rounds` runs. */
export function byTurns(given, rounds) {
  const reports = { stack: [], kernel: [] };
  for (let round = 0; round < rounds; round++) {
    for (const way of Object.keys(WAYS)) reports[way].push(runOnce(way, given));
  }
  return reports;
}

/** One run on 'stack' or 'kernel'. */
export function runOnce(way, given) {
  const args = [...WAYS[way], at('bench/layer/both-ends.mjs'), JSON.stringify(given)];
  const environment = { ...process.env };
  delete environment.DPDK_NET_CONFIG;
  const options = { encoding: 'utf8', timeout: LIMIT_MS, env: environment };
  return JSON.parse(execFileSync(process.execPath, args, options));
}
