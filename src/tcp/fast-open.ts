/**
 * TCP Fast Open (RFC 7413), the client's side: data in the SYN, for peers whose cookie we have.
 *
 * The first SYN to a peer asks for a cookie, and its SYN-ACK brings it; later ones carry cookie and
 * data. Only the first transmission does: when it is not answered, what is sent again is a plain
 * SYN, and the peer, or a box on the way, is not tried again for an hour, doubling each time.
 * @module
 */
import type { Path } from '../net/path.ts';
import * as Options from '../wire/tcp-options.ts';
import type { Connection } from './connection.ts';
import type { Segment } from './segment.ts';
import { forget } from './sender.ts';
import { statedMss } from './sizes.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';

/** Peers remembered; beyond, the one that was learned first goes. */
const MOST_PEERS = 1024;
const HOUR_MS = 3_600_000;
const MOST_DOUBLINGS = 6;

/** What is known of a peer. */
class FastPeer {
  /** Empty: none yet. */
  cookie: Uint8Array = new Uint8Array(0);
  /** The MSS it stated: more data does not go into a SYN. */
  mss = 0;
  /** SYNs in a row that were answered only without it, and until when (ms) it is not tried. */
  failures = 0;
  blockedUntil = 0;
}

/** The Fast Open of one connection, from connect() until established. */
export class FastSyn {
  readonly peer: FastPeer;
  /** 1 once a SYN went out with the option; payload bytes that it carried, and the last one. */
  used = 0;
  sent = 0;
  inLast = 0;

  constructor(peer: FastPeer) {
    this.peer = peer;
  }
}

export class FastOpens {
  readonly #peers: Map<string, FastPeer> = new Map();

  /** Peers remembered. */
  get size(): number {
    return this.#peers.size;
  }

  /** For a connection over this path; null while its peer is not to be tried. */
  begin(path: Path, nowMs: number): FastSyn | null {
    const key = `${path.remote0} ${path.remote1} ${path.remote2} ${path.remote3}`;
    let peer = this.#peers.get(key);
    if (peer === undefined) {
      if (this.#peers.size >= MOST_PEERS) this.#peers.delete(this.#peers.keys().next().value!);
      peer = new FastPeer();
      this.#peers.set(key, peer);
    }
    const left = (peer.blockedUntil - nowMs) | 0;
    // More than the longest is a time that the clock has gone round since.
    const blocked = peer.failures > 0 && left > 0 && left <= HOUR_MS << MOST_DOUBLINGS;
    return blocked ? null : new FastSyn(peer);
  }
}

/**
 * Adds the option to the SYN whose header at `at` has `header` bytes so far; the new length. What
 * data goes with it is in `fast.inLast` then, and stands behind the header.
 */
export function writeFastOpen(
  tcp: Tcp,
  c: Connection,
  fast: FastSyn,
  at: number,
  header: number,
): number {
  fast.inLast = 0;
  const { cookie, mss } = fast.peer;
  const length = Options.fastOpenLength(cookie.length);
  if (fast.used === 1 || header + length > Options.MOST_HEADER) return header;
  fast.used = 1;
  Options.writeFastOpen(tcp.view, at + header, cookie);
  const whole = header + length;
  if (cookie.length === 0) return whole;
  const path = c.path!;
  const fits = path.mtu - path.headerLength - whole;
  const most = Math.min(fits, mss - (whole - 20));
  fast.sent = Math.max(0, Math.min(most, c.snd.length));
  fast.inLast = fast.sent;
  if (fast.sent > 0) c.snd.copyTo(tcp.heap, 0, at + whole, fast.sent);
  return whole;
}

/** The SYN-ACK: a cookie may be in it, and what it acknowledges besides the SYN has arrived. */
export function fastOpenAnswered(tcp: Tcp, c: Connection, fast: FastSyn, s: Segment): void {
  const { peer } = fast;
  const { fastOpenAt, fastOpenBytes, mss } = tcp.optionValues;
  if (fastOpenBytes > 0) {
    peer.cookie = tcp.heap.arena.bytes.slice(fastOpenAt, fastOpenAt + fastOpenBytes);
    peer.mss = statedMss(c.path!, mss);
  }
  const isLate = c.retries > 0;
  const arrived = (s.ack - c.sndNxt) | 0;
  if (fast.used === 1 && isLate && arrived <= 0) {
    tcp.stats[Stats.FAST_OPEN_BLACKHOLES]! += 1;
    peer.blockedUntil = (tcp.clock.ms + HOUR_MS * 2 ** peer.failures) | 0;
    if (peer.failures < MOST_DOUBLINGS) peer.failures++;
  }
  if (arrived > 0) {
    tcp.stats[Stats.FAST_OPENS]! += 1;
    peer.failures = 0;
    forget(tcp, c, s.ack);
    c.sndNxt = s.ack;
  } else if (fast.sent > 0) {
    tcp.stats[Stats.FAST_OPENS_FAILED]! += 1;
    // A cookie that is not taken is asked for anew.
    if (!isLate && fastOpenBytes <= 0) peer.cookie = new Uint8Array(0);
  }
}
