/**
 * Whether the window was what held the sender back (RFC 2861, RFC 7661, Linux's is_cwnd_limited).   hot path
 *
 * ACKs come in trains. When the last one of a train is looked at hardly anything is in flight any
 * more, and still the window was full when all that it acknowledges was sent. So what counts is
 * the most that was in flight during a round trip.
 * @module
 */
import type { Connection } from '../connection.ts';

/**
 * Bytes of the window that were in use in the round trip that is being acknowledged; `flight`
 * were before this ACK.
 */
export function windowUsed(c: Connection, flight: number): number {
  const growth = c.growth;
  if (growth === null) return flight;
  if (flight < growth.used && ((c.sndUna - growth.usedEnd) | 0) < 0) return growth.used;
  growth.used = flight;
  growth.usedEnd = c.sndNxt;
  return flight;
}
