/**
 * What an idle program costs, and what its sleep adds to the first packet.
 *
 *     npm run bench -- idle [--quick] [--json FILE]
 *
 * In a network namespace of its own, side by side: what `npm start` runs, on a TAP device, which has a
 * receive interrupt; the same over af_packet on a veth pair, which has none; and both ends of a memif.
 * Processor time is the process's own over a silence of a minute; then the first packet after
 * it; then packets far enough apart that each finds the loop asleep, beside pings to the
 * kernel's own end of the same wire, which sleeps nowhere.
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { saveFigures, settingsOf } from './harness/alone.mjs';
import { cpuSeconds, killChildren } from './harness/children.mjs';
import { describeMachine } from './harness/machine.mjs';
import { verdict } from './harness/verdict.mjs';
import { DEVICES, ping } from './idle/devices.mjs';

const MOST_PERCENT = 2;
/** Further apart than the 100 ms after which the loop sleeps longest. */
const INTERVAL_MS = 250;
/** Before the silence: what the start of a program leaves to do, compiling and collecting. */
const SETTLE_MS = 8000;

/** Each in its turn within an array, sorted: the smallest that `share` of all do not exceed. */
function quantile(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function latency(times) {
  return { count: times.length, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

async function measure({ name, what, start }, folder, { seconds, packets }) {
  const { idle, ask, kernel } = await start(folder);
  await ask(3, INTERVAL_MS);
  await sleep(SETTLE_MS);
  const before = idle.map(({ pid }) => cpuSeconds(pid));
  await sleep(seconds * 1000);
  const percents = idle.map(({ pid }, i) => (100 * (cpuSeconds(pid) - before[i])) / seconds);
  const [first] = await ask(1, 0);
  const asleep = latency(await ask(packets, INTERVAL_MS));
  const within = kernel === null ? null : latency(await ping(kernel, packets, INTERVAL_MS));
  await Promise.all(idle.map((child) => child.end()));
  return { name, what, seconds, percents, first, asleep, within };
}

function tell({ name, what, seconds, percents, first, asleep, within }) {
  const of = ({ count, p50, p99 }) =>
    `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms (${count})`;
  console.log(name);
  console.log(
    `  idle for ${seconds} s   ${percents.map((p) => `${p.toFixed(2)} %`).join(', ')} of a core`,
  );
  console.log(`  first after it  ${first.toFixed(2)} ms: ${what}`);
  console.log(`  to a sleeper    ${of(asleep)}`);
  if (within === null) return;
  console.log(`  within kernel   ${of(within)}`);
  console.log(
    `  added           p50 ${(asleep.p50 - within.p50).toFixed(2)} ms, p99 ${(asleep.p99 - within.p99).toFixed(2)} ms`,
  );
}

async function main() {
  if (process.env.DPDK_NET_IDLE === undefined) {
    const env = { ...process.env, DPDK_NET_IDLE: '1' };
    const args = ['-n', process.execPath, ...process.argv.slice(1)];
    const { status } = spawnSync('unshare', args, { env, stdio: 'inherit' });
    process.exitCode = status ?? 1;
    return;
  }
  const { json, ...lengths } = settingsOf({
    full: { seconds: 60, packets: 40 },
    quick: { seconds: 10, packets: 20 },
  });
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-idle-'));
  process.once('exit', killChildren);
  const results = await Promise.all(DEVICES.map((device) => measure(device, folder, lengths)));
  for (const result of results) tell(result);
  rmSync(folder, { recursive: true });
  saveFigures(json, { machine: describeMachine(null), results });
  const limits = results.map(({ name, percents }) => [
    `${name}: at most ${MOST_PERCENT} % of a core`,
    percents.every((percent) => percent <= MOST_PERCENT),
  ]);
  if (!verdict(limits, console.log)) process.exitCode = 1;
}

await main();
