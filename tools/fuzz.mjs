/**
 * The long run of the fuzzer (src/testing/fuzz.ts). Build first.
 *
 *     node tools/fuzz.mjs --frames 10000000 [--seed 1] [--seconds 3600]
 *
 * Ends with exit status 1 and the seed of the failing phase; `--seed N --frames 1` repeats it.
 * @module
 */
import { parseArgs } from 'node:util';
import { fuzz } from '../dist/testing/fuzz.js';

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    seconds: { type: 'string', default: '3600' },
  },
});

const REPORT_MS = 10_000;
const start = Date.now();
const end = start + 1000 * Number(values.seconds);
const drops = {};
let frames = 0;
let phases = 0;
let reported = start;

function report() {
  const heapMb = Math.round(process.memoryUsage().heapUsed / 1e6);
  const seconds = Math.round((Date.now() - start) / 1000);
  console.log(`${seconds} s: ${frames} frames in ${phases} phases, JavaScript heap ${heapMb} MB`);
}

class TimeIsUp extends Error {}

/** Called after each phase. */
function onPhase(phase) {
  frames += phase.frames;
  phases++;
  for (const [name, count] of Object.entries(phase.report.drops)) {
    drops[name] = (drops[name] ?? 0) + count;
  }
  if (Date.now() - reported > REPORT_MS) {
    reported = Date.now();
    report();
  }
  if (Date.now() > end) throw new TimeIsUp();
}

const seed = Number(values.seed);
console.log(`seed ${seed}`);
try {
  fuzz({ seed, frames: Number(values.frames), onPhase });
} catch (error) {
  if (!(error instanceof TimeIsUp)) {
    console.error(error);
    process.exit(1);
  }
}
report();
console.table(drops);
