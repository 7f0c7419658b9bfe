/**
 * Runs test files with Node's test runner: a line per file, the whole story of what failed.
 * @module
 */
import { relative } from 'node:path';
import { run } from 'node:test';
import { inspect } from 'node:util';
import { at } from './root.mjs';

/** No test file may take longer; the slowest soak has a minute. */
const FILE_TIMEOUT_MS = 300_000;
const HEARTBEAT_MS = 10_000;

/**
 * Runs `files`, `concurrency` at a time. Returns how many tests passed and failed; a file that
 * does not load, crashes or runs out of time is a failed test.
 */
export async function runTests(files, concurrency) {
  const tally = { passed: 0, failed: 0, failures: [] };
  if (files.length === 0) return tally;
  const perFile = new Map();
  const stream = run({ files, concurrency, timeout: FILE_TIMEOUT_MS });
  const heartbeat = setInterval(() => {
    console.log(`  … ${tally.passed} passed, ${tally.failed} failed`);
  }, HEARTBEAT_MS);
  for await (const { type, data } of stream) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    if (data.skip !== undefined || data.todo !== undefined) {
      record(tally, perFile, { ...data, details: { error: 'a test must not be skipped' } }, false);
    } else record(tally, perFile, data, type === 'test:pass');
  }
  clearInterval(heartbeat);
  for (const [file, { passed, failed }] of [...perFile].sort()) {
    console.log(`  ${failed === 0 ? 'ok  ' : 'FAIL'} ${file} ${passed}/${passed + failed}`);
  }
  return tally;
}

function record(tally, perFile, data, passed) {
  const file = data.file === undefined ? '?' : relative(at('.'), data.file);
  const counts = perFile.get(file) ?? { passed: 0, failed: 0 };
  perFile.set(file, counts);
  if (passed) {
    tally.passed++;
    counts.passed++;
    return;
  }
  tally.failed++;
  counts.failed++;
  const error = data.details?.error;
  const text = inspect(error?.cause ?? error, { depth: 4 });
  tally.failures.push(`${file}: ${data.name}\n${text.replace(/^/gm, '    ')}`);
  console.log(`  FAIL ${file}: ${data.name}`);
}

/** Adds the second tally to the first. */
export function add(tally, other) {
  tally.passed += other.passed;
  tally.failed += other.failed;
  tally.failures.push(...other.failures);
}
