/**
 * What undo.ts remembers of a recovery, to take it back when it was for nothing.   hot path
 * @module
 */
import { Kept } from './congestion/kept.ts';

/** Values of `frto`: not tried, the first ACK after the timeout is awaited, or the second. */
export const FRTO_NONE = 0;
export const FRTO_FIRST = 1;
export const FRTO_SECOND = 2;

/** What is known of the recovery under way, or of the last one. A part of `Loss` (parts.ts). */
export class Undo {
  /** 1 while the recovery can still be taken back. */
  armed = 0;
  /** sndUna when it began, and the end of what was sent again: DSACKs elsewhere are not its. */
  from = 0;
  to = 0;
  /** 1 once something was sent again; our clock (ms) when that was, as in its timestamp. */
  repeated = 0;
  repeatedAt = 0;
  /** Bytes sent again that the peer has not called duplicates. */
  doubted = 0;
  frto = FRTO_NONE;
  /** 1 while nothing is in flight any more and a DSACK may still come (recovery.ts). */
  outlasts = 0;
  readonly kept: Kept = new Kept();

  reset(): void {
    this.armed = 0;
    this.frto = FRTO_NONE;
    this.outlasts = 0;
  }

  /** [first, end) is sent again. */
  repeats(first: number, end: number, nowMs: number): void {
    if (this.armed === 0) return;
    if (this.repeated === 0) {
      this.repeated = 1;
      this.repeatedAt = nowMs;
      this.to = end;
    } else if (((end - this.to) | 0) > 0) {
      this.to = end;
    }
    this.doubted += (end - first) | 0;
  }

  /** The peer got [first, end) twice. */
  refuted(first: number, end: number): void {
    if (this.armed === 0 || this.repeated === 0) return;
    if (((first - this.from) | 0) < 0 || ((end - this.to) | 0) > 0) return;
    const left = this.doubted - ((end - first) | 0);
    this.doubted = left > 0 ? left : 0;
  }

  /** Everything that was sent again was a duplicate. */
  get isRefuted(): boolean {
    return this.repeated === 1 && this.doubted === 0;
  }
}
