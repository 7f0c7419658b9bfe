/**
 * Blocks: arena memory for packets that have to wait, in pieces of one size.
 *
 * One size, so that no pattern of small packets can break the memory up for large ones; a packet
 * longer than a block is a chain.
 * @module
 */
import { type Arena, copy } from '../storage/arena.ts';

export const BLOCK_BYTES = 2048;
/** No block, and the end of a chain. */
export const NO_BLOCK = -1;

export class Blocks {
  readonly capacity: number;
  /** Blocks in use. */
  live = 0;
  /** Next block of the chain, and bytes used in this one. */
  readonly next: Int32Array;
  readonly length: Int32Array;
  readonly #arena: Arena;
  readonly #base: number;
  #free = 0;

  /** Reserves `capacity` blocks. Throws StackError ENOMEM. */
  constructor(arena: Arena, capacity: number) {
    this.#arena = arena;
    this.capacity = capacity;
    this.#base = arena.reserve(capacity * BLOCK_BYTES);
    this.next = Int32Array.from({ length: capacity }, (_, i) => i + 1);
    this.next[capacity - 1] = NO_BLOCK;
    this.length = new Int32Array(capacity);
  }

  /** Byte offset of a block in the arena. */
  at(block: number): number {
    return this.#base + block * BLOCK_BYTES;
  }

  /** A block, its chain ended, or NO_BLOCK. */
  take(): number {
    const block = this.#free;
    if (block === NO_BLOCK) return NO_BLOCK;
    this.#free = this.next[block]!;
    this.next[block] = NO_BLOCK;
    this.length[block] = 0;
    this.live++;
    return block;
  }

  /** Frees one block; its `next` is read before. */
  give(block: number): void {
    this.next[block] = this.#free;
    this.#free = block;
    this.live--;
  }

  /** Frees a chain. */
  giveChain(first: number): void {
    let block = first;
    while (block !== NO_BLOCK) {
      const next = this.next[block]!;
      this.give(block);
      block = next;
    }
  }

  /** Copies `length` bytes into a fresh chain; its first block, or NO_BLOCK when there are too few. */
  store(at: number, length: number): number {
    let first = NO_BLOCK;
    let last = NO_BLOCK;
    for (let done = 0; done < length; done += BLOCK_BYTES) {
      const block = this.take();
      if (block === NO_BLOCK) {
        this.giveChain(first);
        return NO_BLOCK;
      }
      const piece = Math.min(BLOCK_BYTES, length - done);
      copy(this.#arena, this.at(block), at + done, piece);
      this.length[block] = piece;
      if (first === NO_BLOCK) first = block;
      else this.next[last] = block;
      last = block;
    }
    return first;
  }

  /** Copies a chain to `to`; returns its length in bytes. */
  load(first: number, to: number): number {
    let end = to;
    for (let block = first; block !== NO_BLOCK; block = this.next[block]!) {
      copy(this.#arena, end, this.at(block), this.length[block]!);
      end += this.length[block]!;
    }
    return end - to;
  }
}
