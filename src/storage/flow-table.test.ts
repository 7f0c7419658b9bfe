import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { FlowTable, NONE } from './flow-table.ts';

function values(table: FlowTable, hash: number): number[] {
  const found: number[] = [];
  for (let at = table.find(hash); at !== NONE; at = table.next(at, hash))
    found.push(table.value(at));
  return found.sort((a, b) => a - b);
}

test('property: it behaves as a multimap under inserts and removals with colliding hashes', () => {
  const action = fc.tuple(fc.boolean(), fc.integer({ min: -3, max: 12 }), fc.nat(15));
  fc.assert(
    fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
      const table = new FlowTable(8);
      const model = new Map<number, Set<number>>();
      for (const [add, hash, value] of actions) {
        const set = model.get(hash) ?? new Set();
        model.set(hash, set);
        if (add && !set.has(value)) {
          table.insert(hash, value);
          set.add(value);
        } else if (!add) {
          assert.equal(table.remove(hash, value), set.delete(value));
        }
      }
      for (const [hash, set] of model) {
        assert.deepEqual(
          values(table, hash),
          [...set].sort((a, b) => a - b),
        );
      }
      assert.equal(
        table.size,
        [...model.values()].reduce((sum, set) => sum + set.size, 0),
      );
    }),
  );
});

test('a million inserts and removals leave no tombstones behind', () => {
  const table = new FlowTable(64);
  for (let i = 0; i < 1_000_000; i++) {
    table.insert(Math.imul(i, 0x9e3779b1), i);
    if (i >= 20) assert.ok(table.remove(Math.imul(i - 20, 0x9e3779b1), i - 20));
  }
  assert.equal(table.size, 20);
  assert.equal(table.find(12345), NONE);
});

test('property: every entry is found while the table grows, and removed from either half', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 40, maxLength: 400 }),
      fc.nat(6),
      (hashes, drop) => {
        const table = new FlowTable(8);
        const kept = new Map<number, number>();
        for (const [value, hash] of hashes.entries()) {
          // Few low bits, so that clusters are long and wrap around the end.
          const clustered = hash & ~0x30;
          table.insert(clustered, value);
          kept.set(value, clustered);
          if (value % 7 < drop) {
            const [gone, its] = [...kept][(value * 31) % kept.size]!;
            assert.ok(table.remove(its, gone));
            kept.delete(gone);
          }
          for (const [other, its] of kept) assert.ok(values(table, its).includes(other));
        }
        assert.equal(table.size, kept.size);
      },
    ),
    { numRuns: 30 },
  );
});

test('300,000 entries are found after all doublings, and can be removed', () => {
  const table = new FlowTable(64);
  for (let i = 0; i < 300_000; i++) table.insert(Math.imul(i, 0x9e3779b1), i);
  for (let i = 0; i < 300_000; i++) {
    const hash = Math.imul(i, 0x9e3779b1);
    assert.equal(table.value(table.find(hash)), i);
  }
  for (let i = 0; i < 300_000; i++) assert.ok(table.remove(Math.imul(i, 0x9e3779b1), i));
  assert.equal(table.size, 0);
});
