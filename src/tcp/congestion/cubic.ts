/**
 * CUBIC (RFC 9438) with HyStart++ (RFC 9406).   hot path
 *
 * After a loss the window grows along a cubic curve around the size at which the loss happened,
 * by real time, so that it does not depend on the round-trip time; never slower than Reno would.
 * HyStart++ leaves slow start when round trips begin to grow, before the queue overflows.
 *
 * State is in the connection's growth, windows in bytes, times in milliseconds. Float64 only within a
 * function.
 * @module
 */
import type { Connection } from '../connection.ts';
import { type CongestionControl, MOST_WINDOW } from './congestion.ts';
import { Control } from './control.ts';
import { type Growth, growthOf, NO_RTT } from './growth.ts';
import { type Kept, keepWindow, restoreWindow } from './kept.ts';
import { windowUsed } from './usage.ts';

/** RFC 9438 4.1, 4.6, 5. */
const C = 0.4;
const BETA = 0.7;
/** RFC 8511 3.1. */
const BETA_MARKED = 0.85;
/** RFC 9438 4.3: what Reno would add per window, with CUBIC's decrease, up to the last loss. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
/** RFC 3465: a single ACK opens the window by at most this many segments in slow start. */
const LIMIT = 8;

/** Until the first loss the window grows by a twentieth per round trip at least, as in Linux. */
const BLIND_DIVISOR = 20;

/** RFC 9406 4.3, microseconds. */
const MIN_RTT_THRESHOLD = 4_000;
const MAX_RTT_THRESHOLD = 16_000;
const RTT_SAMPLES = 8;
const CSS_DIVISOR = 4;
const CSS_ROUNDS = 5;

class Cubic implements CongestionControl {
  readonly name = 'cubic';
  readonly shared: Control = new Control(this);
  readonly hasModel = 0;

  start(c: Connection, segments: number): void {
    c.cwnd = segments * c.mss;
    c.ssthresh = MOST_WINDOW;
    if (c.growth !== null) c.growth.reset(c.sndNxt);
  }

  acknowledged(c: Connection, bytes: number, flight: number, nowMs: number, rttUs: number): void {
    if (c.cwnd < c.ssthresh) {
      // A window that was not used proves nothing (RFC 7661): leave it.
      if (windowUsed(c, flight) * 2 >= c.cwnd) slowStart(c, growthOf(c), bytes, rttUs);
    } else if (windowUsed(c, flight) + c.mss >= c.cwnd) {
      avoidance(c, growthOf(c), bytes, nowMs);
    } else if (c.growth !== null && c.growth.pausedAt === 0) {
      c.growth.pausedAt = nowMs === 0 ? 1 : nowMs;
    }
    if (c.cwnd > MOST_WINDOW) c.cwnd = MOST_WINDOW;
  }

  lost(c: Connection): void {
    this.#reduce(c, BETA);
  }

  /** Alternative backoff (RFC 8511): a mark comes from a short queue, so less is given up. */
  congested(c: Connection): void {
    this.#reduce(c, BETA_MARKED);
    if (c.cwnd > c.ssthresh) c.cwnd = c.ssthresh;
  }

  #reduce(c: Connection, beta: number): void {
    const window = c.cwnd;
    // Fast convergence (RFC 9438 4.7): a smaller peak than last time makes room for others.
    const growth = growthOf(c);
    growth.cubicMax = window < growth.cubicMax ? ((window * (1 + BETA)) / 2) | 0 : window;
    const reduced = (window * beta) | 0;
    c.ssthresh = reduced > 2 * c.mss ? reduced : 2 * c.mss;
    growth.hasLost = 1;
    growth.cubicPrior = window;
    growth.cubicEpoch = 0;
    growth.ackedBytes = 0;
  }

  timedOut(c: Connection): void {
    this.lost(c);
    c.cwnd = c.mss;
  }

  /** RFC 9438 4.9. */
  keep(c: Connection, kept: Kept): void {
    keepWindow(c, kept);
    if (c.growth !== null) keepCurve(c.growth, kept);
  }

  restore(c: Connection, kept: Kept): void {
    restoreWindow(c, kept);
    restoreCurve(growthOf(c), kept);
  }

  idled(c: Connection, segments: number): void {
    const restart = segments * c.mss;
    if (c.cwnd > restart) c.cwnd = restart;
    if (c.growth !== null) c.growth.cubicEpoch = 0;
  }
}

function keepCurve(growth: Growth, kept: Kept): void {
  kept.cubicMax = growth.cubicMax;
  kept.cubicEpoch = growth.cubicEpoch;
  kept.cubicK = growth.cubicK;
  kept.cubicReno = growth.cubicReno;
  kept.cubicPrior = growth.cubicPrior;
}

function restoreCurve(growth: Growth, kept: Kept): void {
  growth.cubicMax = kept.cubicMax;
  growth.cubicEpoch = kept.cubicEpoch;
  growth.cubicK = kept.cubicK;
  growth.cubicReno = kept.cubicReno;
  growth.cubicPrior = kept.cubicPrior;
}

function slowStart(c: Connection, growth: Growth, bytes: number, rttUs: number): void {
  hystart(c, growth, rttUs);
  const most = LIMIT * c.mss;
  const counted = bytes < most ? bytes : most;
  c.cwnd += growth.cssRounds === 0 ? counted : (counted / CSS_DIVISOR) | 0;
}

/** RFC 9438 4.2 to 4.5. */
function avoidance(c: Connection, growth: Growth, bytes: number, nowMs: number): void {
  if (growth.cubicEpoch === 0) beginEpoch(c, growth, nowMs);
  else if (growth.pausedAt !== 0) resume(growth, nowMs);
  const seconds = ((nowMs - growth.cubicEpoch) | 0) / 1000 + c.srtt / 8e6;
  const offset = seconds - growth.cubicK / 1000;
  const target = growth.cubicMax + C * offset * offset * offset * c.mss;
  const alpha = growth.cubicReno < growth.cubicPrior ? ALPHA : 1;
  growth.cubicReno += (alpha * bytes * c.mss) / c.cwnd;
  // At most half a window more per round trip (4.2).
  const most = c.cwnd * 1.5;
  const goal = target < most ? target : most;
  const step = goal > c.cwnd ? ((goal - c.cwnd) * bytes) / c.cwnd : 0;
  const least = growth.hasLost === 0 ? bytes / BLIND_DIVISOR : 0;
  growth.ackedBytes += step > least ? step : least;
  const grown = growth.ackedBytes | 0;
  c.cwnd += grown;
  growth.ackedBytes -= grown;
  // Never below what Reno would have: at once, not a step towards it (4.3).
  if (growth.cubicReno > c.cwnd) c.cwnd = growth.cubicReno | 0;
}

/** RFC 9438 5.8: time in which the program had nothing to send is not time on the curve. */
function resume(growth: Growth, nowMs: number): void {
  const epoch = (growth.cubicEpoch + (nowMs - growth.pausedAt)) | 0;
  growth.cubicEpoch = epoch === 0 ? 1 : epoch;
  growth.pausedAt = 0;
}

function beginEpoch(c: Connection, growth: Growth, nowMs: number): void {
  growth.cubicEpoch = nowMs === 0 ? 1 : nowMs;
  growth.cubicReno = c.cwnd;
  growth.pausedAt = 0;
  growth.ackedBytes = 0;
  if (c.cwnd >= growth.cubicMax) {
    growth.cubicMax = c.cwnd;
    growth.cubicK = 0;
  } else {
    growth.cubicK = Math.cbrt((growth.cubicMax - c.cwnd) / c.mss / C) * 1000;
  }
}

/** RFC 9406 4.2: one look per round trip at the least round-trip time of its first ACKs. */
function hystart(c: Connection, growth: Growth, rttUs: number): void {
  if (((c.sndUna - growth.roundEnd) | 0) >= 0) endRound(c, growth);
  if (rttUs >= 0) {
    if (rttUs < growth.roundRtt) growth.roundRtt = rttUs;
    growth.roundSamples++;
  }
  if (growth.roundSamples < RTT_SAMPLES || growth.roundRtt === NO_RTT) return;
  if (growth.cssRounds === 0) {
    if (
      growth.lastRoundRtt !== NO_RTT &&
      growth.roundRtt >= growth.lastRoundRtt + threshold(growth.lastRoundRtt)
    ) {
      growth.cssRounds = 1;
      growth.cssBaseRtt = growth.roundRtt;
    }
  } else if (growth.roundRtt < growth.cssBaseRtt) {
    // It was noise: slow start goes on.
    growth.cssRounds = 0;
  }
}

function endRound(c: Connection, growth: Growth): void {
  if (growth.cssRounds > 0) {
    growth.cssRounds++;
    if (growth.cssRounds > CSS_ROUNDS) c.ssthresh = c.cwnd;
  }
  startRound(c, growth);
}

function startRound(c: Connection, growth: Growth): void {
  growth.lastRoundRtt = growth.roundRtt;
  growth.roundRtt = NO_RTT;
  growth.roundSamples = 0;
  growth.roundEnd = c.sndNxt;
}

/** An eighth of the round trip, between 4 and 16 ms. */
function threshold(rtt: number): number {
  const eighth = rtt >> 3;
  if (eighth < MIN_RTT_THRESHOLD) return MIN_RTT_THRESHOLD;
  return eighth > MAX_RTT_THRESHOLD ? MAX_RTT_THRESHOLD : eighth;
}

export const cubic: CongestionControl = new Cubic();
