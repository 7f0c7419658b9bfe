import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../storage/arena.ts';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import * as Packet from '../testing/packet.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { FaultLink } from './fault.ts';
import type { Faults } from './faulty-path.ts';
import { RX_IP_BAD, RX_L4_BAD, RX_L4_GOOD } from './layout.gen.ts';
import { hasRoom } from './link.ts';
import { createPair, type PairOptions } from './pair.ts';

const ENDS = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 4000, dstPort: 80 };
/** Where the sequence number stands in an IPv4 frame; not decoded, since it may be corrupt. */
const SEQ_AT = 14 + 20 + 4;

function bench(faults: { out?: Faults; in?: Faults }, pair: PairOptions = {}, seed = 1) {
  const clock = new VirtualClock();
  const arena = Arena.allocate(32 << 20);
  const [near, b] = createPair(arena, pair);
  const a = new FaultLink(near, { seed, now: clock.now, ...faults });
  const arrived: number[] = [];
  const flags: number[] = [];
  const turn = (): void => {
    a.exchange();
    for (const frame of receiveFrames(b)) {
      arrived.push(new DataView(frame.bytes.buffer).getInt32(SEQ_AT));
      flags.push(frame.flags);
    }
  };
  const send = (count: number): void => {
    for (let seq = 0; seq < count; ) {
      if (sendFrame(a, Packet.tcp({ ...ENDS, seq, payload: 'some payload' }))) seq++;
      else turn();
    }
    for (let i = 0; i < 20; i++) turn();
  };
  return { a, b, near, clock, arrived, flags, send, turn };
}

const inOrder = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test('a fault link without faults changes nothing', () => {
  const { a, b, near, arrived, send } = bench({});
  send(1000);
  assert.deepEqual(arrived, inOrder(1000));
  b.exchange();
  assert.equal(a.exchange(), 0);
  assert.deepEqual([a.idleSlots, near.idleSlots], [a.totalSlots, near.totalSlots]);
  assert.equal(a.pendingAt, Number.POSITIVE_INFINITY);
});

test('loss takes about its share, the same with the same seed', () => {
  const once = bench({ out: { loss: 0.1 } });
  once.send(10_000);
  const again = bench({ out: { loss: 0.1 } });
  again.send(10_000);
  const other = bench({ out: { loss: 0.1 } }, {}, 2);
  other.send(10_000);
  assert.ok(Math.abs(once.a.sent.lost - 1000) < 150);
  assert.equal(once.arrived.length, 10_000 - once.a.sent.lost);
  assert.deepEqual(again.arrived, once.arrived);
  assert.notDeepEqual(other.arrived, once.arrived);
});

test('duplication delivers some frames twice, next to each other', () => {
  const { a, arrived, send } = bench({ out: { duplicate: 0.2 } });
  send(1000);
  assert.ok(a.sent.duplicated > 100);
  assert.equal(arrived.length, 1000 + a.sent.duplicated);
  assert.deepEqual([...new Set(arrived)], inOrder(1000));
});

test('reordering moves frames back by at most its depth and loses none', () => {
  const { a, arrived, send } = bench({ out: { reorder: 0.1, reorderDepth: 4 } });
  send(1000);
  assert.ok(a.sent.reordered > 50);
  assert.notDeepEqual(arrived, inOrder(1000));
  assert.deepEqual(
    arrived.toSorted((x, y) => x - y),
    inOrder(1000),
  );
  for (const [place, seq] of arrived.entries()) assert.ok(Math.abs(place - seq) <= 16);
});

test('a reordered frame with none behind it still arrives', () => {
  const { arrived, send } = bench({ out: { reorder: 1 } });
  send(1);
  assert.deepEqual(arrived, [0]);
});

test('corruption is below the checksum: the receiver sees it', () => {
  for (const wire of ['checksummed', 'trusted'] as const) {
    for (const direction of ['out', 'in'] as const) {
      const { a, b, send, flags, near } = bench({ [direction]: { corrupt: 1 } }, { wire });
      if (direction === 'out') {
        send(500);
        assert.equal(a.sent.corrupted, 500);
      } else {
        for (let seq = 0; seq < 500; seq++) {
          assert.ok(sendFrame(b, Packet.tcp({ ...ENDS, seq, payload: 'some payload' })));
          b.exchange();
          flags.push(...receiveFrames(a).map((frame) => frame.flags));
        }
        assert.equal(a.received.corrupted, 500);
        assert.equal(near.features.rxChecksum, wire === 'checksummed' ? 'software' : 'none');
      }
      assert.equal(flags.length, 500);
      const good = flags.filter((bits) => (bits & RX_L4_GOOD) !== 0).length;
      const bad = flags.filter((bits) => (bits & (RX_IP_BAD | RX_L4_BAD)) !== 0).length;
      // Bits of the Ethernet header, a quarter of such a small frame, are not summed.
      assert.ok(good < 100, `${wire} ${direction}: ${good} good`);
      assert.ok(bad > 300 || (wire === 'trusted' && direction === 'out'), `${bad} bad`);
    }
  }
});

test('delay holds frames back by the clock, jitter reorders them', () => {
  const { a, b, clock, arrived, turn } = bench({ out: { delay: 1000 } });
  sendFrame(a, Packet.tcp({ ...ENDS, seq: 7 }));
  turn();
  assert.deepEqual(arrived, []);
  assert.equal(a.pendingAt, clock.now() + 1000);
  clock.advance(999);
  turn();
  assert.deepEqual(arrived, []);
  clock.advance(1);
  turn();
  assert.deepEqual(arrived, [7]);
  assert.equal(b.exchange(), 0);

  const jittery = bench({ out: { delay: 100, jitter: 1000 } });
  for (let seq = 0; seq < 50; seq++) sendFrame(jittery.a, Packet.tcp({ ...ENDS, seq }));
  jittery.turn();
  for (let i = 0; i < 12; i++) {
    jittery.clock.advance(100);
    jittery.turn();
  }
  assert.notDeepEqual(jittery.arrived, inOrder(50));
  assert.deepEqual(
    jittery.arrived.toSorted((x, y) => x - y),
    inOrder(50),
  );
});

test('a bottleneck spaces frames out and drops what its queue cannot hold', () => {
  // 66 bytes at 528 kbit/s take 1 ms.
  const { a, clock, arrived, turn } = bench({ out: { bitsPerSecond: 528_000, queueBytes: 660 } });
  for (let seq = 0; seq < 20; seq++)
    sendFrame(a, Packet.tcp({ ...ENDS, seq, payload: 'x'.repeat(12) }));
  turn();
  assert.equal(a.sent.overflowed, 10);
  for (let ms = 1; ms <= 10; ms++) {
    clock.advance(1000);
    turn();
    assert.equal(arrived.length, ms);
  }
  assert.deepEqual(arrived, inOrder(10));
});

test('faults hold under back-pressure: what is taken arrives or is counted', () => {
  const { a, b } = bench({ out: { loss: 0.05, duplicate: 0.05, reorder: 0.1, corrupt: 0.02 } });
  const frame = Packet.tcp({ ...ENDS, payload: 'x'.repeat(1400) });
  let sent = 0;
  let arrived = 0;
  for (let turn = 0; turn < 40_000 && sent < 75_000; turn++) {
    for (let i = 0; i < 5 && hasRoom(a.ring); i++) if (sendFrame(a, frame)) sent++;
    a.exchange();
    if (turn % 3 === 0) arrived += Math.max(b.exchange(), 0);
  }
  for (let i = 0; i < 200; i++) {
    a.exchange();
    arrived += b.exchange();
  }
  const { entered, lost, duplicated, left, overflowed } = a.sent;
  assert.ok(sent * frame.length > 100e6);
  assert.equal(entered, sent);
  assert.equal(overflowed, 0);
  assert.equal(left, entered - lost + duplicated);
  assert.equal(arrived, left);
  assert.equal(a.idleSlots, a.totalSlots);
});

test('large segments are cut first, so that faults strike single frames', () => {
  const { a, arrived, turn } = bench({ out: { loss: 0.2 } }, { segmentBytes: 60_000 });
  sendFrame(a, Packet.tcp({ ...ENDS, payload: 'x'.repeat(60_000) }), { mss: 1000 });
  for (let i = 0; i < 10; i++) turn();
  assert.equal(a.sent.entered, 60);
  assert.equal(arrived.length, 60 - a.sent.lost);
  assert.ok(a.sent.lost > 2);
});
