import assert from 'node:assert/strict';
import test from 'node:test';
import { WRITABLE } from '../base/events.ts';
import { TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, PSH } from '../wire/tcp.ts';

test('data is cut at the MSS of the peer; the last segment says PSH', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.write('a'.repeat(2500));
  tcp.sends({ flags: ACK, data: 'a'.repeat(1000) });
  tcp.sends({ flags: ACK, data: 'a'.repeat(1000) });
  tcp.sends({ flags: ACK | PSH, data: 'a'.repeat(500) });
});

test('a peer without MSS option gets 536 bytes, IPv6 1,220; a tiny MSS is raised to the floor', () => {
  for (const [version, mss, expected] of [
    [4, 0, 536],
    [6, 0, 1220],
    [4, 1, 216],
  ] as const) {
    const tcp = TcpPeer.established({ version, mss });
    tcp.write('a'.repeat(1300));
    tcp.sends({ data: 'a'.repeat(expected) });
  }
});

test('Nagle: a second small write waits for the ACK of the first', () => {
  const tcp = TcpPeer.established();
  tcp.write('a');
  tcp.sends({ data: 'a' });
  tcp.write('b');
  tcp.write('c');
  tcp.sendsNothing();
  tcp.gets({ flags: ACK, ack: tcp.ours(1) });
  tcp.sends({ data: 'bc' });
});

test('Nagle as Minshall refined it: the end of a large write does not wait for its beginning', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.write('a'.repeat(2500));
  assert.deepEqual(
    tcp.sent.splice(0).map(({ data }) => data.length),
    [1000, 1000, 500],
  );
  tcp.write('b'.repeat(1200));
  tcp.sends({ data: `${'b'.repeat(1000)}` });
  tcp.sendsNothing();
  tcp.gets({ flags: ACK, ack: tcp.ours(2000) });
  tcp.sendsNothing();
  tcp.gets({ flags: ACK, ack: tcp.ours(2500) });
  tcp.sends({ data: 'b'.repeat(200) });
});

test('noDelay sends small writes at once', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.setNoDelay(true);
  tcp.write('a');
  tcp.sends({ data: 'a' });
  tcp.write('b');
  tcp.sends({ data: 'b' });
});

for (const congestion of ['newreno', 'cubic'] as const) {
  test(`the initial window is ten segments, and slow start opens it (${congestion})`, () => {
    const tcp = TcpPeer.established({ mss: 1000, tcp: { congestion } });
    const c = tcp.socket!.connection!;
    tcp.write('a'.repeat(50_000));
    assert.equal(tcp.sent.splice(0).length, 10);
    tcp.gets({ flags: ACK, ack: tcp.ours(2000) });
    assert.equal(tcp.sent.splice(0).length, 4, 'two acknowledged, two more allowed');
    for (const acked of [2001, 2100, 3000, 7000]) {
      const before = c.cwnd;
      const grows = acked - ((c.sndUna - tcp.ours(0)) | 0);
      tcp.gets({ flags: ACK, ack: tcp.ours(acked) });
      assert.ok(c.cwnd - before <= grows, `${c.cwnd - before} for ${grows} acknowledged`);
    }
  });
}

test('the window of the peer is respected to the byte', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.gets({ flags: ACK, window: 2500 });
  tcp.write('a'.repeat(5000));
  assert.deepEqual(
    tcp.sent.splice(0).map((s) => s.data.length),
    [1000, 1000],
  );
  tcp.gets({ flags: ACK, ack: tcp.ours(2000), window: 500 });
  tcp.sendsNothing();
  tcp.gets({ flags: ACK, ack: tcp.ours(2000), window: 3000 });
  assert.deepEqual(
    tcp.sent.splice(0).map((s) => s.data.length),
    [1000, 1000, 1000],
  );
});

test('a scaled window is multiplied, that of a SYN is not', () => {
  const tcp = TcpPeer.established({ mss: 1000, windowScale: 4 });
  tcp.gets({ flags: ACK, window: 250 });
  tcp.write('a'.repeat(9000));
  assert.equal(tcp.sent.splice(0).length, 4);
});

test('an old segment does not move the window back (SND.WL1, SND.WL2)', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.gets({ flags: ACK, data: 'ab', window: 5000 });
  tcp.gets({ flags: ACK, seq: tcp.theirs(0), data: 'a', window: 100 });
  assert.equal(tcp.socket!.connection!.sndWnd, 5000);
});

test('write() takes what fits, WRITABLE follows when half is free again', () => {
  const tcp = TcpPeer.established({ mss: 1000, tcp: { sendBufferBytes: 4096 } });
  assert.equal(tcp.write('a'.repeat(5000)), 4096);
  assert.equal(tcp.write('a'), 0);
  assert.equal(tcp.socket!.writable, 0);
  tcp.gets({ flags: ACK, ack: tcp.ours(1000) });
  assert.equal(tcp.socket!.takeEvents() & WRITABLE, 0);
  tcp.gets({ flags: ACK, ack: tcp.ours(3000) });
  assert.equal(tcp.socket!.takeEvents() & WRITABLE, WRITABLE);
  assert.equal(tcp.write('b'.repeat(100)), 100);
});

test('data written before the connection is open is sent once it is', () => {
  const tcp = TcpPeer.synSent();
  tcp.socket!.write(Uint8Array.of(104, 105));
  tcp.pump();
  tcp.sendsNothing();
  tcp.gets({ flags: 0x12, seq: tcp.theirs(-1), mss: 1460 });
  tcp.sends({ data: 'hi', ack: tcp.theirs(0) });
});

test('an idle connection starts again with the initial window (RFC 5681 4.1)', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  let acked = 0;
  for (let i = 0; i < 6; i++) {
    tcp.write('a'.repeat(20_000));
    for (let sent = tcp.sent.splice(0).length; sent > 0; sent = tcp.sent.splice(0).length) {
      acked += sent * 1000;
      tcp.gets({ flags: ACK, ack: tcp.ours(acked) });
    }
  }
  assert.ok(tcp.socket!.connection!.cwnd > 15_000);
  tcp.leap(60_000);
  tcp.write('a'.repeat(20_000));
  assert.equal(tcp.sent.length, 10);
});

test('a connection that was idle for more than half of the clock starts again, too', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.write('a'.repeat(10_000));
  tcp.gets({ flags: ACK, ack: tcp.ours(10_000) });
  tcp.sent.length = 0;
  const { connection } = tcp.socket!;
  connection!.cwnd = 40_000;
  connection!.lastSentAt = (connection!.lastSentAt - 30 * 86_400_000) | 0;
  tcp.write('a'.repeat(20_000));
  assert.equal(tcp.sent.length, 10);
});
