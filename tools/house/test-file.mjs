/**
 * Runs one test file in a process of its own and says what became of each of its tests.
 *
 * The process is ours rather than the test runner's so that a file which hangs, crashes or ends in
 * the middle says where it was, and so that nothing of it stays behind.
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, familyOf, kill } from './processes.mjs';
import { at } from './root.mjs';

/** How much of a file's own output is shown when it does not end well, in lines. */
const TAIL_LINES = 60;
/** How long it may take to end for a process that was told to, and for the output of one that has. */
const GRACE_MS = 5000;

/**
 * Runs the test file at the path `file`. Resolves to { passed, failures }: how many tests passed,
 * and { name, story } of each that did not. That a file does not load, crashes, has no test or
 * takes longer than `timeoutMs` is a failure as well.
 */
export async function runFile(file, timeoutMs) {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-report-'));
  const report = join(folder, 'events');
  const args = [
    `--test-reporter=${at('tools/house/test-report.mjs')}`,
    `--test-reporter-destination=${report}`,
    file,
  ];
  try {
    const end = await runToEnd(args, timeoutMs);
    return judge(existsSync(report) ? readFileSync(report, 'utf8') : '', end);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resolves to { trouble, output }: how it ended, '' for well, and what it printed. */
async function runToEnd(args, timeoutMs) {
  const env = { ...process.env };
  // Inside of a test it would have the file report to the runner around us.
  delete env.NODE_TEST_CONTEXT;
  const stdio = ['ignore', 'pipe', 'pipe'];
  const child = spawn(process.execPath, args, { cwd: at('.'), env, stdio });
  const streams = [child.stdout, child.stderr];
  let output = '';
  for (const stream of streams) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const exit = once(child, 'exit');
  const close = once(child, 'close');
  let trouble = '';
  if (!(await happens(exit, timeoutMs))) {
    const family = familyOf(child.pid);
    const list = family.map(describe).join('\n');
    trouble = `it takes longer than ${timeoutMs / 1000} s; its processes:\n${list}`;
    child.kill('SIGTERM');
    await happens(exit, GRACE_MS);
    kill(family);
  }
  const [status, signal] = await exit;
  if (trouble === '' && status !== 0) trouble = `it ended with ${signal ?? `status ${status}`}`;
  // A process that outlives the file may hold its output open.
  if (!(await happens(close, GRACE_MS))) for (const stream of streams) stream.destroy();
  return { trouble, output };
}

/** True when `promise` is fulfilled within `ms`. */
async function happens(promise, ms) {
  const stop = new AbortController();
  try {
    const late = sleep(ms, false, { signal: stop.signal });
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    stop.abort();
  }
}

/** What the lines of the report and the end of the process make together. */
function judge(report, { trouble, output }) {
  const failures = [];
  const running = new Set();
  let passed = 0;
  // A process that was killed may have been in the middle of a line.
  for (const text of report.split('\n').slice(0, -1)) {
    const { begins, name, error } = JSON.parse(text);
    if (begins !== undefined) {
      running.add(begins);
      continue;
    }
    running.delete(name);
    if (error === undefined) passed++;
    else failures.push({ name, story: error });
  }
  // The runner itself ends with a status when a test has failed.
  const isExplained = failures.length > 0 && running.size === 0;
  if (trouble !== '' && !isExplained) {
    failures.push({ name: 'the whole file', story: ending(trouble, running, output) });
  } else if (passed + failures.length === 0) {
    failures.push({ name: 'the whole file', story: 'there is no test in it' });
  }
  return { passed, failures };
}

function ending(trouble, running, output) {
  const where = [...running].map((name) => `in: ${name}`);
  const tail = output.trimEnd().split('\n').slice(-TAIL_LINES);
  return [trouble, ...where, ...tail].join('\n');
}
