/**
 * Whether a neighbor is there: the states of RFC 4861 7.3 (read that before editing), the questions
 * that are asked, and the time that answers get.
 *
 *   INCOMPLETE -- answer --> REACHABLE -- time --> STALE -- sent to --> DELAY -- 5 s --> PROBE
 *       | 3 requests             ^ answer, or confirm() by TCP ----------'                 | 3
 *       v                        '---------------------------------------------------------'
 *     FAILED -- sent to --> INCOMPLETE                                     unanswered: FAILED
 *
 * REACHABLE needs no timer: its age is looked at when something is sent.
 *
 * VERIFY is ours: as PROBE, but everybody is asked, not only the MAC we know. A neighbor comes to
 * it without delay when an announcement contradicts what we know and is not believed, and when the
 * upper layer hears nothing in return (Neighbor.suspect()).
 * @module
 */
import type { Core } from '../core.ts';
import * as Board from './board.ts';
import {
  DELAY,
  FAILED,
  INCOMPLETE,
  isKnown,
  type Neighbor,
  PROBE,
  REACHABLE,
  STALE,
  STATIC,
  VERIFY,
} from './neighbor.ts';
import { NO_DEADLINE, TimerList } from './timers.ts';
import type { WaitingPackets } from './waiting.ts';

/** RFC 4861 10: RETRANS_TIMER, MAX_MULTICAST_SOLICIT, DELAY_FIRST_PROBE_TIME, in milliseconds. */
export const RETRANSMIT_MS = 1000;
const SOLICITATIONS = 3;
const DELAY_MS = 5000;
/** Mean of the random time a neighbor stays REACHABLE. */
const REACHABLE_MS = 30_000;
/** When no slot was free for a request. */
const NO_SLOT_RETRY_MS = 5;

/** What is needed from outside. */
export interface ReachabilityHooks {
  /** Sends a request for the neighbor; false when there was no slot. */
  solicit(neighbor: Neighbor): boolean;
  /** A waiting packet is given up; it starts with its IP header at `at`. */
  undelivered(version: number, at: number, length: number): void;
}

export class Reachability {
  /** How long a neighbor stays REACHABLE without news (RFC 4861 6.3.2: random around 30 s). */
  readonly reachableMs: number;
  readonly #core: Core;
  readonly #hooks: ReachabilityHooks;
  readonly #waiting: WaitingPackets;
  readonly #board: Board.NeighborBoard | null;
  readonly #timers: TimerList<Neighbor> = new TimerList<Neighbor>();
  readonly #mostIncomplete: number;
  #incomplete = 0;

  /** @param mostIncomplete neighbors that may be looked for at the same time */
  constructor(
    core: Core,
    hooks: ReachabilityHooks,
    waiting: WaitingPackets,
    board: Board.NeighborBoard | null,
    mostIncomplete: number,
  ) {
    this.#core = core;
    this.#hooks = hooks;
    this.#waiting = waiting;
    this.#board = board;
    this.#mostIncomplete = mostIncomplete;
    this.reachableMs = (REACHABLE_MS >> 1) + ((core.random() >>> 0) % REACHABLE_MS);
  }

  /** About to send: 1 when the MAC may be used, 0 when the packet has to wait (hold it). */
  use(neighbor: Neighbor): number {
    const now = this.#core.clock.ms;
    if (neighbor.doubted === 1) {
      this.#verify(neighbor, now);
      // The packet that led to the question waits for the answer, or it would be lost as well.
      return neighbor.solicitations > 0 ? 0 : 1;
    }
    switch (neighbor.state) {
      case REACHABLE:
      case STALE:
        if ((now - neighbor.confirmedAt) >>> 0 < this.reachableMs) {
          neighbor.state = REACHABLE;
        } else {
          neighbor.state = DELAY;
          this.#wakeAt(neighbor, now + DELAY_MS);
          this.#board?.say(Board.DOES_ANYBODY_KNOW, neighbor, now);
        }
        return 1;
      case DELAY:
      case PROBE:
      case VERIFY:
      case STATIC:
        return 1;
      case FAILED:
        this.#startResolution(neighbor, now);
        return 0;
      default:
        return 0;
    }
  }

  /** Another MAC, which is not believed: who uses the one we know has to know soon. */
  contradicted(neighbor: Neighbor, toUs: boolean): void {
    const now = this.#core.clock.ms;
    if (toUs && (now - neighbor.solicitedAt) >>> 0 < RETRANSMIT_MS) {
      // Several answered our question (proxies, anycast). Asking again would bring them all again.
      if (neighbor.state === REACHABLE) this.becomeStale(neighbor, now);
    } else if (neighbor.state === STALE) {
      neighbor.doubted = 1;
    } else if (neighbor.state !== VERIFY) {
      this.#verify(neighbor, now);
    }
  }

  /** Asks everybody, at most once a second; what is sent meanwhile goes to the MAC we know. */
  #verify(neighbor: Neighbor, now: number): void {
    this.leaveState(neighbor);
    neighbor.state = VERIFY;
    neighbor.confirmedAt = (now - this.reachableMs) | 0;
    neighbor.solicitations = 0;
    const since = (now - neighbor.verifiedAt) >>> 0;
    if (since < RETRANSMIT_MS) this.#wakeAt(neighbor, now + RETRANSMIT_MS - since);
    else this.#solicit(neighbor, now);
  }

  /** Requests and probes that are due. */
  tick(): void {
    const now = this.#core.clock.ms;
    for (const neighbor of this.#timers.due(now)) {
      if (neighbor.timed === 0 || ((neighbor.deadline - now) | 0) > 0) continue;
      if (neighbor.state === DELAY) this.#delayOver(neighbor, now);
      else if (isKnown(neighbor) && (now - neighbor.confirmedAt) >>> 0 < this.reachableMs) {
        this.becomeReachable(neighbor, now);
        this.#waiting.flush(neighbor);
      } else if (neighbor.solicitations >= SOLICITATIONS) this.#fail(neighbor);
      else this.#solicit(neighbor, now);
    }
    const next = this.#timers.soonest(now);
    if (next !== NO_DEADLINE) this.#core.tickBy((now + next) | 0);
  }

  #delayOver(neighbor: Neighbor, now: number): void {
    if ((now - neighbor.confirmedAt) >>> 0 < this.reachableMs) {
      this.becomeReachable(neighbor, neighbor.confirmedAt);
      return;
    }
    neighbor.state = PROBE;
    neighbor.solicitations = 0;
    this.#solicit(neighbor, now);
  }

  /** At most one request per address and second, however often resolution starts anew. */
  #startResolution(neighbor: Neighbor, now: number): void {
    if (this.#incomplete >= this.#mostIncomplete) return;
    neighbor.state = INCOMPLETE;
    this.#incomplete++;
    const since = (now - neighbor.solicitedAt) >>> 0;
    const askedBefore = neighbor.solicitations > 0;
    neighbor.solicitations = 0;
    if (askedBefore && since < RETRANSMIT_MS) this.#wakeAt(neighbor, now + RETRANSMIT_MS - since);
    else this.#solicit(neighbor, now);
  }

  /** Asks on the wire, unless another queue has just done so: the answer is for all. */
  #solicit(neighbor: Neighbor, now: number): void {
    const board = this.#board;
    const isAsked = board !== null && !board.claim(neighbor, now, now + RETRANSMIT_MS);
    if (isAsked || this.#hooks.solicit(neighbor)) {
      neighbor.solicitations++;
      neighbor.solicitedAt = now;
      if (neighbor.state === VERIFY) neighbor.verifiedAt = now;
      this.#wakeAt(neighbor, now + RETRANSMIT_MS);
    } else {
      this.#wakeAt(neighbor, now + NO_SLOT_RETRY_MS);
    }
  }

  becomeReachable(neighbor: Neighbor, confirmedAt: number): void {
    this.leaveState(neighbor);
    neighbor.state = REACHABLE;
    neighbor.confirmedAt = confirmedAt;
  }

  becomeStale(neighbor: Neighbor, now: number): void {
    this.leaveState(neighbor);
    neighbor.state = STALE;
    neighbor.confirmedAt = (now - this.reachableMs) | 0;
  }

  /** Nobody answered: the waiting packets are given up, and whoever sent them is told. */
  #fail(neighbor: Neighbor): void {
    this.leaveState(neighbor);
    neighbor.state = FAILED;
    this.#waiting.giveUp(neighbor, this.#hooks.undelivered);
  }

  leaveState(neighbor: Neighbor): void {
    if (neighbor.state === INCOMPLETE) this.#incomplete--;
    neighbor.doubted = 0;
    this.#timers.remove(neighbor);
  }

  #wakeAt(neighbor: Neighbor, at: number): void {
    neighbor.deadline = at | 0;
    this.#timers.add(neighbor);
    this.#core.tickBy(at);
  }
}
