/**
 * The neighbor cache: who answers for an on-link address. One for ARP and NDP, with the states of
 * RFC 4861 7.3; read that before editing.
 *
 *   INCOMPLETE -- answer --> REACHABLE -- time --> STALE -- sent to --> DELAY -- 5 s --> PROBE
 *       | 3 requests             ^ answer, or confirm() by TCP ----------'                 | 3
 *       v                        '---------------------------------------------------------'
 *     FAILED -- sent to --> INCOMPLETE                                     unanswered: FAILED
 *
 * REACHABLE needs no timer: its age is looked at when something is sent.
 * @module
 */
import * as Drop from '../../base/drops.ts';
import type { AddressHash } from '../address-hash.ts';
import type { Core } from '../core.ts';
import type { Nic } from '../nic.ts';
import * as Stats from '../stats.ts';
import {
  DELAY,
  FAILED,
  INCOMPLETE,
  Neighbor,
  PROBE,
  REACHABLE,
  STALE,
  STATIC,
} from './neighbor.ts';
import { NO_DEADLINE, TimerList } from './timers.ts';
import { WaitingPackets } from './waiting.ts';

/** RFC 4861 10: RETRANS_TIMER, MAX_MULTICAST_SOLICIT, DELAY_FIRST_PROBE_TIME, in milliseconds. */
const RETRANSMIT_MS = 1000;
const SOLICITATIONS = 3;
const DELAY_MS = 5000;
/** Mean of the random time a neighbor stays REACHABLE. */
const REACHABLE_MS = 30_000;
/** When no slot was free for a request. */
const NO_SLOT_RETRY_MS = 5;
/** A changed MAC is believed at most once in this time, as Linux does (arp locktime). */
const LOCK_MS = 1000;

export interface NeighborLimits {
  neighbors: number;
  waiting: number;
  waitingBlocks: number;
}

/** What the cache needs from outside. */
export interface NeighborHooks {
  /** Sends a request for the neighbor; false when there was no slot. */
  solicit(neighbor: Neighbor): boolean;
  /** A waiting packet is given up; it starts with its IP header at `at`. */
  undelivered(version: number, at: number, length: number): void;
  /** The table is full of referenced entries: let go of what is only kept for later. */
  reclaim(): void;
}

export class NeighborCache {
  /** How long a neighbor stays REACHABLE without news (RFC 4861 6.3.2: random around 30 s). */
  readonly reachableMs: number;
  /** Entries in the table. */
  size = 0;
  readonly #core: Core;
  readonly #hash: AddressHash;
  readonly #hooks: NeighborHooks;
  readonly #limits: NeighborLimits;
  readonly #waiting: WaitingPackets;
  readonly #buckets: (Neighbor | null)[];
  readonly #timers: TimerList<Neighbor> = new TimerList<Neighbor>();
  #oldest: Neighbor | null = null;
  #newest: Neighbor | null = null;
  #incomplete = 0;

  constructor(core: Core, hash: AddressHash, hooks: NeighborHooks, limits: NeighborLimits) {
    this.#core = core;
    this.#hash = hash;
    this.#hooks = hooks;
    this.#limits = limits;
    this.#waiting = new WaitingPackets(core, limits.waiting, limits.waitingBlocks);
    let buckets = 16;
    while (buckets < limits.neighbors) buckets *= 2;
    this.#buckets = new Array<Neighbor | null>(buckets).fill(null);
    this.reachableMs = (REACHABLE_MS >> 1) + ((core.random() >>> 0) % REACHABLE_MS);
  }

  /** Blocks of memory that waiting packets take. */
  get waitingBlocks(): number {
    return this.#waiting.live;
  }

  /** The entry of an address, null when it is unknown. */
  find(nic: Nic, w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    const hash = this.#hash.one(w0, w1, w2, w3, nic.index);
    let neighbor = this.#buckets[hash & (this.#buckets.length - 1)] ?? null;
    while (neighbor !== null && !matches(neighbor, nic, w0, w1, w2, w3)) {
      neighbor = neighbor.nextInBucket;
    }
    return neighbor;
  }

  /** The entry of an address, made when unknown, with one reference. Null: the table is full. */
  acquire(nic: Nic, w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    const neighbor = this.find(nic, w0, w1, w2, w3) ?? this.#create(nic, w0, w1, w2, w3);
    if (neighbor === null) return null;
    if (neighbor.references++ === 0) this.#unlistUnreferenced(neighbor);
    return neighbor;
  }

  release(neighbor: Neighbor): void {
    if (--neighbor.references === 0) this.#listUnreferenced(neighbor);
  }

  /** About to send: 1 when the MAC may be used, 0 when the packet has to wait (hold it). */
  use(neighbor: Neighbor): number {
    const now = this.#core.clock.ms;
    switch (neighbor.state) {
      case REACHABLE:
      case STALE:
        if ((now - neighbor.confirmedAt) >>> 0 < this.reachableMs) {
          neighbor.state = REACHABLE;
        } else {
          neighbor.state = DELAY;
          this.#wakeAt(neighbor, now + DELAY_MS);
        }
        return 1;
      case DELAY:
      case PROBE:
      case STATIC:
        return 1;
      case FAILED:
        this.#startResolution(neighbor, now);
        return 0;
      default:
        return 0;
    }
  }

  /** Copies an IP packet into the neighbor's queue, in place of the oldest when it is full. */
  hold(
    neighbor: Neighbor,
    at: number,
    length: number,
    flags: number,
    headers: number,
    mss: number,
  ): void {
    if (neighbor.state === INCOMPLETE) {
      this.#waiting.add(neighbor, at, length, flags, headers, mss);
    } else {
      this.#core.drops[Drop.NEIGHBOR_TABLE_FULL]!++;
    }
  }

  /**
   * A request from a station on the link to us (RFC 826, RFC 4861 7.2.3): it told us its MAC, so
   * an unknown station is remembered, as STALE.
   */
  learn(
    nic: Nic,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    macHigh: number,
    macLow: number,
  ): void {
    let neighbor = this.find(nic, w0, w1, w2, w3);
    if (neighbor === null) {
      neighbor = this.#create(nic, w0, w1, w2, w3);
      if (neighbor === null) return;
    }
    this.update(neighbor, macHigh, macLow, false, true);
  }

  /**
   * An answer or announcement for a known neighbor (RFC 4861 7.2.5).
   * @param solicited we had asked: it is there now
   * @param override a different MAC replaces the one we know
   */
  update(
    neighbor: Neighbor,
    macHigh: number,
    macLow: number,
    solicited: boolean,
    override: boolean,
  ): void {
    if (neighbor.state === STATIC) return;
    const now = this.#core.clock.ms;
    const known = neighbor.state !== INCOMPLETE && neighbor.state !== FAILED;
    const changed = !known || neighbor.macHigh !== macHigh || neighbor.macLow !== macLow;
    if (known && changed) {
      const locked = !solicited && (now - neighbor.changedAt) >>> 0 < LOCK_MS;
      if (!override || locked) {
        if (neighbor.state === REACHABLE) this.#becomeStale(neighbor, now);
        return;
      }
    }
    if (changed) {
      neighbor.macHigh = macHigh;
      neighbor.macLow = macLow;
      neighbor.changedAt = now;
      this.#core.stats[Stats.NEIGHBORS_LEARNED]!++;
    }
    if (solicited) this.#becomeReachable(neighbor, now);
    else if (changed) this.#becomeStale(neighbor, now);
    if (neighbor.waiting > 0) this.#waiting.flush(neighbor);
  }

  /** A configured neighbor: nothing that is heard changes it. False when the table is full. */
  setStatic(
    nic: Nic,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    macHigh: number,
    macLow: number,
  ): boolean {
    const neighbor = this.acquire(nic, w0, w1, w2, w3);
    if (neighbor === null) return false;
    this.#leaveState(neighbor);
    neighbor.state = STATIC;
    neighbor.macHigh = macHigh;
    neighbor.macLow = macLow;
    this.#waiting.flush(neighbor);
    return true;
  }

  /** Requests and probes that are due. */
  tick(): void {
    const now = this.#core.clock.ms;
    for (const neighbor of this.#timers.due(now)) {
      if (neighbor.timed === 0 || ((neighbor.deadline - now) | 0) > 0) continue;
      if (neighbor.state === DELAY) this.#delayOver(neighbor, now);
      else if (neighbor.state === PROBE && (now - neighbor.confirmedAt) >>> 0 < this.reachableMs) {
        this.#becomeReachable(neighbor, now);
      } else if (neighbor.solicitations >= SOLICITATIONS) this.#fail(neighbor);
      else this.#solicit(neighbor, now);
    }
    const next = this.#timers.soonest(now);
    if (next !== NO_DEADLINE) this.#core.tickBy((now + next) | 0);
  }

  #delayOver(neighbor: Neighbor, now: number): void {
    if ((now - neighbor.confirmedAt) >>> 0 < this.reachableMs) {
      this.#becomeReachable(neighbor, neighbor.confirmedAt);
      return;
    }
    neighbor.state = PROBE;
    neighbor.solicitations = 0;
    this.#solicit(neighbor, now);
  }

  /** At most one request per address and second, however often resolution starts anew. */
  #startResolution(neighbor: Neighbor, now: number): void {
    if (this.#incomplete >= this.#limits.neighbors >> 2) return;
    neighbor.state = INCOMPLETE;
    this.#incomplete++;
    const since = (now - neighbor.solicitedAt) >>> 0;
    const askedBefore = neighbor.solicitations > 0;
    neighbor.solicitations = 0;
    if (askedBefore && since < RETRANSMIT_MS) this.#wakeAt(neighbor, now + RETRANSMIT_MS - since);
    else this.#solicit(neighbor, now);
  }

  #solicit(neighbor: Neighbor, now: number): void {
    if (this.#hooks.solicit(neighbor)) {
      neighbor.solicitations++;
      neighbor.solicitedAt = now;
      this.#wakeAt(neighbor, now + RETRANSMIT_MS);
    } else {
      this.#wakeAt(neighbor, now + NO_SLOT_RETRY_MS);
    }
  }

  #becomeReachable(neighbor: Neighbor, confirmedAt: number): void {
    this.#leaveState(neighbor);
    neighbor.state = REACHABLE;
    neighbor.confirmedAt = confirmedAt;
  }

  #becomeStale(neighbor: Neighbor, now: number): void {
    this.#leaveState(neighbor);
    neighbor.state = STALE;
    neighbor.confirmedAt = (now - this.reachableMs) | 0;
  }

  /** Nobody answered: the waiting packets are given up, and whoever sent them is told. */
  #fail(neighbor: Neighbor): void {
    this.#leaveState(neighbor);
    neighbor.state = FAILED;
    this.#waiting.giveUp(neighbor, this.#hooks.undelivered);
  }

  #leaveState(neighbor: Neighbor): void {
    if (neighbor.state === INCOMPLETE) this.#incomplete--;
    this.#timers.remove(neighbor);
  }

  #wakeAt(neighbor: Neighbor, at: number): void {
    neighbor.deadline = at | 0;
    this.#timers.add(neighbor);
    this.#core.tickBy(at);
  }

  #create(nic: Nic, w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    if (this.size >= this.#limits.neighbors && !this.#forgetOne()) {
      this.#core.drops[Drop.NEIGHBOR_TABLE_FULL]!++;
      return null;
    }
    const neighbor = new Neighbor(nic);
    neighbor.version = w2 === 0xffff && w0 === 0 && w1 === 0 ? 4 : 6;
    neighbor.w0 = w0;
    neighbor.w1 = w1;
    neighbor.w2 = w2;
    neighbor.w3 = w3;
    neighbor.hash = this.#hash.one(w0, w1, w2, w3, nic.index);
    const bucket = neighbor.hash & (this.#buckets.length - 1);
    neighbor.nextInBucket = this.#buckets[bucket] ?? null;
    this.#buckets[bucket] = neighbor;
    this.size++;
    this.#listUnreferenced(neighbor);
    return neighbor;
  }

  /** Forgets the entry that has been unreferenced for longest. */
  #forgetOne(): boolean {
    if (this.#oldest === null) this.#hooks.reclaim();
    const neighbor = this.#oldest;
    if (neighbor === null) return false;
    this.#unlistUnreferenced(neighbor);
    this.#leaveState(neighbor);
    this.#waiting.giveUp(neighbor, () => undefined);
    const bucket = neighbor.hash & (this.#buckets.length - 1);
    let link = this.#buckets[bucket] ?? null;
    if (link === neighbor) this.#buckets[bucket] = neighbor.nextInBucket;
    else {
      while (link!.nextInBucket !== neighbor) link = link!.nextInBucket;
      link!.nextInBucket = neighbor.nextInBucket;
    }
    this.size--;
    return true;
  }

  #listUnreferenced(neighbor: Neighbor): void {
    neighbor.older = this.#newest;
    neighbor.newer = null;
    if (this.#newest === null) this.#oldest = neighbor;
    else this.#newest.newer = neighbor;
    this.#newest = neighbor;
  }

  #unlistUnreferenced(neighbor: Neighbor): void {
    if (neighbor.older === null) this.#oldest = neighbor.newer;
    else neighbor.older.newer = neighbor.newer;
    if (neighbor.newer === null) this.#newest = neighbor.older;
    else neighbor.newer.older = neighbor.older;
    neighbor.older = null;
    neighbor.newer = null;
  }
}

function matches(
  neighbor: Neighbor,
  nic: Nic,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): boolean {
  return (
    neighbor.w3 === w3 &&
    neighbor.nic === nic &&
    neighbor.w2 === w2 &&
    neighbor.w1 === w1 &&
    neighbor.w0 === w0
  );
}
