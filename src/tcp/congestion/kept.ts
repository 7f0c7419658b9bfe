/**
 * A congestion window as it was before a loss was acted on, for when there was none (undo.ts).   hot path
 * @module
 */
import type { Connection } from '../connection.ts';

export class Kept {
  cwnd = 0;
  ssthresh = 0;
  /** CUBIC's W_max, epoch, K and W_est (RFC 9438 4.9); 0 from others, which begins an epoch. */
  cubicMax = 0;
  cubicEpoch = 0;
  cubicK = 0;
  cubicReno = 0;
  cubicPrior = 0;
}

/** What every algorithm keeps. */
export function keepWindow(c: Connection, kept: Kept): void {
  kept.cwnd = c.cwnd;
  kept.ssthresh = c.ssthresh;
  kept.cubicMax = 0;
  kept.cubicEpoch = 0;
  kept.cubicK = 0;
  kept.cubicReno = 0;
  kept.cubicPrior = 0;
}

/** The window back; what was won meanwhile stays. */
export function restoreWindow(c: Connection, kept: Kept): void {
  if (kept.cwnd > c.cwnd) c.cwnd = kept.cwnd;
  if (kept.ssthresh > c.ssthresh) c.ssthresh = kept.ssthresh;
}
