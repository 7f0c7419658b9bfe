/**
 * Of the house's own scripts: what `npm test` makes of test files that do not go well.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { familyOf } from '../tools/house/processes.mjs';
import { runFile } from '../tools/house/test-file.mjs';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-house-'));
after(() => rmSync(folder, { recursive: true }));

const PATIENCE_MS = 300_000;

/** What runFile() says of a file with `lines`. */
function verdict(lines, timeoutMs = PATIENCE_MS) {
  const file = join(folder, 'planted.mjs');
  writeFileSync(file, ["import test from 'node:test';", ...lines].join('\n'));
  return runFile(file, timeoutMs);
}

test('tests are counted one by one, and those in others are named with them', async () => {
  const { passed, failures } = await verdict([
    "test('fine', () => {});",
    "test('outer', async (t) => {",
    "  await t.test('good', () => {});",
    "  await t.test('bad', () => { throw new Error('the reason'); });",
    '});',
  ]);
  assert.equal(passed, 2);
  assert.deepEqual(
    failures.map(({ name }) => name),
    ['outer > bad', 'outer'],
  );
  assert.match(failures[0].story, /^Error: the reason\n.*planted\.mjs:5/);
});

test('a test that is skipped has failed', async () => {
  const { failures } = await verdict(["test('later', { skip: true }, () => {});"]);
  assert.deepEqual(failures, [{ name: 'later', story: 'a test must not be skipped' }]);
});

test('a file that does not load, or has no test, has failed', async () => {
  const broken = await verdict(["import './nowhere.mjs';"]);
  assert.equal(broken.failures[0].name, 'the whole file');
  assert.match(broken.failures[0].story, /^it ended with status 1\n[\s\S]*nowhere\.mjs/);
  const empty = await verdict([]);
  assert.deepEqual(empty.failures, [{ name: 'the whole file', story: 'there is no test in it' }]);
});

test('a file that crashes says what it was doing', async () => {
  const { passed, failures } = await verdict([
    "import { readFileSync } from 'node:fs';",
    "import { setTimeout as sleep } from 'node:timers/promises';",
    "test('fine', () => {});",
    "test('crashes', async () => {",
    "  const report = process.execArgv.find((arg) => arg.includes('destination')).split('=')[1];",
    "  while (!readFileSync(report, 'utf8').includes('crashes')) await sleep(10);",
    "  console.log('last words');",
    "  process.kill(process.pid, 'SIGKILL');",
    '  await sleep(60_000);',
    '});',
  ]);
  assert.equal(passed, 1);
  assert.equal(failures.length, 1);
  assert.match(failures[0].story, /^it ended with SIGKILL\nin: crashes\nlast words/);
});

test('a file that hangs says where, and nothing of it stays', async () => {
  const lines = [
    "import { spawn } from 'node:child_process';",
    "test('hangs', async () => {",
    "  process.on('SIGTERM', () => {});",
    "  spawn('sleep', ['600'], { stdio: 'inherit' });",
    '  await new Promise((resolve) => setTimeout(resolve, 600_000));',
    '});',
  ];
  let story = '';
  for (let ms = 1000; ms < PATIENCE_MS && !story.includes('sleep 600'); ms *= 2) {
    const { passed, failures } = await verdict(lines, ms);
    assert.equal(passed, 0);
    story = failures[0].story;
    assert.match(story, new RegExp(`^it takes longer than ${ms / 1000} s`));
  }
  assert.match(story, /\n {2}\d+ \w .*planted\.mjs\n {2}\d+ \w sleep 600\nin: hangs/);
  assert.deepEqual(familyOf(process.pid), [process.pid]);
});
