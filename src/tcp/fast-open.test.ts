import assert from 'node:assert/strict';
import test from 'node:test';
import { PEER_ISN, PEER_PORT, TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, SYN } from '../wire/tcp.ts';

const COOKIE = [1, 2, 3, 4, 5, 6, 7, 8];
/** MSS 1400 and a cookie, as bytes. */
const WITH_COOKIE = [2, 4, 1400 >> 8, 1400 & 255, 1, 1, 34, 10, ...COOKIE];
const PLAIN = [2, 4, 1400 >> 8, 1400 & 255];

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Opens a connection that begins with `data`; its first SYN. */
function open(tcp: TcpPeer, data: string): ReturnType<TcpPeer['sends']> {
  tcp.socket = tcp.stack.tcp.connect({
    address: tcp.peerAddress,
    port: PEER_PORT,
    fastOpen: bytes(data),
  });
  tcp.pump();
  tcp.dstPort = tcp.socket.localPort;
  return tcp.sends({ flags: SYN });
}

function answer(tcp: TcpPeer, ack: number, options: number[]): void {
  tcp.gets({ flags: SYN | ACK, srcPort: PEER_PORT, seq: PEER_ISN, ack, options });
}

/** A stack that knows the peer's cookie. */
function acquainted(): TcpPeer {
  const tcp = new TcpPeer();
  assert.equal(open(tcp, 'first').data, '', 'only a cookie is asked for');
  answer(tcp, tcp.ours(0), WITH_COOKIE);
  assert.equal(tcp.sends({ seq: tcp.ours(0) }).data, 'first');
  tcp.socket!.abort();
  tcp.pump();
  tcp.sent.length = 0;
  return tcp;
}

test('the first connect asks for a cookie, the second has its data in the SYN', () => {
  const tcp = acquainted();
  assert.equal(open(tcp, 'GET /').data, 'GET /');
  answer(tcp, tcp.ours(5), PLAIN);
  tcp.sends({ flags: ACK, seq: tcp.ours(5), ack: tcp.theirs(0), data: '' });
  tcp.sendsNothing();
  assert.equal(tcp.socket!.unacknowledged, 0);
  assert.equal(tcp.stack.tcp.memory.sending, 0, 'bytes that the budget is told are given back');
  tcp.write('more');
  tcp.sends({ seq: tcp.ours(5), data: 'more' });
  assert.equal(tcp.stack.report().tcp['tcp_fast_opens'], 1);
});

test('data that the peer does not take with the SYN goes again at once', () => {
  const tcp = acquainted();
  open(tcp, 'hello');
  answer(tcp, tcp.ours(0), PLAIN);
  tcp.sends({ seq: tcp.ours(0), data: 'hello' });
  assert.equal(tcp.stack.report().tcp['tcp_fast_opens_failed'], 1);
  tcp.socket!.abort();
  tcp.pump();
  tcp.sent.length = 0;
  assert.equal(open(tcp, 'again').data, '', 'the cookie was no good: a new one is asked for');
});

test('the peer may take a part of the data', () => {
  const tcp = acquainted();
  open(tcp, 'abcdef');
  answer(tcp, tcp.ours(4), PLAIN);
  tcp.sends({ seq: tcp.ours(4), data: 'ef' });
});

test('a SYN that is not answered goes again without, and the peer is left alone for a while', () => {
  const tcp = acquainted();
  open(tcp, 'into the void');
  tcp.after(1010);
  assert.equal(tcp.sends({ flags: SYN }).data, '');
  answer(tcp, tcp.ours(0), PLAIN);
  tcp.sends({ seq: tcp.ours(0), data: 'into the void' });
  assert.equal(tcp.stack.report().tcp['tcp_fast_open_blackholes'], 1);
  const tryAgain = (): string => {
    tcp.socket!.abort();
    tcp.pump();
    tcp.sent.length = 0;
    const { data } = open(tcp, 'x');
    answer(tcp, tcp.ours(data.length), PLAIN);
    return data;
  };
  assert.equal(tryAgain(), '');
  const { fastOpens } = tcp.stack.tcp;
  const { path } = tcp.socket!.connection!;
  const days = (count: number): number => (tcp.stack.tcp.clock.ms + count * 86_400_000) | 0;
  assert.equal(fastOpens.begin(path!, days(0)), null);
  assert.notEqual(fastOpens.begin(path!, days(25)), null, 'nor is it after the clock went round');
  tcp.leap(3_700_000);
  assert.equal(tryAgain(), 'x');
});

test('a late answer to the SYN with data counts, also after a plain one', () => {
  const tcp = acquainted();
  open(tcp, 'slow');
  tcp.after(1010);
  tcp.sends({ flags: SYN });
  answer(tcp, tcp.ours(4), PLAIN);
  tcp.sends({ flags: ACK, seq: tcp.ours(4), data: '' });
  assert.equal(tcp.stack.report().tcp['tcp_fast_open_blackholes'], undefined);
});

test('an ACK of more than the SYN carried is refused', () => {
  const tcp = acquainted();
  open(tcp, 'abc');
  answer(tcp, tcp.ours(4), PLAIN);
  assert.equal(tcp.socket!.stateName, 'SYN-SENT');
});

test('no more goes into a SYN than its peer takes in a segment', () => {
  const tcp = acquainted();
  const { data } = open(tcp, 'd'.repeat(5000));
  assert.ok(data.length > 1300 && data.length <= 1400 - 20, `${data.length} bytes`);
});
