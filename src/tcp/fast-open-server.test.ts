import assert from 'node:assert/strict';
import test from 'node:test';
import { Address } from '../base/address.ts';
import { ACCEPTABLE, READABLE } from '../base/events.ts';
import { type EventHandler, simulate } from '../testing/network.ts';
import { PEER_ISN, STACK_PORT, TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, FIN, PSH, RST, SYN } from '../wire/tcp.ts';
import type { TcpOptions } from './options.ts';

const HOUR_MS = 3_600_000;
const MSS = [2, 4, 1400 >> 8, 1400 & 255];
const REQUEST = [...MSS, 1, 1, 34, 2];

/** A listener that takes `fastOpen` of them. */
function listening(fastOpen = 8, tcp: Partial<TcpOptions> = {}, version: 4 | 6 = 4): TcpPeer {
  const peer = new TcpPeer({ tcp, version });
  peer.listener = peer.stack.tcp.listen({ port: STACK_PORT, fastOpen, backlog: 16 });
  return peer;
}

/** The cookie in the options of a SYN-ACK, empty when there is none. */
function cookieIn(options: Uint8Array): number[] {
  const at = options.indexOf(34);
  return at < 0 ? [] : [...options.subarray(at + 2, at + options[at + 1]!)];
}

/** Asks for a cookie on a connection of its own. */
function askedFor(tcp: TcpPeer, srcPort = 30_000): number[] {
  tcp.gets({ flags: SYN, srcPort, seq: PEER_ISN, options: REQUEST });
  const { options } = tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(0) });
  tcp.gets({ flags: RST, srcPort, seq: tcp.theirs(0) });
  tcp.sendsNothing();
  return cookieIn(options);
}

const withCookie = (cookie: number[]): number[] => [...MSS, 1, 1, 34, 2 + cookie.length, ...cookie];

/** A SYN with data and this cookie. */
function syn(tcp: TcpPeer, cookie: number[], data: string, srcPort = tcp.srcPort): void {
  tcp.gets({ flags: SYN, srcPort, seq: PEER_ISN, options: withCookie(cookie), data });
}

/** In use: 'GET' came with the SYN, the SYN-ACK is out, the socket accepted. */
function early(fastOpen?: number): TcpPeer {
  const tcp = listening(fastOpen);
  syn(tcp, askedFor(tcp), 'GET');
  tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(3) });
  tcp.socket = tcp.listener!.accept();
  assert.equal(tcp.socket!.stateName, 'SYN-RECEIVED');
  return tcp;
}

function counted(tcp: TcpPeer): Record<string, number> {
  return tcp.stack.report().tcp;
}

test('a cookie of a length that cannot be is no cookie, nor a request (RFC 7413 4.1.1)', () => {
  const tcp = listening();
  for (const [i, length] of [1, 2, 3, 5, 7, 9, 15, 17, 18, 20].entries()) {
    syn(tcp, new Array<number>(length).fill(7), 'GET', 2000 + i);
    assert.deepEqual(cookieIn(tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(0) }).options), []);
  }
  for (const [i, length] of [4, 8, 16].entries()) {
    syn(tcp, new Array<number>(length).fill(7), 'GET', 3000 + i);
    assert.equal(cookieIn(tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(0) }).options).length, 8);
  }
});

for (const version of [4, 6] as const) {
  test(`a SYN that asks gets a cookie of 8 bytes, always the same (IPv${version})`, () => {
    const tcp = listening(8, {}, version);
    const cookie = askedFor(tcp);
    assert.equal(cookie.length, 8);
    assert.deepEqual(askedFor(tcp, 30_001), cookie);
    assert.equal(counted(tcp)['tcp_fast_open_cookies_asked'], 2);
  });
}

test('without fastOpen, and without being asked, there is no cookie', () => {
  assert.deepEqual(askedFor(listening(0)), []);
  const tcp = listening();
  tcp.gets({ flags: SYN, seq: PEER_ISN, options: MSS });
  assert.deepEqual(cookieIn(tcp.sends({ flags: SYN | ACK }).options), []);
});

test('[tcp] fast_open is what listeners begin with', () => {
  const tcp = new TcpPeer({ tcp: { fastOpen: 4 } });
  tcp.stack.tcp.listen({ port: STACK_PORT });
  assert.equal(askedFor(tcp).length, 8);
});

test('fastOpen must be a whole number', () => {
  const tcp = new TcpPeer();
  assert.throws(() => tcp.stack.tcp.listen({ port: 1, fastOpen: -1 }), { code: 'EINVAL' });
  assert.throws(() => tcp.stack.tcp.listen({ port: 1, fastOpen: 1.5 }), { code: 'EINVAL' });
});

test('data in a SYN with the cookie is delivered, and answered before the ACK', () => {
  const tcp = early();
  assert.ok(tcp.listener!.takeEvents() & ACCEPTABLE);
  assert.equal(tcp.read(), 'GET');
  tcp.write('200 OK');
  tcp.sends({ flags: ACK | PSH, seq: tcp.ours(0), ack: tcp.theirs(3), data: '200 OK' });
  tcp.gets({ flags: ACK, seq: tcp.theirs(3), ack: tcp.ours(6) });
  assert.equal(tcp.socket!.stateName, 'ESTABLISHED');
  assert.equal(tcp.socket!.unacknowledged, 0);
  tcp.after(3000);
  tcp.sendsNothing();
  assert.equal(counted(tcp)['tcp_fast_opens_in'], 1);
});

test('an ACK of the SYN-ACK alone completes it; what was answered meanwhile is still in flight', () => {
  const tcp = early();
  tcp.write('200 OK');
  tcp.sends({ data: '200 OK' });
  tcp.gets({ flags: ACK, seq: tcp.theirs(3), ack: tcp.ours(0) });
  assert.equal(tcp.socket!.stateName, 'ESTABLISHED');
  assert.equal(tcp.socket!.unacknowledged, 6);
  tcp.after(3000);
  assert.equal(tcp.sent.at(-1)!.data, '200 OK');
  assert.equal(tcp.sent.at(-1)!.seq, tcp.ours(0));
});

test('until the ACK comes the SYN-ACK goes again, the data does not', () => {
  const tcp = early();
  tcp.write('200 OK');
  tcp.sends({ data: '200 OK' });
  tcp.after(3500);
  for (let i = 0; i < 2; i++) {
    tcp.sends({ flags: SYN | ACK, seq: tcp.ours(-1), ack: tcp.theirs(3), data: '' });
  }
  tcp.sendsNothing();
  tcp.write(' and more');
  tcp.gets({ flags: ACK, seq: tcp.theirs(3), ack: tcp.ours(6) });
  tcp.sends({ seq: tcp.ours(6), data: ' and more' });
});

test('the SYN again is answered with the SYN-ACK again, and delivers nothing twice', () => {
  const tcp = early();
  tcp.gets({ flags: SYN, seq: PEER_ISN, options: MSS });
  tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(3) });
  syn(tcp, [1, 2, 3, 4, 5, 6, 7, 8], 'GET');
  tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(3) });
  assert.equal(tcp.read(), 'GET');
});

test('a program that closes at once sends its FIN before the ACK', () => {
  const tcp = early();
  tcp.read();
  tcp.socket!.write(Uint8Array.of(104, 105));
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | PSH | FIN, seq: tcp.ours(0), data: 'hi' });
  tcp.gets({ flags: ACK | FIN, seq: tcp.theirs(3), ack: tcp.ours(3) });
  tcp.sends({ flags: ACK, ack: tcp.theirs(4) });
  assert.equal(tcp.stack.counts().timeWait, 1);
});

test('a close that is told only after the ACK ends in FIN-WAIT, too', () => {
  const tcp = early();
  tcp.read();
  tcp.socket!.shutdown();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN, seq: tcp.ours(0) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(3), ack: tcp.ours(0) });
  assert.equal(tcp.socket!.stateName, 'FIN-WAIT-1');
  tcp.gets({ flags: ACK, seq: tcp.theirs(3), ack: tcp.ours(1) });
  assert.equal(tcp.socket!.stateName, 'FIN-WAIT-2');
});

test('a RST before the ACK ends it', () => {
  const tcp = early();
  tcp.gets({ flags: RST, seq: tcp.theirs(3) });
  assert.equal(tcp.socket!.error, 'ECONNRESET');
  assert.equal(tcp.stack.counts().connections, 0);
});

test('one that nobody acknowledges is given up', () => {
  const tcp = early();
  tcp.leap(200_000);
  assert.equal(tcp.socket!.error, 'ETIMEDOUT');
  assert.equal(tcp.listener!.fastOpen!.pending, 0);
});

test('it can be accepted after the ACK, or be gone by then', () => {
  const tcp = listening();
  const cookie = askedFor(tcp);
  syn(tcp, cookie, 'one', 1001);
  tcp.gets({ flags: ACK, srcPort: 1001, seq: tcp.theirs(3), ack: tcp.ours(0) });
  syn(tcp, cookie, 'two', 1002);
  tcp.gets({ flags: RST, srcPort: 1002, seq: tcp.theirs(3) });
  tcp.socket = tcp.listener!.accept();
  assert.equal(tcp.socket!.stateName, 'ESTABLISHED');
  assert.equal(tcp.read(), 'one');
  assert.equal(tcp.listener!.accept(), null);
  assert.equal(tcp.listener!.waiting + tcp.listener!.halfOpen, 0);
});

test('a cookie that is not ours opens as any SYN: data dropped, a good cookie given', () => {
  const tcp = listening();
  const cookie = askedFor(tcp);
  for (const [i, bad] of [[...cookie.slice(0, 7), cookie[7]! ^ 1], cookie.slice(0, 4)].entries()) {
    const srcPort = 1000 + i;
    syn(tcp, bad, 'GET', srcPort);
    const { options } = tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(0) });
    assert.deepEqual(cookieIn(options), cookie);
    assert.equal(tcp.listener!.accept(), null);
    tcp.gets({ flags: ACK, srcPort, data: 'GET' });
    tcp.socket = tcp.listener!.accept();
    assert.equal(tcp.read(), 'GET');
    tcp.sent.length = 0;
  }
  assert.equal(counted(tcp)['tcp_fast_opens_refused'], 2);
});

test("another peer's cookie is not ours", () => {
  const a = listening();
  const cookie = askedFor(a);
  const b = listening(8, {}, 6);
  askedFor(b);
  syn(b, cookie, 'GET');
  b.sends({ flags: SYN | ACK, ack: b.theirs(0) });
});

test('a cookie lives through one change of keys, and is replaced meanwhile', () => {
  const tcp = listening();
  const cookie = askedFor(tcp);
  tcp.leap(6 * HOUR_MS + 1000);
  syn(tcp, cookie, 'GET', 1001);
  const renewed = cookieIn(tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(3) }).options);
  assert.equal(renewed.length, 8);
  assert.notDeepEqual(renewed, cookie);
  syn(tcp, renewed, 'GET', 1002);
  assert.deepEqual(cookieIn(tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(3) }).options), []);
  tcp.leap(6 * HOUR_MS + 1000);
  tcp.sent.length = 0;
  syn(tcp, cookie, 'GET', 1003);
  tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(0) });
});

test('beyond the bound SYNs open as any; the ACK makes room', () => {
  const tcp = listening(1);
  const cookie = askedFor(tcp);
  syn(tcp, cookie, 'one', 1001);
  const first = tcp.ours(0);
  tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(3) });
  syn(tcp, cookie, 'two', 1002);
  tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(0) });
  tcp.gets({ flags: ACK, srcPort: 1001, seq: tcp.theirs(3), ack: first });
  syn(tcp, cookie, 'three', 1003);
  tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(5) });
  assert.equal(counted(tcp)['tcp_fast_opens_overflowed'], 1);
});

test('one that a RST ended counts for a minute more', () => {
  const tcp = early(1);
  const cookie = askedFor(tcp, 30_001);
  tcp.gets({ flags: RST, seq: tcp.theirs(3) });
  syn(tcp, cookie, 'GET', 1001);
  tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(0) });
  tcp.leap(61_000);
  tcp.sent.length = 0;
  syn(tcp, cookie, 'GET', 1002);
  tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(3) });
});

test('under a flood there are SYN cookies and no Fast Open', () => {
  const tcp = listening(8, { maxHalfOpen: 1 });
  const cookie = askedFor(tcp);
  tcp.gets({ flags: SYN, srcPort: 1001, seq: PEER_ISN, options: MSS });
  tcp.sends({ flags: SYN | ACK });
  syn(tcp, cookie, 'GET', 1002);
  assert.deepEqual(cookieIn(tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(0) }).options), []);
  assert.equal(counted(tcp)['tcp_syn_cookies_sent'], 1);
  assert.equal(counted(tcp)['tcp_fast_opens_in'], undefined);
});

test('when memory is short a SYN opens as any', () => {
  const tcp = listening();
  const cookie = askedFor(tcp);
  const { heap } = tcp.stack;
  heap.allocate(heap.budget >> 1);
  tcp.stack.tcp.memory.press(tcp.stack.tcp);
  syn(tcp, cookie, 'GET');
  tcp.sends({ flags: SYN | ACK, ack: tcp.theirs(0) });
});

test('a listener that closes leaves what was accepted alone', () => {
  const tcp = early();
  tcp.listener!.close();
  tcp.pump();
  assert.equal(tcp.socket!.error, '');
  tcp.gets({ flags: ACK, seq: tcp.theirs(3), ack: tcp.ours(0) });
  assert.equal(tcp.socket!.stateName, 'ESTABLISHED');
});

test('two stacks: the second request is answered a round trip earlier', () => {
  const delay = 10_000;
  simulate({ seed: 3 }, (network) => {
    const [a, b] = [network.addHost('a'), network.addHost('b')];
    network.join(a, '10.0.0.1/24', b, '10.0.0.2/24', { both: { delay } });
    const listener = b.stack.tcp.listen({ port: 7, fastOpen: 4 });
    listener.owner = (() => {
      for (let s = listener.accept(); s !== null; s = listener.accept()) {
        const socket = s;
        const into = new Uint8Array(64);
        socket.owner = ((events) => {
          if ((events & READABLE) === 0) return;
          const n = socket.read(into);
          socket.write(into, 0, n);
          socket.close();
        }) satisfies EventHandler;
      }
    }) satisfies EventHandler;
    const ask = (): number => {
      const begun = network.clock.now();
      let answered = 0;
      const socket = a.stack.tcp.connect({
        address: Address.parse('10.0.0.2'),
        port: 7,
        fastOpen: Uint8Array.of(1, 2, 3),
      });
      socket.owner = ((events) => {
        if (events & READABLE) answered = network.clock.now();
        if (socket.read(new Uint8Array(8)) > 0) socket.close();
      }) satisfies EventHandler;
      network.runFor(500_000);
      return answered - begun;
    };
    const [first, second] = [ask(), ask()];
    assert.ok(second >= 2 * delay && second < 3 * delay, `${second} us`);
    assert.ok(first - second >= 2 * delay, `${first} and ${second} us`);
    assert.equal(b.stack.report().tcp['tcp_fast_opens_in'], 1);
    assert.equal(a.stack.report().tcp['tcp_fast_opens'], 1);
    network.runFor(130_000_000);
    assert.equal(b.stack.counts().connections, 0);
  });
});
