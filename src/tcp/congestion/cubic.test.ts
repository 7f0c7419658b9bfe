import assert from 'node:assert/strict';
import test from 'node:test';
import { Connection } from '../connection.ts';
import { cubic } from './cubic.ts';

const MSS = 1000;

/** A connection past slow start that has just lost something at `window` segments. */
function afterLoss(window: number, rttMs: number): Connection {
  const c = new Connection(0);
  c.mss = MSS;
  c.srtt = rttMs * 8000;
  cubic.start(c, 10);
  c.cwnd = window * MSS;
  cubic.lost(c);
  c.cwnd = c.ssthresh;
  return c;
}

/** A window's worth of ACKs per round trip for `seconds`; the window in segments at the end. */
function run(c: Connection, seconds: number, rttMs: number, fromMs = 1000): number {
  for (let ms = fromMs; ms < fromMs + seconds * 1000; ms += rttMs) {
    const window = c.cwnd;
    for (let sent = 0; sent < window; sent += MSS) {
      cubic.acknowledged(c, MSS, c.cwnd, ms, rttMs * 1000);
    }
  }
  return c.cwnd / MSS;
}

test('a loss leaves seven tenths of the window', () => {
  const c = afterLoss(100, 100);
  assert.equal(c.ssthresh, 70 * MSS);
  assert.equal(c.growth?.cubicMax, 100 * MSS);
});

test('the window is back where the loss was after K seconds, and beyond later (RFC 9438 4.2)', () => {
  const K = Math.cbrt((100 * 0.3) / 0.4);
  const before = run(afterLoss(100, 100), K * 0.5, 100);
  const at = run(afterLoss(100, 100), K, 100);
  const after = run(afterLoss(100, 100), K * 2, 100);
  assert.ok(before > 90 && before < 99, `half way: ${before}`);
  assert.ok(Math.abs(at - 100) < 2, `at K: ${at}`);
  assert.ok(after > 120 && after < 140, `at 2K: ${after}`);
});

test('growth follows time, not round trips', () => {
  const slow = run(afterLoss(100, 200), 3, 200);
  const fast = run(afterLoss(100, 100), 3, 100);
  assert.ok(Math.abs(slow - fast) < 3, `${slow} and ${fast}`);
});

test('with short round trips it is at least as fast as Reno (RFC 9438 4.3)', () => {
  const c = afterLoss(20, 2);
  const window = run(c, 0.2, 2);
  // 100 round trips of Reno with CUBIC's decrease: 14 + 100 * 0.529
  assert.ok(window > 55, `${window} segments`);
});

test('a second loss below the first peak lowers the peak further (fast convergence)', () => {
  const c = afterLoss(100, 100);
  c.cwnd = 80 * MSS;
  cubic.lost(c);
  assert.equal(c.growth?.cubicMax, 68 * MSS);
});

test('a window that is not used does not grow', () => {
  const c = afterLoss(100, 100);
  for (let ms = 0; ms < 60_000; ms += 100) cubic.acknowledged(c, MSS, 10 * MSS, ms, 100_000);
  assert.equal(c.cwnd, 70 * MSS);
});

test('a train of ACKs counts whole when its window was full', () => {
  const grown = (step: number): number => {
    const c = afterLoss(100, 100);
    for (let ms = 1000; ms < 6000; ms += 100) {
      const window = c.cwnd;
      c.sndNxt = (c.sndNxt + window) | 0;
      for (let flight = window; flight >= MSS; flight -= MSS) {
        c.sndUna = (c.sndNxt - flight + MSS) | 0;
        cubic.acknowledged(c, MSS, step === 0 ? window : flight, ms, 100_000);
      }
    }
    return c.cwnd;
  };
  assert.equal(grown(MSS), grown(0), 'as if each ACK had come with the pipe full');
});

test('the curve waits while the program has nothing to send (RFC 9438 5.8)', () => {
  const c = afterLoss(100, 100);
  const before = run(c, 2, 100);
  for (let ms = 3000; ms < 63_000; ms += 100) {
    c.sndNxt = (c.sndNxt + MSS) | 0;
    c.sndUna = c.sndNxt;
    cubic.acknowledged(c, MSS, MSS, ms, 100_000);
  }
  assert.equal(c.cwnd / MSS, before);
  const steady = run(afterLoss(100, 100), 3, 100);
  const after = run(c, 1, 100, 63_000);
  assert.ok(Math.abs(after - steady) < 3, `${after} segments, ${steady} without the pause`);
});

test('after an early end of slow start the window goes on growing, until there is a loss', () => {
  const c = new Connection(0);
  c.mss = MSS;
  c.srtt = 10 * 8000;
  cubic.start(c, 10);
  c.cwnd = 100 * MSS;
  c.ssthresh = 100 * MSS;
  const rounds = 20;
  const grown = run(c, (rounds * 10) / 1000, 10);
  assert.ok(grown > 100 * 1.05 ** rounds * 0.95, `${grown} segments`);
  cubic.lost(c);
  c.cwnd = c.ssthresh;
  const after = c.cwnd / MSS;
  assert.ok(run(c, (rounds * 10) / 1000, 10, 2000) < after * 1.2);
});

/** Slow start in which the round trip grows by `growUs` a round; segments when it was left. */
function slowStart(growUs: number): number {
  const c = new Connection(0);
  c.mss = MSS;
  c.srtt = 50_000 * 8;
  cubic.start(c, 10);
  for (let round = 0; round < 14 && c.cwnd < c.ssthresh; round++) {
    const window = c.cwnd;
    const rtt = 50_000 + round * growUs;
    c.sndNxt = (c.sndNxt + window) | 0;
    for (let sent = 0; sent < window; sent += MSS) {
      c.sndUna = (c.sndUna + MSS) | 0;
      cubic.acknowledged(c, MSS, window, round * 50, rtt);
    }
  }
  return c.cwnd / MSS;
}

test('HyStart++ leaves slow start when round trips grow, and only then (RFC 9406)', () => {
  assert.ok(slowStart(0) > 50_000, 'steady round trips: it goes on doubling');
  assert.ok(slowStart(10_000) < 500, 'growing ones: it ends within a few rounds');
});
