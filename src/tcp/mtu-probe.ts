/**
 * Finding the path's MTU without ICMP (RFC 4821, packetization layer path MTU discovery).
 *
 * Some routers drop what is too large and say nothing: a black hole. When the retransmission
 * timer fires for the third time in a row for full segments, they are made smaller. Then the
 * search goes upward: one segment of a size in question is sent, with enough behind it that its
 * loss is seen. When it arrives, all are that large; when not, it is repeated in pieces, and the
 * loss says nothing about congestion (RFC 4821 7.5). Probing needs SACK, which tells which
 * segment it was that was lost.
 *
 *     low ------------------ probe ------------------ high          payload bytes of a segment
 *     c.mss, arrives         in flight                the largest not known to be too large
 *
 * A connection without trouble has no record, and pays a test for null where data is sent and
 * where it is acknowledged.
 * @module
 */
import { boundedMss } from './choices.ts';
import { type Connection, OPEN } from './connection.ts';
import { giveProbing, type Probing, probingOf } from './parts.ts';
import type { Scoreboard } from './scoreboard.ts';
import { payloadMss, sendMss } from './sizes.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';
import { note } from './trace.ts';
import { NONE } from './transmissions.ts';

/** Timeouts in a row that may be a black hole's doing: Linux's tcp_retries1. */
export const SUSPICIOUS_RETRIES = 3;
/** Where the search begins: what nearly every path takes (Linux's tcp_base_mss), and 1,280 - 60. */
const BASE_V4 = 1024;
const BASE_V6 = 1220;
/** A search is over when this little is left to gain (Linux's tcp_probe_threshold). */
const WORTHWHILE = 8;
/** After a failed probe; and after a search, or an ICMP message, paths may have changed. */
const PAUSE_MS = 1000;
const AGAIN_MS = 600_000;
/** Segments behind the probe, whose arrival shows that it is lost. */
const FOLLOWERS = 4;

/** A timeout again: when full segments may be what does not arrive, they get smaller. */
export function suspectBlackHole(tcp: Tcp, c: Connection): void {
  if (tcp.options.mtuProbing === 'never' || c.retries < SUSPICIOUS_RETRIES) return;
  // A peer whose window has shrunk to nothing does not take them either.
  if (c.sndWnd < c.mss) return;
  const base = baseOf(tcp, c);
  const least = c.path!.version === 6 ? base : payloadMss(c, tcp.options.minMss);
  const half = c.mss >> 1 > least ? c.mss >> 1 : least;
  const lower = c.mss > base ? base : half;
  if (lower >= c.mss || c.flight < lower) return;
  const probing = begin(c, tcp.clock.ms + PAUSE_MS);
  tcp.stats[Stats.BLACK_HOLES]! += 1;
  probing.high = probing.most;
  probing.highFailed = 0;
  c.mss = lower;
  c.cwnd = lower;
  note(tcp, c, 'mss');
}

/** The connection starts small and searches from the beginning, when that was asked for. */
export function searchFromStart(tcp: Tcp, c: Connection): void {
  const base = baseOf(tcp, c);
  if (tcp.options.mtuProbing !== 'always' || c.mss <= base) return;
  begin(c, tcp.clock.ms);
  c.mss = base;
}

/**
 * A router said that segments of `before` bytes do not fit, and they are smaller now. What it
 * dropped is no sign of congestion; and in a while it may be worth to try again (RFC 1191 6.3).
 */
export function noteRefused(tcp: Tcp, c: Connection, before: number): void {
  const probing = begin(c, tcp.clock.ms + AGAIN_MS);
  if (before > probing.most) probing.most = before;
  probing.probe = 0;
  probing.high = probing.most;
  probing.highFailed = 0;
  probing.first = c.sndUna;
  probing.end = c.sndNxt;
  note(tcp, c, 'mss');
}

function begin(c: Connection, nextAt: number): Probing {
  const fresh = c.probing === null;
  const probing = probingOf(c);
  if (fresh) {
    probing.most = c.mss;
    probing.high = c.mss;
  }
  probing.probe = 0;
  probing.nextAt = nextAt | 0;
  return probing;
}

function baseOf(tcp: Tcp, c: Connection): number {
  const base = c.path!.version === 6 ? BASE_V6 : BASE_V4;
  return payloadMss(c, base > tcp.options.minMss ? base : tcp.options.minMss);
}

/** How large a probe may go now, at sndNxt; 0: none. */
export function probeSize(tcp: Tcp, c: Connection): number {
  const probing = c.probing!;
  if (probing.probe !== 0 || ((tcp.clock.ms - probing.nextAt) | 0) < 0) return 0;
  if (tcp.options.mtuProbing === 'never' || c.sackOk === 0 || c.recovery !== OPEN) return 0;
  const board = c.board;
  if (board !== null && board.sackedBytes + board.lostBytes > 0) return 0;
  const size = nextSize(tcp, c, probing);
  const needed = size + FOLLOWERS * c.mss;
  if (size === 0 || c.unsent < needed || c.sndWnd - c.flight < needed) return 0;
  return c.cwnd - c.pipe < needed ? 0 : size;
}

/** The largest at once while it is only suspected, then halves; 0 when the search is over. */
function nextSize(tcp: Tcp, c: Connection, probing: Probing): number {
  const fits = payloadMss(c, boundedMss(c, sendMss(c.path!, 65535, tcp.options.minMss)));
  const high = probing.high < fits ? probing.high : fits;
  const left = high - c.mss;
  if (left > 0 && (probing.highFailed === 0 || left < 2)) return high;
  if (left >= WORTHWHILE) return (c.mss + high + 1) >> 1;
  probing.nextAt = (tcp.clock.ms + AGAIN_MS) | 0;
  probing.high = probing.most;
  probing.highFailed = 0;
  return 0;
}

/** The probe of `size` bytes went out; it ends at sndNxt. */
export function probeLeft(tcp: Tcp, c: Connection, size: number): void {
  const probing = c.probing!;
  probing.probe = size;
  probing.end = c.sndNxt;
  probing.first = (c.sndNxt - size) | 0;
  tcp.stats[Stats.MTU_PROBES]! += 1;
}

/** More was acknowledged: perhaps the probe. */
export function probeProgress(tcp: Tcp, c: Connection): void {
  const probing = c.probing!;
  if (((c.sndUna - probing.end) | 0) < 0) return;
  probing.first = c.sndUna;
  probing.end = c.sndUna;
  if (probing.probe === 0) return;
  c.mss = probing.probe;
  probing.probe = 0;
  tcp.stats[Stats.MTU_PROBES_ARRIVED]! += 1;
  note(tcp, c, 'mss');
  if (c.mss >= probing.most) giveProbing(c);
}

/** Whether what was found to be lost is the probe, or of what a router refused: no congestion. */
export function isProbeLoss(tcp: Tcp, c: Connection, board: Scoreboard): boolean {
  const probing = c.probing!;
  const entry = board.nextLost(c.mss);
  if (entry === NONE || board.lostBytes > ((probing.end - probing.first) | 0)) return false;
  const start = board.startOf(entry);
  if (((start - probing.first) | 0) < 0 || ((start - probing.end) | 0) >= 0) return false;
  probeFailed(tcp, c);
  return true;
}

/** The probe is taken to be too large, if there is one: a timeout is no proof, but a hint. */
export function probeFailed(tcp: Tcp, c: Connection): void {
  const probing = c.probing!;
  if (probing.probe === 0) return;
  probing.high = probing.probe - 1;
  probing.highFailed = 1;
  probing.probe = 0;
  probing.nextAt = (tcp.clock.ms + PAUSE_MS) | 0;
  tcp.stats[Stats.MTU_PROBES_LOST]! += 1;
}
