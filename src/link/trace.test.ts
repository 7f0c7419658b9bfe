import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../storage/arena.ts';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import * as Packet from '../testing/packet.ts';
import { frameText } from './frame-text.ts';
import { createPair } from './pair.ts';
import { traceLink } from './trace.ts';

const V4 = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 80, dstPort: 4000 };
const V6 = { src: 'fd00::1', dst: 'fd00::2', srcPort: 80, dstPort: 4000 };

function text(frame: Uint8Array): string {
  return frameText(new DataView(frame.buffer), 0, frame.length);
}

test('frames read as in tcpdump', () => {
  const options = { mss: 1460, windowScale: 7, sackPermitted: true, timestamps: [5, 6] as const };
  const cases: [Uint8Array, string][] = [
    [
      Packet.tcp({ ...V4, flags: 'SYN', seq: 1, options: { mss: 1460 } }),
      '10.0.0.1.80 > 10.0.0.2.4000 SYN seq 1 win 65535 mss 1460',
    ],
    [
      Packet.tcp({ ...V6, flags: 'SYN ACK', seq: 4294967295, ack: 2, options }),
      'fd00::1.80 > fd00::2.4000 SYN ACK seq 4294967295 ack 2 win 65535 mss 1460 wscale 7 sackOK ts 5/6',
    ],
    [
      Packet.tcp({ ...V4, vlan: 5, payload: 'abc', options: { sack: [[7, 9]] } }),
      'vlan 5 10.0.0.1.80 > 10.0.0.2.4000 ACK seq 0 ack 0 win 65535 len 3 sack 7-9',
    ],
    [Packet.udp({ ...V6, payload: 'abc' }), 'fd00::1.80 > fd00::2.4000 UDP len 3'],
    [Packet.icmpEcho(V4), '10.0.0.1 > 10.0.0.2 ICMP type 8 code 0 len 8'],
    [Packet.icmpEcho(V6), 'fd00::1 > fd00::2 ICMPv6 type 128 code 0 len 8'],
    [
      Packet.arp({ operation: 'request', senderIp: '10.0.0.1', targetIp: '10.0.0.2' }),
      'ARP who has 10.0.0.2, tell 10.0.0.1',
    ],
    [
      Packet.arp({ operation: 'reply', senderIp: '10.0.0.1', targetIp: '10.0.0.2' }),
      'ARP 10.0.0.1 is at 02:00:00:00:00:01',
    ],
    [
      Packet.ethernet({}, 0x88cc, new Uint8Array(10)),
      '02:00:00:00:00:01 > 02:00:00:00:00:02 type 0x88cc len 24',
    ],
    [new Uint8Array(5), 'runt of 5 bytes'],
  ];
  for (const [frame, line] of cases) assert.equal(text(frame), line);
});

test('any cut of a frame is described without an error', () => {
  const options = { timestamps: [1, 2], sack: [[1, 2]] } as const;
  for (const frame of [Packet.tcp({ ...V4, options }), Packet.udp(V6), Packet.icmpEcho(V4)]) {
    for (let length = 0; length <= frame.length; length++) {
      assert.ok(text(frame.slice(0, length)).length > 0);
    }
  }
});

test('a traced link writes one line per frame and direction', () => {
  const [a, b] = createPair(Arena.allocate(4 << 20));
  const lines: string[] = [];
  const traced = traceLink(a, {
    name: 'a',
    write: (line) => lines.push(line),
    now: () => 1_500_000,
  });
  sendFrame(traced, Packet.udp(V4));
  traced.exchange();
  assert.equal(receiveFrames(b).length, 1);
  sendFrame(b, Packet.udp({ ...V4, payload: 'x' }));
  b.exchange();
  traced.exchange();
  assert.deepEqual(lines, [
    '1.500000 a > 10.0.0.1.80 > 10.0.0.2.4000 UDP len 0',
    '1.500000 a < 10.0.0.1.80 > 10.0.0.2.4000 UDP len 1',
  ]);
});
