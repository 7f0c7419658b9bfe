import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Address, Prefix } from '../base/address.ts';
import { createLoopback } from '../link/loopback.ts';
import { Host, type HostOptions } from './harness.test.ts';
import type { Path } from './path.ts';

const ANY = '::';

function acquire(host: Host, remote: string, local = ANY): Path | null {
  const r = Address.parse(remote);
  const l = Address.parse(local);
  return host.net.paths.acquire(r.w0, r.w1, r.w2, r.w3, l.w0, l.w1, l.w2, l.w3);
}

const remoteOf = (path: Path): string =>
  new Address(path.remote0, path.remote1, path.remote2, path.remote3).toString();
const localOf = (path: Path | null): string | null =>
  path === null ? null : new Address(path.local0, path.local1, path.local2, path.local3).toString();
const hopOf = ({ neighbor }: Path): string | null =>
  neighbor === null
    ? null
    : new Address(neighbor.w0, neighbor.w1, neighbor.w2, neighbor.w3).toString();

function withLoopback(options: HostOptions = {}): Host {
  const host = new Host(options);
  host.net.attach(createLoopback(host.arena), { loopback: true });
  return host;
}

test('a station on the link is its own next hop', () => {
  const host = new Host();
  const path = acquire(host, '10.0.0.9')!;
  assert.deepEqual(
    [localOf(path), remoteOf(path), hopOf(path)],
    ['10.0.0.2', '10.0.0.9', '10.0.0.9'],
  );
  assert.deepEqual([path.version, path.mtu, path.headerLength], [4, 1500, 20]);
  const path6 = acquire(host, 'fd00::9')!;
  assert.deepEqual([localOf(path6), hopOf(path6), path6.headerLength], ['fd00::2', 'fd00::9', 40]);
});

test('a far host is reached through the router of the longest prefix', () => {
  const host = new Host();
  const { routes } = host.net;
  assert.equal(acquire(host, '192.0.2.1'), null);
  routes.add(Prefix.parse('0.0.0.0/0'), Address.parse('10.0.0.1'), host.nic);
  routes.add(Prefix.parse('192.0.2.0/24'), Address.parse('10.0.0.254'), host.nic);
  routes.add(Prefix.parse('::/0'), Address.parse('fe80::1'), host.nic);
  assert.equal(hopOf(acquire(host, '192.0.2.1')!), '10.0.0.254');
  assert.equal(hopOf(acquire(host, '198.51.100.1')!), '10.0.0.1');
  const v6 = acquire(host, '2001:db8::1')!;
  assert.deepEqual([hopOf(v6), localOf(v6)], ['fe80::1', 'fd00::2']);
});

test('link-local addresses talk to each other and to nobody else', () => {
  const host = new Host({ addresses: [] });
  assert.equal(localOf(acquire(host, 'fe80::9')), 'fe80::ff:fe00:2');
  host.net.routes.add(Prefix.parse('::/0'), Address.parse('fe80::1'), host.nic);
  assert.equal(acquire(host, '2001:db8::1'), null);
});

test('the source is the address of the right subnet', () => {
  const addresses = ['10.0.0.2/24', '10.7.0.2/16', 'fd00::2/64', 'fd07::2/64'].map(Prefix.parse);
  const host = new Host({ addresses });
  assert.equal(localOf(acquire(host, '10.7.9.9')), '10.7.0.2');
  assert.equal(localOf(acquire(host, '10.0.0.9')), '10.0.0.2');
  assert.equal(localOf(acquire(host, 'fd07::9')), 'fd07::2');
  assert.equal(localOf(acquire(host, '10.7.9.9', '10.0.0.2')), '10.0.0.2');
});

test('a local address that is not ours, or of the other family, gives no path', () => {
  const host = new Host();
  assert.equal(acquire(host, '10.0.0.9', '10.0.0.3'), null);
  assert.equal(acquire(host, '10.0.0.9', 'fd00::2'), null);
  assert.equal(acquire(host, '10.0.0.9', '10.0.0.255'), null);
  assert.equal(acquire(host, ANY), null);
  assert.equal(acquire(host, '0.0.0.0'), null);
});

test('one path for one pair of addresses, as long as anybody holds or remembers it', () => {
  const host = new Host();
  const path = acquire(host, '10.0.0.9')!;
  assert.equal(acquire(host, '10.0.0.9', '10.0.0.2'), path);
  assert.equal(path.references, 2);
  host.net.paths.release(path);
  host.net.paths.release(path);
  assert.equal(host.net.paths.size, 1);
  assert.equal(acquire(host, '10.0.0.9'), path);
});

test('unreferenced paths are kept up to the limit, the oldest go first', () => {
  const host = new Host({ limits: { cachedPaths: 3 } });
  const held = acquire(host, '10.0.0.200')!;
  for (let x = 10; x < 110; x++) host.net.paths.release(acquire(host, `10.0.0.${x}`)!);
  assert.equal(host.net.paths.size, 4);
  assert.equal(acquire(host, '10.0.0.200'), held);
});

test('thousands of paths are found again', () => {
  const host = new Host({ addresses: [Prefix.parse('10.0.0.2/8')], limits: { neighbors: 8192 } });
  const paths = Array.from({ length: 5000 }, (_, i) => acquire(host, `10.1.${i >> 8}.${i & 255}`)!);
  assert.equal(host.net.paths.size, 5000);
  for (const [i, path] of paths.entries()) {
    assert.equal(acquire(host, `10.1.${i >> 8}.${i & 255}`), path);
    host.net.paths.release(path);
    host.net.paths.release(path);
  }
  assert.equal(host.net.paths.size, 1024);
  host.net.paths.reclaim();
  assert.equal(host.net.paths.size, 0);
});

test('our own addresses are reached through the loopback interface only', () => {
  assert.equal(acquire(new Host(), '10.0.0.2'), null);
  const host = withLoopback();
  for (const [remote, local] of [
    ['10.0.0.2', '10.0.0.2'],
    ['127.0.0.1', '127.0.0.1'],
    ['127.3.2.1', '127.3.2.1'],
    ['::1', '::1'],
    ['fd00::2', 'fd00::2'],
  ] as const) {
    const path = acquire(host, remote)!;
    assert.deepEqual([localOf(path), path.nic.loopback, path.neighbor], [local, 1, null]);
  }
  assert.equal(localOf(acquire(host, '127.0.0.1', '10.0.0.2')), '10.0.0.2');
});

test('groups and broadcasts need no neighbor: their MAC follows from the address', () => {
  const host = new Host();
  const mac = (remote: string): [number, number, number] => {
    const path = acquire(host, remote)!;
    assert.equal(path.neighbor, null);
    return [path.macHigh, path.macLow, path.group];
  };
  assert.deepEqual(mac('224.129.2.3'), [0x0100, 0x5e010203, 1]);
  assert.deepEqual(mac('ff05::1:3'), [0x3333, 0x00010003, 1]);
  assert.deepEqual(mac('255.255.255.255'), [0xffff, -1, 2]);
  assert.deepEqual(mac('10.0.0.255'), [0xffff, -1, 2]);
});

test('a path MTU goes down, not below the floor, and comes back after ten minutes', () => {
  const host = new Host();
  const path = acquire(host, '10.0.0.9')!;
  host.net.paths.lowerMtu(path, 1400);
  assert.equal(path.mtu, 1400);
  host.net.paths.lowerMtu(path, 1450);
  assert.equal(path.mtu, 1400);
  host.net.paths.lowerMtu(path, 0);
  assert.equal(path.mtu, 1006);
  host.net.paths.lowerMtu(path, 68);
  assert.equal(path.mtu, 576);
  const path6 = acquire(host, 'fd00::9')!;
  host.net.paths.lowerMtu(path6, 600);
  assert.equal(path6.mtu, 1280);
  host.advance(599_000);
  assert.deepEqual([path.mtu, path6.mtu], [576, 1280]);
  host.advance(1000);
  assert.deepEqual([path.mtu, path6.mtu], [1500, 1500]);
});

test('a changed route leads held paths to the new router', () => {
  const host = new Host();
  const { routes } = host.net;
  routes.add(Prefix.parse('0.0.0.0/0'), Address.parse('10.0.0.1'), host.nic);
  const path = acquire(host, '192.0.2.1')!;
  routes.add(Prefix.parse('0.0.0.0/0'), Address.parse('10.0.0.254'), host.nic);
  assert.equal(hopOf(path), '10.0.0.254');
  assert.equal(routes.remove(Prefix.parse('0.0.0.0/0')), true);
  assert.equal(routes.remove(Prefix.parse('0.0.0.0/0')), false);
  assert.equal(hopOf(path), '10.0.0.254');
  assert.equal(acquire(host, '192.0.2.2'), null);
});

test('a variant differs in class and hops only, is shared, and learns its MTU for itself', () => {
  const host = new Host({ limits: { cachedPaths: 1 } });
  const path = acquire(host, '10.0.0.9')!;
  acquire(host, '10.0.0.9');
  host.net.paths.lowerMtu(path, 1400);
  const variant = host.net.paths.variant(path, 0xb9, 64);
  assert.deepEqual([variant.trafficClass, variant.hops, variant.mtu], [0xb8, 64, 1400]);
  assert.deepEqual([localOf(variant), hopOf(variant)], ['10.0.0.2', '10.0.0.9']);
  assert.deepEqual([path.references, variant.references], [1, 1], 'the reference moved');
  assert.equal(host.net.paths.variant(variant, 0xb8, 64), variant);
  assert.equal(host.net.paths.variant(acquire(host, '10.0.0.9')!, 0xb8, 64), variant);
  assert.equal(acquire(host, '10.0.0.9'), path, 'others get the plain one');
  host.net.paths.lowerMtu(variant, 1300);
  assert.deepEqual([path.mtu, variant.mtu], [1400, 1300]);
  host.net.paths.release(variant);
  assert.equal(host.net.paths.variant(variant, 0, 64), path, 'and back');
  for (let x = 10; x < 14; x++) host.net.paths.release(acquire(host, `10.0.0.${x}`)!);
  host.net.paths.reclaim();
  assert.equal(host.net.paths.size, 1);
  assert.equal(path.neighbor!.references, 1);
});
