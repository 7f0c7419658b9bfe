/**
 * Segment sizes and the window's scale (RFC 9293 3.7.1, RFC 6691, RFC 7323 2.2).
 * @module
 */
import type { Path } from '../net/path.ts';
import * as Wire from '../wire/tcp.ts';
import * as Options from '../wire/tcp-options.ts';
import type { Connection } from './connection.ts';

/** RFC 9293 3.7.1: the MSS of a peer that names none. */
const DEFAULT_MSS_V4 = 536;
const DEFAULT_MSS_V6 = 1220;

/** The MSS we tell the peer: what our interface takes. */
export function offeredMss(path: Path): number {
  return path.nic.mtu - path.headerLength - Wire.HEADER_LENGTH;
}

/** The MSS that a peer states with its option (0: none). */
export function statedMss(path: Path, offered: number): number {
  if (offered !== 0) return offered;
  return path.version === 4 ? DEFAULT_MSS_V4 : DEFAULT_MSS_V6;
}

/** The MSS towards the peer, from its option (0: none) and the path; at least `floor` of it. */
export function sendMss(path: Path, offered: number, floor: number): number {
  let mss = statedMss(path, offered);
  if (mss < floor) mss = floor;
  const fits = path.mtu - path.headerLength - Wire.HEADER_LENGTH;
  return mss < fits ? mss : fits;
}

/** What of the MSS remains for payload: timestamps are on every segment. */
export function payloadMss(c: Connection, mss: number): number {
  return c.tsOk === 1 ? mss - Options.TIMESTAMPS_LENGTH : mss;
}

/** The smallest shift with which 16 bits can express a buffer of `bytes`. */
export function scaleFor(bytes: number): number {
  let scale = 0;
  while (scale < Options.MAX_WINDOW_SCALE && 65535 << scale < bytes) scale++;
  return scale;
}
