import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { IntervalSet } from './interval-set.ts';

function ranges(set: IntervalSet): [number, number][] {
  return Array.from({ length: set.count }, (_, i) => [set.first(i), set.end(i)]);
}

test('add() keeps ranges sorted and merges what touches', () => {
  const set = new IntervalSet(8);
  set.add(10, 20);
  set.add(30, 40);
  set.add(0, 5);
  assert.deepEqual(ranges(set), [
    [0, 5],
    [10, 20],
    [30, 40],
  ]);
  set.add(20, 30);
  assert.deepEqual(ranges(set), [
    [0, 5],
    [10, 40],
  ]);
  set.add(-5, 50);
  assert.deepEqual(ranges(set), [[-5, 50]]);
});

test('add() refuses one range too many but still merges when full', () => {
  const set = new IntervalSet(2);
  assert.ok(set.add(0, 1));
  assert.ok(set.add(10, 11));
  assert.equal(set.add(20, 21), false);
  assert.ok(set.add(1, 2));
  assert.deepEqual(ranges(set), [
    [0, 2],
    [10, 11],
  ]);
});

test('takeFrom() returns the end of what is contiguous', () => {
  const set = new IntervalSet(4);
  set.add(10, 20);
  set.add(30, 40);
  assert.equal(set.takeFrom(5), 5);
  assert.equal(set.takeFrom(12), 20);
  assert.deepEqual(ranges(set), [[30, 40]]);
  assert.equal(set.takeFrom(50), 50);
  assert.equal(set.count, 0);
});

test('it works across the wrap of sequence space', () => {
  const set = new IntervalSet(4);
  set.add(0x7ffffff0, 0x7ffffff8);
  set.add(-0x7ffffff8, -0x7ffffff0);
  set.add(0x7ffffff8, -0x7ffffff8);
  assert.deepEqual(ranges(set), [[0x7ffffff0, -0x7ffffff0]]);
});

test('property: the set covers exactly what was added', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 20 })), { maxLength: 60 }),
      fc.nat(220),
      (adds, next) => {
        const set = new IntervalSet(256);
        const model = new Set<number>();
        for (const [start, length] of adds) {
          assert.ok(set.add(start, start + length));
          for (let i = start; i < start + length; i++) model.add(i);
        }
        let end = next;
        while (model.has(end)) end++;
        const covered = ranges(set).flatMap(([a, b]) =>
          Array.from({ length: b - a }, (_, i) => a + i),
        );
        assert.deepEqual(
          covered,
          [...model].sort((a, b) => a - b),
        );
        assert.equal(set.takeFrom(next), end);
      },
    ),
  );
});
