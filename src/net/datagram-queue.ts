/**
 * Datagrams that wait to be read, as blocks of the heap threaded into a list.   hot path
 *
 *      0      4        8      24     28     32
 *      | next | length | from | label | hops | payload …
 * @module
 */

import { copy } from '../storage/arena.ts';
import { blockSize, type Heap, NO_BLOCK } from '../storage/heap.ts';
import type { Packet } from './packet.ts';

/** Bytes of a block before the payload. */
const HEADER = 32;

/** Where the parts of a listed datagram lie, from what list() gave. */
export const LENGTH_AT = 4;
export const FROM_AT = 8;
export const LABEL_AT = 24;
export const HOPS_AT = 28;
export const PAYLOAD_AT = HEADER;

export class DatagramQueue {
  /** Datagrams, and the bytes of memory they take. */
  count = 0;
  bytes = 0;
  readonly #heap: Heap;
  #first = NO_BLOCK;
  #last = NO_BLOCK;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Bytes of memory a datagram takes. */
  cost(length: number): number {
    return blockSize(HEADER + length);
  }

  /**
   * Adds a datagram; false when there is no memory.
   * @param label the transport's own: UDP keeps the sender's port there
   */
  push(packet: Packet, payloadAt: number, length: number, label: number): boolean {
    const block = this.#heap.allocate(HEADER + length);
    if (block === NO_BLOCK) return false;
    const view = this.#heap.arena.view;
    view.setInt32(block, NO_BLOCK, true);
    view.setInt32(block + 4, length, true);
    view.setInt32(block + 8, packet.src0, true);
    view.setInt32(block + 12, packet.src1, true);
    view.setInt32(block + 16, packet.src2, true);
    view.setInt32(block + 20, packet.src3, true);
    view.setInt32(block + 24, label, true);
    view.setInt32(block + 28, packet.hops, true);
    copy(this.#heap.arena, block + HEADER, payloadAt, length);
    if (this.#last === NO_BLOCK) this.#first = block;
    else view.setInt32(this.#last, block, true);
    this.#last = block;
    this.count++;
    this.bytes += blockSize(HEADER + length);
    return true;
  }

  // The first datagram; only while count > 0.
  get length(): number {
    return this.#word(LENGTH_AT);
  }
  /** Word 0 to 3 of the sender's address. */
  from(word: number): number {
    return this.#word(FROM_AT + (word << 2));
  }
  get label(): number {
    return this.#word(LABEL_AT);
  }
  get hops(): number {
    return this.#word(HOPS_AT);
  }
  /** Where its payload lies in the arena. */
  get payloadAt(): number {
    return this.#first + HEADER;
  }

  /** Lists datagrams from the first one, as many as `into` has room for; returns how many. */
  list(into: Int32Array): number {
    let count = 0;
    for (let block = this.#first; block !== NO_BLOCK && count < into.length; count++) {
      into[count] = block;
      block = this.#heap.arena.view.getInt32(block, true);
    }
    return count;
  }

  /** Forgets the first datagram. */
  shift(): void {
    const block = this.#first;
    const size = HEADER + this.length;
    this.#first = this.#word(0);
    if (this.#first === NO_BLOCK) this.#last = NO_BLOCK;
    this.#heap.free(block, size);
    this.count--;
    this.bytes -= blockSize(size);
  }

  #word(offset: number): number {
    return this.#heap.arena.view.getInt32(this.#first + offset, true);
  }
}
