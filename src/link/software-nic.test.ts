import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from '../storage/arena.ts';
import { concat } from '../testing/bytes.ts';
import * as Packet from '../testing/packet.ts';
import {
  RX_IP_BAD,
  RX_IP_GOOD,
  RX_L4_BAD,
  RX_L4_GOOD,
  TX_IP_SUM,
  TX_IPV6,
  TX_SEGMENT,
  TX_TCP_SUM,
  TX_UDP_SUM,
} from './layout.gen.ts';
import { SummedArena } from './ones-sum.ts';
import { cutSegment, fill } from './software-nic.ts';
import { verify } from './verdict.ts';

const V4 = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 4000, dstPort: 80 };
const V6 = { src: 'fd00::1', dst: 'fd00::2', srcPort: 4000, dstPort: 80 };
const GOOD_V4 = RX_IP_GOOD | RX_L4_GOOD;

const payloads = fc.uint8Array({ maxLength: 3000 });
const addresses = fc.constantFrom(V4, V6);

/** Frames at any alignment, with noise around them. */
function place(frame: Uint8Array, at: number): Arena {
  const arena = Arena.allocate(16_384);
  arena.bytes.fill(0xa5);
  arena.bytes.set(frame, at);
  return arena;
}

function headers(v6: boolean, l4: number): number {
  return 14 | ((v6 ? 40 : 20) << 8) | (l4 << 16);
}

test('fill() computes the TCP sums that the builder has, at every alignment', () => {
  fc.assert(
    fc.property(payloads, addresses, fc.integer({ min: 64, max: 67 }), (payload, ends, at) => {
      const frame = Packet.tcp({ ...ends, payload, seq: 7, flags: 'ACK PSH' });
      const arena = place(frame, at);
      const v6 = ends === V6;
      const ipAt = at + 14;
      arena.view.setUint16(ipAt + (v6 ? 40 : 20) + 16, 0xdead);
      if (!v6) arena.view.setUint16(ipAt + 10, 0xbeef);
      fill(new SummedArena(arena), at, TX_TCP_SUM | (v6 ? TX_IPV6 : TX_IP_SUM), headers(v6, 20));
      assert.deepEqual(arena.bytes.slice(at, at + frame.length), frame);
      assert.equal(arena.bytes[at + frame.length], 0xa5);
    }),
  );
});

test('fill() computes the UDP sums that the builder has', () => {
  fc.assert(
    fc.property(payloads, addresses, (payload, ends) => {
      const frame = Packet.udp({ ...ends, payload });
      const arena = place(frame, 66);
      const v6 = ends === V6;
      arena.view.setUint16(66 + 14 + (v6 ? 40 : 20) + 6, 0xdead);
      fill(new SummedArena(arena), 66, TX_UDP_SUM | (v6 ? TX_IPV6 : TX_IP_SUM), headers(v6, 8));
      assert.deepEqual(arena.bytes.slice(66, 66 + frame.length), frame);
    }),
  );
});

test('fill() sends a UDP sum of zero as all ones', () => {
  const bare = Packet.udp({ ...V4, payload: '\0\0' });
  const sum = new DataView(bare.buffer).getUint16(14 + 20 + 6);
  const payload = Uint8Array.of(sum >> 8, sum & 0xff);
  const arena = place(Packet.udp({ ...V4, payload }), 64);
  fill(new SummedArena(arena), 64, TX_UDP_SUM, headers(false, 8));
  assert.equal(arena.view.getUint16(64 + 14 + 20 + 6), 0xffff);
  assert.equal(verify(new SummedArena(arena), 64, 14 + 20 + 8 + 2), GOOD_V4);
});

test('verify() finds right what the builders make', () => {
  fc.assert(
    fc.property(
      payloads,
      addresses,
      fc.option(fc.integer({ min: 1, max: 4094 })),
      (payload, ends, vlan) => {
        const l3 = ends === V6 ? 0 : RX_IP_GOOD;
        const ethernet = vlan === null ? {} : { vlan };
        for (const build of [Packet.tcp, Packet.udp]) {
          const frame = build({ ...ends, ...ethernet, payload });
          assert.equal(
            verify(new SummedArena(place(frame, 64)), 64, frame.length),
            l3 | RX_L4_GOOD,
          );
          const padded = concat(frame, Uint8Array.of(1, 2, 3));
          assert.equal(
            verify(new SummedArena(place(padded, 64)), 64, padded.length),
            l3 | RX_L4_GOOD,
          );
        }
      },
    ),
  );
});

test('verify() finds every single flipped bit of a TCP segment', () => {
  for (const ends of [V4, V6]) {
    const frame = Packet.tcp({ ...ends, payload: 'some payload' });
    const l4 = 14 + (ends === V6 ? 40 : 20);
    for (let bit = 8 * l4; bit < 8 * frame.length; bit++) {
      const arena = place(frame, 64);
      arena.bytes[64 + (bit >> 3)]! ^= 1 << (bit & 7);
      assert.equal(
        verify(new SummedArena(arena), 64, frame.length) & (RX_L4_GOOD | RX_L4_BAD),
        RX_L4_BAD,
      );
    }
  }
});

test('verify() says nothing about the transport when the IPv4 header is bad', () => {
  const frame = Packet.tcp(V4);
  frame[14 + 8]! ^= 1;
  assert.equal(verify(new SummedArena(place(frame, 64)), 64, frame.length), RX_IP_BAD);
});

test('verify() gives no transport verdict for fragments and other protocols', () => {
  const fragment = Packet.ip({ ...V4, dontFragment: false }, 6, new Uint8Array(24));
  const view = new DataView(fragment.buffer);
  view.setUint16(14 + 6, 0x2000);
  view.setUint16(14 + 10, view.getUint16(14 + 10) - 0x2000);
  assert.equal(verify(new SummedArena(new Arena(view.buffer)), 0, fragment.length), RX_IP_GOOD);
  const echo = Packet.icmpEcho(V4);
  assert.equal(verify(new SummedArena(new Arena(echo.buffer)), 0, echo.length), RX_IP_GOOD);
  const next = Uint8Array.of(6, 0, 0, 1, 0, 0, 0, 9);
  const v6 = Packet.tcp({ ...V6, extensions: { first: 44, bytes: next } });
  assert.equal(verify(new SummedArena(new Arena(v6.buffer)), 0, v6.length), 0);
});

test('verify() walks IPv6 extension headers, and stops at a route not yet walked', () => {
  const padding = Uint8Array.of(60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0);
  const good = Packet.tcp({ ...V6, extensions: { first: 0, bytes: padding }, payload: 'x' });
  assert.equal(verify(new SummedArena(new Arena(good.buffer)), 0, good.length), RX_L4_GOOD);
  const routed = Uint8Array.of(6, 0, 4, 1, 0, 0, 0, 0);
  const frame = Packet.tcp({ ...V6, extensions: { first: 43, bytes: routed }, payload: 'x' });
  assert.equal(verify(new SummedArena(new Arena(frame.buffer)), 0, frame.length), 0);
});

test('verify() takes no UDP checksum for good in IPv4 and bad in IPv6', () => {
  const v4 = Packet.udp({ ...V4, payload: 'x', checksum: 0 });
  assert.equal(verify(new SummedArena(new Arena(v4.buffer)), 0, v4.length), GOOD_V4);
  const v6 = Packet.udp({ ...V6, payload: 'x', checksum: 0 });
  assert.equal(verify(new SummedArena(new Arena(v6.buffer)), 0, v6.length), RX_L4_BAD);
});

test('verify() reads nothing behind the frame, whatever the bytes', () => {
  const start = fc.constantFrom(Packet.tcp(V4), Packet.tcp(V6), Packet.udp(V4), Packet.udp(V6));
  fc.assert(
    fc.property(
      start,
      fc.nat(),
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      fc.nat(),
      (frame, at, noise, cut) => {
        const mutated = frame.slice();
        mutated.set(noise, at % (frame.length - 4));
        const length = cut % (frame.length + 1);
        // An arena that ends with the frame: reading on would throw.
        const verdict = verify(
          new SummedArena(new Arena(mutated.buffer.slice(0, length))),
          0,
          length,
        );
        assert.equal(verdict & ~(RX_IP_GOOD | RX_IP_BAD | RX_L4_GOOD | RX_L4_BAD), 0);
      },
    ),
    { numRuns: 2000 },
  );
});

test('cutSegment() makes frames whose payloads join to the whole, with right sums', () => {
  const tso = fc.record({
    payload: fc.uint8Array({ minLength: 1, maxLength: 5000 }),
    mss: fc.integer({ min: 1, max: 1460 }),
    ends: addresses,
    seq: fc.constantFrom(0, 1, 0x7fffff00, 0xffffff00),
  });
  fc.assert(
    fc.property(tso, ({ payload, mss, ends, seq }) => {
      const v6 = ends === V6;
      const whole = Packet.tcp({ ...ends, payload, seq, flags: 'CWR FIN PSH ACK', id: 0xfffe });
      const arena = place(whole, 64);
      const flags = TX_SEGMENT | TX_TCP_SUM | (v6 ? TX_IPV6 : TX_IP_SUM);
      for (let offset = 0, index = 0; offset < payload.length; offset += mss, index++) {
        const to = 8192 + 2;
        const length = cutSegment(
          new SummedArena(arena),
          to,
          64,
          whole.length,
          flags,
          headers(v6, 20),
          mss,
          offset,
        );
        const last = offset + mss >= payload.length;
        const flagNames = ['ACK', offset === 0 ? 'CWR' : '', last ? 'FIN PSH' : ''].join(' ');
        const expected = Packet.tcp({
          ...ends,
          payload: payload.slice(offset, offset + mss),
          seq: (seq + offset) >>> 0,
          flags: flagNames,
          id: (0xfffe + index) & 0xffff,
        });
        assert.deepEqual(arena.bytes.slice(to, to + length), expected);
      }
    }),
    { numRuns: 50 },
  );
});
