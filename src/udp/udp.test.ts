import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Address } from '../base/address.ts';
import { EventQueue, FAILED, READABLE, WRITABLE } from '../base/events.ts';
import { SLOT_COUNT } from '../link/layout.gen.ts';
import { createLoopback } from '../link/loopback.ts';
import { Random } from '../link/random.ts';
import { HOST, HOST6, Host, type HostOptions, PEER, PEER6 } from '../net/harness.test.ts';
import { Heap } from '../storage/heap.ts';
import { concat, internetChecksum, toText } from '../testing/bytes.ts';
import type { Decoded } from '../testing/decode.ts';
import * as Build from '../testing/packet.ts';
import { EMPTY, type UdpSocket } from './socket.ts';
import { Udp } from './udp.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const ip = (text: string): Address => Address.parse(text);
const code = (expected: string) => (error: unknown) =>
  (error as { code?: string }).code === expected;

class UdpHost extends Host {
  readonly events: EventQueue = new EventQueue();
  readonly heap: Heap = new Heap(this.arena, 2 << 20);
  readonly udp: Udp;

  constructor(options: HostOptions = {}) {
    super(options);
    const random = new Random(3);
    this.udp = new Udp(this.net, this.events, this.heap, this.clock, () => random.next());
    this.net.register(17, this.udp);
    this.knowsPeer();
  }

  socket(address: string | null, port: number, options = {}): UdpSocket {
    const socket = this.udp.open();
    socket.bind(address === null ? null : ip(address), port, options);
    return socket;
  }

  /** A datagram from the peer arrives. */
  datagram(fields: Partial<Build.UdpFields> = {}): Decoded[] {
    const base = { src: PEER, dst: HOST, srcPort: 4000, dstPort: 53, payload: 'hello' };
    return this.gets(Build.udp({ ...base, ...fields }));
  }
}

/** All that waits on a socket, as text. */
function drain(socket: UdpSocket): string[] {
  const into = new Uint8Array(2000);
  const texts: string[] = [];
  for (let n = socket.receive(into); n !== EMPTY; n = socket.receive(into)) {
    texts.push(toText(into.slice(0, n)));
  }
  return texts;
}

test('a datagram is received with its sender, and READABLE is raised', () => {
  const host = new UdpHost();
  const socket = host.socket(HOST, 53);
  assert.deepEqual(host.datagram({ hops: 33 }), []);
  assert.equal(host.events.next(), socket);
  assert.equal(socket.takeEvents(), READABLE);
  assert.equal(socket.receiveSize, 5);
  const into = new Uint8Array(100);
  assert.equal(socket.receive(into), 5);
  assert.equal(toText(into.slice(0, 5)), 'hello');
  assert.deepEqual(
    [socket.fromAddress().toString(), socket.fromPort, socket.fromHops, socket.truncated],
    [PEER, 4000, 33, false],
  );
  assert.deepEqual([socket.receive(into), socket.receiveSize], [EMPTY, EMPTY]);
  assert.equal(host.heap.live, 0);
});

test('receive() cuts what does not fit and says so; the rest is gone', () => {
  const host = new UdpHost();
  const socket = host.socket(HOST, 53);
  host.datagram();
  host.datagram({ payload: '' });
  assert.equal(socket.receive(new Uint8Array(2)), 2);
  assert.equal(socket.truncated, true);
  assert.equal(socket.receive(new Uint8Array(2)), 0);
  assert.equal(socket.truncated, false);
  assert.equal(socket.receiveSize, EMPTY);
});

test('send() makes a datagram with good sums, of both families', () => {
  const host = new UdpHost();
  for (const [to, from] of [
    [PEER, HOST],
    [PEER6, HOST6],
  ] as const) {
    const socket = host.udp.open();
    assert.equal(socket.send(bytes('..query..'), 2, 7, ip(to), 53), 5);
    const [frame, ...more] = host.sent();
    assert.equal(more.length, 0);
    assert.deepEqual([frame?.ip?.src, frame?.ip?.dst, frame?.ip?.hops], [from, to, 64]);
    assert.deepEqual([frame?.udp?.dstPort, frame?.udp?.checksumGood], [53, true]);
    assert.equal(frame?.udp?.srcPort, socket.localPort);
    assert.ok(socket.localPort >= 49152);
    assert.equal(toText(frame!.payload), 'query');
    socket.close();
  }
  assert.deepEqual([host.udp.count, host.heap.live], [0, 0]);
});

test('the socket bound to the address gets it before the one bound to any', () => {
  const host = new UdpHost();
  const dual = host.socket('::', 53, { reuseAddress: true });
  const any = host.socket('0.0.0.0', 53, { reuseAddress: true });
  host.datagram();
  assert.deepEqual([drain(dual).length, drain(any).length], [0, 1]);
  const exact = host.socket(HOST, 53, { reuseAddress: true });
  host.datagram();
  assert.deepEqual([drain(dual).length, drain(any).length, drain(exact).length], [0, 0, 1]);
  exact.close();
  any.close();
  host.datagram();
  assert.equal(drain(dual).length, 1);
});

test('a socket bound to :: gets both families unless v6Only; null means the same', () => {
  for (const [address, options, expected] of [
    ['::', {}, 2],
    [null, {}, 2],
    ['::', { v6Only: true }, 1],
    ['0.0.0.0', {}, 1],
  ] as const) {
    const host = new UdpHost();
    const socket = host.socket(address, 53, options);
    host.datagram();
    host.datagram({ src: PEER6, dst: HOST6 });
    assert.equal(drain(socket).length, expected);
  }
});

test('a connected socket gets what its peer sends, and only that', () => {
  const host = new UdpHost();
  const any = host.socket(HOST, 53, { reuseAddress: true });
  const connected = host.socket(HOST, 53, { reuseAddress: true });
  connected.connect(ip(PEER), 4000);
  host.datagram({ payload: 'mine' });
  host.datagram({ payload: 'other', srcPort: 4001 });
  assert.deepEqual([drain(connected), drain(any)], [['mine'], ['other']]);
  connected.send(bytes('x'), 0, 1);
  assert.equal(host.sent()[0]?.udp?.dstPort, 4000);
  assert.throws(() => connected.send(bytes('x'), 0, 1, ip(PEER), 9), code('EISCONN'));
  connected.disconnect();
  assert.throws(() => connected.send(bytes('x'), 0, 1), code('EDESTADDRREQ'));
  assert.throws(() => connected.disconnect(), code('ENOTCONN'));
});

test('connect() makes the local address definite, disconnect() undoes it', () => {
  const host = new UdpHost();
  const socket = host.udp.open();
  socket.connect(ip(PEER), 4000);
  assert.equal(socket.localAddress.toString(), HOST);
  assert.deepEqual([socket.remoteAddress?.toString(), socket.remotePort], [PEER, 4000]);
  assert.throws(() => socket.connect(ip(PEER), 4000), code('EISCONN'));
  socket.disconnect();
  assert.equal(socket.localAddress.toString(), '0.0.0.0');
});

test('bind() refuses what is taken, what is not ours, and a second time', () => {
  const host = new UdpHost();
  const bind =
    (address: string, port: number, options = {}) =>
    () =>
      host.udp.open().bind(ip(address), port, options);
  const first = host.socket('0.0.0.0', 53);
  assert.throws(bind('0.0.0.0', 53), code('EADDRINUSE'));
  assert.throws(bind(HOST, 53), code('EADDRINUSE'));
  assert.throws(bind('::', 53), code('EADDRINUSE'));
  assert.throws(bind(HOST, 53, { reuseAddress: true }), code('EADDRINUSE'));
  bind('::', 53, { v6Only: true })();
  bind(HOST, 54)();
  bind(HOST6, 54)();
  assert.throws(bind('10.0.0.77', 1), code('EADDRNOTAVAIL'));
  assert.throws(bind(HOST, 65536), code('EINVAL'));
  assert.throws(() => first.bind(ip(HOST), 5), code('EINVAL'));
  first.close();
  bind(HOST, 53)();
});

test('ephemeral ports are unpredictable, and all different', () => {
  const host = new UdpHost();
  const ports = Array.from({ length: 200 }, () => host.socket('0.0.0.0', 0).localPort);
  assert.equal(new Set(ports).size, 200);
  const steps = ports.slice(1).map((port, i) => port - ports[i]!);
  assert.ok(new Set(steps).size > 100);
});

test('no socket: port unreachable, and a named drop', () => {
  const host = new UdpHost();
  const [error] = host.datagram();
  assert.deepEqual([error?.icmp?.type, error?.icmp?.code], [3, 3]);
  assert.deepEqual(host.dropped(), { udp_no_socket: 1 });
});

test('checksum 0 is none for IPv4 and wrong for IPv6; wrong ones are dropped', () => {
  const host = new UdpHost();
  const socket = host.socket('::', 53);
  host.datagram({ checksum: 0 });
  host.datagram({ src: PEER6, dst: HOST6, checksum: 0 });
  host.datagram({ checksum: 7 });
  assert.equal(drain(socket).length, 1);
  assert.deepEqual(host.dropped(), { udp_bad_checksum: 2 });
});

test('a UDP length that does not fit is malformed; bytes behind it are cut', () => {
  const host = new UdpHost();
  const socket = host.socket(HOST, 53);
  for (const length of [7, 14]) {
    const frame = Build.udp({
      src: PEER,
      dst: HOST,
      srcPort: 1,
      dstPort: 53,
      payload: 'hello',
      checksum: 0,
    });
    frame[39] = length;
    host.gets(frame);
  }
  const frame = Build.udp({
    src: PEER,
    dst: HOST,
    srcPort: 1,
    dstPort: 53,
    payload: 'hello',
    checksum: 0,
  });
  frame[39] = 10;
  host.gets(frame);
  assert.deepEqual(drain(socket), ['he']);
  assert.deepEqual(host.dropped(), { udp_malformed: 2 });
});

test('a socket that does not read keeps to its budget', () => {
  const host = new UdpHost();
  const socket = host.socket(HOST, 53);
  socket.receiveBufferBytes = 1024;
  for (let i = 0; i < 6; i++) host.datagram({ payload: String(i) });
  assert.deepEqual(drain(socket), ['0', '1', '2', '3']);
  assert.deepEqual(host.dropped(), { udp_queue_full: 2 });
});

test('a datagram larger than the MTU goes in fragments and comes back whole', () => {
  const host = new UdpHost();
  const socket = host.socket('::', 53);
  for (const [to, header, pseudo] of [
    [PEER, 34, [...Build.addressBytes(HOST), ...Build.addressBytes(PEER), 0, 17]],
    [PEER6, 62, [...Build.addressBytes(HOST6), ...Build.addressBytes(PEER6), 0, 17]],
  ] as const) {
    const payload = Uint8Array.from({ length: 4000 }, (_, i) => i & 255);
    assert.equal(socket.send(payload, 0, 4000, ip(to), 4000), 4000);
    const frames = host.sentRaw();
    assert.equal(frames.length, 3);
    const whole = concat(...frames.map((frame) => frame.slice(header)));
    assert.equal(whole.length, 4008);
    const length = Uint8Array.of(whole.length >> 8, whole.length & 255);
    assert.equal(internetChecksum(Uint8Array.from(pseudo), length, whole), 0);
    assert.deepEqual(whole.slice(8), payload);
  }
});

test('the largest datagram passes, one byte more is EMSGSIZE', () => {
  const host = new UdpHost();
  const nic = host.net.attach(createLoopback(host.arena), { loopback: true });
  nic.link.exchange();
  const socket = host.socket('127.0.0.1', 53);
  const payload = Uint8Array.from({ length: 65_508 }, (_, i) => i % 251);
  assert.throws(() => socket.send(payload, 0, 65_508, ip('127.0.0.1'), 53), code('EMSGSIZE'));
  assert.equal(socket.send(payload, 0, 65_507, ip('127.0.0.1'), 53), 65_507);
  for (let i = 0; i < 3; i++) {
    nic.link.exchange();
    host.net.receive(nic);
  }
  const into = new Uint8Array(65_536);
  assert.equal(socket.receive(into), 65_507);
  assert.deepEqual(into.slice(0, 65_507), payload.slice(0, 65_507));
});

test('without room send() sends nothing, and WRITABLE follows when there is some', () => {
  const host = new UdpHost();
  const socket = host.socket(HOST, 53);
  const { ring } = host.nic;
  const slots = ring[SLOT_COUNT]!;
  ring[SLOT_COUNT] = 0;
  assert.equal(socket.send(bytes('x'), 0, 1, ip(PEER), 9), 0);
  assert.deepEqual([socket.blocked, host.udp.hasPending], [1, true]);
  assert.equal(host.udp.flush(), 0);
  ring[SLOT_COUNT] = slots;
  assert.equal(host.udp.flush(), 1);
  assert.equal(socket.takeEvents(), WRITABLE);
  assert.deepEqual([socket.blocked, host.udp.hasPending], [0, false]);
  assert.equal(socket.send(bytes('x'), 0, 1, ip(PEER), 9), 1);
});

test('broadcasts go to everybody who is bound to any, and are sent only with leave', () => {
  const host = new UdpHost();
  const one = host.socket('0.0.0.0', 53, { reuseAddress: true });
  const two = host.socket('::', 53, { reuseAddress: true });
  const unicast = host.socket(HOST, 53, { reuseAddress: true });
  const dstMac = 'ff:ff:ff:ff:ff:ff';
  host.datagram({ dst: '10.0.0.255', dstMac });
  host.datagram({ dst: '255.255.255.255', dstMac });
  assert.deepEqual([drain(one).length, drain(two).length, drain(unicast).length], [2, 2, 0]);
  const all = ip('255.255.255.255');
  assert.throws(() => one.send(bytes('x'), 0, 1, all, 9), code('EACCES'));
  one.broadcast = true;
  assert.equal(one.send(bytes('x'), 0, 1, all, 9), 1);
  assert.equal(host.sent()[0]?.ethernet.dst, dstMac);
});

test('a DHCP client without an address reaches a server bound to any, and the server everybody', () => {
  const host = new UdpHost();
  const server = host.socket('0.0.0.0', 67);
  const discover = {
    src: '0.0.0.0',
    dst: '255.255.255.255',
    dstMac: 'ff:ff:ff:ff:ff:ff',
    srcPort: 68,
    dstPort: 67,
    payload: 'discover',
  };
  host.gets(Build.udp(discover));
  const into = new Uint8Array(20);
  assert.equal(server.receive(into), 8);
  assert.deepEqual([`${server.fromAddress()}`, server.fromPort], ['0.0.0.0', 68]);
  server.broadcast = true;
  assert.equal(server.send(bytes('offer'), 0, 5, ip('255.255.255.255'), 68), 5);
  const offer = host.sent().find(({ udp }) => udp !== undefined);
  assert.deepEqual([offer?.ethernet.dst, offer?.udp?.dstPort], ['ff:ff:ff:ff:ff:ff', 68]);
  assert.deepEqual(host.gets(Build.udp({ ...discover, dstPort: 69 })), []);
  assert.deepEqual(host.dropped(), { udp_no_socket: 1 });
});

test('a group is received by its members only, and sent to with one hop', () => {
  const host = new UdpHost();
  const member = host.socket('0.0.0.0', 53, { reuseAddress: true });
  const other = host.socket('0.0.0.0', 53, { reuseAddress: true });
  const group = ip('239.1.2.3');
  const fields = { dst: '239.1.2.3', dstMac: '01:00:5e:01:02:03' };
  host.datagram(fields);
  member.groups.join(group);
  assert.throws(() => member.groups.join(group), code('EADDRINUSE'));
  assert.throws(() => member.groups.join(ip(HOST)), code('EINVAL'));
  host.datagram(fields);
  assert.deepEqual([drain(member).length, drain(other).length], [1, 0]);
  member.send(bytes('x'), 0, 1, group, 53);
  const frame = host.sent().find(({ udp }) => udp !== undefined);
  assert.equal(drain(member).length, 1, 'members here hear it too');
  assert.deepEqual([frame?.ip?.hops, frame?.ethernet.dst], [1, '01:00:5e:01:02:03']);
  member.groups.leave(group);
  assert.throws(() => member.groups.leave(group), code('EADDRNOTAVAIL'));
  host.datagram(fields);
  assert.equal(drain(member).length, 0);
  assert.deepEqual(host.dropped(), { ip_not_for_us: 2 });
});

test("hops are the socket's own", () => {
  const host = new UdpHost();
  const near = host.socket(HOST, 53);
  const far = host.socket(HOST, 54);
  near.hops = 3;
  near.send(bytes('x'), 0, 1, ip(PEER), 9);
  far.send(bytes('x'), 0, 1, ip(PEER), 9);
  assert.deepEqual(
    host.sent().map((frame) => frame.ip?.hops),
    [3, 64],
  );
});

test('an ICMP error reaches the connected socket as its error', () => {
  const host = new UdpHost();
  const socket = host.udp.open();
  socket.connect(ip(PEER), 4000);
  socket.send(bytes('x'), 0, 1);
  const sent = host.sentRaw()[0]!;
  const refuse = Build.icmp({
    src: PEER,
    dst: HOST,
    type: 3,
    code: 3,
    body: concat(new Uint8Array(4), sent.slice(14)),
  });
  host.gets(refuse);
  assert.equal(socket.takeEvents(), FAILED);
  assert.equal(socket.error, 'ECONNREFUSED');
  socket.disconnect();
  host.gets(refuse);
  assert.equal(socket.takeEvents(), 0);
  assert.deepEqual(host.dropped(), { icmp_no_flow: 1 });
});

test('packet too big lowers the path, and the next datagram is cut', () => {
  const host = new UdpHost();
  const socket = host.socket(HOST, 53);
  const payload = new Uint8Array(1400);
  socket.send(payload, 0, 1400, ip(PEER), 9);
  const sent = host.sentRaw();
  assert.equal(sent.length, 1);
  const body = concat(Uint8Array.of(0, 0, 4, 176), sent[0]!.slice(14, 42));
  host.gets(Build.icmp({ src: PEER, dst: HOST, type: 3, code: 4, body }));
  socket.send(payload, 0, 1400, ip(PEER), 9);
  const frames = host.sent();
  assert.equal(frames.length, 2);
  assert.ok(frames.every((frame) => frame.ip!.totalLength <= 1200));
});

test('packet too big about nobody we talk to changes nothing', () => {
  const host = new UdpHost();
  host.socket(HOST, 53);
  const paths = host.net.paths.size;
  const quote = Build.udp({ src: HOST, dst: '10.0.0.66', srcPort: 53, dstPort: 9 }).slice(14);
  const body = concat(Uint8Array.of(0, 0, 2, 64), quote);
  host.gets(Build.icmp({ src: PEER, dst: HOST, type: 3, code: 4, body }));
  assert.equal(host.net.paths.size, paths);
  assert.deepEqual(host.dropped(), { icmp_no_flow: 1 });
});

test('where there is no way, send() and connect() say so', () => {
  const host = new UdpHost();
  const socket = host.udp.open();
  assert.throws(() => socket.send(bytes('x'), 0, 1, ip('192.0.2.1'), 9), code('ENETUNREACH'));
  assert.throws(() => host.udp.open().connect(ip('192.0.2.1'), 9), code('ENETUNREACH'));
  const v4 = host.socket(HOST, 53);
  assert.throws(() => v4.send(bytes('x'), 0, 1, ip(PEER6), 9), code('ENETUNREACH'));
  assert.throws(() => v4.send(bytes('x'), 0, 2, ip(PEER), 9), code('EINVAL'));
  assert.throws(() => host.udp.open().send(bytes('x'), 0, 1), code('EDESTADDRREQ'));
});

test('a neighbor that never answers fails the connected socket', () => {
  const host = new UdpHost();
  const socket = host.udp.open();
  socket.connect(ip('10.0.0.99'), 4000);
  socket.send(bytes('x'), 0, 1);
  host.sent();
  host.advance(5000);
  assert.deepEqual([socket.takeEvents(), socket.error], [FAILED, 'EHOSTUNREACH']);
});

test('close() gives everything back', () => {
  const host = new UdpHost();
  const socket = host.socket('0.0.0.0', 53);
  socket.groups.join(ip('239.1.2.3'));
  socket.connect(ip(PEER), 4000);
  host.datagram();
  socket.close();
  socket.close();
  host.net.paths.reclaim();
  assert.deepEqual([host.udp.count, host.heap.live, host.net.paths.size], [0, 0, 0]);
  assert.equal(socket.takeEvents(), 0);
  assert.throws(() => socket.send(bytes('x'), 0, 1), code('EBADF'));
  assert.equal(host.datagram()[0]?.icmp?.type, 3);
});
