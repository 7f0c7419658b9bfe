import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Address, Prefix } from '../base/address.ts';
import { createLoopback } from '../link/loopback.ts';
import { createPair } from '../link/pair.ts';
import { Arena } from '../storage/arena.ts';
import * as Build from '../testing/packet.ts';
import { HOST, HOST6, Host, PEER } from './harness.test.ts';
import * as Stats from './stats.ts';

const code = (expected: string) => (error: unknown) =>
  (error as { code?: string }).code === expected;

test('a host on the wire announces its addresses once', () => {
  const host = new Host({ silent: true });
  const [arp, na, linkLocal, ...more] = host.advance(0);
  assert.equal(more.length, 0);
  assert.deepEqual(
    [arp?.arp?.operation, arp?.arp?.senderIp, arp?.arp?.targetIp],
    ['request', HOST, HOST],
  );
  assert.equal(arp?.ethernet.dst, 'ff:ff:ff:ff:ff:ff');
  for (const [frame, address] of [
    [na, HOST6],
    [linkLocal, 'fe80::ff:fe00:2'],
  ] as const) {
    assert.equal(frame?.icmp?.type, 136);
    assert.equal(frame?.ip?.src, address);
    assert.equal(frame?.ip?.dst, 'ff02::1');
    assert.equal(frame?.ip?.hops, 255);
    assert.equal(frame?.icmp?.checksumGood, true);
    assert.equal(frame?.ethernet.dst, '33:33:00:00:00:01');
  }
  assert.equal(host.stat(Stats.FRAMES_OUT), 3);
  assert.deepEqual(host.advance(100_000), []);
});

test('an address added later is announced and answered', () => {
  const host = new Host();
  host.net.addAddress(host.nic, Prefix.parse('10.5.0.1/24'));
  assert.equal(host.advance(0)[0]?.arp?.senderIp, '10.5.0.1');
  const [reply] = host.gets(
    Build.arp({ operation: 'request', senderIp: '10.5.0.9', targetIp: '10.5.0.1' }),
  );
  assert.equal(reply?.arp?.operation, 'reply');
  assert.equal(host.net.isLocal(0, 0, 0xffff, 0x0a050001), true);
  assert.equal(host.net.localNic(0, 0, 0xffff, 0x0a050001), host.nic);
  assert.equal(host.net.isBroadcast(0, 0, 0xffff, 0x0a0500ff), true);
});

test('announcements wait until the link has slots', () => {
  const host = new Host({ silent: true });
  const { ring } = host.nic;
  const slots = ring[2]!;
  ring[2] = 0;
  host.net.tick();
  assert.equal(host.net.hasTick, 1);
  ring[2] = slots;
  assert.equal(host.advance(10).length, 3);
});

test('impossible interfaces and addresses are refused', () => {
  const host = new Host();
  const add = (text: string) => () => host.net.addAddress(host.nic, Prefix.parse(text));
  assert.throws(add('10.0.0.2/24'), code('EADDRINUSE'));
  assert.throws(add('224.0.0.9/24'), code('EINVAL'));
  assert.throws(add('0.0.0.0/0'), code('EINVAL'));
  const [foreign] = createPair(Arena.allocate(4 << 20));
  assert.throws(() => host.net.attach(foreign), code('EINVAL'));
  const [ours] = createPair(host.arena, { slots: 16 });
  assert.throws(() => host.net.attach(ours, { vlan: 4095 }), code('EINVAL'));
  const { routes } = host.net;
  const gateway = Address.parse('fd00::1');
  assert.throws(() => routes.add(Prefix.parse('0.0.0.0/0'), gateway, host.nic), code('EINVAL'));
});

test('a packet to ourselves crosses the loopback interface', () => {
  const host = new Host();
  const nic = host.net.attach(createLoopback(host.arena), { loopback: true });
  const got: string[] = [];
  const word = (text: string): Address => Address.parse(text);
  host.net.register(17, {
    receive: ({ src3, dst3, checked }) => got.push(`${src3 >>> 24} ${dst3 >>> 24} ${checked}`),
    failed: () => undefined,
  });
  nic.link.exchange();
  for (const [to, from] of [
    ['127.0.0.1', '::'],
    [HOST, '::'],
  ] as const) {
    const r = word(to);
    const l = word(from);
    const path = host.net.paths.acquire(r.w0, r.w1, r.w2, r.w3, l.w0, l.w1, l.w2, l.w3)!;
    const at = host.net.egress.begin(path);
    host.arena.view.setInt32(at, (7 << 16) | 8);
    host.arena.view.setInt32(at + 4, 8 << 16);
    host.net.egress.commit(path, at, 8, 4, 8, 0, 0);
    for (let turn = 0; turn < 2; turn++) {
      nic.link.exchange();
      host.net.receive(nic);
    }
  }
  assert.deepEqual(got, ['127 127 1', '10 10 1']);
  assert.deepEqual(host.dropped(), {});
});

test('a frame from the wire cannot pretend to come from the loopback', () => {
  const host = new Host();
  host.net.attach(createLoopback(host.arena), { loopback: true });
  host.gets(Build.udp({ src: PEER, dst: '127.0.0.1', srcPort: 1, dstPort: 2 }));
  host.gets(Build.udp({ src: '127.0.0.1', dst: HOST, srcPort: 1, dstPort: 2 }));
  assert.deepEqual(host.dropped(), { ip_martian_source: 2 });
});
