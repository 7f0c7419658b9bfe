/**
 * Which queue of a port a flow belongs to: the hash's key and the table from hash to queue, in
 * memory that all workers and the addon see (native/src/layout.h, steer.c).   hot path
 *
 * A frame reaches the queue that queueOf() names, whatever its device does. assign() gives an
 * entry of the table another queue; that takes effect when none of the entry's frames is on its
 * way between two queues, so that no frame overtakes another of its flow there. What its old queue
 * has shown its stack already, and what a device with a table of its own holds already, is not
 * waited for.
 * @module
 */
import type { Address } from '../base/address.ts';
import { goodKey, symmetricHash } from '../base/toeplitz.ts';
import * as L from './layout.gen.ts';

/** A share of all hashes, in STEER_ASTRAY. */
const SHARES = 65_536;

export class Steering {
  /** STEER_WORDS int32 words; a worker's own view of them makes its own Steering. */
  readonly words: Int32Array;
  readonly queues: number;
  /** The 16 bits that the key repeats. */
  readonly key: number;

  constructor(words: Int32Array) {
    this.words = words;
    this.queues = words[L.STEER_QUEUES]!;
    this.key = words[L.STEER_KEY]!;
  }

  /** How often an entry's queue has changed: whoever keeps an answer of queueOf() compares. */
  get changes(): number {
    return Atomics.load(this.words, L.STEER_CHANGES);
  }

  /** The fold of both addresses' words (::ffff:a.b.c.d) and both ports; 0 for none. */
  fold(local: Address, remote: Address, localPort: number, remotePort: number): number {
    const a = local.w0 ^ local.w1 ^ local.w2 ^ local.w3;
    const b = remote.w0 ^ remote.w1 ^ remote.w2 ^ remote.w3;
    return ((a >>> 16) ^ a ^ (b >>> 16) ^ b ^ localPort ^ remotePort) & 0xffff;
  }

  /** The hash that received frames of the flow have (RX_HASH). */
  hashOf(local: Address, remote: Address, localPort: number, remotePort: number): number {
    return symmetricHash(this.key, this.fold(local, remote, localPort, remotePort));
  }

  /**
   * The queue that frames of this flow reach: of TCP and UDP. With ports 0: of fragments, ICMP
   * echoes and other protocols between the two. `local` and `remote` may be exchanged.
   */
  queueOf(local: Address, remote: Address, localPort: number, remotePort: number): number {
    return this.queueOfHash(this.hashOf(local, remote, localPort, remotePort));
  }

  /** The queue of a frame's RX_HASH. */
  queueOfHash(hash: number): number {
    return Atomics.load(this.words, L.STEER_TABLE + (hash & (L.STEER_ENTRIES - 1)));
  }

  /** Gives an entry of the table (0 .. STEER_ENTRIES - 1) to a queue. */
  assign(entry: number, queue: number): void {
    const { words } = this;
    Atomics.store(words, L.STEER_WANTED + entry, queue);
    const flying = L.STEER_FLYING + entry;
    // Frames are on their way: whoever lands the last of them changes the queue.
    if (Atomics.compareExchange(words, flying, 0, L.STEER_CHANGING) !== 0) return;
    if (Atomics.exchange(words, L.STEER_TABLE + entry, queue) !== queue) {
      Atomics.add(words, L.STEER_CHANGES, 1);
    }
    Atomics.sub(words, flying, L.STEER_CHANGING);
  }

  /** True when every entry has the queue that it was given last. */
  get isSettled(): boolean {
    for (let entry = 0; entry < L.STEER_ENTRIES; entry++) {
      const wanted = Atomics.load(this.words, L.STEER_WANTED + entry);
      if (Atomics.load(this.words, L.STEER_TABLE + entry) !== wanted) return false;
    }
    return true;
  }

  /** For tests: this share (0 to 1) of flows is treated as if it came to a wrong queue. */
  sendAstray(share: number): void {
    Atomics.store(this.words, L.STEER_ASTRAY, Math.round(share * SHARES));
  }
}

/** An even table for `queues` queues; `random`: any 16 bits for the key. cold: once for a port. */
export function initSteering(words: Int32Array, queues: number, random: number): Steering {
  words.fill(0);
  words[L.STEER_KEY] = goodKey(random);
  words[L.STEER_QUEUES] = queues;
  for (let entry = 0; entry < L.STEER_ENTRIES; entry++) {
    words[L.STEER_TABLE + entry] = entry % queues;
    words[L.STEER_WANTED + entry] = entry % queues;
  }
  return new Steering(words);
}
