import assert from 'node:assert/strict';
import test from 'node:test';
import { CLOSED } from '../base/events.ts';
import { TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, FIN, PSH, RST, SYN } from '../wire/tcp.ts';

const FULL = 'x'.repeat(1460);

/** An established connection that has `segments` full segments in flight. */
function inFlight(segments: number, tcp: TcpPeer = TcpPeer.established({ mss: 1460 })): TcpPeer {
  tcp.write(FULL.repeat(segments));
  for (let i = 0; i < segments; i++) tcp.sends({ seq: tcp.ours(i * 1460) });
  tcp.sendsNothing();
  return tcp;
}

test('unacknowledged data is sent again, with doubling delays, from the first byte', () => {
  const tcp = inFlight(2, TcpPeer.established({ mss: 1460, tcp: { mtuProbing: 'never' } }));
  assert.deepEqual(tcp.sendTimes(4000), [201, 603, 1407, 3015]);
  for (const segment of tcp.sent) {
    assert.equal(segment.seq, tcp.ours(0));
    assert.equal(segment.data, FULL);
  }
});

test('after a timeout the rest follows as ACKs come in (slow start)', () => {
  const tcp = inFlight(4);
  tcp.after(210);
  tcp.sends({ seq: tcp.ours(0) });
  tcp.sendsNothing();
  tcp.gets({ flags: ACK, ack: tcp.ours(1460) });
  tcp.sends({ seq: tcp.ours(1460) });
  tcp.sends({ seq: tcp.ours(2920) });
  tcp.sendsNothing();
  tcp.gets({ flags: ACK, ack: tcp.ours(4 * 1460) });
  tcp.sendsNothing();
  assert.equal(tcp.stack.counts().heapBytes, 0);
});

test('a peer that stays silent ends the connection with ETIMEDOUT', () => {
  const tcp = TcpPeer.established({ tcp: { dataRetries: 4 } });
  tcp.write('anyone?');
  tcp.leap(20_000);
  assert.equal(tcp.socket!.error, 'ETIMEDOUT');
  assert.equal(tcp.socket!.takeEvents() & CLOSED, CLOSED);
  assert.equal(tcp.stack.counts().timers, 0);
});

test('three duplicate ACKs bring the missing segment at once', () => {
  const tcp = inFlight(5);
  for (let i = 0; i < 2; i++) {
    tcp.gets({ flags: ACK, ack: tcp.ours(0) });
    tcp.sendsNothing();
  }
  tcp.gets({ flags: ACK, ack: tcp.ours(0) });
  tcp.sends({ seq: tcp.ours(0), data: FULL });
  tcp.sendsNothing();
  assert.equal(tcp.stack.report().tcp['tcp_fast_recoveries'], 1);
});

test('the first two duplicate ACKs send new data (limited transmit)', () => {
  const tcp = TcpPeer.established({ mss: 1460 });
  tcp.write(FULL.repeat(14));
  tcp.sent.length = 0;
  tcp.gets({ flags: ACK, ack: tcp.ours(0) });
  tcp.sends({ seq: tcp.ours(10 * 1460) });
  tcp.gets({ flags: ACK, ack: tcp.ours(0) });
  tcp.sends({ seq: tcp.ours(11 * 1460) });
  tcp.sendsNothing();
});

test('NewReno: a partial ACK sends the next hole, a full one ends the recovery', () => {
  const tcp = inFlight(8);
  for (let i = 0; i < 3; i++) tcp.gets({ flags: ACK, ack: tcp.ours(0) });
  tcp.sends({ seq: tcp.ours(0) });
  tcp.gets({ flags: ACK, ack: tcp.ours(3 * 1460) });
  tcp.sends({ seq: tcp.ours(3 * 1460) });
  tcp.sendsNothing();
  tcp.gets({ flags: ACK, ack: tcp.ours(8 * 1460) });
  tcp.sendsNothing();
  const c = tcp.socket!.connection!;
  assert.equal(c.recovery, 0);
  assert.ok(c.cwnd <= c.ssthresh && c.cwnd >= 2 * 1460);
});

test('duplicate ACKs of before a timeout do not start a recovery again (RFC 6582)', () => {
  const tcp = inFlight(6);
  tcp.after(210);
  tcp.sends({ seq: tcp.ours(0) });
  for (let i = 0; i < 4; i++) tcp.gets({ flags: ACK, ack: tcp.ours(0) });
  assert.equal(tcp.stack.report().tcp['tcp_fast_recoveries'], undefined);
});

test('ACKs with data, or with another window, are not duplicates', () => {
  const tcp = inFlight(5);
  for (let i = 0; i < 4; i++) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(i), ack: tcp.ours(0), data: 'd' });
    tcp.gets({ flags: ACK, seq: tcp.theirs(i + 1), ack: tcp.ours(0), window: 60000 - i * 1000 });
  }
  assert.equal(tcp.stack.report().tcp['tcp_fast_recoveries'], undefined);
});

test('the retransmission timeout follows the measured round-trip time (RFC 6298)', () => {
  const tcp = TcpPeer.established({ mss: 1460 });
  let sent = 0;
  for (let i = 0; i < 60; i++) {
    tcp.write(FULL);
    sent += 1460;
    tcp.after(300);
    tcp.gets({ flags: ACK, ack: tcp.ours(sent) });
    tcp.sent.length = 0;
  }
  const c = tcp.socket!.connection!;
  assert.ok(Math.abs((c.srtt >> 3) - 300_000) < 30_000, `srtt ${c.srtt >> 3}`);
  assert.ok(c.rtoMs >= 495 && c.rtoMs < 520, `rto ${c.rtoMs}`);
});

test('Karn: a retransmitted segment is not measured', () => {
  const tcp = inFlight(1);
  const before = tcp.socket!.connection!.srtt;
  tcp.after(210);
  tcp.sends({ seq: tcp.ours(0) });
  tcp.after(50);
  tcp.gets({ flags: ACK, ack: tcp.ours(1460) });
  assert.equal(tcp.socket!.connection!.srtt, before);
});

test('a lost FIN is sent again', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN, seq: tcp.ours(0) });
  tcp.after(210);
  tcp.sends({ flags: ACK | FIN, seq: tcp.ours(0) });
  tcp.gets({ flags: ACK, ack: tcp.ours(1) });
  assert.equal(tcp.state, 'FIN-WAIT-2');
});

test('data and FIN lost together come again together', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.write(Uint8Array.of(98, 121, 101));
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | PSH | FIN, data: 'bye' });
  tcp.after(210);
  tcp.sends({ flags: ACK | PSH | FIN, seq: tcp.ours(0), data: 'bye' });
});

test('a closed window is probed with growing intervals until it opens', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, window: 0 });
  tcp.write('waiting');
  tcp.sendsNothing();
  const times: number[] = [];
  for (let ms = 0; ms < 6000; ms++) {
    tcp.after(1);
    if (tcp.sent.length === 0) continue;
    tcp.sends({ flags: ACK, seq: tcp.ours(-1), data: '' });
    times.push(ms);
    tcp.gets({ flags: ACK, window: 0 });
  }
  assert.ok(times.length >= 4, `probes at ${times}`);
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  for (const [i, gap] of gaps.slice(1).entries()) assert.ok(gap > gaps[i]! * 1.8, `gaps ${gaps}`);
  tcp.gets({ flags: ACK, window: 1000 });
  tcp.sends({ seq: tcp.ours(0), data: 'waiting' });
});

test('a closed window whose peer answers probes is waited for without end', () => {
  const tcp = TcpPeer.established({ tcp: { dataRetries: 3, maxRtoMs: 1000 } });
  tcp.gets({ flags: ACK, window: 0 });
  tcp.write('x');
  for (let i = 0; i < 20; i++) {
    tcp.after(1100);
    if (tcp.sent.splice(0).length > 0) tcp.gets({ flags: ACK, window: 0 });
  }
  assert.equal(tcp.state, 'ESTABLISHED');
  tcp.leap(30_000);
  assert.equal(tcp.socket!.error, 'ETIMEDOUT', 'but not when nobody answers');
});

test('a window that shrinks to nothing with data in flight is survived', () => {
  const tcp = inFlight(2);
  tcp.gets({ flags: ACK, ack: tcp.ours(1460), window: 0 });
  tcp.leap(3000);
  tcp.sent.length = 0;
  tcp.gets({ flags: ACK, ack: tcp.ours(1460), window: 5000 });
  tcp.leap(3000);
  assert.ok(tcp.sent.some((s) => s.seq === tcp.ours(1460) && s.data === FULL));
});

for (const [what, given] of [
  ['beyond the window', { flags: ACK, seq: 1 << 24, ack: 0 }],
  ['without an ACK', { flags: 0, seq: 100, ack: 0 }],
  ['with a RST in the window', { flags: RST, seq: 100, ack: 0 }],
  ['with a SYN in the window', { flags: SYN, seq: 100, ack: 0 }],
  ['with an ACK of what was never sent', { flags: ACK, seq: 0, ack: 1 << 20 }],
  ['from before, with an ACK of what was never sent', { flags: ACK, seq: -1, ack: 1 << 20 }],
] as const) {
  test(`a segment ${what} does not put keepalive off`, () => {
    const tcp = TcpPeer.established();
    tcp.socket!.setKeepAlive(true, 10_000, 1000, 3);
    tcp.after(9000);
    tcp.gets({ flags: given.flags, seq: tcp.theirs(given.seq), ack: tcp.ours(given.ack) });
    tcp.sent.length = 0;
    tcp.after(1001);
    tcp.sends({ flags: ACK, seq: tcp.ours(-1) });
  });
}

test("the peer's own keepalive does", () => {
  const tcp = TcpPeer.established();
  tcp.socket!.setKeepAlive(true, 10_000, 1000, 3);
  tcp.after(9000);
  tcp.gets({ flags: ACK, seq: tcp.theirs(-1) });
  tcp.sends({ flags: ACK, seq: tcp.ours(0) });
  tcp.after(1001);
  tcp.sendsNothing();
});

test('keepalive probes an idle peer and gives up on a dead one', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.setKeepAlive(true, 10_000, 1000, 3);
  tcp.leap(10_100);
  tcp.sends({ flags: ACK, seq: tcp.ours(-1) });
  tcp.gets({ flags: ACK });
  tcp.leap(9_000);
  tcp.sendsNothing();
  tcp.leap(1_200);
  tcp.sends({ flags: ACK, seq: tcp.ours(-1) });
  tcp.leap(4_000);
  assert.equal(tcp.socket!.error, 'ETIMEDOUT');
});

test('the user timeout ends a connection whose data is not acknowledged', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.setUserTimeout(3000);
  tcp.write('x');
  tcp.leap(2500);
  assert.equal(tcp.socket!.error, '');
  tcp.leap(1000);
  assert.equal(tcp.socket!.error, 'ETIMEDOUT');
});

test('a user timeout set while data is in flight counts from then; zero takes it back', () => {
  const tcp = TcpPeer.established();
  tcp.write('x');
  tcp.leap(1000);
  tcp.socket!.setUserTimeout(3000);
  tcp.socket!.setUserTimeout(0);
  tcp.leap(4000);
  assert.equal(tcp.socket!.error, '');
  tcp.socket!.setUserTimeout(3000);
  tcp.leap(2500);
  assert.equal(tcp.socket!.error, '');
  tcp.leap(1000);
  assert.equal(tcp.socket!.error, 'ETIMEDOUT');
});

test('an ACK that also covers a retransmission is not measured, however much else it covers', () => {
  const tcp = inFlight(4);
  const before = tcp.socket!.connection!.srtt;
  tcp.after(210);
  tcp.sends({ seq: tcp.ours(0) });
  tcp.after(90);
  tcp.gets({ flags: ACK, ack: tcp.ours(4 * 1460) });
  assert.equal(tcp.socket!.connection!.srtt, before);
});
