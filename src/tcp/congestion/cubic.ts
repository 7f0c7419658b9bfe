/**
 * CUBIC (RFC 9438) with HyStart++ (RFC 9406).   hot path
 *
 * After a loss the window grows along a cubic curve around the size at which the loss happened,
 * by real time, so that it does not depend on the round-trip time; never slower than Reno would.
 * HyStart++ leaves slow start when round trips begin to grow, before the queue overflows.
 *
 * State is on the connection, windows in bytes, times in milliseconds. Float64 only within a
 * function.
 * @module
 */
import type { Connection } from '../connection.ts';
import { type CongestionControl, MOST_WINDOW } from './congestion.ts';

/** RFC 9438 4.1, 4.6, 5. */
const C = 0.4;
const BETA = 0.7;
/** RFC 9438 4.3: what Reno would add per window, with CUBIC's decrease. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
/** RFC 3465: a single ACK opens the window by at most this many segments in slow start. */
const LIMIT = 8;

/** RFC 9406 4.3, microseconds. */
const MIN_RTT_THRESHOLD = 4_000;
const MAX_RTT_THRESHOLD = 16_000;
const RTT_SAMPLES = 8;
const CSS_DIVISOR = 4;
const CSS_ROUNDS = 5;
const NO_RTT = 0x7fffffff;

class Cubic implements CongestionControl {
  readonly name = 'cubic';

  start(c: Connection, segments: number): void {
    c.cwnd = segments * c.mss;
    c.ssthresh = MOST_WINDOW;
    c.ackedBytes = 0;
    c.cubicMax = 0;
    c.cubicEpoch = 0;
    c.cssRounds = 0;
    startRound(c);
    c.lastRoundRtt = NO_RTT;
  }

  acknowledged(c: Connection, bytes: number, flight: number, nowMs: number, rttUs: number): void {
    if (c.cwnd < c.ssthresh) {
      hystart(c, rttUs);
      // A window that was not used proves nothing (RFC 7661): leave it.
      if (flight * 2 >= c.cwnd) slowStart(c, bytes);
    } else if (flight + 3 * c.mss >= c.cwnd) {
      avoidance(c, bytes, nowMs);
    }
    if (c.cwnd > MOST_WINDOW) c.cwnd = MOST_WINDOW;
  }

  lost(c: Connection): void {
    const window = c.cwnd;
    // Fast convergence (RFC 9438 4.7): a smaller peak than last time makes room for others.
    c.cubicMax = window < c.cubicMax ? ((window * (1 + BETA)) / 2) | 0 : window;
    const reduced = (window * BETA) | 0;
    c.ssthresh = reduced > 2 * c.mss ? reduced : 2 * c.mss;
    c.cubicEpoch = 0;
    c.ackedBytes = 0;
  }

  timedOut(c: Connection): void {
    this.lost(c);
    c.cwnd = c.mss;
  }

  idled(c: Connection, segments: number): void {
    const restart = segments * c.mss;
    if (c.cwnd > restart) c.cwnd = restart;
    c.cubicEpoch = 0;
  }
}

function slowStart(c: Connection, bytes: number): void {
  const most = LIMIT * c.mss;
  const counted = bytes < most ? bytes : most;
  c.cwnd += c.cssRounds === 0 ? counted : (counted / CSS_DIVISOR) | 0;
}

/** RFC 9438 4.2 to 4.5. */
function avoidance(c: Connection, bytes: number, nowMs: number): void {
  if (c.cubicEpoch === 0) beginEpoch(c, nowMs);
  const seconds = ((nowMs - c.cubicEpoch) | 0) / 1000 + c.srtt / 8e6;
  const offset = seconds - c.cubicK / 1000;
  const target = c.cubicMax + C * offset * offset * offset * c.mss;
  c.cubicReno += (ALPHA * bytes * c.mss) / c.cwnd;
  const wanted = target > c.cubicReno ? target : c.cubicReno;
  // At most half a window more per round trip (4.2).
  const most = c.cwnd * 1.5;
  const goal = wanted < most ? wanted : most;
  if (goal <= c.cwnd) return;
  c.ackedBytes += ((goal - c.cwnd) * bytes) / c.cwnd;
  const grown = c.ackedBytes | 0;
  c.cwnd += grown;
  c.ackedBytes -= grown;
}

function beginEpoch(c: Connection, nowMs: number): void {
  c.cubicEpoch = nowMs === 0 ? 1 : nowMs;
  c.cubicReno = c.cwnd;
  c.ackedBytes = 0;
  if (c.cwnd >= c.cubicMax) {
    c.cubicMax = c.cwnd;
    c.cubicK = 0;
  } else {
    c.cubicK = Math.cbrt((c.cubicMax - c.cwnd) / c.mss / C) * 1000;
  }
}

/** RFC 9406 4.2: one look per round trip at the least round-trip time of its first ACKs. */
function hystart(c: Connection, rttUs: number): void {
  if (((c.sndUna - c.roundEnd) | 0) >= 0) endRound(c);
  if (rttUs >= 0) {
    if (rttUs < c.roundRtt) c.roundRtt = rttUs;
    c.roundSamples++;
  }
  if (c.roundSamples < RTT_SAMPLES || c.roundRtt === NO_RTT) return;
  if (c.cssRounds === 0) {
    if (c.lastRoundRtt !== NO_RTT && c.roundRtt >= c.lastRoundRtt + threshold(c.lastRoundRtt)) {
      c.cssRounds = 1;
      c.cssBaseRtt = c.roundRtt;
    }
  } else if (c.roundRtt < c.cssBaseRtt) {
    // It was noise: slow start goes on.
    c.cssRounds = 0;
  }
}

function endRound(c: Connection): void {
  if (c.cssRounds > 0) {
    c.cssRounds++;
    if (c.cssRounds > CSS_ROUNDS) c.ssthresh = c.cwnd;
  }
  startRound(c);
}

function startRound(c: Connection): void {
  c.lastRoundRtt = c.roundRtt;
  c.roundRtt = NO_RTT;
  c.roundSamples = 0;
  c.roundEnd = c.sndNxt;
}

/** An eighth of the round trip, between 4 and 16 ms. */
function threshold(rtt: number): number {
  const eighth = rtt >> 3;
  if (eighth < MIN_RTT_THRESHOLD) return MIN_RTT_THRESHOLD;
  return eighth > MAX_RTT_THRESHOLD ? MAX_RTT_THRESHOLD : eighth;
}

export const cubic: CongestionControl = new Cubic();
