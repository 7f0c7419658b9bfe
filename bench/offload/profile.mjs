/**
 * Where this process's time goes, by what the code belongs to, as perf sees it.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, find } from '../../tools/house/command.mjs';

/** Until perf has attached itself. */
const ATTACH_MS = 1000;
const LEAST_PERCENT = 1;

/** [what, percent] while `work()` runs; null where there is no perf, or it is not allowed. */
export async function profile(folder, work) {
  if (find('perf') === null) return null;
  const file = join(folder, 'perf.data');
  const args = ['record', '-q', '-F', '999', '-o', file, '-p', `${process.pid}`];
  const perf = spawn('perf', args, { stdio: 'ignore' });
  const ended = once(perf, 'close');
  await sleep(ATTACH_MS);
  work();
  perf.kill('SIGINT');
  await ended;
  const { stdout } = ask('perf', ['report', '-q', '--stdio', '-i', file, '-F', 'overhead,dso']);
  const rows = [...stdout.matchAll(/([\d.]+)%\s+(\S+)/g)].map(([, percent, dso]) => [
    dso.startsWith('[JIT]') ? 'our JavaScript' : dso.replace('dpdk_net.node', 'addon and DPDK'),
    Number(percent),
  ]);
  const shown = rows.filter(([, percent]) => percent >= LEAST_PERCENT);
  return shown.length === 0 ? null : shown;
}
