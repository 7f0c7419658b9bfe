import assert from 'node:assert/strict';
import test from 'node:test';
import { PEER_ISN, type SentSegment, TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, SYN } from '../wire/tcp.ts';

const MSS = 1000;
const FULL = 'x'.repeat(MSS);

/** An established connection whose peer understands SACK. */
function established(options: Parameters<typeof TcpPeer.established>[0] = {}): TcpPeer {
  return TcpPeer.established({ mss: MSS, sack: true, rttMs: 20, ...options });
}

/** ... with `segments` full segments in flight. */
function inFlight(segments: number): TcpPeer {
  const tcp = established();
  tcp.write(FULL.repeat(segments));
  assert.equal(tcp.sent.splice(0).length, segments);
  tcp.after(20);
  return tcp;
}

/** The peer has the segments of these numbers beyond what it acknowledges. */
function sacks(tcp: TcpPeer, acked: number, ...blocks: [number, number][]): void {
  tcp.gets({
    flags: ACK,
    ack: tcp.ours(acked * MSS),
    sack: blocks.map(([first, end]) => [tcp.ours(first * MSS), tcp.ours(end * MSS)]),
  });
}

function segments(tcp: TcpPeer): number[] {
  return tcp.sent.splice(0).map((s: SentSegment) => ((s.seq - tcp.ours(0)) | 0) / MSS);
}

test('SACK is offered, and agreed to only when the peer offers it', () => {
  const tcp = TcpPeer.listening();
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: MSS, sackPermitted: true });
  assert.equal(tcp.sends({ flags: SYN | ACK }).sackPermitted, true);
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: MSS, srcPort: 5 });
  assert.equal(tcp.sends({ flags: SYN | ACK }).sackPermitted, false);
  const active = TcpPeer.synSent();
  assert.equal(active.synSegment.sackPermitted, true);
  assert.equal(TcpPeer.synSent({ tcp: { sack: false } }).synSegment.sackPermitted, false);
});

test('out-of-order data is told in blocks, the newest first', () => {
  const tcp = established();
  tcp.gets({ flags: ACK, seq: tcp.theirs(1000), data: FULL });
  assert.deepEqual(tcp.sends({ ack: tcp.theirs(0) }).sack, [[tcp.theirs(1000), tcp.theirs(2000)]]);
  tcp.gets({ flags: ACK, seq: tcp.theirs(5000), data: FULL });
  assert.deepEqual(tcp.sends({ ack: tcp.theirs(0) }).sack, [
    [tcp.theirs(5000), tcp.theirs(6000)],
    [tcp.theirs(1000), tcp.theirs(2000)],
  ]);
  tcp.gets({ flags: ACK, seq: tcp.theirs(2000), data: FULL });
  assert.deepEqual(tcp.sends({ ack: tcp.theirs(0) }).sack, [
    [tcp.theirs(1000), tcp.theirs(3000)],
    [tcp.theirs(5000), tcp.theirs(6000)],
  ]);
  tcp.gets({ flags: ACK, seq: tcp.theirs(0), data: FULL });
  assert.deepEqual(tcp.sends({ ack: tcp.theirs(3000) }).sack, [
    [tcp.theirs(5000), tcp.theirs(6000)],
  ]);
  tcp.gets({ flags: ACK, seq: tcp.theirs(3000), data: FULL });
  tcp.sends({ ack: tcp.theirs(4000) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(4000), data: FULL });
  assert.deepEqual(tcp.sends({ ack: tcp.theirs(6000) }).sack, []);
});

test('at most four blocks fit, and a peer without SACK gets none', () => {
  const tcp = established();
  for (let i = 1; i <= 6; i++) tcp.gets({ flags: ACK, seq: tcp.theirs(i * 2000), data: FULL });
  assert.equal(tcp.sent.at(-1)!.sack.length, 4);
  assert.deepEqual(tcp.sent.at(-1)!.sack[0], [tcp.theirs(12000), tcp.theirs(13000)]);
  const plain = TcpPeer.established({ mss: MSS });
  plain.gets({ flags: ACK, seq: plain.theirs(2000), data: FULL });
  assert.deepEqual(plain.sends({}).sack, []);
});

test('a duplicate is told by DSACK (RFC 2883)', () => {
  const tcp = established();
  tcp.gets({ flags: ACK, data: FULL });
  tcp.sends({ ack: tcp.theirs(1000) });
  tcp.gets({ flags: ACK, data: FULL });
  assert.deepEqual(tcp.sends({ ack: tcp.theirs(1000) }).sack, [[tcp.theirs(0), tcp.theirs(1000)]]);
  tcp.gets({ flags: ACK, seq: tcp.theirs(1000), data: 'z' });
  assert.deepEqual(tcp.sends({}).sack, [], 'once');
});

test('a duplicate of what waits behind a hole is told with the range that holds it', () => {
  const tcp = established();
  tcp.gets({ flags: ACK, seq: tcp.theirs(1000), data: FULL });
  tcp.gets({ flags: ACK, seq: tcp.theirs(2000), data: FULL });
  tcp.sent.length = 0;
  tcp.gets({ flags: ACK, seq: tcp.theirs(1000), data: FULL });
  assert.deepEqual(tcp.sends({ ack: tcp.theirs(0) }).sack, [
    [tcp.theirs(1000), tcp.theirs(2000)],
    [tcp.theirs(1000), tcp.theirs(3000)],
  ]);
});

test('three segments above a hole bring the hole again, and only it', () => {
  const tcp = inFlight(8);
  sacks(tcp, 0, [1, 2]);
  sacks(tcp, 0, [1, 3]);
  assert.deepEqual(segments(tcp), [], 'not yet');
  sacks(tcp, 0, [1, 4]);
  assert.deepEqual(segments(tcp), [0]);
  sacks(tcp, 0, [1, 8]);
  assert.deepEqual(segments(tcp), []);
  sacks(tcp, 8);
  assert.equal(tcp.stack.report().tcp['tcp_fast_recoveries'], 1);
  assert.equal(tcp.stack.report().tcp['tcp_retransmits'], 1);
  assert.equal(tcp.stack.counts().heapBytes, 0);
});

test('several holes are all repaired within one recovery', () => {
  const tcp = inFlight(10);
  sacks(tcp, 0, [1, 2], [3, 4], [5, 10]);
  const again = segments(tcp);
  sacks(tcp, 1, [1, 2], [3, 4], [5, 10]);
  again.push(...segments(tcp));
  sacks(tcp, 2, [3, 4], [5, 10]);
  again.push(...segments(tcp));
  sacks(tcp, 4, [5, 10]);
  again.push(...segments(tcp));
  assert.deepEqual(again, [0, 2, 4]);
  sacks(tcp, 10);
  assert.equal(tcp.stack.report().tcp['tcp_fast_recoveries'], 1);
});

test('pipe: what was sacked, or lost, leaves room for as much (RFC 6675 4)', () => {
  const tcp = inFlight(10);
  const c = tcp.socket!.connection!;
  tcp.write(FULL.repeat(10));
  assert.deepEqual([c.pipe / MSS, segments(tcp)], [10, []]);
  tcp.gets({ flags: ACK, sack: [[tcp.ours(MSS), tcp.ours(3 * MSS)]] });
  assert.equal(segments(tcp).length, 2, 'two have left the network: limited transmit');
  assert.equal(c.pipe / MSS, 10);
  tcp.gets({ flags: ACK, sack: [[tcp.ours(MSS), tcp.ours(10 * MSS)]] });
  assert.equal(segments(tcp)[0], 0);
  assert.equal(c.pipe, c.flight - 9 * MSS, 'the lost segment was sent again: it counts');
  assert.equal(c.board!.lostBytes, 0);
});

test('RACK: a duplicate (DSACK) makes it wait longer, but never above the round-trip time', () => {
  const tcp = inFlight(2);
  const c = tcp.socket!.connection!;
  const waits: number[] = [];
  for (let at = 2; waits.length < 6; at += 4) {
    sacks(tcp, at);
    tcp.after(5);
    sacks(tcp, at, [at - 1, at]);
    tcp.write(FULL.repeat(4));
    tcp.sent.length = 0;
    tcp.after(20);
    sacks(tcp, at, [at + 1, at + 4]);
    waits.push(tcp.sendTimes(60)[0]!);
    tcp.sent.length = 0;
    assert.ok(waits.at(-1)! <= (c.srtt >> 3) / 1000 + 4, `${waits} of ${c.srtt >> 3} us`);
  }
  assert.ok(
    waits.every((wait, i) => i === 0 || wait >= waits[i - 1]!),
    `${waits}`,
  );
  assert.ok(waits.at(-1)! >= waits[0]! + 5, `${waits}`);
});

test('RACK: a retransmission that is lost too is sent again without a timeout', () => {
  const tcp = inFlight(6);
  sacks(tcp, 0, [1, 6]);
  assert.deepEqual(segments(tcp), [0]);
  tcp.after(1);
  tcp.write(FULL.repeat(4));
  assert.deepEqual(segments(tcp).slice(0, 1), [6], 'new data follows the repair');
  tcp.after(20);
  sacks(tcp, 0, [1, 7]);
  assert.equal(segments(tcp)[0], 0, 'what was sent after it has arrived');
  assert.equal(tcp.stack.report().tcp['tcp_timeouts'], undefined);
});

test('RACK: on a path that reorders, a late segment is waited for a quarter of a round trip', () => {
  const tcp = inFlight(6);
  sacks(tcp, 0, [1, 2]);
  sacks(tcp, 2);
  assert.deepEqual(segments(tcp), [], 'segment 0 was late, not lost');
  tcp.write(FULL.repeat(6));
  tcp.sent.length = 0;
  tcp.after(20);
  sacks(tcp, 6, [7, 12]);
  assert.deepEqual(segments(tcp), [], 'it may be late again');
  tcp.after(8);
  assert.deepEqual(segments(tcp).slice(0, 1), [6]);
});

test('blocks in one ACK are no reordering, whatever their order; a block below an older one is', () => {
  const tcp = inFlight(8);
  sacks(tcp, 0, [5, 6], [3, 4], [1, 2]);
  assert.equal(tcp.stack.report().tcp['tcp_reorderings'], undefined);
  const other = inFlight(8);
  sacks(other, 0, [5, 6]);
  sacks(other, 0, [3, 4], [5, 6]);
  assert.equal(other.stack.report().tcp['tcp_reorderings'], 1);
});

test('TLP: when the tail is lost its last segment goes again after two round trips', () => {
  const tcp = established();
  tcp.write(FULL);
  tcp.sent.length = 0;
  tcp.after(20);
  sacks(tcp, 1);
  tcp.write(FULL.repeat(4));
  assert.deepEqual(segments(tcp), [1, 2, 3, 4]);
  tcp.after(41);
  assert.deepEqual(segments(tcp), []);
  tcp.after(4);
  assert.deepEqual(segments(tcp), [4]);
  assert.equal(tcp.stack.report().tcp['tcp_tlp_probes'], 1);
  sacks(tcp, 1, [4, 5]);
  assert.deepEqual(segments(tcp), [], 'one segment above the hole is no proof yet');
  assert.equal(tcp.stack.report().tcp['tcp_timeouts'], undefined);
});

test('TLP: a lone segment is given the time of a delayed ACK as well (RFC 8985 7.2)', () => {
  const tcp = established();
  tcp.write(FULL);
  tcp.sent.length = 0;
  tcp.after(20);
  sacks(tcp, 1);
  tcp.write(FULL);
  assert.deepEqual(segments(tcp), [1]);
  tcp.after(200);
  assert.deepEqual(segments(tcp), [], 'its ACK may wait so long');
  tcp.after(45);
  assert.deepEqual(segments(tcp), [1]);
});

test('TLP: on a long path the probe takes the place of the timeout (RFC 8985 7.2)', () => {
  const tcp = established({ rttMs: 300 });
  tcp.write(FULL.repeat(4));
  tcp.sent.length = 0;
  tcp.leap(1000);
  assert.deepEqual(segments(tcp).slice(0, 1), [3], 'the tail, not the head');
  assert.equal(tcp.stack.report().tcp['tcp_tlp_probes'], 1);
});

/** The window after a probe whose data was acknowledged, then `then` came, then more went well. */
function afterProbe(then: (tcp: TcpPeer) => void): number {
  const tcp = established();
  tcp.write(FULL.repeat(4));
  tcp.sent.length = 0;
  tcp.after(60);
  assert.equal(tcp.sent.splice(0).length, 1);
  sacks(tcp, 4);
  then(tcp);
  tcp.write(FULL);
  tcp.after(20);
  sacks(tcp, 5);
  assert.equal(tcp.socket!.connection!.tlpOut, 0);
  return tcp.socket!.connection!.cwnd;
}

test('TLP: a probe that repaired a loss costs part of the window (RFC 8985 7.4.2)', () => {
  assert.ok(afterProbe(() => {}) < 10 * MSS);
});

test('TLP: one that came twice costs nothing, whether DSACK tells or a second ACK', () => {
  assert.ok(afterProbe((tcp) => sacks(tcp, 4, [3, 4])) >= 10 * MSS);
  assert.ok(afterProbe((tcp) => sacks(tcp, 4)) >= 10 * MSS);
});

test('a receiver that reneges on its SACKs gets everything again', () => {
  const tcp = inFlight(4);
  sacks(tcp, 0, [1, 4]);
  tcp.sent.length = 0;
  sacks(tcp, 1);
  tcp.after(2000);
  const again = new Set(segments(tcp));
  assert.ok(again.has(1), 'the first byte in flight was sacked and is sent all the same');
  assert.equal(tcp.stack.report().tcp['tcp_sack_reneges'], 1);
});

test('SACK blocks that are nonsense are ignored', () => {
  const tcp = inFlight(4);
  const { sack: _, ...rest } = { sack: [], flags: ACK, ack: tcp.ours(0) };
  for (const [first, end] of [
    [5, 4],
    [100, 200],
    [-50, -20],
    [0, 1],
    [3, 9],
  ] as const) {
    tcp.gets({ ...rest, sack: [[tcp.ours(first * MSS), tcp.ours(end * MSS)]] });
  }
  assert.equal(tcp.socket!.connection!.board!.sackedBytes, 0);
  tcp.gets({ ...rest, options: [5, 3, 1, 0] });
  tcp.gets({ ...rest, options: [5, 2, 0, 0] });
  assert.equal(tcp.state, 'ESTABLISHED');
});

test('SACK blocks of one byte cannot make the scoreboard grow without end (CVE-2019-11477)', () => {
  const tcp = established({ windowScale: 7, tcp: { initialWindowSegments: 64 } });
  tcp.write('x'.repeat(64_000));
  for (let i = 1; i < 20_000; i++) {
    tcp.gets({ flags: ACK, sack: [[tcp.ours(i * 3), tcp.ours(i * 3 + 1)]], ack: tcp.ours(0) });
    tcp.sent.length = 0;
  }
  const board = tcp.socket!.connection!.board!;
  assert.ok(board.count <= 8194, `${board.count} entries`);
});

test('the old part of a segment that is new in part is told by DSACK (RFC 2883 4.2)', () => {
  const tcp = TcpPeer.established({ sack: true });
  tcp.gets({ flags: ACK, data: 'abcd' });
  tcp.after(50);
  tcp.sends({ ack: tcp.theirs(4) });
  tcp.gets({ flags: ACK, seq: tcp.theirs(2), data: 'cdef' });
  tcp.after(50);
  const { sack } = tcp.sends({ ack: tcp.theirs(6) });
  assert.deepEqual(sack, [[tcp.theirs(2), tcp.theirs(4)]]);
  assert.equal(tcp.read(), 'abcdef');
});
