import assert from 'node:assert/strict';
import test from 'node:test';
import { CLOSED, ENDED, FLUSHED } from '../base/events.ts';
import { PEER_ISN, TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, FIN, PSH, RST, SYN } from '../wire/tcp.ts';

const NOTHING_LEFT = { connections: 0, halfOpen: 0, timeWait: 0, timers: 0, heapBytes: 0 };

function assertNothingLeft(tcp: TcpPeer): void {
  const { connections, halfOpen, timeWait, timers, heapBytes } = tcp.stack.counts();
  assert.deepEqual({ connections, halfOpen, timeWait, timers, heapBytes }, NOTHING_LEFT);
}

test('the active close: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, CLOSED', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN, seq: tcp.ours(0) });
  assert.equal(tcp.state, 'FIN-WAIT-1');
  tcp.gets({ flags: ACK, ack: tcp.ours(1) });
  assert.equal(tcp.state, 'FIN-WAIT-2');
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(1) });
  tcp.sends({ flags: ACK, ack: tcp.theirs(1) });
  assert.equal(tcp.state, 'TIME-WAIT');
  assert.equal(tcp.socket!.takeEvents() & CLOSED, CLOSED);
  assert.equal(tcp.stack.counts().timeWait, 1);
  tcp.leap(59_000);
  assert.equal(tcp.state, 'TIME-WAIT');
  tcp.leap(2_000);
  assertNothingLeft(tcp);
});

test('the passive close: CLOSE-WAIT, LAST-ACK, CLOSED', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK | FIN });
  tcp.sends({ flags: ACK, ack: tcp.theirs(1) });
  assert.equal(tcp.state, 'CLOSE-WAIT');
  assert.equal(tcp.socket!.takeEvents(), ENDED);
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN, seq: tcp.ours(0), ack: tcp.theirs(1) });
  assert.equal(tcp.state, 'LAST-ACK');
  tcp.gets({ flags: ACK, seq: tcp.theirs(1), ack: tcp.ours(1) });
  assert.equal(tcp.socket!.error, '');
  assertNothingLeft(tcp);
});

test('the simultaneous close: FIN-WAIT-1, CLOSING, TIME-WAIT', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(0) });
  tcp.sends({ flags: ACK, ack: tcp.theirs(1) });
  assert.equal(tcp.state, 'CLOSING');
  tcp.gets({ flags: ACK, seq: tcp.theirs(1), ack: tcp.ours(1) });
  assert.equal(tcp.state, 'TIME-WAIT');
});

test('FIN and ACK of ours in one segment: FIN-WAIT-1 to TIME-WAIT', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(1) });
  tcp.sends({ flags: ACK, ack: tcp.theirs(1) });
  assert.equal(tcp.state, 'TIME-WAIT');
});

test('half-close: after shutdown() the peer may send on', () => {
  const tcp = TcpPeer.established();
  tcp.write('request');
  tcp.socket!.shutdown();
  tcp.pump();
  tcp.sends({ flags: ACK | PSH, data: 'request' });
  tcp.sends({ flags: ACK | FIN, seq: tcp.ours(7) });
  tcp.gets({ flags: ACK, ack: tcp.ours(8) });
  assert.equal(tcp.socket!.takeEvents() & FLUSHED, FLUSHED);
  assert.equal(tcp.state, 'FIN-WAIT-2');
  tcp.gets({ flags: ACK, ack: tcp.ours(8), data: 'a long answer' });
  assert.equal(tcp.read(), 'a long answer');
  tcp.leap(300_000);
  assert.equal(tcp.state, 'FIN-WAIT-2', 'a program that reads may wait for ever');
  assert.throws(() => tcp.socket!.write(Uint8Array.of(1)), { code: 'EPIPE' });
});

test('half-close: after FIN of the peer we may send on', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK | FIN });
  tcp.sends({ flags: ACK });
  tcp.write('late answer');
  tcp.sends({ data: 'late answer' });
  tcp.socket!.shutdown();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK, seq: tcp.theirs(1), ack: tcp.ours(12) });
  assert.equal(tcp.socket!.takeEvents() & CLOSED, CLOSED);
  assertNothingLeft(tcp);
});

test('FIN rides on the last data when both are there', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.write(Uint8Array.of(104, 105));
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | PSH | FIN, data: 'hi' });
  tcp.sendsNothing();
});

test('close() with unread input resets (RFC 2525 2.17)', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, data: 'unread' });
  tcp.sends({ flags: ACK });
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: RST | ACK, seq: tcp.ours(0) });
  assert.equal(tcp.socket!.takeEvents() & CLOSED, CLOSED);
  assertNothingLeft(tcp);
});

test('data for a closed socket is answered with RST', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK, ack: tcp.ours(1), data: 'too late' });
  tcp.sends({ flags: RST, seq: tcp.ours(1) });
  assertNothingLeft(tcp);
});

test('abort() resets at once', () => {
  const tcp = TcpPeer.established();
  tcp.write('x');
  tcp.sends({ data: 'x' });
  tcp.socket!.abort();
  tcp.pump();
  tcp.sends({ flags: RST | ACK, seq: tcp.ours(1) });
  assertNothingLeft(tcp);
});

test('a closed socket whose peer never sends FIN is given up', () => {
  const tcp = TcpPeer.established({ tcp: { finWait2Ms: 5000 } });
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK, ack: tcp.ours(1) });
  tcp.leap(4000);
  assert.equal(tcp.state, 'FIN-WAIT-2');
  tcp.leap(2000);
  assertNothingLeft(tcp);
});

test('TIME-WAIT: a repeated FIN is acknowledged and starts the wait anew', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(1) });
  tcp.sends({ flags: ACK });
  tcp.leap(50_000);
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(1) });
  tcp.sends({ flags: ACK, ack: tcp.theirs(1) });
  tcp.leap(50_000);
  assert.equal(tcp.state, 'TIME-WAIT');
  tcp.leap(11_000);
  assertNothingLeft(tcp);
});

test('TIME-WAIT: a new SYN beyond the old numbers opens the next connection', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(1) });
  tcp.sends({ flags: ACK });
  tcp.gets({ flags: SYN, seq: PEER_ISN - 100, mss: 1460 });
  tcp.sends({ flags: ACK });
  assert.equal(tcp.state, 'TIME-WAIT', 'an old SYN only gets an ACK');
  tcp.gets({ flags: SYN, seq: PEER_ISN + 1000, mss: 1460 });
  tcp.sends({ flags: SYN | ACK, ack: PEER_ISN + 1001 });
  assert.equal(tcp.state, 'SYN-RECEIVED');
});

test('TIME-WAITs are bounded: the oldest goes first', () => {
  const tcp = TcpPeer.listening({ tcp: { maxTimeWait: 3 } });
  for (let port = 1; port <= 5; port++) {
    tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: port, mss: 1460 });
    tcp.sends({ flags: SYN | ACK });
    tcp.gets({ flags: ACK, srcPort: port });
    tcp.listener!.accept()!.close();
    tcp.pump();
    tcp.sends({ flags: ACK | FIN, dstPort: port });
    tcp.gets({ flags: ACK | FIN, srcPort: port, ack: tcp.ours(1) });
    tcp.sends({ flags: ACK });
  }
  assert.equal(tcp.stack.counts().timeWait, 3);
  assert.equal(tcp.stack.report().tcp['tcp_time_wait_recycled'], 2);
  tcp.leap(61_000);
  assertNothingLeft(tcp);
});

test('input that is not read yet outlives an orderly end', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK | FIN, data: 'read me' });
  tcp.sends({ flags: ACK });
  tcp.socket!.shutdown();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK, seq: tcp.theirs(8), ack: tcp.ours(1) });
  assert.equal(tcp.state, 'CLOSED');
  assert.equal(tcp.read(), 'read me');
  assert.ok(tcp.socket!.ended);
  assertNothingLeft(tcp);
});

test('TIME-WAIT: the window is not opened for nobody, and a RST takes no unread input', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.shutdown();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  const data = 'x'.repeat(1400);
  const count = Math.floor(60_000 / data.length);
  for (let i = 0; i < count; i++) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(i * data.length), ack: tcp.ours(1), data });
  }
  const end = tcp.theirs(count * data.length);
  tcp.gets({ flags: ACK | FIN, seq: end, ack: tcp.ours(1) });
  assert.equal(tcp.state, 'TIME-WAIT');
  tcp.sent.length = 0;
  const half = 30_000;
  assert.equal(tcp.socket!.read(new Uint8Array(half)), half);
  tcp.pump();
  tcp.sendsNothing();
  tcp.gets({ flags: RST, seq: (end + 1) | 0 });
  assert.equal(tcp.state, 'CLOSED');
  const rest = count * data.length - half;
  assert.equal(tcp.socket!.readable, rest);
  assert.equal(tcp.socket!.read(new Uint8Array(rest)), rest);
  assert.ok(tcp.socket!.ended);
  assert.equal(tcp.socket!.error, '');
  assertNothingLeft(tcp);
});

test('RST discards unread input and says ECONNRESET', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, data: 'lost' });
  tcp.gets({ flags: RST, seq: tcp.theirs(4) });
  assert.equal(tcp.socket!.error, 'ECONNRESET');
  assert.equal(tcp.socket!.readable, 0);
  assert.equal(tcp.socket!.read(new Uint8Array(10)), 0);
  assertNothingLeft(tcp);
});

test('RFC 5961: only the exact sequence number resets; near misses get a challenge ACK', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: RST, seq: tcp.theirs(100) });
  tcp.sends({ flags: ACK, seq: tcp.ours(0), ack: tcp.theirs(0) });
  tcp.gets({ flags: RST, seq: tcp.theirs(200) });
  tcp.sendsNothing();
  tcp.gets({ flags: RST, seq: tcp.theirs(-1) });
  tcp.sendsNothing();
  assert.equal(tcp.state, 'ESTABLISHED');
  tcp.after(600);
  tcp.gets({ flags: SYN, seq: tcp.theirs(50) });
  tcp.sends({ flags: ACK, ack: tcp.theirs(0) });
  assert.equal(tcp.state, 'ESTABLISHED');
  tcp.gets({ flags: RST, seq: tcp.theirs(0) });
  assert.equal(tcp.state, 'CLOSED');
});

test("RST with the number of the peer's FIN resets where the FIN waits for us, as some peers end so", () => {
  const ends: [string, (tcp: TcpPeer) => void, string][] = [
    ['CLOSE-WAIT', () => {}, 'ECONNRESET'],
    ['LAST-ACK', (tcp) => tcp.socket!.shutdown(), ''],
  ];
  for (const [state, act, error] of ends) {
    for (const data of ['', 'late']) {
      const tcp = TcpPeer.established();
      tcp.gets({ flags: ACK | FIN });
      act(tcp);
      tcp.pump();
      assert.equal(tcp.state, state);
      tcp.gets({ flags: RST, seq: tcp.theirs(-1) });
      tcp.gets({ flags: RST, seq: tcp.theirs(2) - 4 });
      assert.equal(tcp.state, state, 'the numbers around it do not');
      tcp.gets({ flags: RST, seq: tcp.theirs(0), data });
      assert.equal(tcp.state, 'CLOSED');
      assert.equal(tcp.socket!.error, error);
    }
  }
});

test("RST with the number of the peer's FIN resets in CLOSING, and not in TIME-WAIT", () => {
  const tcp = TcpPeer.established();
  tcp.socket!.shutdown();
  tcp.pump();
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(0) });
  assert.equal(tcp.state, 'CLOSING');
  tcp.gets({ flags: RST, seq: tcp.theirs(0) });
  assert.equal(tcp.state, 'CLOSED');

  const waiting = TcpPeer.established();
  waiting.socket!.shutdown();
  waiting.pump();
  waiting.gets({ flags: ACK | FIN, ack: waiting.ours(1) });
  assert.equal(waiting.state, 'TIME-WAIT');
  waiting.gets({ flags: RST, seq: waiting.theirs(0) });
  assert.equal(waiting.state, 'TIME-WAIT');
});

test('RFC 5961 5.2: data with an ACK that is too old or from the future is refused', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, ack: tcp.ours(1), data: 'injected' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(0) });
  tcp.after(600);
  tcp.gets({ flags: ACK, ack: tcp.ours(-70_000), data: 'injected' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(0) });
  assert.equal(tcp.socket!.readable, 0);
});

test('a segment without ACK is dropped', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: 0, data: 'no ack' });
  tcp.gets({ flags: FIN });
  tcp.sendsNothing();
  assert.equal(tcp.state, 'ESTABLISHED');
  assert.equal(tcp.socket!.readable, 0);
});

test('stack.close() resets every connection', () => {
  const tcp = TcpPeer.established();
  tcp.stack.close();
  assert.equal(tcp.socket!.error, 'ECONNABORTED');
  assertNothingLeft(tcp);
});
