/**
 * Reno's window rules (RFC 5681) with appropriate byte counting (RFC 3465).   hot path
 * @module
 */
import type { Connection } from '../connection.ts';
import { type CongestionControl, MOST_WINDOW } from './congestion.ts';
import { Control } from './control.ts';
import { growthOf } from './growth.ts';
import { type Kept, keepWindow, restoreWindow } from './kept.ts';
import { windowUsed } from './usage.ts';

/** RFC 3465: a single ACK opens the window by at most this many segments in slow start. */
const LIMIT = 2;
/** RFC 8511 3.1. */
const BETA_MARKED = 0.8;

class NewReno implements CongestionControl {
  readonly name = 'newreno';
  readonly shared: Control = new Control(this);
  readonly hasModel = 0;

  start(c: Connection, segments: number): void {
    c.cwnd = segments * c.mss;
    c.ssthresh = MOST_WINDOW;
    if (c.growth !== null) c.growth.ackedBytes = 0;
  }

  acknowledged(c: Connection, bytes: number, flight: number): void {
    // A window that was not used proves nothing (RFC 7661): leave it.
    if (windowUsed(c, flight) + c.mss < c.cwnd) return;
    if (c.cwnd < c.ssthresh) {
      c.cwnd += bytes < LIMIT * c.mss ? bytes : LIMIT * c.mss;
    } else {
      const growth = growthOf(c);
      growth.ackedBytes += bytes;
      if (growth.ackedBytes >= c.cwnd) {
        growth.ackedBytes -= c.cwnd;
        c.cwnd += c.mss;
      }
    }
    if (c.cwnd > MOST_WINDOW) c.cwnd = MOST_WINDOW;
  }

  lost(c: Connection): void {
    c.ssthresh = half(c);
    if (c.growth !== null) c.growth.ackedBytes = 0;
  }

  /** Alternative backoff (RFC 8511): a mark comes from a short queue, so less is given up. */
  congested(c: Connection): void {
    const reduced = (c.flight * BETA_MARKED) | 0;
    c.ssthresh = reduced > 2 * c.mss ? reduced : 2 * c.mss;
    if (c.cwnd > c.ssthresh) c.cwnd = c.ssthresh;
    // ACKs that echo the mark, those of this flight, open no window (RFC 3168 6.1.2).
    growthOf(c).ackedBytes = -c.flight;
  }

  timedOut(c: Connection): void {
    c.ssthresh = half(c);
    c.cwnd = c.mss;
    if (c.growth !== null) c.growth.ackedBytes = 0;
  }

  keep(c: Connection, kept: Kept): void {
    keepWindow(c, kept);
  }

  restore(c: Connection, kept: Kept): void {
    restoreWindow(c, kept);
  }

  idled(c: Connection, segments: number): void {
    const restart = segments * c.mss;
    if (c.cwnd > restart) c.cwnd = restart;
  }
}

/** max(FlightSize / 2, 2 SMSS), RFC 5681 equation 4. */
function half(c: Connection): number {
  const half = c.flight >> 1;
  return half > 2 * c.mss ? half : 2 * c.mss;
}

export const newReno: CongestionControl = new NewReno();
