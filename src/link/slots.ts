/**
 * Frame memory: a pool of equal slots in an arena.   hot path
 *
 * A slot is an integer, the offset of its first byte; SLOT_TRANSPORT bytes behind it a transport
 * header starts. The pool is a stack, so the slot used last, still in the cache, is used next.
 * @module
 */
import type { Arena } from '../storage/arena.ts';
import { SLOT_BASE, SLOT_BYTES, SLOT_COUNT, SLOT_MAX } from './layout.gen.ts';

/** "None", where a slot is expected. */
export const NO_SLOT = -1;

export class SlotPool {
  /** Slots in the pool and outside. */
  readonly total: number;
  /** Bytes of one slot. */
  readonly slotBytes: number;
  readonly #first: number;
  readonly #end: number;
  readonly #stack: Int32Array;
  #free = 0;

  /** Reserves `total` slots of at least `slotBytes` bytes. Throws StackError ENOMEM. */
  constructor(arena: Arena, total: number, slotBytes: number = SLOT_BYTES) {
    this.total = total;
    this.slotBytes = (slotBytes + 63) & ~63;
    this.#first = arena.reserve(total * this.slotBytes);
    this.#end = this.#first + total * this.slotBytes;
    this.#stack = new Int32Array(total);
    for (let i = total - 1; i >= 0; i--) this.give(this.#first + i * this.slotBytes);
  }

  /** Slots in the pool. */
  get free(): number {
    return this.#free;
  }

  /** Slots nobody uses: those in the pool and those `ring` offers. Equals `total` at rest. */
  idle(ring: Int32Array): number {
    return this.#free + ring[SLOT_COUNT]!;
  }

  /** True for a slot of this pool. */
  owns(slot: number): boolean {
    return slot >= this.#first && slot < this.#end;
  }

  /** A free slot, NO_SLOT when there is none. */
  take(): number {
    if (this.#free === 0) return NO_SLOT;
    this.#free--;
    return this.#stack[this.#free]!;
  }

  /** Takes a slot back. */
  give(slot: number): void {
    this.#stack[this.#free] = slot;
    this.#free++;
  }

  /** Fills up the free transmit slots of a ring. */
  fill(ring: Int32Array): void {
    let free = this.#free;
    let count = ring[SLOT_COUNT]!;
    if (free === 0 || count === SLOT_MAX) return;
    for (; free > 0 && count < SLOT_MAX; count++) {
      free--;
      ring[SLOT_BASE + count] = this.#stack[free]!;
    }
    this.#free = free;
    ring[SLOT_COUNT] = count;
  }
}
