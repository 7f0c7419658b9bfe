/**
 * What a connection counts of the unusual: retransmissions, timeouts, reordering.
 *
 * Made when something of the kind first happens to it and pooled (records.ts): a connection to
 * which nothing ever happens has none.
 * @module
 */
import type { Connection } from './connection.ts';
import type { Tcp } from './tcp.ts';

export class Tally {
  /** Segments sent again, and their payload bytes. */
  retransmits = 0;
  bytesRetransmitted = 0;
  /** Duplicates the peer told us of (DSACK). */
  dsacksIn = 0;
  /** Times the path was seen to reorder what we sent. */
  reorderings = 0;
  /** Segments that arrived ahead of a hole. */
  outOfOrder = 0;
  /** Retransmission timeouts, the recoveries they began, and how long those took together (ms). */
  timeouts = 0;
  timeoutRecoveries = 0;
  timeoutMs = 0;
  /** When the recovery from a timeout that is under way began (ms). */
  timeoutSince = 0;

  clear(): void {
    this.retransmits = 0;
    this.bytesRetransmitted = 0;
    this.dsacksIn = 0;
    this.reorderings = 0;
    this.outOfOrder = 0;
    this.timeouts = 0;
    this.timeoutRecoveries = 0;
    this.timeoutMs = 0;
    this.timeoutSince = 0;
  }
}

/** `segments` with together `bytes` of payload went out again. */
export function noteRetransmission(tcp: Tcp, c: Connection, segments: number, bytes: number): void {
  const tally = tcp.records.tallyOf(c);
  tally.retransmits += segments;
  tally.bytesRetransmitted += bytes;
}

/** The retransmission timer fired; `first` of this recovery. */
export function noteTimeout(tcp: Tcp, c: Connection, first: boolean): void {
  const tally = tcp.records.tallyOf(c);
  tally.timeouts++;
  if (!first) return;
  tally.timeoutRecoveries++;
  tally.timeoutSince = tcp.clock.ms;
}

/** The recovery that a timeout had begun is over. */
export function noteTimeoutOver(tcp: Tcp, c: Connection): void {
  const tally = tcp.records.tallyOf(c);
  tally.timeoutMs += (tcp.clock.ms - tally.timeoutSince) | 0;
}
