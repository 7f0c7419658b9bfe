import assert from 'node:assert/strict';
import test from 'node:test';
import { parseRule } from '../flow/text.ts';
import * as L from '../link/layout.gen.ts';
import { type ReceivedFrame, receiveFrames, sendFrame } from '../testing/frames.ts';
import * as Packet from '../testing/packet.ts';
import { openPort } from './open-port.ts';
import type { Port } from './port.ts';
import { enterNamespace } from './test-namespace.ts';

const SMALL = { heapBytes: 1 << 20, join: false };
const V4 = { src: '10.1.2.3', dst: '10.0.0.2', srcPort: 40_000, dstPort: 443, payload: 'hello' };
const V6 = { ...V4, src: 'fd00:1::77', dst: 'fd00::2' };

/** Sends a frame on queue 0 and says where it arrived: its queue, or null. */
function queueOf(port: Port, frame: Uint8Array): { queue: number; frame: ReceivedFrame } | null {
  sendFrame(port.links[0]!, frame, { sums: false });
  let end: { queue: number; frame: ReceivedFrame } | null = null;
  for (let turn = 0; turn < 3; turn++) {
    for (const [queue, link] of port.links.entries()) {
      for (const found of receiveFrames(link)) {
        assert.equal(end, null);
        end = { queue, frame: found };
      }
    }
  }
  return end;
}

/** What each rule matches, and what nearly is the same and it does not match. */
const CASES: [string, Uint8Array[], Uint8Array[]][] = [
  [
    'ipv4 src 10.0.0.0/8 tcp dst 443',
    [Packet.tcp(V4), Packet.tcp({ ...V4, src: '10.255.0.1', vlan: 9 })],
    [
      Packet.udp(V4),
      Packet.tcp(V6),
      Packet.tcp({ ...V4, src: '11.1.2.3' }),
      Packet.tcp({ ...V4, dstPort: 444 }),
    ],
  ],
  [
    'ipv6 dst fd00::/64 udp src 39999-40001',
    [Packet.udp(V6), Packet.udp({ ...V6, srcPort: 40_001 })],
    [Packet.udp({ ...V6, srcPort: 40_002 }), Packet.udp({ ...V6, dst: 'fd00:0:0:1::2' })],
  ],
  [
    'vlan 9 tcp',
    [Packet.tcp({ ...V4, vlan: 9 })],
    [Packet.tcp(V4), Packet.tcp({ ...V4, vlan: 8 })],
  ],
  [
    'eth src 02:00:00:00:00:09 type 0x806',
    [
      Packet.arp({
        operation: 'request',
        senderIp: '10.0.0.1',
        targetIp: '10.0.0.2',
        srcMac: '02:00:00:00:00:09',
      }),
    ],
    [
      Packet.arp({ operation: 'request', senderIp: '10.0.0.1', targetIp: '10.0.0.2' }),
      Packet.tcp({ ...V4, srcMac: '02:00:00:00:00:09' }),
    ],
  ],
  ['ipv4 dst 10.0.0.2', [Packet.icmpEcho(V4), Packet.tcp(V4)], [Packet.tcp(V6)]],
  ['icmpv6', [Packet.icmpEcho(V6)], [Packet.icmpEcho(V4)]],
  [
    'ipv6',
    [Packet.tcp(V6)],
    [Packet.tcp(V4), new Uint8Array(14), Packet.ethernet({}, 0x86dd, new Uint8Array(9))],
  ],
];

await enterNamespace();

test('a rule drops what it matches, and nothing else; on one queue and on several', () => {
  for (const queues of [1, 3]) {
    const port = openPort({ device: `net_ring${queues}`, queues, ...SMALL });
    for (const [pattern, matching, others] of CASES) {
      const { id, where } = port.flows.create(`${pattern} => drop`);
      assert.equal(where, 'software');
      for (const frame of matching) assert.equal(queueOf(port, frame), null, pattern);
      for (const frame of others) assert.notEqual(queueOf(port, frame), null, pattern);
      const [entry] = port.flows.list();
      assert.equal(entry!.frames, matching.length);
      assert.equal(
        entry!.bytes,
        matching.reduce((sum, { length }) => sum + length, 0),
      );
      port.flows.destroy(id);
      for (const frame of matching) assert.notEqual(queueOf(port, frame), null, pattern);
    }
    assert.deepEqual(port.flows.list(), []);
    const dropped = CASES.reduce((sum, [, matching]) => sum + matching.length, 0);
    assert.equal(port.counters()[0]!.rxRuledOut, dropped);
    port.close();
  }
});

test('a rule sends to a queue, or to some, whatever the hash says; a mark stands at the frame', () => {
  const port = openPort({ device: 'net_ring4', queues: 4, astray: 0.5, ...SMALL });
  port.flows.create('tcp dst 443 => mark 77 queue 3');
  port.flows.create('udp => rss 1,2');
  port.flows.create('eth type 0x806 => queue 2');
  const used = new Set<number>();
  for (let n = 0; n < 60; n++) {
    for (const base of [V4, V6]) {
      const fields = { ...base, srcPort: 1000 + n };
      assert.equal(queueOf(port, Packet.tcp(fields))!.queue, 3);
      const { queue } = queueOf(port, Packet.udp(fields))!;
      assert.equal(queue, queueOf(port, Packet.udp(fields))!.queue);
      used.add(queue);
    }
  }
  assert.deepEqual([...used].sort(), [1, 2]);
  const arp = Packet.arp({ operation: 'request', senderIp: '10.0.0.1', targetIp: '10.0.0.2' });
  assert.equal(queueOf(port, arp)!.queue, 2);
  const link = port.links[3]!;
  sendFrame(link, Packet.tcp(V4), { sums: false });
  assert.equal(link.exchange(), 1);
  assert.ok((link.ring[L.RX_BASE + L.RX_FLAGS]! & L.RX_MARKED) !== 0);
  assert.equal(link.ring[L.RX_BASE + L.RX_MARK], 77);
  for (let entry = 0; entry < L.STEER_ENTRIES; entry++) {
    assert.equal(port.steering!.words[L.STEER_FLYING + entry], 0);
  }
  port.close();
});

test('the first rule that matches decides; the others count nothing', () => {
  const port = openPort({ device: 'net_ring5', queues: 2, ...SMALL });
  const first = port.flows.create('tcp dst 443 => count');
  const second = port.flows.create('tcp => drop');
  assert.notEqual(queueOf(port, Packet.tcp(V4)), null);
  assert.equal(queueOf(port, Packet.tcp({ ...V4, dstPort: 80 })), null);
  port.flows.destroy(first.id);
  assert.equal(queueOf(port, Packet.tcp(V4)), null);
  assert.deepEqual(
    port.flows.list().map(({ id, text, frames }) => ({ id, text, frames })),
    [{ id: second.id, text: 'tcp => drop', frames: 2 }],
  );
  port.close();
});

test('256 rules, not more; what was destroyed makes room', () => {
  const port = openPort({ device: 'net_ring6', ...SMALL });
  const ids = Array.from({ length: 256 }, (_, n) => port.flows.create(`tcp dst ${n} => drop`).id);
  assert.throws(() => port.flows.create('tcp => drop'), { code: 'ENOSPC' });
  for (let n = 0; n < 600; n++) {
    port.flows.destroy(ids.shift()!);
    ids.push(port.flows.create(parseRule(`udp dst ${n} => drop`)).id);
  }
  assert.equal(port.flows.list().length, 256);
  assert.throws(() => port.flows.create('tcp => queue 1'), { message: /no queue 1/ });
  port.close();
});

test('a device that has rules of its own, or refuses them: the list is the same', () => {
  const port = openPort({ device: 'net_tap0,iface=dtap0', queues: 2, ...SMALL });
  const text = 'ipv4 src 10.0.0.0/8 tcp dst 80 => queue 1';
  const { id } = port.flows.create(text);
  const [entry] = port.flows.list();
  assert.deepEqual([entry!.id, entry!.text, entry!.frames], [id, text, 0]);
  port.flows.destroy(id);
  port.close();
});
