import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../storage/arena.ts';
import { SLOT_BASE, SLOT_BYTES, SLOT_COUNT, SLOT_MAX } from './layout.gen.ts';
import { createRing } from './link.ts';
import { NO_SLOT, SlotPool } from './slots.ts';

test('slots are aligned, apart, and in the arena', () => {
  const arena = Arena.allocate(1 << 20);
  const pool = new SlotPool(arena, 100, SLOT_BYTES + 1);
  const slots = Array.from({ length: 100 }, () => pool.take());
  assert.ok(slots.every((slot) => slot % 64 === 0 && pool.owns(slot)));
  const sorted = slots.toSorted((a, b) => a - b);
  for (let i = 1; i < 100; i++) assert.ok(sorted[i]! - sorted[i - 1]! >= SLOT_BYTES + 1);
  assert.ok(sorted.at(-1)! + pool.slotBytes <= arena.bytes.length);
  assert.equal(pool.take(), NO_SLOT);
  assert.equal(pool.owns(sorted.at(-1)! + pool.slotBytes), false);
});

test('the slot given back last is taken first', () => {
  const pool = new SlotPool(Arena.allocate(1 << 20), 10);
  const [first, second] = [pool.take(), pool.take()];
  pool.give(second);
  pool.give(first);
  assert.deepEqual([pool.take(), pool.take(), pool.free], [first, second, 8]);
});

test('fill() fills the ring up and idle() counts what is nowhere else', () => {
  const pool = new SlotPool(Arena.allocate(1 << 20), 300);
  const ring = createRing();
  pool.fill(ring);
  assert.deepEqual([ring[SLOT_COUNT], pool.free, pool.idle(ring)], [SLOT_MAX, 300 - SLOT_MAX, 300]);
  const all = new Set(ring.slice(SLOT_BASE, SLOT_BASE + SLOT_MAX));
  assert.equal(all.size, SLOT_MAX);
  ring[SLOT_COUNT]! -= 100;
  assert.equal(pool.idle(ring), 200);
  pool.fill(ring);
  assert.deepEqual([ring[SLOT_COUNT], pool.free], [200, 0]);
});

test('a pool larger than the arena is refused', () => {
  assert.throws(() => new SlotPool(Arena.allocate(SLOT_BYTES), 2), { code: 'ENOMEM' });
});
