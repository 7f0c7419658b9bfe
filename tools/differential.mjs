/**
 * Our stack against the Linux kernel: the same segments to both, and where the answers differ. Needs
 * root: it makes a network namespace with a TAP device. Build first.
 *
 *     node tools/differential.mjs [--seconds 60] [--sequences 1000000] [--seed 1] [--examples]
 *
 * It plays 200 to a listener over IPv4, 200 to a connector, the same over IPv6, and so on.
 *
 * Prints a line for every known kind of difference (tools/differential/known.mjs) and the shortest
 * sequence for every other, with which it ends with exit status 1; with --examples the shortest that was
 * met of each known kind, too. The same seed, the same sequences.
 * @module
 */
import '../test/interop/kit/enter.mjs';
import { parseArgs } from 'node:util';
import {
  confirmed,
  differences,
  minimised,
  readable,
  sequences,
  signature,
} from './differential/compare.mjs';
import { KernelTarget } from './differential/kernel.mjs';
import { knownAs } from './differential/known.mjs';
import { WAYS } from './differential/target.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    sequences: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    examples: { type: 'boolean', default: false },
  },
});

const BATCH = 200;
const SHORTENED = 12;
const seed = Number(values.seed);
const end = performance.now() + 1000 * Number(values.seconds);
const most = Number(values.sequences);
const target = new KernelTarget();
const known = new Map();
const news = new Map();
let ran = 0;
let different = 0;

while (ran < most && performance.now() < end) {
  const to = Math.min(most, ran + BATCH);
  const way = WAYS[(ran / BATCH) % WAYS.length];
  for (const difference of await differences(target, sequences(seed, ran, to, way.role), way)) {
    if (difference === null) continue;
    different++;
    const name = knownAs(difference);
    if (name !== null) {
      group(known, name, difference);
      continue;
    }
    const again = await confirmed(target, difference);
    if (again !== null) group(news, signature(again), again);
  }
  ran = to;
}

const groups = [...news].sort(([, a], [, b]) => b.count - a.count);
let shortened = 0;
for (const [key, { count, difference }] of groups) {
  console.log(`\n${count} x ${key}`);
  if (shortened++ < SHORTENED) console.log(readable(await minimised(target, difference)));
}
for (const [name, { count, difference }] of known) {
  console.log(`known: ${count} x ${name}`);
  if (values.examples) console.log(readable(difference));
}
console.log(
  `${ran} sequences of seed ${seed}, ${different} different, ${groups.length} kinds unknown`,
);
target.close();
process.exit(groups.length === 0 ? 0 : 1);

function group(groups, key, difference) {
  const one = groups.get(key) ?? { count: 0, difference };
  one.count++;
  if (difference.steps.length < one.difference.steps.length) one.difference = difference;
  groups.set(key, one);
}
