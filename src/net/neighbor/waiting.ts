/**
 * IP packets that wait until their neighbor's MAC address is known: a bounded queue per neighbor,
 * the memory bounded for all.
 * @module
 */
import * as Drop from '../../base/drops.ts';
import { SLOT_TRANSPORT } from '../../link/layout.gen.ts';
import * as Ethernet from '../../wire/ethernet.ts';
import { Blocks, NO_BLOCK } from '../blocks.ts';
import type { Core } from '../core.ts';
import { NO_SLOT, push, take } from '../transmit.ts';
import type { Neighbor } from './neighbor.ts';

export class WaitingPackets {
  readonly #core: Core;
  /** Packets one neighbor may have. */
  readonly #most: number;
  readonly #blocks: Blocks;
  // Per first block of a packet: the next packet, and what egress said about this one.
  readonly #next: Int32Array;
  readonly #flags: Int32Array;
  readonly #headers: Int32Array;
  readonly #mss: Int32Array;

  constructor(core: Core, most: number, blocks: number) {
    this.#core = core;
    this.#most = most;
    this.#blocks = new Blocks(core.arena, blocks);
    this.#next = new Int32Array(blocks);
    this.#flags = new Int32Array(blocks);
    this.#headers = new Int32Array(blocks);
    this.#mss = new Int32Array(blocks);
  }

  /** Blocks in use. */
  get live(): number {
    return this.#blocks.live;
  }

  /** Copies a packet into the neighbor's queue, in place of the oldest when it is full. */
  add(
    neighbor: Neighbor,
    at: number,
    length: number,
    flags: number,
    headers: number,
    mss: number,
  ): void {
    const { drops } = this.#core;
    if (neighbor.waiting >= this.#most) {
      this.#blocks.giveChain(this.#shift(neighbor));
      drops[Drop.NEIGHBOR_QUEUE_FULL]!++;
    }
    const block = this.#blocks.store(at, length);
    if (block === NO_BLOCK) {
      drops[Drop.NEIGHBOR_QUEUE_FULL]!++;
      return;
    }
    this.#flags[block] = flags;
    this.#headers[block] = headers;
    this.#mss[block] = mss;
    this.#next[block] = NO_BLOCK;
    if (neighbor.lastWaiting === NO_BLOCK) neighbor.firstWaiting = block;
    else this.#next[neighbor.lastWaiting] = block;
    neighbor.lastWaiting = block;
    neighbor.waiting++;
  }

  /** The MAC is known: sends what waited for it. */
  flush(neighbor: Neighbor): void {
    while (neighbor.waiting > 0) {
      const block = this.#shift(neighbor);
      this.#transmit(neighbor, block);
      this.#blocks.giveChain(block);
    }
  }

  /**
   * Nobody answered: gives the packets up.
   * @param tell is shown each packet, its IP header at `at`; it may send new ones
   */
  giveUp(neighbor: Neighbor, tell: (version: number, at: number, length: number) => void): void {
    let block = neighbor.firstWaiting;
    neighbor.firstWaiting = NO_BLOCK;
    neighbor.lastWaiting = NO_BLOCK;
    neighbor.waiting = 0;
    while (block !== NO_BLOCK) {
      const next = this.#next[block]!;
      this.#core.drops[Drop.NEIGHBOR_UNREACHABLE]!++;
      tell(neighbor.version, this.#blocks.at(block), this.#blocks.length[block]!);
      this.#blocks.giveChain(block);
      block = next;
    }
  }

  #shift(neighbor: Neighbor): number {
    const block = neighbor.firstWaiting;
    neighbor.firstWaiting = this.#next[block]!;
    if (neighbor.firstWaiting === NO_BLOCK) neighbor.lastWaiting = NO_BLOCK;
    neighbor.waiting--;
    return block;
  }

  #transmit(neighbor: Neighbor, block: number): void {
    const { view, drops } = this.#core;
    const nic = neighbor.nic;
    const slot = take(nic.ring);
    if (slot === NO_SLOT) {
      drops[Drop.TX_NO_SLOT]!++;
      return;
    }
    const headers = this.#headers[block]!;
    const ipAt = slot + SLOT_TRANSPORT - ((headers >>> 8) & 0xff);
    const length = this.#blocks.load(block, ipAt) + nic.l2Length;
    const at = ipAt - nic.l2Length;
    const type = neighbor.version === 4 ? Ethernet.ETHERTYPE_IPV4 : Ethernet.ETHERTYPE_IPV6;
    Ethernet.write(view, at, neighbor.macHigh, neighbor.macLow, nic.macHigh, nic.macLow, type);
    if (nic.vlan !== 0) Ethernet.writeTag(view, at, nic.vlan, type);
    // take() found a descriptor, so push() has one.
    push(nic, slot, at, length, this.#flags[block]!, headers, this.#mss[block]!);
  }
}
