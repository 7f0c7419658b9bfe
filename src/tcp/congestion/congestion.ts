/**
 * The small interface behind which congestion control algorithms live.
 *
 * They own cwnd and ssthresh (bytes) of a connection; when loss is detected and what is sent
 * again is recovery.ts's business. One object per algorithm, none per connection: what they
 * remember is in the connection's `growth`, which one that never fills its window is without.
 * @module
 */
import type { Connection } from '../connection.ts';
import type { Control } from './control.ts';
import type { Kept } from './kept.ts';

/** The largest window an algorithm may set: int32 sums with it do not overflow. */
export const MOST_WINDOW = 0x3fffffff;

export interface CongestionControl {
  readonly name: string;
  /** The record of connections that need nothing of their own. */
  readonly shared: Control;
  /**
   * 1 when it goes by a model of the path: it is paced, hears of each ACK through pacing.ts, and
   * sets cwnd itself, in recovery too.
   */
  readonly hasModel: number;
  /** The connection is established: initial window of `segments` segments. */
  start(c: Connection, segments: number): void;
  /**
   * `bytes` were newly acknowledged outside recovery; `flight` was outstanding before.
   * @param rttUs this ACK's round-trip time in microseconds, -1 for none
   */
  acknowledged(c: Connection, bytes: number, flight: number, nowMs: number, rttUs: number): void;
  /** Loss was detected by duplicate ACKs: sets ssthresh. */
  lost(c: Connection): void;
  /** The retransmission timer fired: sets ssthresh and the loss window. */
  timedOut(c: Connection): void;
  /** A mark (ECN) says that the path fills up: sets ssthresh and cwnd. */
  congested(c: Connection): void;
  /** Before lost() or timedOut(): what restore() needs when it turns out that nothing was lost. */
  keep(c: Connection, kept: Kept): void;
  /** The loss was none: the window as it was. */
  restore(c: Connection, kept: Kept): void;
  /** Nothing was sent for longer than an RTO: the restart window (RFC 5681 4.1). */
  idled(c: Connection, segments: number): void;
}
