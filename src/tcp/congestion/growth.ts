/**
 * What congestion control remembers of a connection beyond cwnd and ssthresh: made when the
 * window is used as far as it goes for the first time, or cut. A connection whose answers fit
 * into the initial window never has one.
 * @module
 */
import type { Connection } from '../connection.ts';
import { Pool } from '../pool.ts';

/** Larger than any round-trip time. */
export const NO_RTT = 0x7fffffff;

export class Growth {
  /** Bytes acknowledged and not yet turned into window. */
  ackedBytes = 0;
  /** CUBIC: W_max, the epoch's start (ms, 0: none), K (ms), what Reno would have. */
  cubicMax = 0;
  cubicEpoch = 0;
  cubicK = 0;
  cubicReno = 0;
  /** CUBIC: the window at the last loss. */
  cubicPrior = 0;
  /** 1 once there was a loss: before it nobody knows how much the path takes. */
  hasLost = 0;
  /** CUBIC: since when the window is not used (ms, 0: it is). The curve waits meanwhile. */
  pausedAt = 0;
  /** The most that was in flight in the round trip that ends at usedEnd (usage.ts). */
  used = 0;
  usedEnd = 0;
  /** HyStart++: where the round ends, its least round-trip time and samples, the last round's. */
  roundEnd = 0;
  roundRtt = NO_RTT;
  roundSamples = 0;
  lastRoundRtt = NO_RTT;
  /** Rounds of conservative slow start, 0: none; the round-trip time at its beginning. */
  cssRounds = 0;
  cssBaseRtt = 0;

  reset(sndNxt: number): void {
    this.ackedBytes = 0;
    this.hasLost = 0;
    this.cubicMax = 0;
    this.cubicPrior = 0;
    this.cubicEpoch = 0;
    this.pausedAt = 0;
    this.used = 0;
    this.usedEnd = sndNxt;
    this.roundEnd = sndNxt;
    this.roundRtt = NO_RTT;
    this.roundSamples = 0;
    this.lastRoundRtt = NO_RTT;
    this.cssRounds = 0;
  }
}

const growths = new Pool(() => new Growth());

export function growthOf(c: Connection): Growth {
  if (c.growth !== null) return c.growth;
  const growth = growths.take();
  growth.reset(c.sndNxt);
  c.growth = growth;
  return growth;
}

export function giveGrowth(c: Connection): void {
  if (c.growth === null) return;
  growths.give(c.growth);
  c.growth = null;
}
