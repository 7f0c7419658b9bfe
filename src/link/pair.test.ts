import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../storage/arena.ts';
import * as Packet from '../testing/packet.ts';
import {
  DESCRIPTOR_WORDS,
  RX_AT,
  RX_BASE,
  RX_COALESCED,
  RX_FLAGS,
  RX_IP_GOOD,
  RX_L4_GOOD,
  RX_LENGTH,
  SLOT_BASE,
  SLOT_COUNT,
  SLOT_TRANSPORT,
  TX_AT,
  TX_BASE,
  TX_COUNT,
  TX_FLAGS,
  TX_HEADERS,
  TX_IP_SUM,
  TX_LENGTH,
  TX_MSS,
  TX_SEGMENT,
  TX_SLOT,
  TX_TCP_SUM,
} from './layout.gen.ts';
import { hasRoom, type Link } from './link.ts';
import { createLoopback } from './loopback.ts';
import { createPair } from './pair.ts';

const ENDS = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 4000, dstPort: 80 };
const HEADERS = 14 | (20 << 8) | (20 << 16);
const SUMS = TX_IP_SUM | TX_TCP_SUM;

function send(link: Link, frame: Uint8Array, flags = SUMS, mss = 0): void {
  assert.ok(hasRoom(link.ring));
  const ring = link.ring;
  ring[SLOT_COUNT]!--;
  const slot = ring[SLOT_BASE + ring[SLOT_COUNT]!]!;
  const at = slot + SLOT_TRANSPORT - 34;
  link.arena.bytes.set(frame, at);
  const to = TX_BASE + ring[TX_COUNT]! * DESCRIPTOR_WORDS;
  ring.set([slot, at, frame.length, flags, HEADERS, mss], to + TX_SLOT);
  assert.deepEqual([TX_SLOT, TX_AT, TX_LENGTH, TX_FLAGS, TX_HEADERS, TX_MSS], [0, 1, 2, 3, 4, 5]);
  ring[TX_COUNT]!++;
}

function received(link: Link): { frame: Uint8Array; flags: number }[] {
  const count = link.exchange();
  return Array.from({ length: Math.max(count, 0) }, (_, i) => {
    const at = RX_BASE + i * DESCRIPTOR_WORDS;
    const frameAt = link.ring[at + RX_AT]!;
    const frame = link.arena.bytes.slice(frameAt, frameAt + link.ring[at + RX_LENGTH]!);
    return { frame, flags: link.ring[at + RX_FLAGS]! };
  });
}

function segment(payload: string, seq = 0, flags = 'ACK'): Uint8Array {
  return Packet.tcp({ ...ENDS, payload, seq, flags });
}

/** The frame as the stack leaves it: the sums are not filled in. */
function withoutSums(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  copy.fill(0xee, 24, 26);
  copy.fill(0xee, 50, 52);
  return copy;
}

test('a pair fills in the sums, verifies them and keeps the order', () => {
  const [a, b] = createPair(Arena.allocate(4 << 20));
  const frames = Array.from({ length: 100 }, (_, i) => segment(`payload ${i}`, i));
  for (const frame of frames) send(a, withoutSums(frame));
  a.exchange();
  const got = [...received(b), ...received(b)];
  assert.deepEqual(
    got.map(({ frame }) => frame),
    frames,
  );
  assert.ok(got.every(({ flags }) => flags === (RX_IP_GOOD | RX_L4_GOOD)));
  assert.equal(a.exchange() + b.exchange(), 0);
  assert.deepEqual([a.idleSlots, b.idleSlots], [a.totalSlots, b.totalSlots]);
});

test('a trusted pair computes nothing and passes large segments whole', () => {
  const arena = Arena.allocate(32 << 20);
  const [a, b] = createPair(arena, { wire: 'trusted', segmentBytes: 60_000 });
  const frame = withoutSums(segment('x'.repeat(60_000)));
  send(a, frame, SUMS | TX_SEGMENT, 1460);
  a.exchange();
  assert.deepEqual(received(b), [{ frame, flags: RX_IP_GOOD | RX_L4_GOOD | RX_COALESCED }]);
  b.exchange();
  assert.equal(a.idleSlots, a.totalSlots);
});

test('a checksummed pair cuts large segments, also when slots are short', () => {
  const arena = Arena.allocate(32 << 20);
  const [a, b] = createPair(arena, { segmentBytes: 60_000, slots: 8 });
  const text = Array.from({ length: 6_000 }, (_, i) => String(i).padStart(10, '.')).join('');
  send(a, withoutSums(segment(text, 1000, 'PSH ACK')), SUMS | TX_SEGMENT, 1460);
  send(a, withoutSums(segment('behind it', 61_000)));
  let joined = '';
  for (let turn = 0; turn < 20; turn++) {
    a.exchange();
    for (const { frame, flags } of received(b)) {
      assert.equal(flags, RX_IP_GOOD | RX_L4_GOOD);
      assert.ok(frame.length <= 1514);
      joined += String.fromCharCode(...frame.slice(54));
    }
  }
  assert.equal(joined, `${text}behind it`);
  assert.deepEqual([a.idleSlots, a.pending], [a.totalSlots, 0]);
});

test('a peer that does not listen takes the free slots away, and nothing is lost', () => {
  const [a, b] = createPair(Arena.allocate(4 << 20), { slots: 32 });
  let sent = 0;
  for (let turn = 0; turn < 10; turn++) {
    while (hasRoom(a.ring)) send(a, segment('x', sent++));
    a.exchange();
  }
  assert.equal(sent, 32);
  const sequence = received(b).map(({ frame }) => new DataView(frame.buffer).getInt32(38));
  assert.deepEqual(
    sequence,
    Array.from({ length: 32 }, (_, i) => i),
  );
  b.exchange();
  a.exchange();
  assert.equal(a.ring[SLOT_COUNT], 32);
});

test('received frames stay as they are until the next exchange', () => {
  const [a, b] = createPair(Arena.allocate(4 << 20), { slots: 4 });
  send(a, segment('first'));
  a.exchange();
  b.exchange();
  for (let i = 0; i < 3; i++) send(a, segment('other'));
  a.exchange();
  const at = b.ring[RX_BASE + RX_AT]!;
  assert.deepEqual(b.arena.bytes.slice(at, at + 59), segment('first'));
});

test('a frame larger than the MTU is counted and not delivered', () => {
  const [a, b] = createPair(Arena.allocate(4 << 20), { mtu: 1000 });
  send(a, segment('x'.repeat(1500)));
  send(a, segment('x'.repeat(960)));
  a.exchange();
  assert.equal(b.exchange(), 1);
  assert.equal(a.oversized, 1);
});

test('a closed end says so, and its peer may go on sending into the void', () => {
  const [a, b] = createPair(Arena.allocate(4 << 20), { slots: 16 });
  for (let i = 0; i < 10; i++) send(a, segment('x'));
  a.exchange();
  b.close();
  b.close();
  assert.equal(b.exchange(), -1);
  for (let turn = 0; turn < 10; turn++) {
    while (hasRoom(a.ring)) send(a, segment('x'));
    assert.equal(a.exchange(), 0);
  }
  assert.equal(a.idleSlots, a.totalSlots);
});

test('sizes that fit no IP packet are refused', () => {
  const arena = Arena.allocate(1 << 20);
  assert.throws(() => createPair(arena, { mtu: 67 }), { code: 'EINVAL' });
  assert.throws(() => createPair(arena, { segmentBytes: 65_536 }), { code: 'EINVAL' });
  assert.throws(() => createLoopback(arena, { mtu: 65_536 }), { code: 'EINVAL' });
  assert.throws(() => createLoopback(arena, { mtu: 65_535 }), { code: 'ENOMEM' });
});

test('a loopback gives back what was sent, in the same exchange', () => {
  const link = createLoopback(Arena.allocate(8 << 20));
  const frame = withoutSums(segment('x'.repeat(16_000)));
  send(link, frame);
  assert.deepEqual(received(link), [{ frame, flags: RX_IP_GOOD | RX_L4_GOOD }]);
  assert.equal(link.exchange(), 0);
  assert.equal(link.idleSlots, link.totalSlots);
});
