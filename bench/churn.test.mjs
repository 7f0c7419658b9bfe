import assert from 'node:assert/strict';
import test from 'node:test';
import { runChurn } from './churn.mjs';

test('10,000 connections over 2,000 ports: all succeed, memory is flat, nothing is left', () => {
  const { done, failed, memory, left, reused } = runChurn(10_000, 2000);
  assert.deepEqual([done, failed], [10_000, 0]);
  assert.ok(reused > 2000, 'a new SYN replaces a TIME-WAIT');
  for (const counts of left) {
    for (const [what, count] of Object.entries(counts)) assert.equal(count, 0, what);
  }
  // Half of the way all ports have been in TIME-WAIT; no record is made from then on.
  assert.equal(memory.at(-1).records, memory.at(5).records);
  assert.ok(memory.at(-1).records <= 2 * 2000 + 64);
});
