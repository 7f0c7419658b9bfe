/**
 * A queue of bytes in a heap block: the send and the receive buffer of a connection.   hot path
 *
 * The block is taken when there is something to hold, grows as needed, and goes back to the heap
 * the moment the queue is empty: an idle connection holds no memory, and a busy one mostly gets
 * the block it just gave back, still warm in the cache. Positions are offsets from the front.
 *
 *      block        front                end
 *      |............|#### length ####|..... holes and out-of-order bytes may lie here ....|
 * @module
 */
import { copy } from './arena.ts';
import { blockSize, type Heap, NO_BLOCK, SMALL_BLOCK } from './heap.ts';

export class ByteRing {
  /** Bytes in the queue. */
  length = 0;
  /** Size of the block, a power of two; 0 when there is none. */
  size = 0;
  #block = NO_BLOCK;
  /** Index of the front within the block. */
  #front = 0;
  /** What the last block grew to: the next one starts there. */
  #hint = 0;
  /** Most bytes held since the block was taken. */
  #peak = 0;

  /** Makes room for `bytes` from the front; false when the heap has none. */
  reserve(heap: Heap, bytes: number): boolean {
    if (bytes > this.#peak) this.#peak = bytes;
    return bytes <= this.size || this.grow(heap, bytes);
  }

  /** reserve()'s: not private, since a private method costs each ring a word of memory. */
  grow(heap: Heap, bytes: number): boolean {
    const wanted = bytes > this.#hint ? bytes : this.#hint;
    let size = wanted <= SMALL_BLOCK ? SMALL_BLOCK : blockSize(wanted);
    let block = heap.allocate(size);
    if (block === NO_BLOCK && blockSize(bytes) < size) {
      size = blockSize(bytes);
      block = heap.allocate(size);
    }
    if (block === NO_BLOCK) return false;
    if (this.size !== 0) {
      // Everything up to the old size may be in use: out-of-order bytes lie behind the end.
      this.copyTo(heap, 0, block, this.size);
      heap.free(this.#block, this.size);
    }
    this.#block = block;
    this.size = size;
    this.#front = 0;
    return true;
  }

  /** Offset in the arena of the byte at `offset` from the front. */
  at(offset: number): number {
    return this.#block + ((this.#front + offset) & (this.size - 1));
  }

  /** Bytes that lie in one piece from `offset` on. */
  contiguous(offset: number): number {
    return this.size - ((this.#front + offset) & (this.size - 1));
  }

  /** Copies arena bytes in at `offset` from the front. The room is reserved. */
  place(heap: Heap, offset: number, from: number, length: number): void {
    const at = (this.#front + offset) & (this.size - 1);
    const first = this.size - at;
    if (length <= first) {
      copy(heap.arena, this.#block + at, from, length);
    } else {
      copy(heap.arena, this.#block + at, from, first);
      copy(heap.arena, this.#block, from + first, length - first);
    }
  }

  /** Copies bytes from `offset` on out to the arena at `to`. */
  copyTo(heap: Heap, offset: number, to: number, length: number): void {
    const at = (this.#front + offset) & (this.size - 1);
    const first = this.size - at;
    if (length <= first) {
      copy(heap.arena, to, this.#block + at, length);
    } else {
      copy(heap.arena, to, this.#block + at, first);
      copy(heap.arena, to + first, this.#block, length - first);
    }
  }

  /** The `bytes` placed behind the end become part of the queue. */
  extend(bytes: number): void {
    this.length += bytes;
  }

  /** Forgets `bytes` at the front; an empty queue gives its block back. */
  drop(heap: Heap, bytes: number, keep: boolean): void {
    this.length -= bytes;
    if (this.length === 0 && !keep) this.release(heap);
    else this.#front = (this.#front + bytes) & (this.size - 1);
  }

  /**
   * Gives back what the block holds beyond the queue, by halves: what was placed behind the end is
   * lost. For when memory is short.
   */
  trim(heap: Heap): void {
    if (this.length === 0) return this.release(heap);
    let size = this.size;
    while (size > SMALL_BLOCK && this.length <= size >> 1) size >>= 1;
    if (size === this.size) return;
    const first = this.contiguous(0);
    if (first < this.length) {
      // In two pieces: the second makes room for the first.
      copy(heap.arena, this.#block + first, this.#block, this.length - first);
      copy(heap.arena, this.#block, this.#block + this.#front, first);
    } else {
      copy(heap.arena, this.#block, this.#block + this.#front, this.length);
    }
    for (let half = this.size >> 1; half >= size; half >>= 1) heap.free(this.#block + half, half);
    this.#front = 0;
    this.size = size;
    this.#hint = size;
    this.#peak = this.length;
  }

  /** Gives the block back and forgets everything. */
  release(heap: Heap): void {
    const size = this.size;
    if (size !== 0) {
      heap.free(this.#block, size);
      this.#hint = this.#peak <= size >> 2 ? size >> 1 : size;
    }
    this.#block = NO_BLOCK;
    this.size = 0;
    this.length = 0;
    this.#front = 0;
    this.#peak = 0;
  }

  /** Forgets also what it learned: for the next connection that gets this ring. */
  reset(heap: Heap): void {
    this.release(heap);
    this.#hint = 0;
  }
}

/** Copies bytes of a program's array to the arena; `start` is an index of the array. */
export function copyIn(
  heap: Heap,
  to: number,
  from: Uint8Array,
  start: number,
  length: number,
): void {
  const arena = heap.arena;
  const offset = arena.offsetOf(from);
  if (offset >= 0) copy(arena, to, offset + start, length);
  else if (start === 0 && length === from.length) arena.bytes.set(from, to);
  else if (length > 32) setPart(arena.bytes, to, from, start, length);
  else for (let i = 0; i < length; i++) arena.bytes[to + i] = from[start + i]!;
}

/** Copies arena bytes to a program's array. */
export function copyOut(
  heap: Heap,
  from: number,
  into: Uint8Array,
  start: number,
  length: number,
): void {
  const arena = heap.arena;
  const offset = arena.offsetOf(into);
  if (offset >= 0) copy(arena, offset + start, from, length);
  else if (length > 32) setPart(into, start, arena.bytes, from, length);
  else for (let i = 0; i < length; i++) into[start + i] = arena.bytes[from + i]!;
}

/** cold: only for arrays outside of the arena, where a copy cannot do without a view. */
function setPart(to: Uint8Array, at: number, from: Uint8Array, start: number, n: number): void {
  to.set(from.subarray(start, start + n), at);
}
