import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionFailed, execute, type Names, type Scalar } from './expression.ts';

const names = (): Names =>
  new Map<string, Scalar>([
    ['tcpi_snd_cwnd', 10],
    ['tcpi_rtt', 50_000],
  ]);

/** The value of an expression, by way of an assignment. */
function evaluated(expression: string): Scalar | undefined {
  const known = names();
  execute(`x = ${expression}`, known);
  return known.get('x');
}

const VALUES: readonly [string, Scalar][] = [
  ['1 + 2 * 3', 7],
  ['(1 + 2) * 3', 9],
  ['2 ** 3 ** 2', 512],
  ['-2 ** 2', -4],
  ['7 // 2', 3],
  ['-7 // 2', -4],
  ['-7 % 3', 2],
  ['1 / 2', 0.5],
  ['0x10 | 1 << 3 & 8', 24],
  ['6 ^ 3', 5],
  ['1 < 2 <= 2 != 3', true],
  ['1 < 3 < 2', false],
  ['not 1 == 2', true],
  ['0 or 5', 5],
  ['0 and 5', 0],
  ['1 and 5', 5],
  ['True == 1', true],
  ['abs(-3) + min(4, 2) + max(1, 9)', 14],
  ["'a' + 'b'", 'ab'],
  ['int(7 / 2)', 3],
  ['tcpi_rtt / 1000 == 50', true],
];
for (const [expression, value] of VALUES) {
  test(`execute() finds ${expression} to be ${value}`, () => {
    assert.equal(evaluated(expression), value);
  });
}

test('execute() takes statements by line and by semicolon, and comments', () => {
  const printed = execute(
    `# a comment
     wanted = 4 * 3; wanted -= 4 // 2; wanted += 2
     wanted //= 1; wanted -= 2; assert tcpi_snd_cwnd == wanted
     print("cwnd", tcpi_snd_cwnd)
     print tcpi_rtt
     assert (1 +
             1) == 2`,
    names(),
  );
  assert.deepEqual(printed, ['cwnd 10', '50000']);
});

test('execute() says which assertion fails, and what the values are', () => {
  const code = 'assert tcpi_snd_cwnd == 11, "after the loss"';
  assert.throws(() => execute(code, names()), {
    name: AssertionFailed.name,
    message: 'assert tcpi_snd_cwnd == 11, "after the loss": after the loss (tcpi_snd_cwnd is 10)',
  });
});

test('execute() refuses what it does not know', () => {
  assert.throws(() => execute('assert tcpi_magic == 1', names()), /there is no 'tcpi_magic'/);
  assert.throws(() => execute('assert 1 == $', names()), /cannot read '\$'/);
  assert.throws(() => execute('x += 1', names()), /there is no 'x'/);
  assert.throws(() => execute('assert (1', names()), /no '\)'/);
  assert.throws(() => execute('assert 1 2', names()), /'2' is not expected/);
});
