/**
 * Runs test files, each in a process of its own, and tells how they ended.
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { plainEnvironment, runToEnd } from '../house/run-to-end.mjs';

const isGood = ({ outcome }) => outcome === 'passed' || outcome === 'skipped';

/**
 * Gives each test test[key] = { outcome, words, output, isSteady }: 'passed', 'failed', 'timed out'
 * or 'skipped', and calls settings.note(test) when that is certain. What fails has a second chance
 * alone: with others it competes for the processors.
 */
export async function runAll(tests, settings, key) {
  const folder = mkdtempSync(`${tmpdir()}/node-compat-`);
  const together = tests.filter(({ isAlone }) => !isAlone);
  const one = async (test, job) => {
    test[key] = await runOne(test, settings, `${folder}/${job}`, job);
    if (isGood(test[key])) settings.note(test);
  };
  const workers = Array.from({ length: settings.jobs }, async (_, job) => {
    for (let test = together.shift(); test; test = together.shift()) await one(test, job);
  });
  await Promise.all(workers);
  for (const test of tests.filter(({ isAlone }) => isAlone)) await one(test, 0);
  for (const test of tests.filter((each) => !isGood(each[key]))) {
    const first = test[key];
    test[key] = await runOne(test, settings, `${folder}/0`, 0);
    if (isGood(test[key])) test[key].isSteady = false;
    else if (test[key].words === '') test[key].words = first.words;
    settings.note(test);
  }
  rmSync(folder, { recursive: true, force: true });
}

async function runOne(test, { node, register, seconds, folder }, scratch, job) {
  mkdirSync(scratch, { recursive: true });
  const flags =
    test.source
      .match(/^\/\/ Flags: (.*)$/m)?.[1]
      .trim()
      .split(/\s+/) ?? [];
  const ours = register === undefined ? [] : ['--import', register];
  const env = plainEnvironment({
    NODE_TEST_DIR: scratch,
    TEST_THREAD_ID: String(job),
    TEST_PARALLEL: test.isAlone ? '' : '1',
  });
  const args = [...flags, ...ours, test.path];
  const end = await runToEnd(node, args, { cwd: folder, env, seconds });
  return { ...verdict(end), output: end.output, isSteady: true };
}

function verdict({ status, isLate, output }) {
  if (isLate) return { outcome: 'timed out', words: '' };
  if (status !== 0) return { outcome: 'failed', words: lastWords(output) };
  return { outcome: /^1\.\.0 # Skipped/m.test(output) ? 'skipped' : 'passed', words: '' };
}

/** The line of the output that says most. */
function lastWords(output) {
  const lines = output.split('\n').map((line) => line.trim());
  const telling = lines.find((line) => /^(\S*Error\b|Mismatched|\S+ \[ERR_)/.test(line));
  return (telling ?? lines.find((line) => line !== '') ?? '').slice(0, 160);
}
