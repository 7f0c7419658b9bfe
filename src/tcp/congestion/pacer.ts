/**
 * Pacing: when a connection may send next, so that a window leaves over a round trip and not in
 * one burst.   hot path
 *
 * Rates are int32 in RATE_UNIT-ths of a byte per millisecond (16 bytes per second to 33 GB/s).
 * What is released at once is about a millisecond's worth: more often than that the timer wheel
 * cannot wake it. What it woke too late is made up for.
 * @module
 */
import type { BbrModel } from './bbr-model.ts';

/** Units of a rate in one byte per millisecond. */
export const RATE_UNIT = 64;
/** The largest rate. */
export const MOST_RATE = 0x7fffffff;
/** A release is at least this many segments, and at most this many bytes. */
const LEAST_SEGMENTS = 2;
const MOST_QUANTUM = 65_536;
/** Microseconds of lateness that are made up for, and the longest wait. */
const CREDIT_US = 1_000;
const MOST_WAIT_US = 1_000_000;

export class Pacer {
  /** The algorithm's picture of the path; null for those that go by windows. */
  model: BbrModel | null = null;
  /** 0: not known yet, nothing waits. */
  rate = 0;
  /** When the timer is to wake the connection (ms). */
  wakeAt = 0;
  /** What of the last release is left, bytes. */
  #budget = 0;
  /** When the next release is due (us). */
  #nextAt = 0;

  reset(nowUs: number): void {
    this.rate = 0;
    this.#budget = 0;
    this.#nextAt = nowUs;
  }

  /** Bytes that may leave now; 0: not yet. */
  allowance(mss: number, nowUs: number): number {
    if (this.rate === 0) return MOST_QUANTUM;
    if (this.#budget > 0) return this.#budget;
    const late = (nowUs - this.#nextAt) | 0;
    if (late < 0 && late >= -MOST_WAIT_US) return 0;
    if (late < 0 || late > CREDIT_US) this.#nextAt = (nowUs - (late < 0 ? 0 : CREDIT_US)) | 0;
    // The whole release is paid for at once: by the segment, the fractions would add up.
    const quantum = this.quantum(mss);
    const us = (quantum * RATE_UNIT * 1000) / this.rate;
    this.#nextAt = (this.#nextAt + (us < MOST_WAIT_US ? us : MOST_WAIT_US)) | 0;
    this.#budget += quantum;
    return this.#budget;
  }

  /** Bytes of one release. */
  quantum(mss: number): number {
    const millisecond = (this.rate / RATE_UNIT) | 0;
    const least = LEAST_SEGMENTS * mss;
    if (millisecond < least) return least;
    return millisecond < MOST_QUANTUM ? millisecond : MOST_QUANTUM;
  }

  /** `bytes` left. */
  sent(bytes: number): void {
    if (this.rate !== 0) this.#budget -= bytes;
  }

  /** Whole milliseconds until the next release. */
  waitMs(nowUs: number): number {
    return 1 + ((((this.#nextAt - nowUs) | 0) / 1000) | 0);
  }
}

/** `bytes` per `us` as a rate. */
export function rateOf(bytes: number, us: number): number {
  const rate = (bytes * RATE_UNIT * 1000) / (us < 1 ? 1 : us);
  return rate < MOST_RATE ? rate | 0 : MOST_RATE;
}

/** The bytes that `rate` delivers in `us`. */
export function bytesIn(rate: number, us: number): number {
  const bytes = ((rate / RATE_UNIT) * us) / 1000;
  return bytes < MOST_RATE ? bytes | 0 : MOST_RATE;
}
