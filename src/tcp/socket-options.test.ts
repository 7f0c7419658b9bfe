import assert from 'node:assert/strict';
import test from 'node:test';
import { CLOSED, WRITABLE } from '../base/events.ts';
import { TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, FIN, PSH, RST, SYN } from '../wire/tcp.ts';
import type { SocketOptions } from './socket-options.ts';

const options = (tcp: TcpPeer): SocketOptions => tcp.socket!.options;
const text = (length: number): string => 'x'.repeat(length);

// ---- linger ----

test('linger 0: close() resets at once, and what was written is lost', () => {
  const tcp = TcpPeer.established();
  options(tcp).linger = 0;
  tcp.gets({ flags: ACK, window: 0 });
  tcp.write('never sent');
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: RST | ACK, seq: tcp.ours(0) });
  tcp.sendsNothing();
  assert.equal(tcp.socket!.takeEvents() & CLOSED, CLOSED);
  assert.equal(tcp.stack.report().tcp['tcp_aborts_on_linger'], 1);
  assert.equal(tcp.stack.counts().connections, 0);
});

test('linger n: an orderly end when all is acknowledged in time', () => {
  const tcp = TcpPeer.established();
  options(tcp).linger = 1000;
  tcp.write('last words');
  tcp.socket!.close();
  tcp.pump();
  tcp.sent.splice(0);
  tcp.after(100);
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(11) });
  assert.equal(tcp.state, 'TIME-WAIT');
  tcp.leap(5000);
  assert.equal(tcp.socket!.error, '');
  assert.equal(tcp.stack.report().tcp['tcp_aborts_on_linger'], undefined);
});

test('linger n: RST and ETIMEDOUT when it is not', () => {
  const tcp = TcpPeer.established();
  options(tcp).linger = 1000;
  tcp.write('last words');
  tcp.socket!.close();
  tcp.after(990);
  assert.equal(tcp.socket!.error, '');
  tcp.sent.splice(0);
  tcp.after(20);
  tcp.sends({ flags: RST | ACK });
  assert.equal(tcp.socket!.error, 'ETIMEDOUT');
  assert.equal(tcp.stack.counts().connections, 0);
  assert.equal(tcp.stack.counts().timers, 0);
});

test('a peer that acknowledges and does not end is waited for as without linger', () => {
  const tcp = TcpPeer.established({ tcp: { finWait2Ms: 3000 } });
  options(tcp).linger = 1000;
  tcp.socket!.close();
  tcp.pump();
  tcp.gets({ flags: ACK, ack: tcp.ours(1) });
  tcp.leap(2000);
  assert.equal(tcp.state, 'FIN-WAIT-2');
  tcp.leap(2000);
  assert.equal(tcp.state, 'CLOSED');
});

// ---- cork ----

test('cork: only full segments leave until it is out, then the rest does', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  options(tcp).cork = true;
  options(tcp).noDelay = true;
  tcp.write(text(300));
  tcp.sendsNothing();
  tcp.write(text(1000));
  tcp.sends({ flags: ACK, data: text(1000) });
  tcp.sendsNothing();
  options(tcp).cork = false;
  tcp.pump();
  tcp.sends({ flags: ACK | PSH, data: text(300) });
});

test('uncorking sends what was held back although Nagle would not', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.write('a');
  tcp.sends({ data: 'a' });
  options(tcp).cork = true;
  tcp.write('b');
  tcp.sendsNothing();
  options(tcp).cork = false;
  tcp.pump();
  tcp.sends({ data: 'b' });
  tcp.write('c');
  tcp.sendsNothing();
});

test('a cork holds nothing back for more than 200 ms', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  options(tcp).cork = true;
  tcp.write('a');
  assert.deepEqual(tcp.sendTimes(199), []);
  tcp.after(2);
  tcp.sends({ data: 'a' });
  tcp.gets({ flags: ACK, ack: tcp.ours(1) });
  tcp.write('b');
  assert.deepEqual(tcp.sendTimes(199), [], 'the next 200 ms begin with the next write');
  tcp.after(2);
  tcp.sends({ data: 'b' });
});

test('a FIN takes what a cork held back along', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  options(tcp).cork = true;
  tcp.write('bye');
  tcp.socket!.shutdown();
  tcp.pump();
  tcp.sends({ flags: ACK | PSH | FIN, data: 'bye' });
});

// ---- the low-water mark ----

test('low-water mark: write() takes what leaves at most so much unsent', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  options(tcp).notSentLowWater = 4000;
  tcp.gets({ flags: ACK, window: 1000 });
  assert.equal(tcp.socket!.writable, 4000);
  assert.equal(tcp.write(text(10_000)), 4000);
  assert.equal(tcp.socket!.unsent, 3000);
  assert.equal(tcp.write(text(10_000)), 1000);
  assert.equal(tcp.socket!.writable, 0);
});

test('low-water mark: WRITABLE comes when less than half of it is unsent', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  options(tcp).notSentLowWater = 4000;
  tcp.gets({ flags: ACK, window: 1000 });
  tcp.write(text(10_000));
  tcp.write(text(10_000));
  tcp.socket!.takeEvents();
  tcp.gets({ flags: ACK, ack: tcp.ours(1000), window: 2000 });
  assert.equal(tcp.socket!.unsent, 2000);
  assert.equal(tcp.socket!.takeEvents() & WRITABLE, 0);
  tcp.gets({ flags: ACK, ack: tcp.ours(2000), window: 2000 });
  assert.equal(tcp.socket!.unsent, 1000);
  assert.equal(tcp.socket!.takeEvents() & WRITABLE, WRITABLE);
  assert.equal(tcp.socket!.writable, 3000);
});

test('low-water mark: taking it away lets a waiting program write at once', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  options(tcp).notSentLowWater = 1000;
  tcp.gets({ flags: ACK, window: 0 });
  tcp.write(text(5000));
  tcp.socket!.takeEvents();
  options(tcp).notSentLowWater = 0;
  assert.equal(tcp.socket!.takeEvents() & WRITABLE, WRITABLE);
});

// ---- ACKs ----

test('quickAck: what waits goes, and the next ACKs are not delayed', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  options(tcp).quickAck = false;
  tcp.gets({ flags: ACK, data: 'a' });
  tcp.sendsNothing();
  options(tcp).quickAck = true;
  tcp.pump();
  tcp.sends({ flags: ACK, ack: tcp.theirs(1) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(1), data: 'b' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(2) });
  assert.equal(options(tcp).quickAck, true);
});

// ---- the largest segment ----

test('maxSegment before the SYN leaves: the peer is asked for it, and we keep to it', () => {
  const tcp = new TcpPeer();
  tcp.socket = tcp.stack.tcp.connect({ address: tcp.peerAddress, port: 9 });
  options(tcp).maxSegment = 700;
  tcp.pump();
  const syn = tcp.sends({ flags: SYN, mss: 700 });
  tcp.gets({ flags: SYN | ACK, seq: tcp.theirs(-1), mss: 1460, srcPort: 9, dstPort: syn.srcPort });
  tcp.sends({ flags: ACK });
  tcp.write(text(1400));
  tcp.sends({ data: text(700) });
  tcp.sends({ data: text(700) });
});

test('maxSegment of a listener holds for what comes in', () => {
  const tcp = new TcpPeer();
  tcp.listener = tcp.stack.tcp.listen({ port: 80, maxSegment: 600 });
  tcp.gets({ flags: SYN, seq: tcp.theirs(-1), mss: 1460 });
  tcp.sends({ flags: SYN | ACK, mss: 600 });
  tcp.gets({ flags: ACK, ack: tcp.ours(0) });
  tcp.socket = tcp.listener.accept();
  assert.equal(options(tcp).maxSegment, 600);
  tcp.write(text(900));
  tcp.sends({ data: text(600) });
});

test('maxSegment of a listener holds for connections out of cookies', () => {
  const tcp = new TcpPeer({ tcp: { synCookies: 'always' } });
  tcp.listener = tcp.stack.tcp.listen({ port: 80, maxSegment: 600 });
  tcp.gets({ flags: SYN, seq: tcp.theirs(-1), mss: 1460 });
  tcp.sends({ flags: SYN | ACK, mss: 600 });
  tcp.gets({ flags: ACK, ack: tcp.ours(0) });
  tcp.socket = tcp.listener.accept();
  tcp.write(text(900));
  assert.ok(tcp.sends({}).data.length <= 600);
});

test('maxSegment on an open connection makes segments smaller, never larger', () => {
  const tcp = TcpPeer.established({ mss: 1000, timestamps: 5 });
  options(tcp).maxSegment = 512;
  tcp.write(text(500));
  tcp.sends({ data: text(500) });
  options(tcp).maxSegment = 1400;
  tcp.gets({ flags: ACK, ack: tcp.ours(500) });
  tcp.write(text(600));
  tcp.sends({ data: text(500) });
});

// ---- all of them ----

test('values that can not be are refused with EINVAL', () => {
  const tcp = TcpPeer.established();
  const settings = options(tcp);
  const refused: (() => void)[] = [
    () => (settings.linger = -2),
    () => (settings.linger = 1.5),
    () => (settings.notSentLowWater = -1),
    () => (settings.maxSegment = 87),
    () => (settings.maxSegment = 65_536),
    () => tcp.socket!.setUserTimeout(-1),
    () => tcp.socket!.setUserTimeout(Number.NaN),
    () => tcp.socket!.setKeepAlive(true, 0),
    () => tcp.socket!.setKeepAlive(true, 1000, 0),
    () => tcp.socket!.setKeepAlive(true, 1000, 1000, 256),
    () => tcp.stack.tcp.listen({ port: 81, maxSegment: 10 }),
  ];
  for (const set of refused) assert.throws(set, { code: 'EINVAL' }, String(set));
});

test('options that were never set have their defaults, and cost no record', () => {
  const tcp = TcpPeer.established();
  const { linger, cork, noDelay, notSentLowWater, maxSegment } = options(tcp);
  assert.deepEqual([linger, cork, noDelay, notSentLowWater, maxSegment], [-1, false, false, 0, 0]);
  options(tcp).cork = false;
  assert.equal(tcp.socket!.connection!.choices, null);
});

test('what one connection chose is not left to the next', () => {
  const tcp = TcpPeer.established();
  options(tcp).cork = true;
  options(tcp).linger = 5;
  tcp.write('a');
  tcp.socket!.abort();
  assert.equal(options(tcp).linger, -1, 'over: defaults');
  options(tcp).linger = 7;
  assert.equal(tcp.stack.counts().timers, 0);
  tcp.pump();
  tcp.sent.splice(0);
  tcp.gets({ flags: SYN, seq: 99, mss: 1000 });
  tcp.sends({ flags: SYN | ACK });
  tcp.gets({ flags: ACK, seq: 100, ack: tcp.ours(0) });
  tcp.socket = tcp.listener!.accept();
  assert.equal(tcp.socket!.connection!.choices, null);
  options(tcp).notSentLowWater = 100;
  assert.equal(options(tcp).cork, false);
  assert.equal(options(tcp).linger, -1);
});

// ---- silly windows ----

test('a window that stays small gets what fits after a while (RFC 9293 3.8.6.2.1 (4))', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.gets({ flags: ACK, window: 100 });
  tcp.write(text(250));
  tcp.sendsNothing();
  const times = tcp.sendTimes(300);
  assert.deepEqual(times, [201]);
  tcp.sends({ seq: tcp.ours(0), data: text(100) });
  tcp.gets({ flags: ACK, ack: tcp.ours(100), window: 100 });
  assert.equal(tcp.sendTimes(300).length, 1);
  tcp.sends({ seq: tcp.ours(100), data: text(100) });
  tcp.gets({ flags: ACK, ack: tcp.ours(200), window: 100 });
  tcp.sends({ data: text(50) });
});

test('a window of half of the largest is not silly', () => {
  const tcp = TcpPeer.synReceived({ mss: 1000 });
  tcp.gets({ flags: ACK, ack: tcp.ours(0), window: 800 });
  tcp.socket = tcp.listener!.accept();
  tcp.write(text(1000));
  tcp.sends({ data: text(800) });
  tcp.gets({ flags: ACK, ack: tcp.ours(800), window: 100 });
  tcp.write(text(1000));
  tcp.sendsNothing();
});
