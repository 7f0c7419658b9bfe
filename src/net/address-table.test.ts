import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AddressHash } from './address-hash.ts';
import { AddressTable, BROADCAST, GROUP, NO_ENTRY, NONE, UNICAST } from './address-table.ts';

test('an address is found with its kind and interface, another is not', () => {
  const table = new AddressTable();
  table.add(0, 0, 0xffff, 5, UNICAST, 3);
  const entry = table.find(0, 0, 0xffff, 5);
  assert.deepEqual([table.kindOf(entry), table.nicOf(entry)], [UNICAST, 3]);
  assert.equal(table.kind(0, 0, 0xffff, 6), NONE);
  assert.equal(table.find(0, 0, 0, 5), NO_ENTRY);
});

test('an address added twice stays until it is removed twice', () => {
  const table = new AddressTable();
  table.add(1, 2, 3, 4, GROUP, 0);
  table.add(1, 2, 3, 4, GROUP, 0);
  table.remove(1, 2, 3, 4);
  assert.equal(table.kind(1, 2, 3, 4), GROUP);
  table.remove(1, 2, 3, 4);
  assert.equal(table.kind(1, 2, 3, 4), NONE);
  table.remove(1, 2, 3, 4);
});

test('the table behaves like a Map, however it grows', () => {
  const word = fc.integer({ min: -2, max: 2 });
  const step = fc.tuple(fc.boolean(), word, word, word, word);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const table = new AddressTable();
      const model = new Map<string, number>();
      for (const [add, a, b, c, d] of steps) {
        const key = `${a} ${b} ${c} ${d}`;
        const count = model.get(key) ?? 0;
        if (add) table.add(a, b, c, d, BROADCAST, 1);
        else table.remove(a, b, c, d);
        model.set(key, Math.max(0, count + (add ? 1 : -1)));
        assert.equal(table.kind(a, b, c, d) === BROADCAST, model.get(key)! > 0);
      }
      for (const [key, count] of model) {
        const [a, b, c, d] = key.split(' ').map(Number) as [number, number, number, number];
        assert.equal(table.kind(a, b, c, d) === BROADCAST, count > 0);
      }
    }),
  );
});

test('the address hash depends on the key and on every word', () => {
  let state = 1;
  const random = (): number => {
    state = Math.imul(state, 0x9e3779b1) + 7;
    return state;
  };
  const hash = new AddressHash(random);
  const other = new AddressHash(random);
  assert.equal(hash.one(1, 2, 3, 4, 5), hash.one(1, 2, 3, 4, 5));
  assert.notEqual(hash.one(1, 2, 3, 4, 5), other.one(1, 2, 3, 4, 5));
  const base = hash.two(1, 2, 3, 4, 5, 6, 7, 8);
  for (let changed = 0; changed < 8; changed++) {
    const words = [1, 2, 3, 4, 5, 6, 7, 8].map((word, i) => (i === changed ? word + 1 : word));
    const [a, b, c, d, e, f, g, h] = words as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    assert.notEqual(hash.two(a, b, c, d, e, f, g, h), base);
  }
});

test('the address hash spreads neighbors over buckets', () => {
  const hash = new AddressHash(() => 12345);
  const buckets = new Int32Array(256);
  for (let i = 0; i < 25_600; i++) buckets[hash.one(0, 0, 0xffff, 0x0a000000 + i, 0) & 255]!++;
  assert.ok(Math.max(...buckets) < 160 && Math.min(...buckets) > 50);
});
