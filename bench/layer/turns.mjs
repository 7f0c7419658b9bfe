/**
 * Runs both-ends.mjs on the stack and on the kernel by turns, each in a process of its own.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { at } from '../../tools/house/root.mjs';

const LIMIT_MS = 300_000;
const STACK = ['--import', at('lib/node/register.js')];
/** node:net on the stack, TcpStream on the stack, node:net on the kernel. */
const WAYS = {
  stack: { flags: STACK, sockets: 'net' },
  stream: { flags: STACK, sockets: 'stream' },
  kernel: { flags: [], sockets: 'net' },
};

/** What `given` costs in each of `ways`: the reports of `rounds` runs. */
export function byTurns(given, rounds, ways = ['stack', 'kernel']) {
  const reports = Object.fromEntries(ways.map((way) => [way, []]));
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) reports[way].push(runOnce(way, given));
  }
  return reports;
}

/** One run in one of WAYS. */
export function runOnce(way, given) {
  const { flags, sockets } = WAYS[way];
  const settings = JSON.stringify({ ...given, sockets });
  const args = [...flags, at('bench/layer/both-ends.mjs'), settings];
  const environment = { ...process.env };
  delete environment.DPDK_NET_CONFIG;
  const options = { encoding: 'utf8', timeout: LIMIT_MS, env: environment };
  return JSON.parse(execFileSync(process.execPath, args, options));
}
