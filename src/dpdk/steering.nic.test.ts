import assert from 'node:assert/strict';
import test from 'node:test';
import { Address } from '../base/address.ts';
import * as L from '../link/layout.gen.ts';
import { concat } from '../testing/bytes.ts';
import { type ReceivedFrame, receiveFrames, sendFrame } from '../testing/frames.ts';
import { icmpAbout } from '../testing/icmp-about.ts';
import * as Packet from '../testing/packet.ts';
import { openPort } from './open-port.ts';
import type { Port } from './port.ts';

/*
 * net_ring: what is sent on a queue comes back on the same queue of the device, so a test says
 * where a frame arrives.
 */
const SMALL = { heapBytes: 1 << 20, join: false };
const QUEUES = 4;

interface Arrival extends ReceivedFrame {
  readonly queue: number;
}

/** Sends a frame so that the device has it on that queue, whatever its own checksums. */
function arrive(port: Port, queue: number, frame: Uint8Array): void {
  const link = port.links[queue]!;
  if (!sendFrame(link, frame, { sums: false })) throw new Error('no room');
}

/** Exchanges on all queues until nothing comes any more. */
function collect(port: Port): Arrival[] {
  const all: Arrival[] = [];
  for (let quiet = 0; quiet < 3; quiet++) {
    for (const [queue, link] of port.links.entries()) {
      for (const frame of receiveFrames(link)) {
        all.push({ ...frame, queue });
        quiet = 0;
      }
    }
  }
  return all;
}

/** The frame on every queue of the device: where all of them end, and their hash. */
function endOf(port: Port, frame: Uint8Array): { queue: number; hash: number } {
  for (let queue = 0; queue < QUEUES; queue++) arrive(port, queue, frame);
  const found = collect(port);
  assert.equal(found.length, QUEUES);
  const [first] = found;
  for (const { queue, hash, flags, bytes } of found) {
    assert.deepEqual({ queue, hash }, { queue: first!.queue, hash: first!.hash });
    assert.ok((flags & L.RX_HASH_VALID) !== 0);
    assert.deepEqual(bytes, frame);
  }
  return first!;
}

/** A fragment of IPv4: its offset in bytes, and whether more follow. */
function fragmentOf(frame: Uint8Array, offset: number, more: boolean): Uint8Array {
  const piece = frame.slice();
  new DataView(piece.buffer).setUint16(20, (more ? 0x2000 : 0) | (offset >> 3));
  return piece;
}

const V4 = { src: '10.1.2.3', dst: '10.0.0.2', srcPort: 40_000, dstPort: 443, payload: 'hello' };
const V6 = { ...V4, src: 'fd00:1::77', dst: 'fd00::2' };
const back = (fields: typeof V4): typeof V4 => ({
  ...fields,
  src: fields.dst,
  dst: fields.src,
  srcPort: fields.dstPort,
  dstPort: fields.srcPort,
});

test('every frame of a flow reaches the queue that the steering names, both ways', () => {
  const port = openPort({ device: 'net_ring0', queues: QUEUES, ...SMALL });
  const steering = port.steering!;
  const used = new Set<number>();
  for (const base of [V4, V6]) {
    for (let n = 0; n < 40; n++) {
      const fields = { ...base, srcPort: 40_000 + n * 7 };
      const expected = steering.queueOf(
        Address.parse(fields.dst),
        Address.parse(fields.src),
        fields.dstPort,
        fields.srcPort,
      );
      const hash = steering.hashOf(
        Address.parse(fields.src),
        Address.parse(fields.dst),
        fields.srcPort,
        fields.dstPort,
      );
      for (const build of [Packet.tcp, Packet.udp]) {
        for (const frame of [build(fields), build(back(fields)), build({ ...fields, vlan: 7 })]) {
          const end = endOf(port, frame);
          assert.deepEqual([end.queue, end.hash], [expected, hash]);
        }
      }
      used.add(expected);
    }
  }
  assert.equal(used.size, QUEUES);
  port.close();
});

test('fragments, echoes and other protocols follow their addresses', () => {
  const port = openPort({ device: 'net_ring1', queues: QUEUES, ...SMALL });
  const whole = Packet.udp({ ...V4, payload: 'x'.repeat(64) });
  const fragment6 = (offsetAndMore: number, next: number): Uint8Array =>
    Packet.ip(
      {
        src: V6.src,
        dst: V6.dst,
        extensions: { first: 44, bytes: Uint8Array.of(17, 0, 0, offsetAndMore, 0, 0, 0, next) },
      } as Packet.IpFields,
      17,
      concat(Uint8Array.of(1, 2, 3, 4), new Uint8Array(28)),
    );
  const cases: [typeof V4, Uint8Array[]][] = [
    [
      V4,
      [
        fragmentOf(whole, 0, true),
        fragmentOf(whole, 64, true),
        fragmentOf(whole, 128, false),
        Packet.icmpEcho(V4),
        Packet.icmpEcho(back(V4)),
        Packet.ip(V4, 47, new Uint8Array(40)),
        Packet.tcp(V4).subarray(0, 34),
      ],
    ],
    [V6, [fragment6(1, 1), fragment6(0xf8, 1), Packet.icmpEcho(V6), Packet.icmpEcho(back(V6))]],
  ];
  for (const [{ src, dst }, frames] of cases) {
    const hash = port.steering!.hashOf(Address.parse(src), Address.parse(dst), 0, 0);
    for (const frame of frames) assert.equal(endOf(port, frame).hash, hash);
  }
  port.close();
});

test('an ICMP error reaches the queue of the flow that it quotes', () => {
  const port = openPort({ device: 'net_ring2', queues: QUEUES, ...SMALL });
  for (const [version, type, ours, theirs] of [
    [4, 3, '10.0.0.1', '10.0.0.2'],
    [4, 11, '10.0.0.1', '10.0.0.2'],
    [6, 1, 'fd00::1', 'fd00::2'],
    [6, 2, 'fd00::1', 'fd00::2'],
  ] as const) {
    for (let n = 0; n < 8; n++) {
      const error = icmpAbout(version, type, 1, 0, { srcPort: 1000 + n, dstPort: 80, seq: 5 });
      const flow = [Address.parse(ours), Address.parse(theirs)] as const;
      const hash = port.steering!.hashOf(flow[0], flow[1], 1000 + n, 80);
      assert.equal(endOf(port, error).hash, hash);
    }
  }
  port.close();
});

test('what has no flow stays where it came: ARP, neighbor discovery, what is no IP', () => {
  const port = openPort({ device: 'net_ring3', queues: QUEUES, ...SMALL });
  const discovery = { src: 'fe80::1', dst: 'ff02::1', type: 135, body: new Uint8Array(20) };
  const frames = [
    Packet.arp({ operation: 'request', senderIp: '10.0.0.1', targetIp: '10.0.0.2' }),
    Packet.icmp(discovery),
    Packet.ethernet({}, 0x88cc, new Uint8Array(50)),
    new Uint8Array(14),
    Packet.ethernet({ vlan: 3 }, 0x0800, new Uint8Array(0)),
  ];
  for (const frame of frames) {
    for (let queue = 0; queue < QUEUES; queue++) {
      arrive(port, queue, frame);
      const found = collect(port);
      assert.deepEqual(
        found.map((one) => [one.queue, one.flags & L.RX_HASH_VALID]),
        [[queue, 0]],
      );
    }
  }
  port.close();
});

/** Numbered frames of many flows: checks that each is where it belongs and after the one before. */
class Flows {
  readonly #next = new Map<number, number>();
  readonly #sent = new Map<number, number>();

  frame(flow: number): Uint8Array {
    const seq = this.#sent.get(flow) ?? 0;
    this.#sent.set(flow, seq + 1);
    return Packet.tcp({ ...V4, src: `10.9.${flow >> 8}.${flow & 255}`, seq, payload: '' });
  }

  /** Throws at a frame out of order. */
  check(frames: Arrival[]): void {
    for (const { bytes } of frames) {
      const flow = (bytes[28]! << 8) | bytes[29]!;
      const seq = new DataView(bytes.buffer).getUint32(38);
      assert.equal(seq, this.#next.get(flow) ?? 0, `flow ${flow}`);
      this.#next.set(flow, seq + 1);
    }
  }

  get missing(): number {
    let missing = 0;
    for (const [flow, count] of this.#sent) missing += count - (this.#next.get(flow) ?? 0);
    return missing;
  }
}

test('one flow in ten to the wrong queue: every frame reaches its own, in order', () => {
  const port = openPort({ device: 'net_ring4', queues: QUEUES, astray: 0.1, ...SMALL });
  const flows = new Flows();
  for (let round = 0; round < 400; round++) {
    for (let n = 0; n < 64; n++) {
      const flow = (round * 31 + n * 17) % 997;
      arrive(port, flow % QUEUES, flows.frame(flow));
    }
    const found: Arrival[] = [];
    for (const [queue, link] of port.links.entries()) {
      for (const frame of receiveFrames(link)) found.push({ ...frame, queue });
    }
    for (const { queue, hash } of found) assert.equal(queue, port.steering!.queueOfHash(hash));
    flows.check(found);
  }
  flows.check(collect(port));
  assert.equal(flows.missing, 0);
  const total = (name: 'rxHandedOver' | 'rxTakenOver' | 'rxFrames'): number =>
    port.counters().reduce((sum, counters) => sum + counters[name]!, 0);
  assert.equal(total('rxFrames'), 400 * 64);
  // Three of four come to a wrong queue as it is; astray ones are handed over twice.
  assert.ok(total('rxHandedOver') > total('rxTakenOver') + 1000);
  port.close();
});

test('the table changes while frames fly: none is lost, none overtaken', () => {
  const port = openPort({ device: 'net_ring5', queues: QUEUES, ...SMALL });
  const steering = port.steering!;
  const flows = new Flows();
  let found = 0;
  for (let round = 0; round < 600; round++) {
    for (let n = 0; n < 32; n++) {
      const flow = (round * 31 + n * 17) % 499;
      arrive(port, flow % QUEUES, flows.frame(flow));
    }
    for (const entry of [round, round * 7, round * 13]) {
      steering.assign(entry % L.STEER_ENTRIES, (round >> 2) % QUEUES);
    }
    // Not every queue gets its turn, so that frames wait in the rings.
    const order = [round % QUEUES, (round * 3 + 1) % QUEUES];
    for (const queue of order) {
      const frames = receiveFrames(port.links[queue]!).map((frame) => ({ ...frame, queue }));
      flows.check(frames);
      found += frames.length;
    }
  }
  flows.check(collect(port));
  assert.equal(flows.missing, 0);
  assert.ok(found > 0 && steering.isSettled);
  assert.ok(steering.changes > 100);
  for (let entry = 0; entry < L.STEER_ENTRIES; entry++) {
    assert.equal(steering.words[L.STEER_FLYING + entry], 0);
  }
  port.close();
});

test('a ring that is full drops and counts; all slots come back', () => {
  const port = openPort({ device: 'net_ring6', queues: 2, txDescriptors: 4096, ...SMALL });
  let port80 = 1;
  const fields = { ...V4 };
  while (port.steering!.queueOf(Address.parse(V4.dst), Address.parse(V4.src), 80, port80) !== 1) {
    port80++;
  }
  const frame = Packet.tcp({ ...fields, srcPort: port80, dstPort: 80 });
  for (let sent = 0; sent < 3000; ) {
    for (; sent % 50 !== 49; sent++) arrive(port, 0, frame);
    sent++;
    receiveFrames(port.links[0]!);
  }
  collectFrom(port, 0);
  const [first] = port.counters();
  assert.equal(first!.rxHandoverFull! + first!.rxHandedOver!, 2940);
  assert.ok(first!.rxHandoverFull! > 400);
  assert.equal(collect(port).length, first!.rxHandedOver);
  for (const link of port.links) link.close();
  port.device.stop();
  assert.deepEqual(
    port.usage().filter(({ inUse }) => inUse !== 0),
    [],
  );
  port.close();
});

function collectFrom(port: Port, queue: number): void {
  for (let turn = 0; turn < 5; turn++) receiveFrames(port.links[queue]!);
}

test('queue numbers beyond the device are cut with a notice', () => {
  const port = openPort({ device: 'net_ring7', queues: 40, ...SMALL });
  assert.equal(port.links.length, port.device.info.maxRxQueues);
  assert.match(port.notices.join(), /queues cut to 16 of 40/);
  port.close();
});

test('spread() moves the entries that it names; queues that are not there are refused', () => {
  const port = openPort({ device: 'net_ring8', queues: QUEUES, ...SMALL });
  const steering = port.steering!;
  port.spread(Array.from({ length: 64 }, () => 3));
  for (let entry = 0; entry < L.STEER_ENTRIES; entry++) {
    assert.equal(steering.queueOfHash(entry), entry < 64 ? 3 : entry % QUEUES);
  }
  assert.throws(() => port.spread([QUEUES]), RangeError);
  port.close();
});

test('the links say who does what', () => {
  for (const queues of [1, 2]) {
    const port = openPort({ device: `net_ring${queues + 8}`, queues, ...SMALL, join: true });
    assert.deepEqual(port.links[0]!.features, {
      txChecksum: 'software',
      rxChecksum: 'software',
      segmentation: 'software',
      joining: 'software',
      steering: queues === 1 ? 'none' : 'software',
      waking: 'software',
      flowRules: 'software',
      vlan: 'software',
      timestamps: 'none',
    });
    port.close();
  }
});
