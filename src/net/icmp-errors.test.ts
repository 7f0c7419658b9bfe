import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../testing/bytes.ts';
import * as Build from '../testing/packet.ts';
import { HOST, HOST6, Host, PEER, PEER6 } from './harness.test.ts';
import * as Stats from './stats.ts';
import {
  PACKET_TOO_BIG,
  PARAMETER_PROBLEM,
  TIME_EXCEEDED,
  UNREACHABLE_HOST,
  UNREACHABLE_NETWORK,
  UNREACHABLE_PORT,
  UNREACHABLE_PROHIBITED,
  UNREACHABLE_PROTOCOL,
} from './transport.ts';

const UDP = 17;
const to = { src: PEER, dst: HOST, srcPort: 7, dstPort: 9, payload: 'x'.repeat(900) };
const to6 = { ...to, src: PEER6, dst: HOST6 };

/** A host that answers every UDP packet with "port unreachable". */
function refusing(): Host {
  const host = new Host().knowsPeer();
  host.net.register(UDP, {
    receive: (packet) => host.net.portUnreachable(packet),
    failed: () => undefined,
  });
  return host;
}

test('port unreachable quotes the packet, as much as the family allows', () => {
  const host = refusing();
  const frame = Build.udp(to);
  const [v4] = host.gets(frame);
  assert.deepEqual([v4?.icmp?.type, v4?.icmp?.code, v4?.icmp?.checksumGood], [3, 3, true]);
  assert.deepEqual([v4?.ip?.totalLength, v4?.ip?.dst], [576, PEER]);
  assert.deepEqual(v4?.payload.slice(4), frame.slice(14, 14 + 548));
  const frame6 = Build.udp({ ...to6, payload: 'y'.repeat(1400) });
  const [v6] = host.gets(frame6);
  assert.deepEqual([v6?.icmp?.type, v6?.icmp?.code, v6?.icmp?.checksumGood], [1, 4, true]);
  assert.deepEqual([v6?.ip?.totalLength, v6?.ip?.dst], [1280, PEER6]);
  assert.deepEqual(v6?.payload.slice(4), frame6.slice(14, 14 + 1232));
});

test('a protocol nobody speaks is refused', () => {
  const host = new Host().knowsPeer();
  const [v4] = host.gets(Build.ip({ src: PEER, dst: HOST }, 99, new Uint8Array(20)));
  assert.deepEqual([v4?.icmp?.type, v4?.icmp?.code], [3, 2]);
  const [v6] = host.gets(Build.ip({ src: PEER6, dst: HOST6 }, 99, new Uint8Array(20)));
  assert.deepEqual([v6?.icmp?.type, v6?.icmp?.code, v6?.icmp?.checksumGood], [4, 1, true]);
  assert.deepEqual([...v6!.payload.slice(0, 4)], [0, 0, 0, 6]);
  assert.deepEqual(host.gets(Build.ip({ src: PEER6, dst: HOST6 }, 59, new Uint8Array(20))), []);
  assert.deepEqual(host.dropped(), { ip_unknown_protocol: 3 });
});

test('nothing is said about packets to groups and broadcast addresses', () => {
  const host = refusing();
  const quiet = [
    Build.udp({ ...to, dst: '10.0.0.255', dstMac: 'ff:ff:ff:ff:ff:ff' }),
    Build.udp({ ...to, dstMac: 'ff:ff:ff:ff:ff:ff' }),
    Build.udp({ ...to6, dst: 'ff02::1', dstMac: '33:33:00:00:00:01' }),
  ];
  for (const frame of quiet) assert.deepEqual(host.gets(frame), []);
  assert.equal(host.stat(Stats.DELIVERED), 1 + quiet.length);
});

test('nothing is said about errors, nor to a source that is nobody', () => {
  const host = refusing();
  const error = (type: number, src: string, dst: string): Uint8Array =>
    Build.icmp({ src, dst, type, code: 0, body: new Uint8Array(40) });
  const told: number[] = [];
  host.net.register(1, { receive: (p) => host.net.portUnreachable(p), failed: () => undefined });
  host.net.register(58, { receive: (p) => host.net.portUnreachable(p), failed: () => undefined });
  for (const type of [3, 4, 5, 11, 12]) assert.deepEqual(host.gets(error(type, PEER, HOST)), []);
  for (const type of [1, 2, 3, 4, 100]) assert.deepEqual(host.gets(error(type, PEER6, HOST6)), []);
  for (const src of ['127.0.0.1', '224.0.0.5', '255.255.255.255', '0.0.0.0', '10.0.0.255']) {
    told.push(host.gets(Build.udp({ ...to, src })).length);
  }
  for (const src of ['::1', 'ff02::5', '::'])
    told.push(host.gets(Build.udp({ ...to6, src })).length);
  assert.deepEqual(new Set(told), new Set([0]));
  assert.equal(host.gets(error(8, PEER, HOST)).length, 1, 'what is no error is answered');
});

test('errors are limited: a flood of 1,000 gets at most 50, a second later there are more', () => {
  const host = refusing();
  const frame = Build.udp({ ...to, payload: '' });
  const answered = (): number => {
    let count = 0;
    for (let i = 0; i < 1000; i++) count += host.gets(frame).length;
    return count;
  };
  const first = answered();
  assert.ok(first >= 24 && first <= 50, `${first} errors`);
  assert.equal(host.dropped()['icmp_rate_limited'], 1000 - first);
  host.advance(1000);
  assert.ok(answered() >= 24);
});

test('an ICMP error reaches the transport of the packet it quotes, as a kind', () => {
  const host = new Host().knowsPeer();
  const seen: number[][] = [];
  host.net.register(UDP, {
    receive: () => undefined,
    failed: (error) => {
      const port = host.arena.view.getUint16(error.at);
      seen.push([error.kind, error.mtu, port, error.local3, error.remote3, error.length]);
    },
  });
  const mine = Build.udp({ src: HOST, dst: '192.0.2.9', srcPort: 5000, dstPort: 53 }).slice(14);
  const cases: [number, number, number, number, number][] = [
    [3, 0, 0, UNREACHABLE_NETWORK, 0],
    [3, 1, 0, UNREACHABLE_HOST, 0],
    [3, 2, 0, UNREACHABLE_PROTOCOL, 0],
    [3, 3, 0, UNREACHABLE_PORT, 0],
    [3, 4, 1400, PACKET_TOO_BIG, 1400],
    [3, 13, 0, UNREACHABLE_PROHIBITED, 0],
    [11, 0, 0, TIME_EXCEEDED, 0],
    [12, 0, 0, PARAMETER_PROBLEM, 0],
  ];
  for (const [type, code, word, kind, mtu] of cases) {
    seen.length = 0;
    const body = concat(Uint8Array.of(0, 0, word >> 8, word & 255), mine);
    // From a router in between, which is not the destination.
    assert.deepEqual(host.gets(Build.icmp({ src: '192.0.2.1', dst: HOST, type, code, body })), []);
    assert.deepEqual(seen, [[kind, mtu, 5000, 0x0a000002, 0xc0000209 | 0, 8]]);
  }
  const mine6 = Build.udp({ src: HOST6, dst: '2001:db8::9', srcPort: 5000, dstPort: 53 }).slice(14);
  for (const [type, code, word, kind, mtu] of [
    [1, 0, 0, UNREACHABLE_NETWORK, 0],
    [1, 3, 0, UNREACHABLE_HOST, 0],
    [1, 4, 0, UNREACHABLE_PORT, 0],
    [2, 0, 1300, PACKET_TOO_BIG, 1300],
    [3, 0, 0, TIME_EXCEEDED, 0],
    [4, 1, 0, PARAMETER_PROBLEM, 0],
  ] as const) {
    seen.length = 0;
    const body = concat(Uint8Array.of(0, 0, word >> 8, word & 255), mine6);
    host.gets(Build.icmp({ src: '2001:db8::1', dst: HOST6, type, code, body }));
    assert.deepEqual(seen, [[kind, mtu, 5000, 2, 9, 8]]);
  }
});

test('an ICMP error about a packet that cannot be ours reaches nobody', () => {
  const host = new Host().knowsPeer();
  host.net.register(UDP, { receive: () => undefined, failed: () => assert.fail('told of it') });
  const quote = (frame: Uint8Array, from = 14): Uint8Array =>
    Build.icmp({
      src: PEER,
      dst: HOST,
      type: 3,
      code: 3,
      body: concat(new Uint8Array(4), frame.slice(from)),
    });
  const mine = Build.udp({ src: HOST, dst: PEER, srcPort: 5, dstPort: 6 });
  const bad = [
    quote(Build.udp({ src: '10.0.0.9', dst: PEER, srcPort: 5, dstPort: 6 })),
    quote(mine.slice(0, 14 + 27)),
    quote(mine.slice(0, 20)),
    quote(Build.udp({ src: HOST6, dst: PEER6, srcPort: 5, dstPort: 6 })),
    quote(Build.ip({ src: HOST, dst: PEER }, 200, new Uint8Array(8))),
  ];
  for (const frame of bad) assert.deepEqual(host.gets(frame), []);
  assert.deepEqual(host.dropped(), { icmp_no_flow: bad.length });
});

test('malformed ICMP, wrong checksums and unknown types are dropped by name', () => {
  const host = new Host();
  const echo = Build.icmpEcho({ src: PEER, dst: HOST });
  echo[echo.length - 1]! ^= 1;
  const echo6 = Build.icmpEcho({ src: PEER6, dst: HOST6 });
  echo6[echo6.length - 1]! ^= 1;
  host.gets(echo, echo6);
  host.gets(Build.icmp({ src: PEER, dst: HOST, type: 8, body: new Uint8Array(3) }));
  host.gets(Build.icmp({ src: PEER6, dst: HOST6, type: 128, body: new Uint8Array(3) }));
  host.gets(Build.icmp({ src: PEER, dst: HOST, type: 5, code: 1, body: new Uint8Array(32) }));
  host.gets(Build.icmp({ src: PEER6, dst: HOST6, type: 137, body: new Uint8Array(36) }));
  host.gets(Build.icmpEcho({ src: PEER, dst: '10.0.0.255', dstMac: 'ff:ff:ff:ff:ff:ff' }));
  assert.deepEqual(host.dropped(), {
    icmp_bad_checksum: 2,
    icmp_malformed: 2,
    icmp_unknown_type: 2,
    icmp_to_group: 1,
  });
});

test('a ping to all IPv6 nodes is answered from an address of our own', () => {
  const host = new Host().knowsPeer();
  const [reply] = host.gets(
    Build.icmpEcho({ src: PEER6, dst: 'ff02::1', dstMac: '33:33:00:00:00:01' }),
  );
  assert.deepEqual(
    [reply?.ip?.src, reply?.icmp?.type, reply?.icmp?.checksumGood],
    [HOST6, 129, true],
  );
});
