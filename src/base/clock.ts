/**
 * The stack's clock: set once per poll from the caller's `now`, read by everything inside.
 *
 * Two int32 readings of the same time, because a float64 in a field or an argument costs an
 * allocation where the compiler cannot see through: milliseconds for timers (wraps after 49
 * days), microseconds for round-trip times (wraps after 71 minutes). Compare by subtraction.
 * @module
 */

export class Clock {
  /** Milliseconds, wrapped to int32. */
  ms = 0;
  /** Microseconds, wrapped to int32. */
  us = 0;

  /** `now` in microseconds, monotonic; any origin. */
  set(now: number): void {
    // `| 0` is the value modulo 2^32, without a division.
    this.us = now | 0;
    this.ms = (now / 1000) | 0;
  }
}
