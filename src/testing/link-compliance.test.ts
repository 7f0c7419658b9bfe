import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RX_AT, RX_BASE, RX_COUNT, SLOT_BASE, SLOT_COUNT, TX_COUNT } from '../link/layout.gen.ts';
import type { Link } from '../link/link.ts';
import { createPair } from '../link/pair.ts';
import { Arena } from '../storage/arena.ts';
import { linkCompliance } from './link-compliance.ts';

/** The second link of a pair with another exchange(), and which checks that fails. */
function failures(spoil: (link: Link, exchange: () => number) => number): string[] {
  const make = (): [Link, Link] => {
    const [a, b] = createPair(Arena.allocate(4 << 20));
    const exchange = b.exchange.bind(b);
    b.exchange = () => spoil(b, exchange);
    const back = a.exchange.bind(a);
    a.exchange = () => spoil(a, back);
    return [a, b];
  };
  return linkCompliance(make)
    .filter(({ check }) => {
      try {
        check();
        return false;
      } catch {
        return true;
      }
    })
    .map(({ name }) => name);
}

const LOSES = 'link: holds the sender back instead of losing frames, and recovers';
const ORDER = 'link: delivers many bursts completely and in order';
const SLOTS = 'link: offers each slot once, inside the arena';
const TAKES = 'link: takes over the transmit descriptors with each exchange';
const BYTES = 'link: delivers a TCP and a UDP frame byte for byte, with no bad verdict';
const CLOSES = 'link: stops for good after close(), which may be called twice';

test('a link as it should be passes every check', () => {
  assert.deepEqual(
    failures((_, exchange) => exchange()),
    [],
  );
});

test('a link that loses a frame now and then is found out', () => {
  let calls = 0;
  const found = failures((link, exchange) => {
    const count = exchange();
    if (count < 2 || ++calls % 5 !== 0) return count;
    link.ring[RX_COUNT]!--;
    return count - 1;
  });
  assert.ok(found.includes(LOSES) && found.includes(ORDER), found.join());
});

test('a link that changes a byte is found out', () => {
  const found = failures((link, exchange) => {
    const count = exchange();
    if (count > 0) link.arena.bytes[link.ring[RX_BASE + RX_AT]! + 40]! ^= 1;
    return count;
  });
  assert.ok(found.includes(BYTES), found.join());
});

test('a link that offers a slot twice is found out', () => {
  const found = failures((link, exchange) => {
    const count = exchange();
    if (link.ring[SLOT_COUNT]! > 1) link.ring[SLOT_BASE] = link.ring[SLOT_BASE + 1]!;
    return count;
  });
  assert.ok(found.includes(SLOTS), found.join());
});

test('a link that leaves descriptors on the ring is found out', () => {
  const found = failures((link, exchange) => {
    const sent = link.ring[TX_COUNT]!;
    const count = exchange();
    link.ring[TX_COUNT] = sent;
    return count;
  });
  assert.ok(found.includes(TAKES), found.join());
});

test('a link that lives on after close() is found out', () => {
  assert.ok(failures((_, exchange) => Math.max(exchange(), 0)).includes(CLOSES));
});
