/**
 * The heap: blocks of the arena for socket buffers, in sizes of powers of two.
 *
 * A stack of free blocks for each size: allocate and free are a few instructions and touch no
 * block, which may long have left the cache. Fresh blocks are cut from the arena region from low to high;
 * a block that is freed serves later requests of its size, or is split for smaller ones.
 * The owner remembers a block's size; `live` counts bytes out, so a leak is one subtraction.   hot path
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

export class Heap {
  readonly arena: Arena;
  /** Bytes that may be handed out in all. */
  readonly budget: number;
  /** Bytes handed out now. */
  live = 0;
  #next: number;
  readonly #end: number;
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
    this.#next = arena.reserve(budget);
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
    let block = this.#take(shift);
    if (block === NO_BLOCK && this.#next + (1 << shift) <= this.#end) {
      block = this.#next;
      this.#next += 1 << shift;
    }
    if (block === NO_BLOCK) block = this.#split(shift);
    if (block === NO_BLOCK) return NO_BLOCK;
    this.live += 1 << shift;
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
}

/** The size of the block that allocate(bytes) hands out. */
export function blockSize(bytes: number): number {
  return 1 << shiftOf(bytes);
}

function shiftOf(bytes: number): number {
  const shift = 32 - Math.clz32(bytes - 1);
  return shift < MIN_SHIFT ? MIN_SHIFT : shift;
}
