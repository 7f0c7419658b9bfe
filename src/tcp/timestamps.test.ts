import assert from 'node:assert/strict';
import test from 'node:test';
import { PEER_ISN, TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';

const START = 0x1000;

function established(): TcpPeer {
  return TcpPeer.established({ mss: 1460, timestamps: START });
}

test('timestamps are offered, and used when both sides offer them', () => {
  const active = TcpPeer.synSent();
  assert.ok(!Number.isNaN(active.synSegment.tsVal));
  assert.equal(active.synSegment.tsEcr, 0);
  assert.ok(Number.isNaN(TcpPeer.synSent({ tcp: { timestamps: false } }).synSegment.tsVal));
  const passive = TcpPeer.listening();
  passive.gets({ flags: SYN, seq: PEER_ISN, mss: 1460 });
  assert.ok(Number.isNaN(passive.sends({ flags: SYN | ACK }).tsVal));
  passive.gets({ flags: SYN, seq: PEER_ISN, mss: 1460, srcPort: 9, timestamps: [77, 0] });
  assert.equal(passive.sends({ flags: SYN | ACK }).tsEcr, 77);
});

test('every segment carries them, the echo is that of the last in order, the clock goes on', () => {
  const tcp = established();
  tcp.tsVal = START + 10;
  tcp.gets({ flags: ACK, data: 'a' });
  const first = tcp.sends({ ack: tcp.theirs(1) });
  assert.equal(first.tsEcr, START + 10);
  tcp.after(100);
  tcp.tsVal = START + 20;
  tcp.gets({ flags: ACK, seq: tcp.theirs(5), data: 'later' });
  const second = tcp.sends({ ack: tcp.theirs(1) });
  assert.equal(second.tsEcr, START + 10, 'a segment beyond a hole does not count (RFC 7323 4.3)');
  assert.equal(second.tsVal - first.tsVal, 100);
});

test('their room comes out of the payload', () => {
  const tcp = established();
  tcp.write('x'.repeat(1460));
  assert.equal(tcp.sends({}).data.length, 1448);
});

test('two stacks give different timestamps at the same time', () => {
  const one = TcpPeer.synSent({ seed: 1 }).synSegment.tsVal;
  const two = TcpPeer.synSent({ seed: 2 }).synSegment.tsVal;
  assert.ok(Math.abs(one - two) > 10_000);
});

test('PAWS: bare ACKs that were overtaken are dropped, and not each is answered', () => {
  const tcp = established();
  tcp.tsVal = START + 100;
  tcp.gets({ flags: ACK, data: 'new' });
  tcp.read();
  tcp.sent.length = 0;
  for (let i = 0; i < 5; i++) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(3), timestamps: [START + 50, tcp.tsEcr] });
  }
  assert.equal(tcp.sent.length, 1);
  assert.equal(tcp.stack.report().drops['tcp_old_timestamp'], 5);
});

test('PAWS: a segment with an older timestamp gets an ACK and is dropped', () => {
  const tcp = established();
  tcp.tsVal = START + 100;
  tcp.gets({ flags: ACK, data: 'new' });
  tcp.sends({ ack: tcp.theirs(3) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(3), data: 'old', timestamps: [START + 50, tcp.tsEcr] });
  tcp.sends({ flags: ACK, ack: tcp.theirs(3), tsEcr: START + 100 });
  assert.equal(tcp.read(), 'new');
  assert.equal(tcp.stack.report().drops['tcp_old_timestamp'], 1);
  tcp.gets({ flags: ACK, seq: tcp.theirs(3), data: 'fine' });
  assert.equal(tcp.read(), 'fine');
});

test('PAWS: timestamps wrap', () => {
  const tcp = TcpPeer.established({ mss: 1460, timestamps: 0x7ffffff0 });
  tcp.tsVal = -0x7ffffff0;
  tcp.gets({ flags: ACK, data: 'wrapped' });
  assert.equal(tcp.read(), 'wrapped');
});

test('PAWS: after 24 days of silence an older timestamp is taken again', () => {
  const tcp = established();
  tcp.leap(25 * 24 * 3600 * 1000);
  tcp.gets({ flags: ACK, data: 'hello again', timestamps: [START - 1000, tcp.tsEcr] });
  assert.equal(tcp.read(), 'hello again');
});

test('a segment without the agreed timestamps is dropped, a RST is not', () => {
  const tcp = established();
  tcp.gets({ flags: ACK, data: 'naked', timestamps: null });
  tcp.sendsNothing();
  assert.equal(tcp.socket!.readable, 0);
  tcp.gets({ flags: RST, seq: tcp.theirs(0), timestamps: null });
  assert.equal(tcp.socket!.error, 'ECONNRESET');
});

test('TIME-WAIT: a SYN with a newer timestamp opens the next connection (RFC 6191)', () => {
  const tcp = established();
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(1) });
  tcp.sends({ flags: ACK });
  tcp.gets({ flags: SYN, seq: PEER_ISN - 5000, mss: 1460, timestamps: [START - 1, 0] });
  tcp.sends({ flags: ACK });
  tcp.gets({ flags: SYN, seq: PEER_ISN - 5000, mss: 1460, timestamps: [START + 1, 0] });
  tcp.sends({ flags: SYN | ACK, ack: PEER_ISN - 4999 });
});

test('a retransmitted segment is measured by its echoed timestamp', () => {
  const tcp = established();
  tcp.write('x'.repeat(100));
  tcp.sends({});
  tcp.after(210);
  tcp.sends({ data: 'x'.repeat(100) });
  const before = tcp.socket!.connection!.srtt;
  tcp.after(80);
  tcp.gets({ flags: ACK, ack: tcp.ours(100) });
  const grown = (tcp.socket!.connection!.srtt - before) / 1000;
  assert.ok(grown > 60 && grown < 110, `srtt grew by ${grown} eighths of a millisecond`);
});
