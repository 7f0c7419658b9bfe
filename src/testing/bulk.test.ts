import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BulkPath, bulk, jain } from './bulk.ts';

const BOTTLENECK = { bitsPerSecond: 100e6, queueBytes: 256 * 1024 };
/** By loss; npm run bench -- loss has the whole matrix with its figures. */
const BYTES = new Map([
  [0, 400_000],
  [0.01, 200_000],
  [0.03, 200_000],
  [0.1, 100_000],
  [0.3, 20_000],
]);

for (const [loss, bytes] of BYTES) {
  test(`${loss * 100} % loss: what arrives is what was sent, near and far, in order and not`, () => {
    for (const rttUs of [100, 10_000, 300_000]) {
      for (const reorder of [0, 0.05]) {
        const path: BulkPath = { ...BOTTLENECK, loss, rttUs, reorder };
        const { intact, bytesPerSecond } = bulk({ ...path, seed: 1, bytes });
        assert.ok(intact, `${rttUs} us, reordering ${reorder}`);
        assert.ok(bytesPerSecond > 0);
      }
    }
  });
}

/** Bytes a second of the rule of thumb for a window that loss alone bounds (Mathis 1997). */
function expected(loss: number, rttUs: number): number {
  return (1.2 * 1448) / Math.sqrt(loss) / (rttUs / 1e6);
}

test('with 1 % loss the rate is that of the window which such losses leave', () => {
  const path: BulkPath = { ...BOTTLENECK, loss: 0.01, rttUs: 50_000, reorder: 0 };
  let seconds = 0;
  for (const seed of [1, 2, 3]) seconds += bulk({ ...path, seed, bytes: 2e6 }).seconds;
  const share = 6e6 / seconds / expected(0.01, 50_000);
  assert.ok(share > 0.7, `${share} of the rule of thumb`);
});

test('reordering alone costs hardly anything: each recovery it brings is taken back', () => {
  const path: BulkPath = { ...BOTTLENECK, loss: 0, rttUs: 10_000, reorder: 0 };
  const inOrder = bulk({ ...path, seed: 1, bytes: 4e6 });
  const not = bulk({ ...path, reorder: 0.05, seed: 1, bytes: 4e6 });
  const share = not.bytesPerSecond / inOrder.bytesPerSecond;
  assert.ok(share > 0.9, `${share} of the rate in order, ${JSON.stringify(not.sender)}`);
});

test('jain() is 1 for equal shares and 1/n for a single winner', () => {
  assert.equal(jain([5, 5, 5, 5]), 1);
  assert.equal(jain([8, 0, 0, 0]), 0.25);
});
