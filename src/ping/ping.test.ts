import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Address, Prefix } from '../base/address.ts';
import { EventQueue, FAILED, READABLE, WRITABLE } from '../base/events.ts';
import { createLoopback } from '../link/loopback.ts';
import { HOST, HOST6, Host, type HostOptions, PEER, PEER6 } from '../net/harness.test.ts';
import { Heap } from '../storage/heap.ts';
import { concat, toText } from '../testing/bytes.ts';
import type { Decoded } from '../testing/decode.ts';
import * as Build from '../testing/packet.ts';
import { Ping } from './ping.ts';
import { EMPTY, type PingOptions, type PingSocket } from './socket.ts';

const ip = (text: string): Address => Address.parse(text);
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const code = (expected: string) => (error: unknown) =>
  (error as { code?: string }).code === expected;

/** Both ends of the two cables have the same MACs: to whom the one sent is not who gets it. */
function toOther(frame: Uint8Array): Uint8Array {
  frame.set([2, 0, 0, 0, 0, 2]);
  return frame;
}

class PingHost extends Host {
  readonly events: EventQueue = new EventQueue();
  readonly heap: Heap = new Heap(this.arena, 2 << 20);
  readonly ping: Ping;

  constructor(options: HostOptions = {}) {
    super(options);
    this.ping = new Ping(this.net, this.events, this.heap);
    this.net.registerEcho(this.ping);
    this.knowsPeer();
  }

  /** A socket that has pinged `to`, and what that put on the wire. */
  pinged(to: string, payload = 'abc', options: PingOptions = {}): [PingSocket, Decoded[]] {
    const socket = this.ping.open(options);
    const data = bytes(payload);
    assert.equal(socket.send(ip(to), 7, data, 0, data.length), true);
    return [socket, this.sent()];
  }
}

const FAMILIES = [
  { us: HOST, them: PEER, stranger: '10.0.0.9', request: 8, quote: [3, 1], expired: [11, 0] },
  { us: HOST6, them: PEER6, stranger: 'fd00::9', request: 128, quote: [1, 3], expired: [3, 0] },
] as const;

for (const { us, them, stranger, request, quote, expired } of FAMILIES) {
  test(`a ping from ${us} goes out whole and its reply comes back`, () => {
    const host = new PingHost();
    const [socket, [sent, ...more]] = host.pinged(them);
    assert.deepEqual(more, []);
    assert.deepEqual(
      [sent?.icmp?.type, sent?.icmp?.checksumGood, sent?.ip?.src, sent?.ip?.dst],
      [request, true, us, them],
    );
    const id = socket.identifier;
    assert.deepEqual([...sent!.payload], [id >> 8, id & 255, 0, 7, ...bytes('abc')]);
    const echo = { src: them, dst: us, id, sequence: 7, reply: true, hops: 33 } as const;
    host.gets(Build.icmpEcho({ ...echo, payload: 'abc' }));
    assert.equal(host.events.next(), socket);
    assert.equal(socket.takeEvents(), READABLE);
    const into = new Uint8Array(2);
    assert.deepEqual([socket.receiveSize, socket.receive(into)], [3, 2]);
    assert.equal(toText(into), 'ab');
    assert.deepEqual(
      [`${socket.fromAddress()}`, socket.fromSequence, socket.fromHops, socket.truncated],
      [them, 7, 33, true],
    );
    assert.equal(socket.fromError, '');
    assert.equal(socket.receive(into), EMPTY);
  });

  test(`replies that ${us} did not ask for are dropped and counted`, () => {
    const host = new PingHost();
    const [socket] = host.pinged(them);
    const echo = { src: them, dst: us, id: socket.identifier, sequence: 7, reply: true } as const;
    host.gets(Build.icmpEcho({ ...echo, id: socket.identifier ^ 1 }));
    host.gets(Build.icmpEcho({ ...echo, src: stranger }));
    assert.deepEqual(host.dropped(), { icmp_no_ping: 2 });
    socket.close();
    host.gets(Build.icmpEcho(echo));
    assert.deepEqual(host.dropped(), { icmp_no_ping: 3 });
    assert.equal(host.events.isEmpty, true);
  });

  test(`errors about a ping from ${us} are received with its sequence`, () => {
    const host = new PingHost();
    const [socket] = host.pinged(them);
    const other = { src: us, dst: them, sequence: 9, payload: 'abc' };
    const about = (id: number, [type, errorCode]: readonly [number, number]): Uint8Array => {
      const quoted = Build.icmpEcho({ ...other, id }).slice(14);
      const body = concat(new Uint8Array(4), quoted);
      return Build.icmp({ src: stranger, dst: us, type, code: errorCode, body });
    };
    host.gets(about(socket.identifier ^ 1, quote));
    assert.deepEqual(host.dropped(), { icmp_no_flow: 1 });
    host.gets(about(socket.identifier, quote), about(socket.identifier, expired));
    assert.equal(socket.takeEvents(), READABLE | FAILED);
    assert.equal(socket.error, 'EHOSTUNREACH');
    const kinds: (string | number)[] = [];
    while (socket.receive(new Uint8Array(9)) !== EMPTY) {
      kinds.push(socket.fromError, socket.fromKind, socket.fromSequence);
    }
    assert.deepEqual(kinds, ['EHOSTUNREACH', 2, 9, 'EHOSTUNREACH', 6, 9]);
    assert.equal(`${socket.fromAddress()}`, them);
  });

  test(`a ping of 4,000 bytes from ${us} goes and comes in fragments`, () => {
    const host = new PingHost();
    const payload = `${'x'.repeat(3999)}y`;
    const data = bytes(payload);
    const socket = host.ping.open();
    socket.send(ip(them), 7, data, 0, data.length);
    // Another stack puts it together, finds its checksum right, and answers.
    const other = new Host({ addresses: [Prefix.parse(`${them}/24`)] });
    other.net.addNeighbor(other.nic, ip(us), 0x0200, 1);
    const request = host.sentRaw().map(toOther);
    assert.equal(request.length, 3);
    const reply = other.getsRaw(...request);
    assert.equal(reply.length, 3);
    host.gets(...reply.map(toOther));
    const into = new Uint8Array(5000);
    assert.equal(socket.receive(into), 4000);
    assert.equal(toText(into.slice(0, 4000)), payload);
  });

  test(`what waits on a socket of ${us} is bounded, and given back by close()`, () => {
    const host = new PingHost();
    const [socket] = host.pinged(them);
    socket.receiveBufferBytes = 4096;
    const echo = { src: them, dst: us, id: socket.identifier, reply: true } as const;
    for (let i = 0; i < 10; i++) host.gets(Build.icmpEcho({ ...echo, payload: 'z'.repeat(900) }));
    assert.ok(socket.queue.bytes <= 4096);
    assert.equal(host.dropped()['ping_queue_full'], 10 - socket.queue.count);
    socket.close();
    socket.close();
    assert.deepEqual([host.heap.live, host.ping.count, socket.events], [0, 0, 0]);
    assert.throws(() => socket.send(ip(them), 1, new Uint8Array(1), 0, 1), code('EBADF'));
  });
}

test('no two sockets have the same identifier', () => {
  const host = new PingHost();
  const seen = new Set<number>();
  for (let i = 0; i < 5000; i++) seen.add(host.ping.open().identifier);
  assert.equal(seen.size, 5000);
});

test('what can not be sent is refused by name', () => {
  const { ping } = new PingHost();
  const socket = ping.open();
  const data = new Uint8Array(70_000);
  const send = (to: string, sequence: number, end: number) => () =>
    socket.send(ip(to), sequence, data, 0, end);
  assert.throws(send(PEER, 65536, 1), code('EINVAL'));
  assert.throws(send(PEER, 1, 70_001), code('EINVAL'));
  assert.throws(send(PEER, 1, 65508), code('EMSGSIZE'));
  assert.throws(send(PEER6, 1, 65528), code('EMSGSIZE'));
  assert.throws(send('192.0.2.1', 1, 1), code('ENETUNREACH'));
  assert.throws(send('10.0.0.255', 1, 1), code('EACCES'));
  assert.throws(() => ping.open({ localAddress: ip('10.0.0.77') }), code('EADDRNOTAVAIL'));
  const bound = ping.open({ localAddress: ip(HOST) });
  assert.throws(() => bound.send(ip(PEER6), 1, data, 0, 1), code('ENETUNREACH'));
});

test('without room on the link send() says so, and WRITABLE follows', () => {
  const host = new PingHost();
  const socket = host.ping.open();
  const data = new Uint8Array(8);
  let sent = 0;
  while (socket.send(ip(PEER), sent & 0xffff, data, 0, 8)) sent++;
  assert.ok(sent > 0);
  assert.deepEqual([host.ping.blocked, host.ping.flush()], [1, 0]);
  host.sent();
  assert.deepEqual([host.ping.flush(), host.ping.blocked], [1, 0]);
  assert.equal(socket.takeEvents(), WRITABLE);
});

test('we hear ourselves over the loopback, in both families', () => {
  const host = new PingHost();
  const loopback = host.net.attach(createLoopback(host.arena), { loopback: true });
  for (const to of ['127.0.0.1', '::1', HOST, HOST6]) {
    const [socket] = host.pinged(to, 'me');
    for (let i = 0; i < 3; i++) {
      loopback.link.exchange();
      host.net.receive(loopback);
    }
    assert.equal(socket.receive(new Uint8Array(9)), 2);
    assert.equal(`${socket.fromAddress()}`, to);
  }
});
