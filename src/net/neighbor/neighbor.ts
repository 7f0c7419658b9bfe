/**
 * A neighbor: an address on the link, and what is known of the station that has it. What the
 * states mean and how they follow each other is told in cache.ts.
 * @module
 */
import { NO_BLOCK } from '../blocks.ts';
import type { Nic } from '../nic.ts';

/** States. FAILED also stands for "nobody asked yet"; STATIC is configured and never changes. */
export const INCOMPLETE = 0;
export const REACHABLE = 1;
export const STALE = 2;
export const DELAY = 3;
export const PROBE = 4;
export const FAILED = 5;
export const STATIC = 6;
/** As PROBE, but the MAC is in doubt: everybody is asked. */
export const VERIFY = 7;

/** Who was confirmed so recently (milliseconds) is not suspected: others do get through to it. */
const TRUSTED_MS = 500;

export class Neighbor {
  state = FAILED;
  /** 4 or 6. */
  version = 4;
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;
  macHigh = 0;
  macLow = 0;
  /** Last time (int32 ms) the neighbor was known to be there. */
  confirmedAt = 0;
  /** When the MAC was last changed or answered for. */
  settledAt = 0;
  /** When we last asked, and how often in this state; when we last asked in VERIFY. */
  solicitedAt = 0;
  solicitations = 0;
  verifiedAt = 0;
  /** 1: the next packet leads to VERIFY, and waits for the answer. */
  doubted = 0;
  /** Paths that use it; at 0 it may be forgotten. */
  references = 0;
  nic: Nic;

  /** Packets waiting for the MAC: first blocks of a queue (NO_BLOCK none), and their number. */
  firstWaiting = NO_BLOCK;
  lastWaiting = NO_BLOCK;
  waiting = 0;

  hash = 0;
  nextInBucket: Neighbor | null = null;
  /** List of the unreferenced, oldest first. */
  older: Neighbor | null = null;
  newer: Neighbor | null = null;
  /** Timer list. */
  deadline = 0;
  timed = 0;
  timerBefore: Neighbor | null = null;
  timerAfter: Neighbor | null = null;

  constructor(nic: Nic) {
    this.nic = nic;
  }

  /** The upper layer made progress with this neighbor (RFC 4861 7.3.1): no probe is needed. */
  confirm(nowMs: number): void {
    this.confirmedAt = nowMs;
    this.doubted = 0;
  }

  /**
   * The upper layer hears nothing in return (negative advice, RFC 1122 2.3.2.1): the next packet
   * makes us ask who has the address, and waits for the answer. To be called before that packet
   * is sent again; cheap, and as often as one likes.
   */
  suspect(nowMs: number): void {
    if ((nowMs - this.confirmedAt) >>> 0 < TRUSTED_MS) return;
    if (this.state === REACHABLE) this.state = STALE;
    if (this.state === STALE || this.state === DELAY || this.state === PROBE) this.doubted = 1;
  }
}

/** Its MAC is known, though perhaps not up to date. */
export function isKnown({ state }: Neighbor): boolean {
  return state !== INCOMPLETE && state !== FAILED;
}
