import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import * as L from '../link/layout.gen.ts';
import { decode } from '../testing/decode.ts';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import { linkCompliance } from '../testing/link-compliance.ts';
import * as Packet from '../testing/packet.ts';
import { openPort } from './open-port.ts';
import type { Port } from './port.ts';
import { sendUnsummed } from './raw-frames.ts';

const NO_HEAP = { heapBytes: 1 << 20 };
const UDP = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 1, dstPort: 2, payload: 'ping' };
const UDP6 = { ...UDP, src: 'fd00::1', dst: 'fd00::2' };

test('ring: what is sent comes back, in order, with sums filled and a verdict', () => {
  const port = openPort({ device: 'net_ring0', ...NO_HEAP });
  const link = port.links[0]!;
  const frames = [Packet.udp(UDP), Packet.udp(UDP6), Packet.tcp(UDP), Packet.tcp(UDP6)];
  for (const frame of frames) sendUnsummed(link, frame);
  const back = receiveFrames(link);
  assert.deepEqual(
    back.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
    frames.map((frame) => Buffer.from(frame).toString('hex')),
  );
  const ip = L.RX_IP_GOOD;
  assert.deepEqual(
    back.map(({ flags }) => flags),
    [ip | L.RX_L4_GOOD, L.RX_L4_GOOD, ip | L.RX_L4_GOOD, L.RX_L4_GOOD],
  );
  port.close();
});

test('ring: verdicts tell good, bad and not looked at apart', () => {
  const port = openPort({ device: 'net_ring1', ...NO_HEAP });
  const link = port.links[0]!;
  const fragment = Packet.udp({ ...UDP, dontFragment: false });
  new DataView(fragment.buffer).setUint16(20, 0x2000);
  new DataView(fragment.buffer).setUint16(24, 0);
  const badHeader = Packet.udp(UDP);
  badHeader[22]! ^= 1;
  const cases: [Uint8Array, number][] = [
    [Packet.udp({ ...UDP, checksum: 1 }), L.RX_IP_GOOD | L.RX_L4_BAD],
    [Packet.tcp({ ...UDP6, checksum: 1 }), L.RX_L4_BAD],
    [Packet.udp({ ...UDP, checksum: 0 }), L.RX_IP_GOOD | L.RX_L4_GOOD],
    [Packet.udp({ ...UDP6, checksum: 0 }), 0],
    [badHeader, L.RX_IP_BAD],
    [fragment, L.RX_IP_BAD],
    [Packet.icmpEcho(UDP), L.RX_IP_GOOD],
    [Packet.arp({ operation: 'request', senderIp: '10.0.0.1', targetIp: '10.0.0.2' }), 0],
    [Packet.udp({ ...UDP, vlan: 5 }), L.RX_IP_GOOD | L.RX_L4_GOOD],
    [Packet.udp(UDP).subarray(0, 40), 0],
  ];
  for (const [frame] of cases) sendFrame(link, frame, { sums: false });
  assert.deepEqual(
    receiveFrames(link).map(({ flags }) => flags),
    cases.map(([, flags]) => flags),
  );
  port.close();
});

test('ring: every length of payload gets the sums that the RFC wants', () => {
  const port = openPort({ device: 'net_ring2', ...NO_HEAP });
  const link = port.links[0]!;
  for (let length = 0; length <= 1460; length += length < 80 ? 1 : 97) {
    const payload = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
    for (const build of [Packet.udp, Packet.tcp]) {
      for (const fields of [UDP, UDP6]) {
        const frame = build({ ...fields, payload });
        if (frame.length > 1514) continue;
        sendUnsummed(link, frame);
        const [back] = receiveFrames(link);
        assert.deepEqual(back!.bytes, frame);
        assert.equal(back!.flags & L.RX_L4_GOOD, L.RX_L4_GOOD);
      }
    }
  }
  port.close();
});

test('ring: forged descriptors are refused by name and nothing else is lost', () => {
  const port = openPort({ device: 'net_ring3', segmentBytes: 0, ...NO_HEAP });
  const link = port.links[0]!;
  const { ring } = link;
  const forge = (slot: number, at: number, length: number, flags = 0, headers = 0): void => {
    ring.set([slot, at, length, flags, headers, 0], L.TX_BASE);
    ring[L.TX_COUNT] = 1;
    assert.throws(() => link.exchange(), { code: 'EINVAL', message: /descriptor/ });
  };
  const HEADERS = 14 | (20 << 8) | (20 << 16);
  const slot = ring[L.SLOT_BASE + ring[L.SLOT_COUNT]! - 1]!;
  forge(slot + 64, slot + 128, 60);
  forge(slot + 1, slot + 128, 60);
  forge(-64, 0, 60);
  forge(0, 128, 60);
  forge(0x7fffffc0, 128, 60);
  forge(slot, slot - 1, 60);
  forge(slot, slot + 128, 13);
  forge(slot, slot + 128, -1);
  forge(slot, slot + 2176 - 59, 60);
  forge(slot, slot + 128, 60, L.TX_TCP_SUM, 14 | (20 << 8) | (20 << 16) | 0xff);
  forge(slot, slot + 128, 50, L.TX_TCP_SUM, 14 | (20 << 8));
  forge(slot, slot + 128, 2000, L.TX_TCP_SUM | L.TX_SEGMENT, HEADERS);
  forge(slot, slot + 128, 2000, L.TX_SEGMENT, HEADERS);
  ring[L.TX_COUNT] = -5;
  ring[L.SLOT_COUNT] = 1_000_000;
  assert.equal(link.exchange(), 0);
  ring[L.SLOT_COUNT] = 200;
  sendFrame(link, Packet.udp(UDP));
  sendFrame(link, Packet.udp(UDP));
  assert.equal(receiveFrames(link).length, 2);
  // The same slot twice: the first is sent, the second is refused.
  sendFrame(link, Packet.udp(UDP));
  ring.copyWithin(L.TX_BASE + 8, L.TX_BASE, L.TX_BASE + 8);
  ring[L.TX_COUNT] = 2;
  assert.throws(() => link.exchange(), /descriptor/);
  assert.equal(link.ring[L.RX_COUNT], 1);
  assert.equal(link.counters().txBadDescriptor, 14);
  port.close();
});

test('what the device does not take waits, in order, and is never lost', () => {
  const port = openPort({ device: 'net_null0,no-rx=1', ...NO_HEAP });
  const link = port.links[0]!;
  const frame = Packet.udp(UDP);
  for (let i = 0; i < 100; i++) sendFrame(link, frame);
  port.device.stop();
  assert.equal(link.exchange(), 0);
  assert.equal(link.counters().txFrames, 0);
  port.device.start();
  assert.equal(link.exchange(), 0);
  assert.equal(link.counters().txFrames, 100);
  assert.equal(port.stats().txPackets, 100);
  port.close();
});

test('back-pressure: a device that stands still leaves the stack without free slots, not without frames', () => {
  const port = openPort({ device: 'net_null1,no-rx=1', ...NO_HEAP });
  const link = port.links[0]!;
  const frame = Packet.udp(UDP);
  port.device.stop();
  let sent = 0;
  for (let round = 0; round < 200; round++) {
    while (sendFrame(link, frame)) sent++;
    link.exchange();
  }
  assert.equal(link.ring[L.SLOT_COUNT], 0);
  assert.equal(sent, port.usage()[1]!.size);
  assert.ok(link.counters().noSlots! > 0);
  port.device.start();
  link.exchange();
  assert.equal(link.counters().txFrames, sent);
  assert.equal(link.ring[L.SLOT_COUNT], L.SLOT_MAX);
  port.close();
});

test('null: frames come in bursts of RX_MAX and slots go round for ever', () => {
  const port = openPort({ device: 'net_null2,size=64', ...NO_HEAP });
  const link = port.links[0]!;
  for (let i = 0; i < 20_000; i++) assert.equal(link.exchange(), L.RX_MAX);
  assert.equal(link.counters().rxFrames, 20_000 * L.RX_MAX);
  link.close();
  assert.equal(link.exchange(), -1);
  assert.deepEqual(
    port.usage().map(({ inUse }) => inUse),
    [0, 0, 0, 0],
  );
  port.close();
});

test('too long a frame is dropped with its counter', () => {
  const port = openPort({ device: 'net_ring4', ...NO_HEAP });
  const link = port.links[0]!;
  sendFrame(link, new Uint8Array(port.links[0]!.mtu + 19));
  sendFrame(link, new Uint8Array(port.links[0]!.mtu + 18));
  assert.equal(link.exchange(), 1);
  assert.equal(link.counters().txTooLong, 1);
  port.close();
});

test('jumbo frames: the slots follow the mtu', () => {
  const port = openPort({ device: 'net_ring5', mtu: 9000, ...NO_HEAP });
  const link = port.links[0]!;
  assert.equal(link.mtu, 9000);
  const frame = Packet.udp({ ...UDP, payload: 'j'.repeat(9000 - 28) });
  sendUnsummed(link, frame);
  const [back] = receiveFrames(link);
  assert.deepEqual(back!.bytes, frame);
  port.close();
});

test('a large segment is cut as the RFCs say', () => {
  const port = openPort({ device: 'net_ring6', join: false, ...NO_HEAP });
  const link = port.links[0]!;
  const text = Array.from({ length: 4321 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('');
  const options = { timestamps: [5, 6] as const };
  for (const fields of [UDP, UDP6]) {
    const whole = { ...fields, seq: -1000, id: 0xfffe, flags: 'FIN PSH ACK CWR', options };
    sendUnsummed(link, Packet.tcp({ ...whole, payload: text }), 1400);
    const expected = [0, 1400, 2800, 4200].map((offset, index) =>
      Packet.tcp({
        ...whole,
        seq: offset - 1000,
        id: (0xfffe + index) & 0xffff,
        flags: ['ACK CWR', 'ACK', 'ACK', 'FIN PSH ACK'][index]!,
        payload: text.slice(offset, offset + 1400),
      }),
    );
    assert.deepEqual(
      receiveFrames(link).map(({ bytes }) => bytes),
      expected,
    );
  }
  port.close();
});

test('segments and frames keep their order while the device takes little', () => {
  // The ring between the ends holds 1024 frames; the pools hold more.
  const port = openPort({ device: 'net_ring7', ...NO_HEAP });
  const link = port.links[0]!;
  const segment = 30_000;
  let sent = 0;
  const push = (): boolean => {
    const large = sendUnsummed(
      link,
      Packet.tcp({ ...UDP, seq: sent, payload: 'l'.repeat(segment) }),
      536,
    );
    if (!large) return false;
    sent += segment;
    if (sendUnsummed(link, Packet.tcp({ ...UDP, seq: sent, payload: 's' }))) sent += 1;
    return true;
  };
  let expected = 0;
  for (let round = 0; round < 150; round++) {
    for (let i = 0; i < 3; i++) if (round < 12) push();
    for (const { bytes } of receiveFrames(link)) {
      const { tcp, payload } = decode(bytes);
      assert.equal(tcp!.seq, expected);
      expected += payload.length;
    }
  }
  assert.equal(expected, sent);
  port.close();
});

let compliant: Port | null = null;
for (const { name, check } of linkCompliance(() => {
  compliant?.close();
  compliant = openPort({ device: 'net_ring0', ...NO_HEAP });
  return [compliant.links[0]!, compliant.links[0]!];
})) {
  test(name, check);
}

test('pcap: reads a capture, writes what is sent', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-'));
  const files = { in: join(folder, 'in.pcap'), out: join(folder, 'out.pcap') };
  const frames = [
    Packet.udp(UDP),
    Packet.tcp(UDP6),
    Packet.udp({ ...UDP, payload: 'x'.repeat(1400) }),
  ];
  writeFileSync(files.in, pcapFile(frames));
  const port = openPort({
    device: `net_pcap0,rx_pcap=${files.in},tx_pcap=${files.out}`,
    ...NO_HEAP,
  });
  const link = port.links[0]!;
  const read = receiveFrames(link);
  assert.deepEqual(
    read.map(({ bytes }) => bytes),
    frames,
  );
  for (const frame of frames) sendUnsummed(link, frame);
  link.exchange();
  port.close();
  const written = readFileSync(files.out);
  for (const frame of frames) assert.ok(written.includes(Buffer.from(frame)));
  rmSync(folder, { recursive: true });
});

/** The classic file format: 24 bytes of header, 16 before each frame. */
function pcapFile(frames: Uint8Array[]): Uint8Array {
  const header = new Uint32Array([0xa1b2c3d4, 2 | (4 << 16), 0, 0, 65535, 1]);
  const parts = frames.flatMap((frame) => {
    const record = new Uint32Array([0, 0, frame.length, frame.length]);
    return [new Uint8Array(record.buffer), frame];
  });
  return Buffer.concat([new Uint8Array(header.buffer), ...parts]);
}
