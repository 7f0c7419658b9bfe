import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena, copy } from './arena.ts';
import { allocateSimdArena } from './simd.ts';

const BYTES = 8192;

test('copy() moves what copyWithin() would, at every alignment, overlap and length', () => {
  const place = fc.integer({ min: 0, max: 2500 });
  const near = fc.integer({ min: 0, max: 80 });
  const length = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 1600 }));
  const ranges = fc.oneof(fc.tuple(place, place, length), fc.tuple(near, near, length));
  const expected = new Uint8Array(BYTES);
  fc.assert(
    fc.property(ranges, ([to, from, count]) => {
      for (const arena of [allocateSimdArena(BYTES), Arena.allocate(BYTES)]) {
        for (let i = 0; i < BYTES; i++) expected[i] = arena.bytes[i] = i * 7 + (i >> 8);
        copy(arena, to, from, count);
        expected.copyWithin(to, from, from + count);
        assert.deepEqual(arena.bytes.slice(0, BYTES), expected);
      }
    }),
    { numRuns: 300 },
  );
});

test('where WebAssembly is missing the arena is an ordinary one', () => {
  const host = globalThis as { WebAssembly?: unknown };
  const { WebAssembly } = host;
  try {
    Reflect.deleteProperty(host, 'WebAssembly');
    const arena = allocateSimdArena(BYTES);
    assert.equal(arena.simd, null);
    assert.equal(arena.reserve(BYTES - 64) % 64, 0);
  } finally {
    host.WebAssembly = WebAssembly;
  }
});
