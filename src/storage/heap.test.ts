import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Arena } from './arena.ts';
import { ByteRing } from './byte-ring.ts';
import { blockSize, Heap, NO_BLOCK } from './heap.ts';

const BUDGET = 1 << 16;

function fill(heap: Heap, bytes: number): number[] {
  const blocks: number[] = [];
  for (let block = heap.allocate(bytes); block !== NO_BLOCK; block = heap.allocate(bytes)) {
    blocks.push(block);
  }
  return blocks;
}

test('a heap that was full of small blocks has room for large ones again', () => {
  const heap = new Heap(Arena.allocate(2 * BUDGET), BUDGET);
  const small = fill(heap, 256);
  assert.equal(small.length, BUDGET / 256);
  // Every second one: half of the budget is free, and nothing larger than a small block.
  for (let i = 0; i < small.length; i += 2) heap.free(small[i]!, 256);
  assert.equal(heap.allocate(512), NO_BLOCK);
  for (let i = 1; i < small.length; i += 2) heap.free(small[i]!, 256);
  assert.equal(heap.live, 0);
  const large = heap.allocate(BUDGET);
  assert.notEqual(large, NO_BLOCK);
  heap.free(large, BUDGET);
  assert.equal(fill(heap, 4096).length, BUDGET / 4096);
});

test('property: blocks never overlap, and live counts them, through splits and joins', () => {
  const action = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 20_000 }));
  fc.assert(
    fc.property(fc.array(action, { minLength: 50, maxLength: 400 }), (actions) => {
      const heap = new Heap(Arena.allocate(2 * BUDGET), BUDGET);
      const out: { at: number; size: number }[] = [];
      for (const [add, n] of actions) {
        if (add || out.length === 0) {
          const at = heap.allocate(n);
          if (at === NO_BLOCK) continue;
          const size = blockSize(n);
          assert.ok(out.every((other) => at + size <= other.at || other.at + other.size <= at));
          out.push({ at, size });
        } else {
          const [gone] = out.splice(n % out.length, 1);
          heap.free(gone!.at, gone!.size);
        }
        assert.equal(
          heap.live,
          out.reduce((sum, { size }) => sum + size, 0),
        );
      }
    }),
  );
});

test('property: ByteRing.trim() keeps the queue and gives back what it does not need', () => {
  const sizes = fc.integer({ min: 1, max: 3000 });
  fc.assert(
    fc.property(sizes, fc.nat(5000), sizes, (length, dropped, reserved) => {
      const arena = Arena.allocate(2 * BUDGET);
      const heap = new Heap(arena, BUDGET / 2);
      const source = arena.reserve(8192);
      for (let i = 0; i < 8192; i++) arena.bytes[source + i] = (i * 7) & 0xff;
      const ring = new ByteRing();
      const queue: number[] = [];
      const add = (bytes: number): void => {
        assert.ok(ring.reserve(heap, ring.length + bytes));
        ring.place(heap, ring.length, source, bytes);
        ring.extend(bytes);
        for (let i = 0; i < bytes; i++) queue.push((i * 7) & 0xff);
      };
      add(length);
      const drop = Math.min(dropped, length);
      ring.drop(heap, drop, true);
      queue.splice(0, drop);
      ring.reserve(heap, ring.length + reserved);
      add(Math.min(reserved, 100));
      ring.trim(heap);
      assert.equal(heap.live, ring.size);
      assert.equal(ring.size, blockSize(ring.length));
      const found = queue.map((_, i) => arena.bytes[ring.at(i)]);
      assert.deepEqual(found, queue);
    }),
  );
});
