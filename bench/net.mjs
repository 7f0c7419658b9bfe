/**
 * What unmodified `node:http` and `node:net` cost on the stack and on the kernel: server and clients
 * in one process over either's loopback, units for each second of processor time.
 *
 *     npm run bench -- net
 *
 * Processor time, not time: a busy machine takes from both alike.
 * @module
 */
import { saveFigures, settingsOf } from './harness/alone.mjs';
import { median } from './harness/statistics.mjs';
import { byTurns } from './layer/turns.mjs';

const { rounds, units, json } = settingsOf({
  full: { rounds: 3, units: 30_000 },
  quick: { rounds: 1, units: 10_000 },
});
/** From here on http on the stack is what it is meant to be. */
const LEAST_RATIO = 1.3;

const CASES = [
  ...[10, 100, 1000, 2000].map((connections) => ({ load: 'http', connections })),
  ...[1, 100].map((connections) => ({ load: 'echo', connections })),
];

const perSecond = ({ units, cpuSeconds }) => units / cpuSeconds;
const thousands = (value) => `${(value / 1000).toFixed(1)} k`;
const ratios = [];
const results = [];

console.log(
  '| units for each second of processor time | stack | kernel | ratio |\n|---|---|---|---|',
);
for (const { load, connections } of CASES) {
  const ways = load === 'echo' ? ['stack', 'stream', 'kernel'] : ['stack', 'kernel'];
  const { kernel, ...our } = byTurns({ load, connections, units }, rounds, ways);
  const theirs = median(kernel.map(perSecond));
  for (const [way, reports] of Object.entries(our)) {
    const ours = median(reports.map(perSecond));
    const ratio = ours / theirs;
    if (load === 'http') ratios.push(ratio);
    const name = way === 'stream' ? `${load} through TcpStream` : load;
    results.push({ load: name, connections, ours, theirs, ratio });
    const cells = [`${name}, ${connections} connections`, thousands(ours), thousands(theirs)];
    console.log(`| ${cells.join(' | ')} | ${ratio.toFixed(2)} |`);
  }
}

const overall = ratios.reduce((product, ratio) => product * ratio, 1) ** (1 / ratios.length);
console.log(`\nhttp overall ${overall.toFixed(2)} (at least ${LEAST_RATIO})`);
saveFigures(json, { results, overall });
process.exitCode = overall < LEAST_RATIO ? 1 : 0;
