import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import * as L from '../link/layout.gen.ts';
import { decode } from '../testing/decode.ts';
import { type ReceivedFrame, receiveFrames, sendFrame } from '../testing/frames.ts';
import type { TcpFields } from '../testing/packet.ts';
import * as Packet from '../testing/packet.ts';
import { openPort } from './open-port.ts';
import type { Port } from './port.ts';

const V4 = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 4000, dstPort: 80 };
const V6 = { ...V4, src: 'fd00::1', dst: 'fd00::2' };
const STAMPS = { timestamps: [7, 8] as const };

/** A ring whose frames come back to the same link. */
function ring(index: number, join = true): Port {
  return openPort({ device: `net_ring${index}`, join, heapBytes: 1 << 20 });
}

/** All frames leave in one burst, as they are; what comes back. */
function burst(port: Port, frames: readonly Uint8Array[]): ReceivedFrame[] {
  const link = port.links[0]!;
  for (const frame of frames) sendFrame(link, frame, { sums: false });
  return receiveFrames(link);
}

/** 'seq+length flags' of each; joined ones with a '*'. */
function shape(frames: readonly ReceivedFrame[]): string[] {
  return frames.map(({ bytes, flags }) => {
    const { tcp, payload } = decode(bytes);
    const joined = (flags & L.RX_COALESCED) !== 0 ? '*' : '';
    return `${tcp!.seq}+${payload.length} ${tcp!.flags}${joined}`;
  });
}

function segment(fields: Partial<TcpFields>, length = 100): Uint8Array {
  const seq = fields.seq ?? 0;
  const payload = Uint8Array.from({ length }, (_, i) => (seq + i) & 255);
  return Packet.tcp({ ...V4, options: STAMPS, payload, ...fields });
}

test('join: segments of one flow become one, of both IP versions, with the bytes in order', () => {
  const port = ring(20);
  for (const flow of [V4, V6]) {
    const frames = [0, 1000, 2000].map((seq) => segment({ ...flow, seq, id: seq }, 1000));
    frames.push(segment({ ...flow, seq: 3000, flags: 'PSH ACK' }, 400));
    const [only, ...others] = burst(port, frames);
    assert.deepEqual(others, []);
    const { ip, tcp, payload } = decode(only!.bytes);
    assert.equal(ip!.totalLength, only!.bytes.length - 14);
    assert.equal(tcp!.flags, 'PSH ACK');
    assert.deepEqual(tcp!.options, STAMPS);
    assert.deepEqual(
      payload,
      Uint8Array.from({ length: 3400 }, (_, i) => i & 255),
    );
    const good = flow === V4 ? L.RX_IP_GOOD | L.RX_L4_GOOD : L.RX_L4_GOOD;
    assert.equal(only!.flags, good | L.RX_COALESCED);
  }
  assert.equal(port.links[0]!.counters().rxFrames, 8);
  assert.equal(port.links[0]!.counters().rxJoined, 6);
  port.close();
});

test('join: whatever the stack could tell apart stays apart', () => {
  const port = ring(21);
  const first = segment({});
  const second = { seq: 100 };
  const apart: [string, Uint8Array][] = [
    ['a gap', segment({ seq: 101 })],
    ['an old segment', segment({ seq: 0 })],
    ['a longer segment', segment(second, 101)],
    ['no payload', segment(second, 0)],
    ['another acknowledgment', segment({ ...second, ack: 1 })],
    ['another window', segment({ ...second, window: 1 })],
    ['another timestamp', segment({ ...second, options: { timestamps: [8, 8] } })],
    ['another option', segment({ ...second, options: { ...STAMPS, sack: [[1, 2]] } })],
    ['FIN', segment({ ...second, flags: 'FIN ACK' })],
    ['RST', segment({ ...second, flags: 'RST ACK' })],
    ['SYN', segment({ ...second, flags: 'SYN ACK' })],
    ['URG', segment({ ...second, flags: 'URG ACK', urgent: 1 })],
    ['CWR', segment({ ...second, flags: 'CWR ACK' })],
    ['another TTL', segment({ ...second, hops: 63 })],
    ['another DSCP', segment({ ...second, trafficClass: 4 })],
    ['a mark', segment({ ...second, trafficClass: 3 })],
    ['no DF', segment({ ...second, dontFragment: false })],
    ['IP options', segment({ ...second, ipOptions: Uint8Array.of(1, 1, 1, 0) })],
    ['a bad checksum', segment({ ...second, checksum: 1 })],
    ['another port', segment({ ...second, dstPort: 81 })],
    ['another source', segment({ ...second, src: '10.0.0.3' })],
    ['another MAC', segment({ ...second, srcMac: '02:00:00:00:00:77' })],
    ['a VLAN', segment({ ...second, vlan: 5 })],
    ['the other IP version', segment({ ...V6, ...second })],
  ];
  for (const [name, frame] of apart) {
    const back = burst(port, [first, frame]);
    assert.deepEqual(
      back.map(({ bytes, flags }) => [bytes, flags & L.RX_COALESCED]),
      [
        [first, 0],
        [frame, 0],
      ],
      name,
    );
  }
  const marked = [0, 100].map((seq) => segment({ seq, trafficClass: 3 }));
  assert.equal(burst(port, marked).length, 2, 'both with the mark CE');
  const label = [0, 100].map((seq) => segment({ ...V6, seq }));
  label[1]![17] = 1;
  assert.equal(burst(port, label).length, 2, 'another flow label');
  port.close();
});

test('join: PSH, a short segment and anything that does not fit end it, and a new one begins', () => {
  const port = ring(22);
  const pushed = [0, 100, 200, 300].map((seq) =>
    segment({ seq, flags: seq === 100 ? 'PSH ACK' : 'ACK' }),
  );
  assert.deepEqual(shape(burst(port, pushed)), ['0+200 PSH ACK*', '200+200 ACK*']);
  const short = [segment({}), segment({ seq: 100 }, 50), segment({ seq: 150 })];
  assert.deepEqual(shape(burst(port, short)), ['0+150 ACK*', '150+100 ACK']);
  const pure = [segment({}), segment({ seq: 100, ack: 5 }, 0), segment({ seq: 100 })];
  assert.deepEqual(shape(burst(port, pure)), ['0+100 ACK', '100+0 ACK', '100+100 ACK']);
  const wraps = [-150, -50, 50].map((seq) => segment({ seq: seq >>> 0 }));
  assert.equal(burst(port, wraps).length, 1, 'sequence numbers wrap');
  port.close();
});

test('join: flows that arrive in turns are joined each, eight of them at once', () => {
  const port = ring(23);
  const frames = [0, 100, 200].flatMap((seq) =>
    Array.from({ length: 10 }, (_, flow) => segment({ seq, srcPort: 1000 + flow })),
  );
  const back = burst(port, frames);
  const joined = back.filter(({ flags }) => (flags & L.RX_COALESCED) !== 0);
  assert.equal(joined.length, 8);
  assert.equal(back.length, 8 + 2 * 3);
  port.close();
});

test('join: a joined segment is an IP packet, below 64 KiB, and no buffer is lost', () => {
  const port = ring(24);
  const link = port.links[0]!;
  for (let round = 0; round < 50; round++) {
    const frames = Array.from({ length: 60 }, (_, i) => segment({ seq: i * 1440 }, 1440));
    const back = burst(port, frames);
    assert.deepEqual(
      back.map(({ flags }) => flags & L.RX_COALESCED),
      [L.RX_COALESCED, L.RX_COALESCED],
    );
    const lengths = back.map(({ bytes }) => decode(bytes).payload.length);
    assert.equal(lengths[0]! + lengths[1]!, 60 * 1440);
    assert.ok(lengths[0]! > 62_000 && lengths[0]! < 65_535, `${lengths[0]} bytes`);
  }
  link.exchange();
  assert.equal(port.usage()[3]!.inUse, 0);
  port.close();
});

test('join: false leaves every frame as it came', () => {
  const port = ring(25, false);
  const frames = [0, 100, 200].map((seq) => segment({ seq }));
  assert.deepEqual(
    burst(port, frames).map(({ bytes }) => bytes),
    frames,
  );
  assert.equal(port.links[0]!.counters().rxJoined, 0);
  port.close();
});

/**
 * What a flow's stack learns, byte by byte: joined or not, it must be the same. Frames with bad
 * sums are told apart: nobody believes them, so they end no joining.
 */
function story(frames: readonly ReceivedFrame[]): Map<string, string[]> {
  const flows = new Map<string, string[]>();
  for (const { bytes, flags } of frames) {
    const { ip, tcp, payload } = decode(bytes);
    const good = (flags & L.RX_L4_GOOD) !== 0;
    const flow = `${ip!.src} ${tcp!.srcPort} ${good}`;
    const told = flows.get(flow) ?? [];
    flows.set(flow, told);
    const { PSH, rest } = pushOf(tcp!.flags);
    const header = [tcp!.ack, tcp!.window, rest, ip!.hops, flags & ~L.RX_COALESCED].join();
    const stamp = tcp!.options.timestamps!.join();
    payload.forEach((byte, i) => {
      told.push(`${(tcp!.seq + i) >>> 0} ${byte} ${header} ${stamp}`);
    });
    if (payload.length === 0) told.push(`${tcp!.seq} none ${header} ${stamp}`);
    if (PSH) told.push('push');
  }
  return flows;
}

function pushOf(flags: string): { PSH: boolean; rest: string } {
  const names = flags.split(' ');
  return { PSH: names.includes('PSH'), rest: names.filter((name) => name !== 'PSH').join(' ') };
}

test('join: any burst tells every flow the same, byte for byte, as without joining', () => {
  const joining = ring(26);
  const plain = ring(27, false);
  let joined = 0;
  const step = fc.record({
    count: fc.integer({ min: 1, max: 4 }),
    flow: fc.integer({ min: 0, max: 3 }),
    length: fc.constantFrom(0, 1, 7, 40, 40, 40, 40, 41),
    jump: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, -40),
    flags: fc.constantFrom('ACK', 'ACK', 'ACK', 'ACK', 'PSH ACK', 'FIN ACK', 'ECE ACK'),
    later: fc.constantFrom(0, 0, 0, 0, 0, 0, 1),
    window: fc.constantFrom(500, 500, 500, 500, 501),
    spoilt: fc.constantFrom(false, false, false, false, false, true),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 15 }), fc.integer(), (steps, start) => {
      const seqs = [start, start, start, start];
      let now = 0;
      const frames = steps.flatMap((each) => {
        now += each.later;
        return Array.from({ length: each.count }, (_, i) => {
          const isLast = i === each.count - 1;
          const seq = seqs[each.flow]! + (isLast ? each.jump : 0);
          seqs[each.flow] = seq + each.length;
          const fields = {
            ...(each.flow % 2 === 0 ? V4 : V6),
            ...(isLast && each.spoilt ? { checksum: 1 } : {}),
            srcPort: 5000 + each.flow,
            seq: seq >>> 0,
            flags: isLast ? each.flags : 'ACK',
            window: each.window,
            options: { timestamps: [now, 1] as const },
          };
          return segment(fields, each.length);
        });
      });
      const together = burst(joining, frames);
      const apart = burst(plain, frames);
      assert.equal(apart.length, frames.length);
      assert.deepEqual(story(together), story(apart));
      joined += apart.length - together.length;
    }),
    { numRuns: 400 },
  );
  assert.ok(joined > 500, `${joined} were joined`);
  joining.close();
  plain.close();
});
