/**
 * The heap: blocks of the arena for socket buffers, in sizes of powers of two.
 *
 * A stack of free blocks for each size: allocate and free are a few instructions and touch no
 * block, which may long have left the cache. Fresh blocks are cut from the arena region from low to high;
 * a block that is freed serves later requests of its size, or is split for smaller ones.
 * The owner remembers a block's size; `live` counts bytes out, so a leak is one subtraction.
 *
 * When a request would fail although enough is free, in pieces, the pieces that lie side by side
 * are joined: many small buffers do not spoil the heap for large ones.   hot path
 * @module
 */
import type { Arena } from './arena.ts';

/** No block. */
export const NO_BLOCK = -1;
/** Smallest and largest block, as powers of two. */
const MIN_SHIFT = 8;
const MAX_SHIFT = 26;
/** Small blocks at hand; those beyond lie with the others. */
const SMALL_STACK = 1024;
/** The size nearly every message needs: its free blocks have a stack of their own. */
export const SMALL_BLOCK: number = 1 << MIN_SHIFT;
/** A free piece as one number that sorts by its place: smallest blocks from the start, and shift. */
const SHIFT_BITS = 5;
const SHIFT_MASK = (1 << SHIFT_BITS) - 1;
/** Joining pieces is worth it when this part of the budget was freed since the last time. */
const MEND_SHIFT = 6;

export class Heap {
  readonly arena: Arena;
  /** Bytes that may be handed out in all. */
  readonly budget: number;
  /** Bytes handed out now. */
  live = 0;
  #next: number;
  readonly #start: number;
  readonly #end: number;
  /** Bytes that were free in pieces when they were last joined, or less if it was less since. */
  #freeAtMend = 0;
  /** For each size a stack of free blocks, and how many are on it. */
  readonly #free: Int32Array[] = [];
  readonly #count: Int32Array = new Int32Array(MAX_SHIFT + 1);
  readonly #small: Int32Array = new Int32Array(SMALL_STACK);
  #smallCount = 0;

  /** Takes `budget` bytes of the arena. Throws StackError ENOMEM when they are not there. */
  constructor(arena: Arena, budget: number) {
    this.arena = arena;
    for (let shift = 0; shift <= MAX_SHIFT; shift++) this.#free.push(new Int32Array(4));
    this.budget = budget;
    this.#start = arena.reserve(budget);
    this.#next = this.#start;
    this.#end = this.#next + budget;
  }

  /** A block of `bytes` (rounded up to a power of two, see blockSize), or NO_BLOCK. */
  allocate(bytes: number): number {
    const small = this.#smallCount;
    if (bytes <= SMALL_BLOCK && small > 0) {
      this.#smallCount = small - 1;
      this.live += SMALL_BLOCK;
      return this.#small[small - 1]!;
    }
    return this.#allocateAny(bytes);
  }

  #allocateAny(bytes: number): number {
    const shift = shiftOf(bytes);
    if (shift > MAX_SHIFT) return NO_BLOCK;
    let block = this.#find(shift);
    if (block === NO_BLOCK && this.#mend(1 << shift)) block = this.#find(shift);
    if (block === NO_BLOCK) return NO_BLOCK;
    this.live += 1 << shift;
    return block;
  }

  #find(shift: number): number {
    let block = this.#take(shift);
    if (block === NO_BLOCK && this.#next + (1 << shift) <= this.#end) {
      block = this.#next;
      this.#next += 1 << shift;
    }
    if (block === NO_BLOCK) block = this.#split(shift);
    return block;
  }

  /** Gives back a block that was allocated with `bytes`. */
  free(block: number, bytes: number): void {
    const small = this.#smallCount;
    if (bytes <= SMALL_BLOCK && small < SMALL_STACK) {
      this.#small[small] = block;
      this.#smallCount = small + 1;
      this.live -= SMALL_BLOCK;
    } else {
      this.#freeAny(block, bytes);
    }
  }

  #freeAny(block: number, bytes: number): void {
    const shift = shiftOf(bytes);
    this.live -= 1 << shift;
    this.#put(block, shift);
  }

  #take(shift: number): number {
    const count = this.#count[shift]!;
    if (count === 0) return NO_BLOCK;
    this.#count[shift] = count - 1;
    return this.#free[shift]![count - 1]!;
  }

  #put(block: number, shift: number): void {
    const count = this.#count[shift]!;
    if (count === this.#free[shift]!.length) this.#widen(shift);
    this.#free[shift]![count] = block;
    this.#count[shift] = count + 1;
  }

  /** cold: once per doubling. */
  #widen(shift: number): void {
    const old = this.#free[shift]!;
    const wider = new Int32Array(old.length * 2);
    wider.set(old);
    this.#free[shift] = wider;
  }

  /** Cuts a larger free block; its upper halves go to the smaller stacks. */
  #split(shift: number): number {
    for (let larger = shift + 1; larger <= MAX_SHIFT; larger++) {
      const block = this.#take(larger);
      if (block === NO_BLOCK) continue;
      for (let half = larger - 1; half >= shift; half--) this.#put(block + (1 << half), half);
      return block;
    }
    return NO_BLOCK;
  }

  /**
   * Joins free blocks that lie side by side; false when that can not help. cold: only when there is
   * no block of `bytes`, and again only after a good part of the budget was freed.
   */
  #mend(bytes: number): boolean {
    const free = this.#next - this.#start - this.live;
    if (free < this.#freeAtMend) this.#freeAtMend = free;
    if (free < bytes || free - this.#freeAtMend < this.budget >> MEND_SHIFT) return false;
    const pieces = this.#freePieces();
    let first = 0;
    let end = 0;
    for (let i = 0; i < pieces.length; i++) {
      const at = pieces[i]! >>> SHIFT_BITS;
      if (at !== end) {
        this.#cut(first, end);
        first = at;
      }
      end = at + ((1 << (pieces[i]! & SHIFT_MASK)) >> MIN_SHIFT);
    }
    if (this.#start + (end << MIN_SHIFT) === this.#next) {
      this.#next = this.#start + (first << MIN_SHIFT);
    } else {
      this.#cut(first, end);
    }
    this.#freeAtMend = this.#next - this.#start - this.live;
    return true;
  }

  /** Takes every free block: place, counted in the smallest blocks, and shift, in order. cold: for #mend(). */
  #freePieces(): Int32Array {
    let total = this.#smallCount;
    for (let shift = MIN_SHIFT; shift <= MAX_SHIFT; shift++) total += this.#count[shift]!;
    const pieces = new Int32Array(total);
    let n = 0;
    while (this.#smallCount > 0) {
      const block = this.#small[--this.#smallCount]!;
      pieces[n++] = (((block - this.#start) >> MIN_SHIFT) << SHIFT_BITS) | MIN_SHIFT;
    }
    for (let shift = MIN_SHIFT; shift <= MAX_SHIFT; shift++) {
      for (let block = this.#take(shift); block !== NO_BLOCK; block = this.#take(shift)) {
        pieces[n++] = (((block - this.#start) >> MIN_SHIFT) << SHIFT_BITS) | shift;
      }
    }
    return pieces.sort();
  }

  /** Puts a run of smallest blocks back as the largest blocks that it holds. cold: for #mend(). */
  #cut(first: number, end: number): void {
    for (let at = first; at < end; ) {
      const bits = 31 - Math.clz32(end - at) + MIN_SHIFT;
      const shift = bits < MAX_SHIFT ? bits : MAX_SHIFT;
      this.#put(this.#start + (at << MIN_SHIFT), shift);
      at += (1 << shift) >> MIN_SHIFT;
    }
  }
}

/** The size of the block that allocate(bytes) hands out. */
export function blockSize(bytes: number): number {
  return 1 << shiftOf(bytes);
}

function shiftOf(bytes: number): number {
  const shift = 32 - Math.clz32(bytes - 1);
  return shift < MIN_SHIFT ? MIN_SHIFT : shift;
}
