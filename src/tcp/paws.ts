/**
 * Protection against wrapped sequence numbers (RFC 7323 5): a segment with an older timestamp
 * than the last in order is a ghost from before the numbers wrapped, or from another connection.   hot path
 * @module
 */
import type { TcpOptionValues } from '../wire/tcp-options.ts';
import type { Connection } from './connection.ts';

/** RFC 7323 5.5: after 24 days of silence TS.Recent says nothing any more. */
const OUTDATED_MS = 24 * 24 * 3600 * 1000;

/** R1: false when the segment is to be answered with an ACK and dropped. */
export function isFresh(c: Connection, values: TcpOptionValues, nowMs: number): boolean {
  if (c.tsOk === 0 || values.timestamps === 0) return true;
  if (((values.tsVal - c.tsRecent) | 0) >= 0) return true;
  return (nowMs - c.tsRecentAt) >>> 0 > OUTDATED_MS;
}

/** RFC 7323 3.2: with timestamps agreed on, a segment without them is not of this connection. */
export function isMissing(c: Connection, values: TcpOptionValues): boolean {
  return c.tsOk === 1 && values.timestamps === 0;
}

/** R3 (RFC 7323 4.3): the timestamp to echo is that of the segment the next ACK is due to. */
export function remember(c: Connection, values: TcpOptionValues, seq: number, nowMs: number): void {
  if (c.tsOk === 0 || ((seq - c.lastAckSent) | 0) > 0) return;
  if (((values.tsVal - c.tsRecent) | 0) < 0 && (nowMs - c.tsRecentAt) >>> 0 <= OUTDATED_MS) return;
  c.tsRecent = values.tsVal;
  c.tsRecentAt = nowMs;
}
