/** RFC 9293 3.8.3 to 3.8.6: when to acknowledge, to probe, to hold back and to give up. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { PEER_ISN, TcpPeer } from '../../testing/tcp-peer.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../wire/tcp.ts';
import { DEFAULTS } from '../options.ts';

test('all segments of a burst are processed before one ACK covers them (MUST-58, MUST-59)', () => {
  const tcp = TcpPeer.established();
  tcp.getsTogether(
    { flags: ACK, seq: tcp.theirs(0), data: 'one ' },
    { flags: ACK, seq: tcp.theirs(4), data: 'two ' },
    { flags: ACK, seq: tcp.theirs(8), data: 'three' },
  );
  tcp.sends({ flags: ACK, ack: tcp.theirs(13) });
  tcp.sendsNothing();
  assert.equal(tcp.read(), 'one two three');
});

test('an ACK is never delayed by half a second: the option does not allow it (MUST-40)', () => {
  assert.ok(DEFAULTS.delayedAckMs < 500);
  assert.throws(() => new TcpPeer({ tcp: { delayedAckMs: 500 } }), { code: 'EINVAL' });
  const tcp = TcpPeer.established({ tcp: { delayedAckMs: 499 } });
  for (let at = 0; at < 17; at++) tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: 'x' });
  tcp.sent.length = 0;
  const [delay] = tcp.sendTimes(1000);
  assert.ok(delay! < 500, `${delay} ms`);
});

test('less than a segment waits for half of the largest window (MUST-38)', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.gets({ flags: ACK, window: 3000 });
  tcp.socket!.setNoDelay(true);
  tcp.gets({ flags: ACK, window: 300, seq: tcp.theirs(0), data: '.' });
  tcp.sends({ flags: ACK });
  tcp.write('x'.repeat(5000));
  tcp.sendsNothing();
  tcp.gets({ flags: ACK, window: 999, seq: tcp.theirs(1) });
  tcp.sendsNothing();
  tcp.gets({ flags: ACK, window: 1000, seq: tcp.theirs(1) });
  tcp.sends({ flags: ACK, data: 'x'.repeat(1000) });
});

test('a window that stays silly small is used all the same, after a while (MUST-38)', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.gets({ flags: ACK, window: 300 });
  tcp.write('x'.repeat(5000));
  let sent = 0;
  for (let ms = 0; ms < 20_000 && sent < 5000; ms += 10) {
    tcp.after(10);
    for (const segment of tcp.sent.splice(0)) {
      assert.ok(segment.data.length <= 300);
      sent = Math.max(sent, (segment.seq + segment.data.length - tcp.ours(0)) | 0);
      tcp.gets({ flags: ACK, window: 300, ack: tcp.ours(sent) });
    }
  }
  assert.equal(sent, 5000);
});

test('keepalives are off until the program asks, and each connection has its own (MUST-24, 25)', () => {
  const silent = TcpPeer.established();
  silent.leap(4 * 3600_000);
  silent.sendsNothing();
  silent.socket!.setKeepAlive(true, 10_000);
  silent.leap(10_001);
  silent.sends({ flags: ACK, seq: silent.ours(-1), data: '' });
  silent.gets({ flags: ACK });
  silent.socket!.setKeepAlive(false);
  silent.leap(4 * 3600_000);
  silent.sendsNothing();
});

test('the first keepalive comes after two hours of silence, and not before (MUST-26, 28)', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.setKeepAlive(true);
  tcp.leap(7_100_000);
  tcp.gets({ flags: ACK, data: 'still here' });
  tcp.sends({ flags: ACK });
  tcp.leap(7_199_000);
  tcp.sendsNothing();
  tcp.leap(2000);
  tcp.sends({ flags: ACK, seq: tcp.ours(-1) });
});

test('no keepalive goes while data is unacknowledged (MUST-26)', () => {
  const tcp = TcpPeer.established({ tcp: { minRtoMs: 60_000, initialRtoMs: 60_000 } });
  tcp.socket!.setKeepAlive(true, 5000, 1000, 2);
  tcp.write('data');
  tcp.sends({ data: 'data' });
  tcp.leap(50_000);
  tcp.sendsNothing();
  assert.equal(tcp.state, 'ESTABLISHED');
});

test('one probe without an answer does not end a connection (MUST-29)', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.setKeepAlive(true, 10_000, 1000, 3);
  for (let round = 0; round < 5; round++) {
    tcp.leap(12_100);
    assert.ok(tcp.sent.splice(0).length >= 2, 'the first two were lost');
    tcp.gets({ flags: ACK });
  }
  assert.equal(tcp.state, 'ESTABLISHED');
});

test('the first probe of a closed window comes after the retransmission timeout (SHLD-29)', () => {
  const tcp = TcpPeer.established({ rttMs: 100 });
  const { rtoMs } = tcp.socket!.connection!;
  tcp.gets({ flags: ACK, window: 0 });
  tcp.write('waiting');
  const [first] = tcp.sendTimes(2000);
  assert.ok(Math.abs(first! - rtoMs) <= 2, `${first} ms, the timeout is ${rtoMs}`);
});

test('R2 for data is more than a hundred seconds (SHLD-11)', () => {
  const tcp = TcpPeer.established();
  tcp.write('x');
  tcp.leap(100_000);
  assert.equal(tcp.socket!.error, '');
});

test('data sent again and again makes us ask for the neighbor anew (MUST-20)', () => {
  const tcp = TcpPeer.established();
  tcp.write('x');
  const { neighbor } = tcp.socket!.connection!.path!;
  const before = neighbor!.solicitedAt;
  tcp.after(2000);
  assert.notEqual(neighbor!.solicitedAt, before, 'the negative advice reached ARP');
});

test('TIME-WAIT lasts 2 MSL: the pair is taken until then (MUST-13)', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.close();
  tcp.pump();
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(1) });
  assert.equal(tcp.state, 'TIME-WAIT');
  tcp.leap(DEFAULTS.timeWaitMs - 100);
  assert.equal(tcp.state, 'TIME-WAIT');
  tcp.leap(200);
  assert.equal(tcp.stack.counts().connections, 0);
});

test('SYN-RECEIVED remembers where it came from: RST leads back there (MUST-11)', () => {
  const passive = TcpPeer.synReceived();
  passive.gets({ flags: RST, seq: passive.theirs(0) });
  passive.gets({ flags: SYN, seq: PEER_ISN, mss: 1460 });
  passive.sends({ flags: SYN | ACK });
  assert.equal(passive.state, 'SYN-RECEIVED', 'the listener listens on');

  const active = TcpPeer.synSent();
  active.gets({ flags: SYN, seq: PEER_ISN, mss: 1400 });
  assert.equal(active.state, 'SYN-RECEIVED');
  active.gets({ flags: RST, seq: PEER_ISN + 1 });
  assert.equal(active.socket!.error, 'ECONNREFUSED');
});

test('data is not held back without end when nobody says more (MUST-60, MUST-61)', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.write('x'.repeat(100));
  tcp.sends({ flags: ACK | PSH, data: 'x'.repeat(100) });
  tcp.write('y'.repeat(1100));
  tcp.sends({ flags: ACK, data: 'y'.repeat(1000) });
  tcp.gets({ flags: ACK, ack: tcp.ours(1100) });
  tcp.sends({ flags: ACK | PSH, data: 'y'.repeat(100) });
});

test('RTO backs off, and slow start and congestion avoidance hold the sender (MUST-19)', () => {
  const tcp = TcpPeer.established({ mss: 1000, windowScale: 7, tcp: { congestion: 'newreno' } });
  const c = tcp.socket!.connection!;
  tcp.write('x'.repeat(200_000));
  let acked = 0;
  const round = (): number => {
    const bytes = tcp.sent.splice(0).reduce((sum, segment) => sum + segment.data.length, 0);
    for (let left = bytes; left > 0; left -= 2000) {
      acked += Math.min(2000, left);
      tcp.gets({ flags: ACK, ack: tcp.ours(acked), window: 4000 });
    }
    return bytes;
  };
  assert.deepEqual([round(), round(), round()], [10_000, 20_000, 40_000], 'slow start doubles');
  tcp.after(c.rtoMs + 1);
  assert.equal(c.cwnd, 1000, 'after a timeout one segment goes');
  tcp.sent.length = 0;
  const before = c.rtoMs;
  tcp.after(before + 1);
  assert.equal(c.rtoMs, 2 * before);
});
