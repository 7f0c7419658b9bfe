import assert from 'node:assert/strict';
import test from 'node:test';
import { halfSip3, sipHash24, sipHigh } from './siphash.ts';

/** The key 00 01 .. 0f of the reference implementation's vectors. */
const key = Int32Array.of(0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c);

function hash(bytes: number): string {
  const input = Uint8Array.from({ length: bytes }, (_, i) => i);
  const words = new Int32Array(input.buffer);
  const low = sipHash24(key, words, words.length) >>> 0;
  return (sipHigh() >>> 0).toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

test('sipHash24() gives the reference vectors for 0, 4, 8 and 12 bytes', () => {
  assert.equal(hash(0), '726fdb47dd0e0e31');
  assert.equal(hash(4), 'cf2794e0277187b7');
  assert.equal(hash(8), '93f5f5799a932462');
  assert.equal(hash(12), '751e8fbc860ee5fb');
});

test('halfSip3() depends on each word and on the key', () => {
  const base = halfSip3(1, 2, 3, 4, 5);
  for (const other of [
    [9, 2, 3, 4, 5],
    [1, 9, 3, 4, 5],
    [1, 2, 9, 4, 5],
    [1, 2, 3, 9, 5],
    [1, 2, 3, 4, 9],
  ]) {
    assert.notEqual(halfSip3(other[0]!, other[1]!, other[2]!, other[3]!, other[4]!), base);
  }
});

test('halfSip3() spreads consecutive ports evenly over a table', () => {
  const buckets = new Int32Array(64);
  for (let port = 0; port < 64000; port++) buckets[halfSip3(0x1234, 0x5678, 1, 2, port) & 63]!++;
  for (const count of buckets)
    assert.ok(count > 850 && count < 1150, `a bucket holds ${count} of 1000`);
});
