import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prefix } from '../../base/address.ts';
import * as Build from '../../testing/packet.ts';
import { HOST, HOST_MAC, Host, PEER, PEER_MAC } from '../harness.test.ts';

const ask = (fields: Partial<Build.ArpFields> = {}): Uint8Array =>
  Build.arp({ operation: 'request', senderIp: PEER, targetIp: HOST, ...fields });

test('a request for our address is answered to the one who asked', () => {
  const host = new Host();
  const [reply, ...more] = host.gets(ask());
  assert.equal(more.length, 0);
  assert.equal(reply?.ethernet.dst, PEER_MAC);
  assert.deepEqual(reply?.arp, {
    operation: 'reply',
    senderMac: HOST_MAC,
    senderIp: HOST,
    targetMac: PEER_MAC,
    targetIp: PEER,
  });
});

test('a request for another address is not answered', () => {
  const host = new Host();
  assert.deepEqual(host.gets(ask({ targetIp: '10.0.0.77' })), []);
  assert.deepEqual(host.dropped(), { arp_not_for_us: 1 });
});

test('whoever asks for us is remembered, so the answer to a ping needs no request', () => {
  const host = new Host();
  host.gets(ask());
  const [reply, ...more] = host.gets(Build.icmpEcho({ src: PEER, dst: HOST }));
  assert.equal(more.length, 0);
  assert.equal(reply?.icmp?.type, 0);
});

test('a probe from 0.0.0.0 is answered and not remembered', () => {
  const host = new Host();
  const [reply] = host.gets(ask({ senderIp: '0.0.0.0' }));
  assert.equal(reply?.arp?.operation, 'reply');
  assert.equal(host.net.neighbors.size, 0);
});

test('a request from a station that is not on our link is answered and not remembered', () => {
  const host = new Host();
  assert.equal(host.gets(ask({ senderIp: '192.0.2.1' })).length, 1);
  assert.equal(host.net.neighbors.size, 0);
});

test('a reply nobody asked for teaches nothing', () => {
  const host = new Host();
  host.gets(Build.arp({ operation: 'reply', senderIp: PEER, targetIp: HOST }));
  assert.equal(host.net.neighbors.size, 0);
  assert.deepEqual(host.dropped(), { arp_unsolicited: 1 });
});

test('a gratuitous announcement updates a known neighbor and makes no new one', () => {
  const host = new Host();
  const moved = '02:00:00:00:00:99';
  const announce = Build.arp({
    operation: 'request',
    senderIp: PEER,
    targetIp: PEER,
    senderMac: moved,
    srcMac: moved,
  });
  host.gets(announce);
  assert.equal(host.net.neighbors.size, 0);
  host.gets(ask());
  host.advance(2000);
  host.gets(announce);
  const [reply] = host.gets(Build.icmpEcho({ src: PEER, dst: HOST }));
  assert.equal(reply?.ethernet.dst, moved);
});

test('a request for our address tells the MAC of who asks, however often it changes', () => {
  const host = new Host();
  for (const mac of [PEER_MAC, '02:00:00:00:00:21', '02:00:00:00:00:22']) {
    assert.equal(host.gets(ask({ senderMac: mac, srcMac: mac }))[0]?.ethernet.dst, mac);
    const [reply] = host.gets(Build.icmpEcho({ src: PEER, dst: HOST }));
    assert.equal(reply?.ethernet.dst, mac);
  }
});

test('a second change of a MAC address within a second is not believed, but verified', () => {
  const host = new Host();
  host.gets(ask());
  // In use, but not reachable yet.
  assert.equal(host.gets(Build.icmpEcho({ src: PEER, dst: HOST }))[0]?.ethernet.dst, PEER_MAC);
  const thief = '02:00:00:00:00:66';
  const claim = ask({ senderMac: thief, srcMac: thief, targetIp: PEER });
  assert.deepEqual(
    host.gets(claim).map(({ arp, ethernet }) => [arp?.operation, arp?.targetIp, ethernet.dst]),
    [['request', PEER, 'ff:ff:ff:ff:ff:ff']],
  );
  assert.equal(host.gets(Build.icmpEcho({ src: PEER, dst: HOST }))[0]?.ethernet.dst, PEER_MAC);
  // The owner answers first; the thief's answer counts for nothing, and leads to no new question.
  const answer = { operation: 'reply', senderIp: PEER, targetIp: HOST, targetMac: HOST_MAC };
  host.gets(Build.arp({ ...answer, operation: 'reply' }));
  const second = { ...answer, operation: 'reply' as const, senderMac: thief, srcMac: thief };
  assert.deepEqual(host.gets(Build.arp(second)), []);
  assert.equal(host.gets(Build.icmpEcho({ src: PEER, dst: HOST }))[0]?.ethernet.dst, PEER_MAC);
});

test('an announcement that is verified is believed when the new station answers', () => {
  const host = new Host();
  host.gets(Build.icmpEcho({ src: PEER, dst: HOST }));
  const answer = { senderIp: PEER, targetIp: HOST, targetMac: HOST_MAC };
  host.gets(Build.arp({ ...answer, operation: 'reply' }));
  const moved = '02:00:00:00:00:99';
  const from = { senderMac: moved, srcMac: moved };
  assert.equal(host.gets(ask({ ...from, targetIp: PEER })).length, 1);
  host.gets(Build.arp({ ...answer, ...from, operation: 'reply' }));
  assert.equal(host.gets(Build.icmpEcho({ src: PEER, dst: HOST }))[0]?.ethernet.dst, moved);
});

test('somebody with our own address is a conflict, and teaches nothing', () => {
  const host = new Host();
  assert.deepEqual(host.gets(ask({ senderIp: HOST, targetIp: HOST })), []);
  assert.deepEqual(host.dropped(), { arp_conflict: 1 });
});

test('malformed ARP is dropped by name', () => {
  const host = new Host();
  const short = ask().slice(0, 14 + 27);
  const tokenRing = ask();
  tokenRing[15] = 6;
  const group = ask({ senderMac: '03:00:00:00:00:01', srcMac: PEER_MAC });
  const operation = ask();
  operation[21] = 9;
  for (const frame of [short, tokenRing, group, operation]) assert.deepEqual(host.gets(frame), []);
  assert.deepEqual(host.dropped(), { arp_malformed: 4 });
});

test('what waits for a neighbor goes out when it answers, in order', () => {
  const host = new Host();
  const first = host.gets(Build.icmpEcho({ src: PEER, dst: HOST, sequence: 1 }));
  assert.deepEqual(
    [first.length, first[0]?.arp?.operation, first[0]?.arp?.targetIp],
    [1, 'request', PEER],
  );
  assert.deepEqual(host.gets(Build.icmpEcho({ src: PEER, dst: HOST, sequence: 2 })), []);
  const flushed = host.gets(
    Build.arp({ operation: 'reply', senderIp: PEER, targetIp: HOST, targetMac: HOST_MAC }),
  );
  assert.deepEqual(
    flushed.map((frame) => [frame.icmp?.type, frame.ethernet.dst, frame.payload[3]]),
    [
      [0, PEER_MAC, 1],
      [0, PEER_MAC, 2],
    ],
  );
});

test('a reply to somebody else that names our neighbor does not make it reachable', () => {
  const host = new Host();
  host.gets(Build.icmpEcho({ src: PEER, dst: HOST }));
  const other = Build.arp({
    operation: 'reply',
    senderIp: PEER,
    targetIp: HOST,
    targetMac: '02:00:00:00:00:55',
    dstMac: HOST_MAC,
  });
  assert.equal(host.gets(other).length, 1);
  // STALE, not REACHABLE: the neighbor is probed 5 seconds after its use.
  const asked = host.advance(5999).filter((frame) => frame.arp !== undefined);
  assert.equal(asked.length, 0);
  host.gets(Build.icmpEcho({ src: PEER, dst: HOST }));
  const probe = host.advance(5500).filter((frame) => frame.arp !== undefined);
  assert.deepEqual(
    probe.map((frame) => frame.ethernet.dst),
    [PEER_MAC],
  );
});

test('an interface with two subnets asks with the address of the right one', () => {
  const host = new Host({ addresses: [Prefix.parse('10.0.0.2/24'), Prefix.parse('10.9.0.2/24')] });
  const path = host.net.paths.acquire(0, 0, 0xffff, 0x0a090005, 0, 0, 0xffff, 0x0a000002)!;
  host.net.egress.commit(path, host.net.egress.begin(path), 8, 0, 0, 0, 0);
  const [request] = host.sent();
  assert.deepEqual([request?.arp?.senderIp, request?.arp?.targetIp], ['10.9.0.2', '10.9.0.5']);
});
