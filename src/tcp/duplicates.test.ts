/**
 * What arrives twice, early or late, and what the peer hears of it: RFC 2018 4, RFC 2883, RFC 5961.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { PEER_ISN, TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, FIN, PSH, RST, SYN } from '../wire/tcp.ts';

function established(): TcpPeer {
  return TcpPeer.established({ mss: 1000, sack: true });
}

test('blocks are on data, too, while something is missing and the MSS leaves room', () => {
  const tcp = established();
  tcp.gets({ flags: ACK, seq: tcp.theirs(10), data: 'early' });
  const early = [[tcp.theirs(10), tcp.theirs(15)]];
  assert.deepEqual(tcp.sends({ flags: ACK }).sack, early);
  tcp.write('answer');
  assert.deepEqual(tcp.sends({ data: 'answer', ack: tcp.theirs(0) }).sack, early);
  tcp.gets({ flags: ACK, ack: tcp.ours(6), seq: tcp.theirs(0) });
  // 12 bytes for the option: 988 are the most beside it.
  tcp.write('y'.repeat(988));
  assert.deepEqual(tcp.sends({ flags: ACK | PSH }).sack, early);
  tcp.gets({ flags: ACK, ack: tcp.ours(994), seq: tcp.theirs(0) });
  tcp.write('z'.repeat(989));
  const full = tcp.sends({ flags: ACK | PSH });
  assert.deepEqual([full.data.length, full.sack], [989, []]);
});

test('data that fills a hole and repeats what came early: the repeated part is a duplicate', () => {
  const tcp = established();
  tcp.gets({ flags: ACK, seq: tcp.theirs(1), data: 'x'.repeat(20) });
  tcp.sends({ flags: ACK });
  tcp.gets({ flags: ACK, seq: tcp.theirs(0), data: 'x'.repeat(10) });
  const answer = tcp.sends({ flags: ACK, ack: tcp.theirs(21) });
  assert.deepEqual(answer.sack, [[tcp.theirs(1), tcp.theirs(10)]]);
});

test('early data that overlaps with other early data: the overlap is a duplicate', () => {
  const tcp = established();
  tcp.gets({ flags: ACK, seq: tcp.theirs(10), data: 'x'.repeat(10) });
  tcp.sends({ flags: ACK });
  tcp.gets({ flags: ACK, seq: tcp.theirs(15), data: 'x'.repeat(10) });
  assert.deepEqual(tcp.sends({ flags: ACK }).sack, [
    [tcp.theirs(15), tcp.theirs(20)],
    [tcp.theirs(10), tcp.theirs(25)],
  ]);
});

test('a segment that is old and repeats early data tells of the old part', () => {
  const tcp = established();
  tcp.gets({ flags: ACK, seq: tcp.theirs(0), data: 'x'.repeat(20) });
  tcp.sends({ flags: ACK });
  tcp.gets({ flags: ACK, seq: tcp.theirs(21), data: 'x' });
  tcp.sends({ flags: ACK });
  tcp.gets({ flags: ACK, seq: tcp.theirs(10), data: 'x'.repeat(20) });
  assert.deepEqual(tcp.sends({ flags: ACK, ack: tcp.theirs(30) }).sack, [
    [tcp.theirs(10), tcp.theirs(20)],
  ]);
});

test('a segment that PAWS refuses is told of as far as it is old', () => {
  const tcp = TcpPeer.established({ mss: 1000, sack: true, timestamps: 1000 });
  tcp.gets({ flags: ACK, seq: tcp.theirs(0), data: 'x'.repeat(10), timestamps: [1000, 0] });
  tcp.sends({ flags: ACK });
  tcp.gets({ flags: ACK, seq: tcp.theirs(5), data: 'x'.repeat(10), timestamps: [500, 0] });
  const answer = tcp.sends({ flags: ACK, ack: tcp.theirs(10) });
  assert.deepEqual(answer.sack, [[tcp.theirs(5), tcp.theirs(10)]]);
});

test('a FIN that comes twice is a duplicate of its number', () => {
  const tcp = established();
  tcp.gets({ flags: ACK | FIN, seq: tcp.theirs(0), data: 'end' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(4) });
  tcp.gets({ flags: ACK | FIN, seq: tcp.theirs(3), data: '' });
  assert.deepEqual(tcp.sends({ flags: ACK }).sack, [[tcp.theirs(3), tcp.theirs(4)]]);
});

test('a duplicate behind a closed window is told of up to what was expected, not beyond', () => {
  const tcp = TcpPeer.established({ mss: 1000, sack: true, tcp: { receiveBufferBytes: 4096 } });
  let sent = 0;
  for (let turn = 0; turn < 20 && tcp.sent.at(-1)?.window !== 0; turn++) {
    const room = tcp.sent.at(-1)?.window ?? 1000;
    const data = 'x'.repeat(Math.min(room, 1000));
    tcp.gets({ flags: ACK, seq: tcp.theirs(sent), data });
    tcp.after(500);
    sent += data.length;
  }
  assert.equal(tcp.sent.at(-1)?.window, 0);
  tcp.sent.length = 0;
  tcp.gets({ flags: ACK, seq: tcp.theirs(sent - 5), data: 'x'.repeat(10) });
  assert.deepEqual(tcp.sends({ flags: ACK }).sack, [[tcp.theirs(sent - 5), tcp.theirs(sent)]]);
});

test('before the handshake is over nothing came twice', () => {
  const tcp = TcpPeer.synReceived({ mss: 1000, sack: true });
  tcp.gets({ flags: ACK, seq: tcp.theirs(-1), ack: tcp.ours(0), data: 'x' });
  assert.deepEqual(tcp.sends({ flags: ACK }).sack, []);
});

test('a SYN-ACK is no repetition of the SYN that opened a connection', () => {
  const tcp = TcpPeer.synReceived({ mss: 1000, sack: true });
  tcp.gets({ flags: SYN | ACK, seq: PEER_ISN, ack: tcp.ours(0) });
  tcp.sends({ flags: ACK });
});

test('a FIN ahead of what is missing is acknowledged at once', () => {
  const tcp = established();
  tcp.gets({ flags: ACK | FIN, seq: tcp.theirs(20), data: '' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(0) });
  assert.equal(tcp.state, 'ESTABLISHED');
});

test('a RST that begins before what is expected is dropped, however far it reaches', () => {
  const tcp = established();
  tcp.gets({ flags: ACK | RST, seq: tcp.theirs(-1), data: 'x'.repeat(10) });
  tcp.sendsNothing();
  assert.equal(tcp.state, 'ESTABLISHED');
});

test('an ACK behind what was ever acknowledged is challenged, one within is not', () => {
  const tcp = established();
  tcp.gets({ flags: ACK, ack: tcp.ours(-1) });
  tcp.sends({ flags: ACK });
  tcp.write('hello');
  tcp.sends({ data: 'hello' });
  tcp.gets({ flags: ACK, ack: tcp.ours(5) });
  tcp.after(1000);
  tcp.gets({ flags: ACK, ack: tcp.ours(0) });
  tcp.sendsNothing();
  tcp.gets({ flags: ACK, ack: tcp.ours(-1) });
  tcp.sends({ flags: ACK });
});

test('an ACK from before our FIN was acknowledged is an old one', () => {
  const tcp = established();
  tcp.socket!.shutdown();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK, ack: tcp.ours(1) });
  tcp.gets({ flags: ACK, ack: tcp.ours(0) });
  tcp.sendsNothing();
  assert.equal(tcp.state, 'FIN-WAIT-2');
});

test('the RST for data that nobody reads has the number that the peer expects', () => {
  const tcp = established();
  tcp.write('lost');
  tcp.sends({ data: 'lost' });
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK, ack: tcp.ours(0), data: 'too late' });
  tcp.sends({ flags: RST, seq: tcp.ours(0) });
});
