import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from '../storage/arena.ts';
import { allocateSimdArena } from '../storage/simd.ts';
import { internetChecksum } from '../testing/bytes.ts';
import { fold } from '../wire/checksum.ts';
import { SummedArena, sum } from './ones-sum.ts';

const BYTES = 200_000;

/** The sum as the checksum field would be, big-endian. */
function checksum(memory: SummedArena, at: number, length: number): number {
  const little = ~fold(sum(memory, at, length)) & 0xffff;
  return ((little & 0xff) << 8) | (little >>> 8);
}

test('both ways of summing agree with the RFC, at every alignment and length', () => {
  const simd = allocateSimdArena(BYTES);
  assert.notEqual(simd.simd, null);
  const plain = Arena.allocate(BYTES);
  assert.equal(plain.simd, null);
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 1600 });
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: 67 }), (content, at) => {
      for (const arena of [simd, plain]) {
        arena.bytes.fill(0xff, 0, 2000);
        arena.bytes.set(content, at);
        assert.equal(
          checksum(new SummedArena(arena), at, content.length),
          internetChecksum(content),
        );
      }
    }),
    { numRuns: 300 },
  );
});

test('the largest packet does not overflow either sum', () => {
  for (const arena of [allocateSimdArena(BYTES), Arena.allocate(BYTES)]) {
    arena.bytes.fill(0xff);
    for (const length of [65_534, 65_535, 65_575]) {
      const expected = internetChecksum(arena.bytes.slice(4, 4 + length));
      assert.equal(checksum(new SummedArena(arena), 4, length), expected);
    }
  }
});

test('a length that leads out of the arena does no harm', () => {
  const arena = allocateSimdArena(BYTES);
  assert.equal(typeof sum(new SummedArena(arena), BYTES - 4, 65_575), 'number');
});
