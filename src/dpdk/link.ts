/**
 * A DPDK queue as a Link: the door between a stack and a network card.   hot path
 *
 * A worker makes its link from a description (openLink() in port.ts), a plain object that may be
 * posted to it; the rest of the port stays with the thread that opened it.
 * @module
 */
import { LINK_MTU, RING_WORDS, STEER_WORDS } from '../link/layout.gen.ts';
import type { Link, LinkFeatures } from '../link/link.ts';
import { Steering } from '../link/steering.ts';
import type { Arena } from '../storage/arena.ts';
import { type Addon, addon, type QueueCounters } from './addon.ts';
import { arenaOver } from './packet-memory.ts';

/** All that another thread needs to use a queue. */
export interface LinkDescription {
  readonly name: string;
  readonly handle: number;
  readonly arena: number;
  readonly ringAt: number;
  /** Where the port's steering lies; -1: the port has one queue. */
  readonly steeringAt: number;
  readonly queue: number;
  readonly heapAt: number;
  readonly heapBytes: number;
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly segmentBytes: number;
  readonly features: LinkFeatures;
  /** The receive interrupt is an eventfd, which must be read. */
  readonly drainInterrupt: boolean;
}

export class DpdkLink implements Link {
  readonly name: string;
  readonly arena: Arena;
  readonly ring: Int32Array;
  readonly mac: Uint8Array;
  readonly segmentBytes: number;
  readonly features: LinkFeatures;
  /** Number of the queue in its port. */
  readonly queue: number;
  /** Which queue a flow belongs to; null: there is one queue only. */
  readonly steering: Steering | null;
  /** Post this to a worker that is to use the queue instead. */
  readonly description: LinkDescription;
  readonly #handle: number;
  readonly #addon: Addon;
  /** The addon's function itself: by way of the addon object a burst costs a look-up more. */
  readonly #exchange: Addon['exchange'];

  /** `buffer`: the port's memory in this thread. */
  constructor(description: LinkDescription, buffer: ArrayBuffer) {
    this.name = description.name;
    this.arena = arenaOver(buffer, description.heapAt, description.heapBytes);
    this.ring = new Int32Array(buffer, description.ringAt, RING_WORDS);
    this.mac = description.mac;
    this.segmentBytes = description.segmentBytes;
    this.features = description.features;
    this.queue = description.queue;
    this.steering =
      description.steeringAt < 0
        ? null
        : new Steering(new Int32Array(buffer, description.steeringAt, STEER_WORDS));
    this.description = description;
    this.#handle = description.handle;
    this.#addon = addon();
    this.#exchange = this.#addon.exchange;
  }

  /** Largest IP packet, as the device has it now (Port.setMtu); once closed, as it was at first. */
  get mtu(): number {
    return this.ring[LINK_MTU] || this.description.mtu;
  }

  /** Throws when a transmit descriptor names a slot that the stack does not own. */
  exchange(): number {
    const exchange = this.#exchange;
    return exchange(this.#handle);
  }

  /**
   * Lets the calling worker sleep: `callback` is called in its event loop, not more often than
   * sleep() was, when a frame or wake() ends a sleep. True when the device has a receive
   * interrupt; without one a frame that it receives wakes nobody, only what other queues hand over
   * does, and the caller looks by itself from time to time.
   */
  onWake(callback: () => void): boolean {
    return this.#addon.queueOnWake(this.#handle, callback, this.description.drainInterrupt);
  }

  /**
   * Says that the worker stops to call exchange() for now; the next exchange() ends it. False
   * when there is work already. Work that other threads announce by wake() is to be looked for
   * once more after it said true: wake() before that was no use. The device may have received a frame just before: with an
   * interrupt that wakes, without one the caller's next look finds it.
   */
  sleep(): boolean {
    return this.#addon.queueSleep(this.#handle);
  }

  /** Wakes the queue's worker if it sleeps: from any thread that has a link of the description. */
  wake(): void {
    this.#addon.queueWake(this.#handle);
  }

  /** What the addon counted for this queue; all zero once closed. */
  counters(): Partial<QueueCounters> {
    return this.#addon.queueCounters(this.#handle);
  }

  close(): void {
    this.#addon.queueClose(this.#handle);
  }
}
