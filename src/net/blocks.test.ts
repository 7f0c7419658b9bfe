import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../storage/arena.ts';
import { BLOCK_BYTES, Blocks, NO_BLOCK } from './blocks.ts';

test('what store() takes, load() gives back, whatever its length', () => {
  const arena = Arena.allocate(1 << 20);
  const blocks = new Blocks(arena, 16);
  const from = arena.reserve(20_000);
  const to = arena.reserve(20_000);
  for (let i = 0; i < 20_000; i++) arena.bytes[from + i] = (i * 31) & 255;
  for (const length of [1, 100, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 9000, 20_000]) {
    const chain = blocks.store(from, length);
    assert.equal(blocks.live, Math.ceil(length / BLOCK_BYTES));
    assert.equal(blocks.load(chain, to), length);
    assert.deepEqual(arena.bytes.slice(to, to + length), arena.bytes.slice(from, from + length));
    blocks.giveChain(chain);
    assert.equal(blocks.live, 0);
  }
});

test('store() takes nothing when there is not enough', () => {
  const arena = Arena.allocate(1 << 20);
  const blocks = new Blocks(arena, 4);
  const from = arena.reserve(20_000);
  assert.equal(blocks.store(from, 5 * BLOCK_BYTES), NO_BLOCK);
  assert.equal(blocks.live, 0);
  assert.notEqual(blocks.store(from, 4 * BLOCK_BYTES), NO_BLOCK);
  assert.equal(blocks.store(from, 1), NO_BLOCK);
});
