/**
 * How long an echo through unmodified `node:net` takes at half of what the kernel can carry at the
 * most: p50, p99 and p99.9 on the stack, there also through TcpStream, and on the kernel; and how
 * often garbage was collected.
 *
 *     npm run bench -- latency
 *
 * Echoes begin at a steady rate, and one that begins late has waited meanwhile: no omission.
 * @module
 */
import { saveFigures, settingsOf } from './harness/alone.mjs';
import { median } from './harness/statistics.mjs';
import { byTurns, runOnce } from './layer/turns.mjs';

const { rounds, units, seconds, json } = settingsOf({
  full: { rounds: 3, units: 50_000, seconds: 8 },
  quick: { rounds: 1, units: 10_000, seconds: 2 },
});
/** Of the time that is counted, the warm-up at most. */
const WARM_SHARE = 0.4;
const echo = { load: 'echo', connections: 16, units };

const peak = runOnce('kernel', echo);
const perSecond = Math.round(peak.units / peak.seconds / 2);
// A machine that is busy with other things has a low peak: the time is bounded, not the units.
const most = Math.max(1, Math.round(perSecond * seconds));
const paced = {
  ...echo,
  perSecond,
  units: Math.min(units, most),
  warmUnits: Math.min(20_000, Math.ceil(most * WARM_SHARE)),
};
console.log(`16 connections, ${perSecond} echoes of 64 bytes a second\n`);

const reports = byTurns(paced, rounds, ['stack', 'stream', 'kernel']);
console.log('| | p50 | p99 | p99.9 | collections | processor seconds |\n|---|---|---|---|---|---|');
for (const [way, runs] of Object.entries(reports)) {
  const micros = (name) =>
    `${Math.round(median(runs.map((run) => run.latencyMs[name])) * 1000)} µs`;
  const collections = median(runs.map((run) => run.collections));
  const cpu = median(runs.map((run) => run.cpuSeconds)).toFixed(2);
  const cells = [way, micros('p50'), micros('p99'), micros('p999'), collections, cpu];
  console.log(`| ${cells.join(' | ')} |`);
}
saveFigures(json, { perSecond, reports });
