/**
 * The neighbor cache: who answers for an on-link address. One for ARP and NDP; what is heard about
 * neighbors, and what of it is believed. reachability.ts has their states.
 * @module
 */
import * as Drop from '../../base/drops.ts';
import type { AddressHash } from '../address-hash.ts';
import type { Core } from '../core.ts';
import type { Nic } from '../nic.ts';
import * as Stats from '../stats.ts';
import * as Board from './board.ts';
import { DELAY, INCOMPLETE, isKnown, type Neighbor, PROBE, STATIC, VERIFY } from './neighbor.ts';
import { RETRANSMIT_MS, Reachability, type ReachabilityHooks } from './reachability.ts';
import { NeighborTable } from './table.ts';
import { WaitingPackets } from './waiting.ts';

/** No announcement of another MAC is believed so soon after news, as in Linux (arp locktime). */
const LOCK_MS = 1000;

export interface NeighborLimits {
  neighbors: number;
  waiting: number;
  waitingBlocks: number;
}

/** What the cache needs from outside. */
export interface NeighborHooks extends ReachabilityHooks {
  /** The table is full of referenced entries: let go of what is only kept for later. */
  reclaim(): void;
}

export class NeighborCache {
  /** How long a neighbor stays REACHABLE without news. */
  readonly reachableMs: number;
  readonly #core: Core;
  readonly #table: NeighborTable;
  readonly #hooks: NeighborHooks;
  readonly #limits: NeighborLimits;
  readonly #waiting: WaitingPackets;
  readonly #reachability: Reachability;
  readonly #board: Board.NeighborBoard | null;

  /** `board`: what other stacks over the same device know; null: this one is alone. */
  constructor(
    core: Core,
    hash: AddressHash,
    hooks: NeighborHooks,
    limits: NeighborLimits,
    board: Board.NeighborBoard | null,
  ) {
    this.#core = core;
    this.#board = board;
    this.#table = new NeighborTable(hash, limits.neighbors);
    this.#hooks = hooks;
    this.#limits = limits;
    this.#waiting = new WaitingPackets(core, limits.waiting, limits.waitingBlocks);
    const mostIncomplete = limits.neighbors >> 2;
    this.#reachability = new Reachability(core, hooks, this.#waiting, board, mostIncomplete);
    this.reachableMs = this.#reachability.reachableMs;
  }

  /** Entries in the table. */
  get size(): number {
    return this.#table.size;
  }

  /** Blocks of memory that waiting packets take. */
  get waitingBlocks(): number {
    return this.#waiting.live;
  }

  /** All entries, for listings. */
  all(): Neighbor[] {
    return this.#table.all();
  }

  /** The entry of an address, null when it is unknown. */
  find(nic: Nic, w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    return this.#table.find(nic, w0, w1, w2, w3);
  }

  /** The entry of an address, made when unknown, with one reference. Null: the table is full. */
  acquire(nic: Nic, w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    const neighbor = this.find(nic, w0, w1, w2, w3) ?? this.#create(nic, w0, w1, w2, w3);
    if (neighbor !== null) this.#table.refer(neighbor);
    return neighbor;
  }

  release(neighbor: Neighbor): void {
    this.#table.release(neighbor);
  }

  /** About to send: 1 when the MAC may be used, 0 when the packet has to wait (hold it). */
  use(neighbor: Neighbor): number {
    return this.#reachability.use(neighbor);
  }

  /** Requests and probes that are due. */
  tick(): void {
    this.#reachability.tick();
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
    if (neighbor.state === INCOMPLETE || neighbor.state === VERIFY) {
      this.#waiting.add(neighbor, at, length, flags, headers, mss);
    } else {
      this.#core.drops[Drop.NEIGHBOR_TABLE_FULL]!++;
    }
  }

  /**
   * A request from a station on the link to us (RFC 826, RFC 4861 7.2.3): it told us its MAC,
   * and that is where our answer goes. An unknown station is remembered, as STALE; a known one
   * that has another MAC now is believed at once.
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
    if (neighbor.state !== STATIC) this.#accept(neighbor, macHigh, macLow, false);
  }

  /**
   * The entry that an answer is about; made when it is unknown here and another queue has asked.
   * Null: nobody wants to know.
   */
  findAsked(nic: Nic, w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    const known = this.find(nic, w0, w1, w2, w3);
    if (known !== null || !this.#isAskedElsewhere(nic, w0, w1, w2, w3)) return known;
    return this.#create(nic, w0, w1, w2, w3);
  }

  #isAskedElsewhere(nic: Nic, w0: number, w1: number, w2: number, w3: number): boolean {
    const now = this.#core.clock.ms;
    return this.#board?.isAsked(nic.index, w0, w1, w2, w3, now) === true;
  }

  /**
   * An answer or announcement for a known neighbor (RFC 4861 7.2.5).
   * @param toUs it is said to us, as an answer is; else to everybody
   * @param override a different MAC replaces the one we know
   */
  update(
    neighbor: Neighbor,
    macHigh: number,
    macLow: number,
    toUs: boolean,
    override: boolean,
  ): void {
    if (neighbor.state === STATIC) return;
    const { nic, w0, w1, w2, w3 } = neighbor;
    const answer = toUs && (isAsking(neighbor) || this.#isAskedElsewhere(nic, w0, w1, w2, w3));
    if (hasOtherMac(neighbor, macHigh, macLow)) {
      const sinceNews = (this.#core.clock.ms - neighbor.settledAt) >>> 0;
      if (!override || (!answer && sinceNews < LOCK_MS)) {
        this.#reachability.contradicted(neighbor, toUs);
        return;
      }
    }
    this.#accept(neighbor, macHigh, macLow, answer);
  }

  #accept(neighbor: Neighbor, macHigh: number, macLow: number, answer: boolean): void {
    const now = this.#core.clock.ms;
    const changed = this.#take(neighbor, macHigh, macLow);
    if (changed || answer) neighbor.settledAt = now;
    if (answer) this.#reachability.becomeReachable(neighbor, now);
    else if (changed) this.#reachability.becomeStale(neighbor, now);
    if (changed || answer) this.#board?.say(answer ? Board.ANSWERED : Board.HEARD, neighbor, now);
    if (neighbor.waiting > 0) this.#waiting.flush(neighbor);
  }

  /** Takes in what other queues have said. Call it when board.hasNews. */
  hear(nics: readonly Nic[]): void {
    const board = this.#board;
    if (board === null) return;
    while (board.next()) {
      const { record } = board;
      const nic = nics[record[Board.NIC]!];
      if (nic !== undefined) this.#hearOf(nic, record);
    }
  }

  #hearOf(nic: Nic, record: Int32Array): void {
    const a = Board.ADDRESS;
    const [w0, w1, w2, w3] = [record[a]!, record[a + 1]!, record[a + 2]!, record[a + 3]!];
    const kind = record[Board.KIND]!;
    const known = this.find(nic, w0, w1, w2, w3);
    if (kind === Board.DOES_ANYBODY_KNOW) {
      if (known !== null) this.#sayIfConfirmed(known, record);
      return;
    }
    const neighbor = known ?? this.#create(nic, w0, w1, w2, w3);
    if (neighbor === null || neighbor.state === STATIC) return;
    const macHigh = record[Board.MAC_HIGH]!;
    const macLow = record[Board.MAC_LOW]!;
    // Who gets through to another station than we know says nothing against ours.
    if (kind === Board.CONFIRMED && hasOtherMac(neighbor, macHigh, macLow)) return;
    // A queue that polls later is ahead of our clock.
    const now = this.#core.clock.ms;
    const at = ((record[Board.AT]! - now) | 0) > 0 ? now : record[Board.AT]!;
    this.#adopt(neighbor, macHigh, macLow, kind, at);
  }

  /** What another queue has accepted by the rules above counts here as well. */
  #adopt(neighbor: Neighbor, macHigh: number, macLow: number, kind: number, at: number): void {
    const changed = this.#take(neighbor, macHigh, macLow);
    if (changed || kind === Board.ANSWERED) neighbor.settledAt = at;
    if (kind === Board.HEARD) {
      if (changed) this.#reachability.becomeStale(neighbor, this.#core.clock.ms);
    } else if (changed || ((at - neighbor.confirmedAt) | 0) > 0) {
      this.#reachability.becomeReachable(neighbor, at);
    }
    if (neighbor.waiting > 0) this.#waiting.flush(neighbor);
  }

  /** Puts a MAC down; true when it is news. */
  #take(neighbor: Neighbor, macHigh: number, macLow: number): boolean {
    if (isKnown(neighbor) && !hasOtherMac(neighbor, macHigh, macLow)) return false;
    neighbor.macHigh = macHigh;
    neighbor.macLow = macLow;
    this.#core.stats[Stats.NEIGHBORS_LEARNED]!++;
    return true;
  }

  #sayIfConfirmed(neighbor: Neighbor, record: Int32Array): void {
    const isFresh = (this.#core.clock.ms - neighbor.confirmedAt) >>> 0 < this.reachableMs;
    const isSame =
      neighbor.macHigh === record[Board.MAC_HIGH] && neighbor.macLow === record[Board.MAC_LOW];
    const isUsed = isKnown(neighbor) && neighbor.state !== STATIC && neighbor.state !== VERIFY;
    if (isFresh && isSame && isUsed) {
      this.#board?.say(Board.CONFIRMED, neighbor, neighbor.confirmedAt);
    }
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
    this.#reachability.leaveState(neighbor);
    neighbor.state = STATIC;
    neighbor.macHigh = macHigh;
    neighbor.macLow = macLow;
    this.#waiting.flush(neighbor);
    return true;
  }

  #create(nic: Nic, w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    if (this.size >= this.#limits.neighbors && !this.#forgetOne()) {
      this.#core.drops[Drop.NEIGHBOR_TABLE_FULL]!++;
      return null;
    }
    const neighbor = this.#table.add(nic, w0, w1, w2, w3);
    neighbor.verifiedAt = (this.#core.clock.ms - RETRANSMIT_MS) | 0;
    return neighbor;
  }

  /** Forgets the entry that has been unreferenced for longest. */
  #forgetOne(): boolean {
    if (this.#table.oldest === null) this.#hooks.reclaim();
    const neighbor = this.#table.oldest;
    if (neighbor === null) return false;
    this.#reachability.leaveState(neighbor);
    this.#waiting.giveUp(neighbor, () => undefined);
    this.#table.remove(neighbor);
    return true;
  }
}

function hasOtherMac(neighbor: Neighbor, macHigh: number, macLow: number): boolean {
  return isKnown(neighbor) && (neighbor.macHigh !== macHigh || neighbor.macLow !== macLow);
}

/** We asked, or are about to: what the neighbor says to us is an answer. */
function isAsking({ state, solicitations }: Neighbor): boolean {
  if (state === VERIFY) return solicitations > 0;
  return state === INCOMPLETE || state === PROBE || state === DELAY;
}
