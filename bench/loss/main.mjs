/**
 * `npm run bench -- loss [--quick] [--out PATH]`: goodput under loss, in the simulator and against
 * the kernel, and how flows share a bottleneck.
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { busy, describeMachine } from '../harness/machine.mjs';
import { raisePriority } from '../harness/priority.mjs';
import { readable } from '../harness/statistics.mjs';
import { fairness, LEAST_INDEX } from './fairness.mjs';
import { matrix } from './matrix.mjs';
import { markdown, picture } from './report.mjs';

const KERNEL = fileURLToPath(new URL('kernel.mjs', import.meta.url));
/** Of the kernel's goodput: what ours has to reach in every cell. */
const LEAST_RATIO = 0.9;

const FLOWS = { full: 64, quick: 16 };
const SEEDS = { full: [1, 2, 3], quick: [1] };

/**
 * @param options.quick small transfers, few cells against the kernel, few flows
 * @param options.out   the results go to `out`.md, .json and .svg
 * @param options.nice  priority of what is measured in real time, against disturbance
 * Returns whether every payload was intact, no cell below the ratio that is asked for, and the
 * bottleneck shared fairly.
 */
export async function runLoss({ quick, out, nice }) {
  const cells = matrix({ quick, tell: (cell) => console.log(cellLine(cell)) });
  const shared = share(quick ? 'quick' : 'full');
  const notes = [busy()].filter((note) => note !== null);
  const machine = { ...describeMachine(null), nice: raisePriority(nice) };
  const kernel = await againstKernel(quick, notes);
  const report = { machine, matrix: cells, fairness: shared, kernel, notes };
  if (out !== undefined) {
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(`${out}.json`, `${JSON.stringify(report, null, 2)}\n`);
    writeFileSync(`${out}.md`, markdown(report));
    writeFileSync(`${out}.svg`, picture(report));
    console.log(`written: ${out}.md, .json, .svg`);
  } else {
    console.log(`\n${markdown(report)}`);
  }
  const broken = cells.filter(({ intact }) => !intact).length;
  const below = kernel.filter(({ ratio }) => ratio < LEAST_RATIO).length;
  console.log(`${broken} of ${cells.length} cells with a payload that is not intact`);
  const asked = `${LEAST_RATIO * 100} % of the kernel's goodput`;
  console.log(`${below} of ${kernel.length} cells below ${asked}`);
  const unfair = shared.filter(({ index }) => index < LEAST_INDEX).length;
  console.log(`${unfair} of ${shared.length} seeds with a Jain index below ${LEAST_INDEX}`);
  return broken === 0 && below === 0 && unfair === 0;
}

function share(extent) {
  return SEEDS[extent].map((seed) => {
    const result = fairness({ flows: FLOWS[extent], seed });
    const used = `${(result.used * 100).toFixed(1)} % of the bottleneck`;
    console.log(`${result.flows} flows, seed ${seed}: Jain ${result.index.toFixed(4)}, ${used}`);
    return result;
  });
}

function cellLine({ loss, rttMs, reorder, bytesPerSecond, timeouts, recoveries, undone, intact }) {
  const where = `${loss * 100} % ${rttMs} ms ${reorder === 0 ? 'in order' : 'reordering'}`;
  const counts = `${recoveries} recoveries, ${undone} undone, ${timeouts} timeouts`;
  const verdict = intact ? '' : '  BROKEN';
  return `${where.padEnd(26)} ${readable(bytesPerSecond, 'bytes/s').padEnd(10)} ${counts}${verdict}`;
}

/** The cells that kernel.mjs measures; a note where it cannot. */
async function againstKernel(quick, notes) {
  const env = { ...process.env, LOSS_OPTIONS: JSON.stringify({ quick }) };
  const child = spawn(process.execPath, [KERNEL], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const cells = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue;
    const cell = JSON.parse(line);
    cells.push(cell);
    const rates = `${readable(cell.ours, 'bytes/s')}, kernel ${readable(cell.kernel, 'bytes/s')}`;
    const verdict = `  ${cell.ratio.toFixed(2)}${cell.ratio >= LEAST_RATIO ? '' : '  BELOW'}`;
    console.log(`tap ${cell.loss * 100} % ${cell.rttMs} ms: ours ${rates}${verdict}`);
  }
  if (cells.length === 0) {
    const why = errors.trim().split('\n').at(-1);
    notes.push(
      `Not measured against the kernel: it needs root, namespaces and the addon (${why}).`,
    );
  }
  return cells;
}
