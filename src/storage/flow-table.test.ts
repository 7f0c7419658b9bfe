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
