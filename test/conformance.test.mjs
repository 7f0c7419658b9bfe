/**
 * The rules that keep docs/conformance.md true: each must find what is planted.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  checkNumbers,
  checkRow,
  parseList,
  readLists,
  rowsOf,
  statusOf,
} from './conformance/requirements.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const LIST = `= RFC 9293 | TCP
A word in front.

== Opening

MUST-1 (3.1) It is so.
  code src/a.ts open
  test src/a.test.ts: it is so
  note by and by

SHLD-2 (3.2) It is otherwise.
  code src/a.ts
  differs we know better

MAY-3 (3.3) It is not.
  missing nobody wants it

MUST-4 (3.4) Nobody looked.
  code src/a.ts #close
`;
const FILES = {
  'src/a.ts': 'export function open() {}\nclass A {\n  #close(): void {}\n}\n',
  'src/a.test.ts':
    "test('it is so', () => {});\nfor (const n of ['one', 'two']) test(`case $" +
    '{n} of it`, () => {});',
};
const read = (file) => FILES[file] ?? null;
const rowOf = (details) => rowsOf(parseList('x', `== s\n\nMUST-1 (1) x\n${details}`))[0];

test('parseList() reads rows with their sections, and what stands for them', () => {
  const list = parseList('x.txt', LIST);
  assert.deepEqual([list.rfc, list.title, list.intro], ['RFC 9293', 'TCP', ['A word in front.']]);
  const rows = rowsOf(list);
  assert.deepEqual(rows.map(statusOf), ['proved', 'differs', 'missing', 'no test']);
  assert.deepEqual(rows[0].test, [{ file: 'src/a.test.ts', name: 'it is so' }]);
  for (const row of rows) assert.deepEqual(checkRow(row, read), []);
});

test('parseList() refuses a line that is nothing', () => {
  assert.throws(() => parseList('x.txt', '== s\n\nMUST 1 no brackets'), /x\.txt:3: neither/);
  assert.throws(() => parseList('x.txt', '== s\n\n  code src/a.ts'), /x\.txt:3: neither/);
});

for (const [what, details, pattern] of [
  [
    'a test that is gone',
    '  code src/a.ts\n  test src/a.test.ts: it was so',
    /no test 'it was so'/,
  ],
  ['half a name', '  code src/a.ts\n  test src/a.test.ts: it is', /no test 'it is'/],
  ['a case that is gone', '  code src/a.ts\n  test src/a.test.ts: case three of it', /no test/],
  ['a file of tests that is gone', '  code src/a.ts\n  test src/b.test.ts: x', /no src\/b\.test/],
  ['a function that is gone', '  code src/a.ts shut', /declares no shut/],
  ['a file that is gone', '  code src/b.ts', /there is no src\/b\.ts/],
  ['no code', '  test src/a.test.ts: it is so', /names no code/],
]) {
  test(`checkRow() finds: ${what}`, () => {
    const problems = checkRow(rowOf(details), read);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0], pattern);
  });
}

test('checkRow() fills in what a test is named by in a loop', () => {
  const details = '  code src/a.ts\n  test src/a.test.ts: case two of it';
  assert.deepEqual(checkRow(rowOf(details), read), []);
});

test('checkNumbers() wants each number once, and a test for each MUST', () => {
  const list = readLists(root).find(({ rfc }) => rfc === 'RFC 9293');
  assert.deepEqual(checkNumbers(list), []);
  const text = readFileSync(root + list.path, 'utf8');
  const broken = text
    .replace('MUST-13 (', 'MUST-70 (')
    .replace('MUST-14 (', 'MUST-15 (')
    .replace(/(MUST-10 \([\s\S]*?)\n {2}test [^\n]*/, '$1');
  const problems = checkNumbers(parseList('x.txt', broken)).join('\n');
  for (const pattern of [
    /MUST-13 is not there/,
    /MUST-14 is not there/,
    /MUST-15 is there twice/,
    /no MUST-70/,
    /MUST-10 has no test/,
  ]) {
    assert.match(problems, pattern);
  }
});
