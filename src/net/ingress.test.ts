import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Prefix } from '../base/address.ts';
import { RX_BASE, RX_COUNT, SLOT_COUNT, TX_COUNT } from '../link/layout.gen.ts';
import * as Build from '../testing/packet.ts';
import { HOST, HOST6, Host, PEER, PEER6, solicitation } from './harness.test.ts';
import type { Packet } from './packet.ts';

const UDP = 17;
const to = { src: PEER, dst: HOST, srcPort: 1, dstPort: 2 };
const to6 = { src: PEER6, dst: HOST6, srcPort: 1, dstPort: 2 };

/** A host that notes the UDP packets it is given. */
function listening(host: Host = new Host()): { host: Host; got: Partial<Packet>[] } {
  const got: Partial<Packet>[] = [];
  host.net.register(UDP, { receive: (packet) => got.push({ ...packet }), failed: () => undefined });
  return { host, got };
}

test('an IPv4 packet reaches its transport with addresses, lengths and hops', () => {
  const { host, got } = listening();
  host.gets(Build.udp({ ...to, payload: 'hi', hops: 9, trafficClass: 2 }));
  const packet = got[0]!;
  assert.deepEqual(
    [packet.version, packet.protocol, packet.length, packet.hops, packet.ecn, packet.group],
    [4, UDP, 10, 9, 2, 0],
  );
  assert.deepEqual([packet.src2, packet.src3, packet.dst3], [0xffff, 0x0a000001, 0x0a000002]);
  assert.equal(packet.checked, 1);
  assert.deepEqual(host.dropped(), {});
});

test('an IPv6 packet reaches its transport with addresses, lengths and hops', () => {
  const { host, got } = listening();
  host.gets(Build.udp({ ...to6, payload: 'hi', hops: 9, trafficClass: 3 }));
  const packet = got[0]!;
  assert.deepEqual(
    [packet.version, packet.protocol, packet.length, packet.hops, packet.ecn],
    [6, UDP, 10, 9, 3],
  );
  assert.deepEqual([packet.src0, packet.src3, packet.dst3], [0xfd000000 | 0, 1, 2]);
});

test('Ethernet padding is not part of the packet', () => {
  const { host, got } = listening();
  const frame = Build.udp({ ...to, payload: 'x' });
  host.gets(Uint8Array.from({ length: 60 }, (_, i) => frame[i] ?? 0xee));
  assert.equal(got[0]?.length, 9);
});

/** Frames that must be dropped, by the counter that says so. */
const rejects: Record<string, Uint8Array[]> = {
  ethernet_too_short: [Build.udp(to).slice(0, 13)],
  ethernet_not_for_us: [Build.udp({ ...to, dstMac: '02:00:00:00:00:77' })],
  ethernet_bad_source: [Build.udp({ ...to, srcMac: '01:00:5e:00:00:01' })],
  ethernet_unknown_type: [Build.ethernet({}, 0x88cc, new Uint8Array(46))],
  vlan_not_ours: [Build.udp({ ...to, vlan: 7 })],
  ipv4_malformed: [
    patched(Build.udp(to), 14, 0x65),
    patched(Build.udp(to), 14, 0x44),
    patched(Build.udp(to), 14, 0x4f),
    patched(Build.udp(to), 16, 0xff),
    patched(Build.udp(to), 17, 19),
    Build.udp(to).slice(0, 14 + 19),
    Build.udp(to).slice(0, -1),
  ],
  ipv4_bad_checksum: [patched(Build.udp(to), 25, 0)],
  ipv4_bad_options: [
    Build.udp({ ...to, ipOptions: Uint8Array.of(131, 7, 4, 1, 2, 3, 4, 0) }),
    Build.udp({ ...to, ipOptions: Uint8Array.of(137, 7, 4, 1, 2, 3, 4, 0) }),
    Build.udp({ ...to, ipOptions: Uint8Array.of(7, 0, 0, 0) }),
    Build.udp({ ...to, ipOptions: Uint8Array.of(7, 1, 0, 0) }),
    Build.udp({ ...to, ipOptions: Uint8Array.of(7, 9, 0, 0) }),
    Build.udp({ ...to, ipOptions: Uint8Array.of(1, 1, 1, 7) }),
  ],
  ip_martian_source: [
    ...[HOST, '127.0.0.1', '224.0.0.5', '255.255.255.255', '0.0.0.0', '10.0.0.255', '0.1.2.3'].map(
      (src) => Build.udp({ ...to, src }),
    ),
    Build.udp({ ...to, dst: '127.0.0.1' }),
    Build.udp({ ...to, src: '0.0.0.0', dst: '224.0.0.1', dstMac: '01:00:5e:00:00:01' }),
    Build.udp({ ...to, src: '0.0.0.0', dst: '10.0.0.255', dstMac: 'ff:ff:ff:ff:ff:ff' }),
    Build.udp({ ...to, src: '0.0.0.1', dst: '255.255.255.255', dstMac: 'ff:ff:ff:ff:ff:ff' }),
    Build.icmp({
      src: '0.0.0.0',
      dst: '255.255.255.255',
      dstMac: 'ff:ff:ff:ff:ff:ff',
      type: 8,
      body: new Uint8Array(4),
    }),
    ...[HOST6, '::1', 'ff02::5', '::'].map((src) => Build.udp({ ...to6, src })),
    Build.udp({ ...to6, dst: '::1' }),
    mapped(22),
    mapped(38),
  ],
  ip_not_for_us: [
    Build.udp({ ...to, dst: '10.0.0.3' }),
    Build.udp({ ...to6, dst: 'fd00::3' }),
    Build.udp({ ...to, dst: '224.1.2.3', dstMac: '01:00:5e:01:02:03' }),
  ],
  ipv6_malformed: [
    patched(Build.udp(to6), 14, 0x45),
    patched(Build.udp(to6), 18, 0xff),
    Build.udp(to6).slice(0, 14 + 39),
    patched(patched(Build.udp(to6), 18, 0), 19, 0),
  ],
};

function patched(frame: Uint8Array, at: number, value: number): Uint8Array {
  const copy = frame.slice();
  copy[at] = value;
  return copy;
}

/** IPv6 on the wire with an IPv4-mapped source (22) or destination (38): it would pass for IPv4. */
function mapped(at: number): Uint8Array {
  const frame = Build.udp(to6);
  frame.fill(0, at, at + 16);
  frame.set([0xff, 0xff, 10, 0, 0, at === 22 ? 1 : 2], at + 10);
  return frame;
}

for (const [name, frames] of Object.entries(rejects)) {
  test(`dropped as ${name}, and nothing is said`, () => {
    const { host, got } = listening();
    for (const frame of frames) assert.deepEqual(host.gets(frame), []);
    assert.deepEqual(got, []);
    assert.deepEqual(host.dropped(), { [name]: frames.length });
  });
}

test('harmless IPv4 options pass', () => {
  const { host, got } = listening();
  host.gets(Build.udp({ ...to, ipOptions: Uint8Array.of(1, 7, 3, 4) }));
  host.gets(Build.udp({ ...to, ipOptions: Uint8Array.of(0, 0, 0, 0), payload: 'abc' }));
  assert.deepEqual(
    got.map((packet) => packet.length),
    [8, 11],
  );
});

test('a wrong UDP checksum that the link found is dropped under its name', () => {
  const { host, got } = listening();
  host.gets(Build.udp({ ...to, checksum: 1 }));
  assert.deepEqual([got.length, host.dropped()], [0, { udp_bad_checksum: 1 }]);
});

test('broadcasts and joined groups are received, and marked', () => {
  const { host, got } = listening();
  const group = Prefix.parse('239.1.2.3').address;
  const toGroup = Build.udp({ ...to, dst: '239.1.2.3', dstMac: '01:00:5e:01:02:03' });
  const member = host.net.groups.join(group, null);
  host.gets(toGroup);
  host.gets(Build.udp({ ...to, dst: '255.255.255.255', dstMac: 'ff:ff:ff:ff:ff:ff' }));
  host.gets(Build.udp({ ...to, dst: '10.0.0.255', dstMac: 'ff:ff:ff:ff:ff:ff' }));
  host.gets(Build.udp({ ...to6, dst: 'ff02::1', dstMac: '33:33:00:00:00:01' }));
  assert.deepEqual(
    got.map((packet) => packet.group),
    [1, 1, 1, 1],
  );
  host.net.groups.leave(member);
  host.gets(toGroup);
  assert.equal(got.length, 4);
});

test('a VLAN interface takes its tag only, and tags what it sends', () => {
  const host = new Host({ vlan: 7 });
  const ask = { operation: 'request', senderIp: PEER, targetIp: HOST } as const;
  assert.deepEqual(host.gets(Build.arp(ask)), []);
  assert.deepEqual(host.gets(Build.arp({ ...ask, vlan: 8 })), []);
  const [arp] = host.gets(Build.arp({ ...ask, vlan: 7 }));
  assert.deepEqual([arp?.ethernet.vlan, arp?.arp?.operation], [7, 'reply']);
  const [reply] = host.gets(Build.icmpEcho({ src: PEER, dst: HOST, vlan: 7 }));
  assert.deepEqual([reply?.ethernet.vlan, reply?.icmp?.type], [7, 0]);
  assert.deepEqual([reply?.ip?.checksumGood, reply?.icmp?.checksumGood], [true, true]);
  assert.equal(host.dropped()['vlan_not_ours'], 2);
});

test('no frame makes ingress throw, read outside the frame, or lose a slot', () => {
  const { host } = listening();
  const seeds = [
    Build.udp({ ...to, payload: 'payload' }),
    Build.udp({ ...to6, payload: 'payload' }),
    Build.tcp({ ...to, flags: 'SYN' }),
    Build.icmpEcho({ src: PEER, dst: HOST }),
    Build.icmpEcho({ src: PEER6, dst: HOST6 }),
    Build.arp({ operation: 'request', senderIp: PEER, targetIp: HOST }),
    Build.arp({ operation: 'reply', senderIp: PEER, targetIp: HOST }),
    Build.icmp({ src: PEER, dst: HOST, type: 3, code: 3, body: new Uint8Array(40) }),
    solicitation(),
  ];
  const { ring } = host.nic;
  host.sentRaw();
  host.sentRaw();
  const slots = ring[SLOT_COUNT]! + ring[TX_COUNT]!;
  // The last bytes of the arena: a read behind the frame is a RangeError.
  const end = host.arena.buffer.byteLength;
  const mutation = fc.tuple(fc.nat(120), fc.nat(255));
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(mutation, { maxLength: 8 }),
      fc.nat(130),
      fc.nat(0xff),
      (seed, mutations, cut, flags) => {
        const frame = seed.slice(0, Math.max(1, seed.length - (cut > 100 ? cut - 100 : 0)));
        for (const [at, value] of mutations) if (at < frame.length) frame[at] = value;
        host.arena.bytes.set(frame, end - frame.length);
        ring[RX_COUNT] = 1;
        ring.set([end - frame.length, frame.length, flags & 0x0f, 0, 0, 0], RX_BASE);
        host.net.receive(host.nic);
        host.sentRaw();
      },
    ),
    { numRuns: 3000 },
  );
  host.advance(120_000);
  for (let i = 0; i < 4; i++) host.sentRaw();
  assert.equal(ring[SLOT_COUNT]! + ring[TX_COUNT]!, slots);
  assert.equal(host.net.reassembly.live, 0);
});
