import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { internetChecksum, toText } from './bytes.ts';
import { decode } from './decode.ts';
import { mutate, repairSums } from './mutate.ts';
import * as Packet from './packet.ts';
import { Random } from './random.ts';
import { VirtualClock } from './virtual-clock.ts';

const V4 = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 4000, dstPort: 80 };
const V6 = { src: 'fd00::1', dst: 'fd00::2', srcPort: 4000, dstPort: 80 };

test('decode() reads back what tcp() wrote', () => {
  const numbers = fc.nat(0xffffffff);
  const fields = fc.record({
    ends: fc.constantFrom(V4, V6),
    seq: numbers,
    ack: numbers,
    flags: fc.constantFrom('SYN', 'SYN ACK', 'FIN PSH ACK', 'RST', 'ACK URG ECE CWR', ''),
    window: fc.nat(65535),
    urgent: fc.nat(65535),
    payload: fc.uint8Array(),
    vlan: fc.integer({ min: 1, max: 4094 }),
    options: fc.record(
      {
        mss: fc.nat(65535),
        windowScale: fc.nat(255),
        sackPermitted: fc.constant(true),
        timestamps: fc.tuple(numbers, numbers),
        sack: fc.array(fc.tuple(numbers, numbers), { minLength: 1, maxLength: 1 }),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  });
  fc.assert(
    fc.property(fields, ({ ends, ...rest }) => {
      const decoded = decode(Packet.tcp({ ...ends, ...rest }));
      const { vlan, payload, ...header } = rest;
      const { srcPort, dstPort } = ends;
      assert.deepEqual(decoded.tcp, { srcPort, dstPort, ...header, checksumGood: true });
      assert.deepEqual(decoded.payload, payload);
      assert.equal(decoded.ethernet.vlan, vlan);
      assert.equal(decoded.ip!.src, ends.src);
      assert.ok(decoded.ip!.checksumGood);
    }),
  );
});

test('decode() reads back UDP, echo and ARP', () => {
  const datagram = decode(Packet.udp({ ...V6, payload: 'text', hops: 3 }));
  assert.deepEqual(datagram.udp, { srcPort: 4000, dstPort: 80, length: 12, checksumGood: true });
  assert.deepEqual([toText(datagram.payload), datagram.ip!.hops], ['text', 3]);
  for (const [ends, type] of [[V4, 0] as const, [V6, 129] as const]) {
    const echo = decode(Packet.icmpEcho({ ...ends, reply: true, id: 258, sequence: 3 }));
    assert.deepEqual(echo.icmp, { type, code: 0, checksumGood: true });
    assert.deepEqual([...echo.payload], [1, 2, 0, 3]);
  }
  const request = decode(Packet.arp({ operation: 'request', senderIp: V4.src, targetIp: V4.dst }));
  assert.equal(request.ethernet.dst, 'ff:ff:ff:ff:ff:ff');
  assert.deepEqual(request.arp, {
    operation: 'request',
    senderMac: '02:00:00:00:00:01',
    senderIp: '10.0.0.1',
    targetMac: '00:00:00:00:00:00',
    targetIp: '10.0.0.2',
  });
});

test('a wrong checksum is built when asked for, seen, and repaired', () => {
  for (const ends of [V4, V6]) {
    const wrong = Packet.tcp({ ...ends, payload: 'x', checksum: 1 });
    assert.equal(decode(wrong).tcp!.checksumGood, false);
    assert.deepEqual(repairSums(wrong), Packet.tcp({ ...ends, payload: 'x' }));
  }
});

test('the checksum is that of the example in RFC 1071', () => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  assert.equal(Packet.tcpFlags('SYN|ACK'), 0x12);
  assert.equal(internetChecksum(bytes), ~0xddf2 & 0xffff);
});

test('mutants differ, leave the frame alone, and come again with the seed', () => {
  const frames = [Packet.tcp({ ...V4, payload: 'payload' }), Packet.udp(V6), Packet.icmpEcho(V4)];
  for (const frame of frames) {
    const before = frame.slice();
    const run = (seed: number): Uint8Array[] => {
      const random = new Random(seed);
      return Array.from({ length: 500 }, () => mutate(frame, random)).flat();
    };
    const mutants = run(1);
    assert.deepEqual(run(1), mutants);
    assert.deepEqual(frame, before);
    const texts = new Set(mutants.map((mutant) => mutant.join()));
    assert.ok(texts.size > 300, `${texts.size} different mutants`);
  }
});

test('Random is the same everywhere and evenly spread', () => {
  const random = new Random(42);
  const first = [random.next(), random.next(), random.next()];
  const again = new Random(42);
  assert.deepEqual([again.next(), again.next(), again.next()], first);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[random.below(10)]!++;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${counts}`);
  assert.equal(random.chance(0), false);
  assert.equal(random.chance(1), true);
});

test('a virtual clock moves only forward and only when told', () => {
  const clock = new VirtualClock();
  const start = clock.now();
  assert.equal(clock.now(), start);
  clock.advance(5);
  clock.advanceTo(start);
  assert.equal(clock.now(), start + 5);
});
