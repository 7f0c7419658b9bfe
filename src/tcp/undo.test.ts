import assert from 'node:assert/strict';
import test from 'node:test';
import { type SentSegment, TcpPeer } from '../testing/tcp-peer.ts';
import { ACK } from '../wire/tcp.ts';
import { growthOf } from './congestion/growth.ts';
import type { Connection } from './connection.ts';

const MSS = 1000;
/** What timestamps leave of the MSS. */
const WITH_TIMESTAMPS = MSS + 12;
const START = 5000;

/** `segments` full segments in flight; the peer sends timestamps when `timestamps` is true. */
function inFlight(segments: number, timestamps: boolean): TcpPeer {
  const mss = timestamps ? WITH_TIMESTAMPS : MSS;
  const given = timestamps ? { timestamps: START } : {};
  const tcp = TcpPeer.established({ mss, sack: true, rttMs: 20, ...given });
  tcp.write('x'.repeat(segments * MSS));
  assert.equal(tcp.sent.splice(0).length, segments);
  tcp.after(20);
  return tcp;
}

function connection(tcp: TcpPeer): Connection {
  return tcp.socket!.connection!;
}

/** The peer acknowledges `acked` segments and has those of `blocks`; it echoes `tsEcr`. */
function acks(tcp: TcpPeer, acked: number, blocks: [number, number][], tsEcr = tcp.tsEcr): void {
  tcp.gets({
    flags: ACK,
    ack: tcp.ours(acked * MSS),
    sack: blocks.map(([first, end]) => [tcp.ours(first * MSS), tcp.ours(end * MSS)]),
    ...(Number.isNaN(tcp.tsVal) ? {} : { timestamps: [tcp.tsVal, tsEcr] as [number, number] }),
  });
}

/** What the stack sent, in segments from the start. */
function segments(tcp: TcpPeer): number[] {
  return tcp.sent.splice(0).map((s: SentSegment) => ((s.seq - tcp.ours(0)) | 0) / MSS);
}

function count(tcp: TcpPeer, name: string): number {
  return tcp.stack.report().tcp[name] ?? 0;
}

test('Eifel: an ACK that echoes the original takes the recovery back at its end', () => {
  const tcp = inFlight(8, true);
  const original = tcp.tsEcr;
  const before = { ...connection(tcp) };
  acks(tcp, 0, [[1, 8]]);
  assert.deepEqual(segments(tcp), [0]);
  assert.ok(connection(tcp).cwnd < before.cwnd);
  tcp.after(3);
  acks(tcp, 8, [], original);
  assert.equal(connection(tcp).recovery, 0);
  assert.ok(connection(tcp).cwnd >= before.cwnd, `cwnd ${connection(tcp).cwnd}`);
  assert.equal(connection(tcp).ssthresh, before.ssthresh);
  assert.equal(count(tcp, 'tcp_full_undo'), 1);
});

test('Eifel: an ACK that echoes the repair leaves the recovery as it is', () => {
  const tcp = inFlight(8, true);
  const before = connection(tcp).cwnd;
  acks(tcp, 0, [[1, 8]]);
  assert.deepEqual(segments(tcp), [0]);
  tcp.after(20);
  acks(tcp, 8, []);
  assert.ok(connection(tcp).cwnd < before);
  assert.equal(connection(tcp).cwnd, connection(tcp).ssthresh);
  assert.equal(count(tcp, 'tcp_full_undo'), 0);
});

test('Eifel: a hole filled by its original in the middle of a recovery ends it at once', () => {
  const tcp = inFlight(10, true);
  const original = tcp.tsEcr;
  const before = connection(tcp).cwnd;
  acks(tcp, 0, [[3, 6]]);
  assert.equal(segments(tcp)[0], 0);
  const again = count(tcp, 'tcp_retransmits');
  tcp.after(2);
  acks(tcp, again, [[3, 6]], original);
  assert.equal(count(tcp, 'tcp_partial_undo'), 1);
  assert.ok(connection(tcp).cwnd >= before);
  assert.equal(connection(tcp).board!.lostBytes, 0, 'what was marked with it is in flight again');
  assert.equal(connection(tcp).recovery, 0);
});

test('DSACK: once every repair is called a duplicate the window is as before', () => {
  const tcp = inFlight(8, false);
  const before = connection(tcp).cwnd;
  acks(tcp, 0, [[2, 8]]);
  acks(tcp, 0, [[2, 8]]);
  const again = segments(tcp);
  assert.deepEqual(again, [0, 1]);
  tcp.write('y'.repeat(4 * MSS));
  tcp.sent.length = 0;
  acks(tcp, 8, []);
  assert.ok(connection(tcp).cwnd < before);
  acks(tcp, 8, [[0, 1]]);
  assert.ok(connection(tcp).cwnd < before, 'one of two may have been lost');
  acks(tcp, 8, [[1, 2]]);
  assert.ok(connection(tcp).cwnd >= before);
  assert.equal(count(tcp, 'tcp_dsack_undo'), 1);
});

test('DSACK: one that is not of this recovery proves nothing', () => {
  const tcp = inFlight(8, false);
  acks(tcp, 2, []);
  tcp.write('y'.repeat(2 * MSS));
  tcp.sent.length = 0;
  tcp.after(20);
  const before = connection(tcp).cwnd;
  acks(tcp, 2, [[3, 10]]);
  assert.deepEqual(segments(tcp), [2]);
  acks(tcp, 2, [
    [0, 1],
    [3, 10],
  ]);
  acks(tcp, 10, []);
  assert.ok(connection(tcp).cwnd < before);
  assert.equal(count(tcp, 'tcp_dsack_undo'), 0);
});

test('DSACK: that of a tail loss probe does not excuse a loss elsewhere', () => {
  const tcp = inFlight(4, false);
  tcp.after(30);
  assert.deepEqual(segments(tcp), [3], 'the probe');
  acks(tcp, 0, [[1, 4]]);
  assert.deepEqual(segments(tcp), [0]);
  acks(tcp, 0, [
    [3, 4],
    [1, 4],
  ]);
  tcp.after(20);
  acks(tcp, 4, []);
  assert.equal(count(tcp, 'tcp_dsack_undo') + count(tcp, 'tcp_full_undo'), 0);
});

test('a timeout that the echo proves wrong repairs nothing more', () => {
  const tcp = inFlight(8, true);
  const original = tcp.tsEcr;
  const before = connection(tcp).cwnd;
  tcp.leap(300);
  assert.ok(count(tcp, 'tcp_timeouts') > 0);
  tcp.sent.length = 0;
  acks(tcp, 1, [], original);
  assert.deepEqual(segments(tcp), [], 'all of it is in flight again');
  assert.ok(connection(tcp).cwnd >= before);
  assert.equal(count(tcp, 'tcp_loss_undo'), 1);
  acks(tcp, 8, [], original);
  assert.equal(tcp.stack.counts().heapBytes, 0);
});

/** The retransmission timer fired with 8 segments out, 4 more wait, and segment 0 went again. */
function timedOut(): TcpPeer {
  const tcp = inFlight(8, false);
  connection(tcp).cwnd = 8 * MSS;
  tcp.write('y'.repeat(4 * MSS));
  tcp.leap(300);
  assert.equal(count(tcp, 'tcp_timeouts'), 1);
  assert.equal(segments(tcp).at(-1), 0);
  return tcp;
}

test('F-RTO: the first ACK brings new data, the second one shows that nothing was lost', () => {
  const tcp = timedOut();
  const next = (connection(tcp).flight / MSS) | 0;
  acks(tcp, 1, []);
  const sent = segments(tcp);
  assert.deepEqual(sent, [next, next + 1], 'no repair');
  acks(tcp, 3, []);
  assert.equal(count(tcp, 'tcp_spurious_rtos'), 1);
  assert.ok(connection(tcp).cwnd >= 8 * MSS);
  assert.ok(segments(tcp).every((n) => n >= next));
});

test('F-RTO: news of the new data alone shows that the rest is lost', () => {
  const tcp = timedOut();
  const next = (connection(tcp).flight / MSS) | 0;
  acks(tcp, 1, []);
  tcp.sent.length = 0;
  acks(tcp, 1, [[next, next + 1]]);
  assert.equal(segments(tcp)[0], 1);
  assert.equal(count(tcp, 'tcp_spurious_rtos'), 0);
  assert.ok(connection(tcp).cwnd < 8 * MSS);
});

test('CUBIC goes on along the curve it was on (RFC 9438 4.9)', () => {
  const tcp = inFlight(8, true);
  const c = connection(tcp);
  Object.assign(growthOf(c), {
    cubicMax: 20 * MSS,
    cubicEpoch: 900,
    cubicK: 1234,
    cubicReno: 9 * MSS,
  });
  const original = tcp.tsEcr;
  acks(tcp, 0, [[1, 8]]);
  assert.equal(c.growth!.cubicEpoch, 0);
  tcp.after(3);
  acks(tcp, 8, [], original);
  const { cubicMax, cubicEpoch, cubicK } = c.growth!;
  assert.deepEqual([cubicMax, cubicEpoch, cubicK], [20 * MSS, 900, 1234]);
});

test('a repair that times out lowers what the recovery aimed at, not what was in the pipe', () => {
  const tcp = inFlight(10, false);
  acks(tcp, 0, [[1, 10]]);
  assert.equal(connection(tcp).recovery, 1);
  const aim = connection(tcp).ssthresh;
  tcp.leap(400);
  assert.equal(count(tcp, 'tcp_timeouts'), 1);
  assert.equal(connection(tcp).ssthresh, Math.max(2 * MSS, (aim * 0.7) | 0));
});

test('the echo of an earlier repair is no measurement, and ends the backing off', () => {
  const tcp = inFlight(1, true);
  tcp.leap(600);
  const first = tcp.sent.find(({ seq }) => seq === tcp.ours(0))!.tsVal;
  tcp.leap(6000);
  assert.ok(connection(tcp).backoff >= 3);
  const { srtt } = connection(tcp);
  acks(tcp, 1, [], first + 1);
  assert.equal(connection(tcp).srtt, srtt);
  assert.equal(connection(tcp).backoff, 0);
  assert.ok(connection(tcp).rtoMs < 300);
});

/** A recovery for nothing, over, with nothing in flight any more; its window before. */
function recoveredInVain(): [TcpPeer, number] {
  const tcp = inFlight(8, false);
  const { cwnd } = connection(tcp);
  acks(tcp, 0, [[1, 8]]);
  assert.deepEqual(segments(tcp), [0]);
  tcp.after(3);
  acks(tcp, 8, []);
  assert.ok(connection(tcp).cwnd < cwnd);
  assert.equal(connection(tcp).flight, 0);
  return [tcp, cwnd];
}

test('DSACK after everything was acknowledged takes the recovery back', () => {
  const [tcp, before] = recoveredInVain();
  tcp.after(20);
  acks(tcp, 8, [[0, 1]]);
  assert.ok(connection(tcp).cwnd >= before, `cwnd ${connection(tcp).cwnd}`);
  assert.equal(count(tcp, 'tcp_dsack_undo'), 1);
});

test('DSACK on the ACK of what was sent next takes the recovery back', () => {
  const [tcp, before] = recoveredInVain();
  tcp.write('y'.repeat(MSS));
  assert.deepEqual(segments(tcp), [8]);
  tcp.after(20);
  acks(tcp, 9, [[0, 1]]);
  assert.ok(connection(tcp).cwnd >= before, `cwnd ${connection(tcp).cwnd}`);
  assert.equal(count(tcp, 'tcp_dsack_undo'), 1);
});

test('the record of a recovery waits for its DSACK as long as a timeout, then goes back', () => {
  const [tcp] = recoveredInVain();
  const c = connection(tcp);
  assert.notEqual(c.loss, null);
  tcp.after(c.rtoMs + 2);
  assert.equal(c.loss, null);
  acks(tcp, 8, [[0, 1]]);
  assert.equal(count(tcp, 'tcp_dsack_undo'), 0);
  assert.equal(count(tcp, 'tcp_dsacks_in'), 1);
});
