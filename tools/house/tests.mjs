/**
 * Runs test files: a line per file, the whole story of what failed.
 * @module
 */
import { relative } from 'node:path';
import { at } from './root.mjs';
import { runFile } from './test-file.mjs';

/** Only a file that hangs takes so long, however slow the machine. */
const FILE_TIMEOUT_MS = 600_000;
const HEARTBEAT_MS = 10_000;

/** Runs `files`, `concurrency` at a time. Returns how many tests passed and failed. */
export async function runTests(files, concurrency) {
  const tally = { passed: 0, failed: 0, failures: [] };
  const waiting = [...files];
  const running = new Map();
  const heartbeat = setInterval(() => {
    const now = [...running].map(([file, start]) => `${file} (${seconds(start)})`).join(', ');
    console.log(`  … ${tally.passed} passed, ${tally.failed} failed; ${now}`);
  }, HEARTBEAT_MS);
  const lane = async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const file = relative(at('.'), path);
      const start = Date.now();
      running.set(file, start);
      const { passed, failures } = await runFile(path, FILE_TIMEOUT_MS);
      running.delete(file);
      record(tally, file, passed, failures, seconds(start));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  clearInterval(heartbeat);
  return tally;
}

function record(tally, file, passed, failures, time) {
  const failed = failures.length;
  add(tally, {
    passed,
    failed,
    failures: failures.map(
      ({ name, story }) => `${file}: ${name}\n${story.replace(/^/gm, '    ')}`,
    ),
  });
  for (const { name } of failures) console.log(`  FAIL ${file}: ${name}`);
  console.log(`  ${failed === 0 ? 'ok  ' : 'FAIL'} ${file} ${passed}/${passed + failed} ${time}`);
}

function seconds(start) {
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}

/** Adds the second tally to the first. */
export function add(tally, other) {
  tally.passed += other.passed;
  tally.failed += other.failed;
  tally.failures.push(...other.failures);
}
