/**
 * TCP Fast Open (RFC 7413), the listener's side: cookies, and connections that begin with their SYN.
 *
 * A SYN that brings our cookie shows that its address is not forged. Its data is delivered at once,
 * the connection can be accepted and answered, all before the ACK of our SYN-ACK. Until that ACK
 * the connection stays in SYN-RECEIVED and counts against its listener's bound; what goes again
 * meanwhile is the SYN-ACK alone. Without a cookie, with a wrong one, beyond the bound, or when
 * memory is short, the SYN opens as any other, and its data comes again. SYN cookies never meet
 * this: what is answered with them is answered before.
 *
 * Two keys take turns: a cookie is good for one to two rotations, and an old one is replaced.
 * @module
 */
import { sipHigh } from '../base/siphash.ts';
import type { Path } from '../net/path.ts';
import { IndexQueue } from '../storage/index-queue.ts';
import * as Options from '../wire/tcp-options.ts';
import { startCongestion } from './congestion/algorithms.ts';
import type { Connection } from './connection.ts';
import { giveEcn } from './ecn-handshake.ts';
import { QUICK_ACKS, takeRest } from './handshake.ts';
import { KeyTurns } from './key-turns.ts';
import type { TcpListener } from './listener.ts';
import type { Secrets } from './secrets.ts';
import type { Segment } from './segment.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';

/** How long a key is used for new cookies; it is good for checking as long again. */
const ROTATION_MS = 6 * 3_600_000;
const COOKIE_BYTES = 8;
/** How long a connection that a RST ended goes on counting: forged SYNs end in RSTs (RFC 7413 5.1). */
const RESET_COUNTS_MS = 60_000;
const POSITIVE = 0x7fffffff;

/** What a cookie is. */
const NO_COOKIE = 0;
const OLD = 1;
const CURRENT = 2;

export class FastOpenCookies {
  readonly #secrets: Secrets;
  readonly #keys: KeyTurns;
  readonly #bytes: Uint8Array = new Uint8Array(COOKIE_BYTES);
  readonly #view: DataView = new DataView(this.#bytes.buffer);

  constructor(secrets: Secrets, random: () => number) {
    this.#secrets = secrets;
    this.#keys = new KeyTurns(random, ROTATION_MS);
  }

  /** The peer's cookie: valid until the next call. */
  make(path: Path, nowMs: number): Uint8Array {
    this.#view.setInt32(0, this.#secrets.hash(this.#keys.take(nowMs), path, 0));
    this.#view.setInt32(4, sipHigh());
    return this.#bytes;
  }

  /** What the `length` bytes at `at` are: CURRENT, OLD or NO_COOKIE of this peer. */
  check(view: DataView, at: number, length: number, path: Path, nowMs: number): number {
    if (length !== COOKIE_BYTES) return NO_COOKIE;
    const { current } = this.#keys;
    if (this.#isOf(current, view, at, path, nowMs)) {
      return this.#keys.isFresh(nowMs) ? CURRENT : OLD;
    }
    return this.#isOf(current ^ 1, view, at, path, nowMs) ? OLD : NO_COOKIE;
  }

  #isOf(which: number, view: DataView, at: number, path: Path, nowMs: number): boolean {
    if (!this.#keys.isGood(which, nowMs)) return false;
    const low = this.#secrets.hash(this.#keys.key(which), path, 0);
    return ((view.getInt32(at) ^ low) | (view.getInt32(at + 4) ^ sipHigh())) === 0;
  }
}

/** A listener's bound on connections that began with their SYN (RFC 7413 4.2.2, 5.1). */
export class FastOpenQueue {
  readonly most: number;
  /** Those not acknowledged yet, and those that a RST ended within a minute. */
  pending = 0;
  /** When those were reset, oldest first (ms, its sign cut off). */
  readonly #resets: IndexQueue = new IndexQueue();

  constructor(most: number) {
    this.most = most;
  }

  /** One more; false at the bound. */
  take(nowMs: number): boolean {
    const resets = this.#resets;
    while (resets.length > 0 && ((nowMs - resets.peek()) & POSITIVE) >= RESET_COUNTS_MS) {
      this.pending--;
      resets.shift();
    }
    if (this.pending >= this.most) return false;
    this.pending++;
    return true;
  }

  /** One was reset: what its end gives back is held for a while. */
  keep(nowMs: number): void {
    this.pending++;
    this.#resets.push(nowMs & POSITIVE);
  }
}

/** The SYN of the half-open connection `c`, which is in SYN-RECEIVED, has the option. */
export function fastOpenArrives(
  tcp: Tcp,
  listener: TcpListener,
  queue: FastOpenQueue,
  c: Connection,
  s: Segment,
): void {
  const { fastOpenAt, fastOpenBytes } = tcp.optionValues;
  const now = tcp.clock.ms;
  if (fastOpenBytes === 0) {
    tcp.stats[Stats.FAST_OPEN_COOKIES_ASKED]! += 1;
    c.opening!.cookieDue = 1;
    return;
  }
  const cookie = tcp.fastOpenCookies.check(tcp.view, fastOpenAt, fastOpenBytes, c.path!, now);
  if (cookie !== CURRENT) c.opening!.cookieDue = 1;
  if (cookie === NO_COOKIE) {
    tcp.stats[Stats.FAST_OPENS_REFUSED]! += 1;
  } else if (tcp.memory.pressure === 1 || !queue.take(now)) {
    tcp.stats[Stats.FAST_OPENS_OVERFLOWED]! += 1;
  } else {
    tcp.stats[Stats.FAST_OPENS_IN]! += 1;
    begin(tcp, listener, c, s);
  }
}

/** The connection may be used at once. */
function begin(tcp: Tcp, listener: TcpListener, c: Connection, s: Segment): void {
  const opening = c.opening!;
  opening.early = 1;
  // Whether ECN works shows only in the ACK that this does not wait for.
  if (c.ecn !== null) giveEcn(c);
  // The SYN is in flight like data, so that nothing takes the flight for empty.
  c.sndNxt = (opening.iss + 1) | 0;
  c.firstSentAt = tcp.clock.us;
  c.sndWnd = s.window;
  c.maxSndWnd = s.window > 1 ? s.window : 1;
  c.sndWl1 = s.seq;
  c.sndWl2 = c.sndUna;
  c.quickAcks = QUICK_ACKS;
  startCongestion(tcp, c, tcp.options.initialWindowSegments);
  takeRest(tcp, c, s);
  listener.enqueue(c);
}

/** Puts the peer's cookie at `at`; the bytes it takes. */
export function writeCookie(tcp: Tcp, c: Connection, at: number): number {
  const cookie = tcp.fastOpenCookies.make(c.path!, tcp.clock.ms);
  Options.writeFastOpen(tcp.view, at, cookie);
  return Options.fastOpenLength(cookie.length);
}
