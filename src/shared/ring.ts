/**
 * A ring: messages from one thread to one other, in order, bounded.
 *
 * One side only ever moves `tail`, the other only `head`; both count bytes and wrap at 2^32. A full
 * ring refuses, it never overwrites and never waits: what happens then is the producer's affair.
 *
 *     | capacity | head | tail | length bytes.. pad | length bytes.. pad | ...
 * @module
 */
import { StackError } from '../base/errors.ts';

const CAPACITY = 0;
/** Consumer and producer write to cache lines of their own. */
const HEAD = 16;
const TAIL = 32;
const HEADER_BYTES = 192;
/** What take() says of an empty ring. */
export const EMPTY = -1;

export class SharedRing {
  /** The memory to give to the other thread, which makes its own SharedRing over it. */
  readonly memory: SharedArrayBuffer;
  /** Bytes that messages and their lengths may take. */
  readonly capacity: number;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  /** The lengths: a message begins at a multiple of four. */
  readonly #lengths: Int32Array;

  /** A view of a ring that allocate() made. */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.capacity = this.#words[CAPACITY]!;
    this.#bytes = new Uint8Array(memory, HEADER_BYTES, this.capacity);
    this.#lengths = new Int32Array(memory, HEADER_BYTES, this.capacity / 4);
  }

  /** A new ring, empty; `capacity` in bytes, a power of two of at least 16. Throws EINVAL. */
  static allocate(capacity: number): SharedRing {
    if (capacity < 16 || capacity > 2 ** 30 || (capacity & (capacity - 1)) !== 0) {
      throw new StackError('EINVAL', `a ring of ${capacity} bytes`);
    }
    const memory = new SharedArrayBuffer(HEADER_BYTES + capacity);
    new Int32Array(memory)[CAPACITY] = capacity;
    return new SharedRing(memory);
  }

  /** Producer: appends from[start, end); false when there is no room for it now. */
  push(from: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    const tail = Atomics.load(this.#words, TAIL);
    const used = (tail - Atomics.load(this.#words, HEAD)) | 0;
    const needed = paddedLength(length);
    if (needed > this.capacity - used) return false;
    const mask = this.capacity - 1;
    this.#lengths[(tail & mask) >>> 2] = length;
    this.#copyIn((tail + 4) & mask, from, start, end);
    Atomics.store(this.#words, TAIL, (tail + needed) | 0);
    return true;
  }

  /** Consumer: bytes of the first message, EMPTY when there is none. */
  peek(): number {
    const head = Atomics.load(this.#words, HEAD);
    if (head === Atomics.load(this.#words, TAIL)) return EMPTY;
    return this.#lengths[(head & (this.capacity - 1)) >>> 2]!;
  }

  /**
   * Consumer: copies the first message to into[at...] and takes it out; returns its length, or
   * EMPTY. Throws RangeError when it does not fit (peek() tells how much it is).
   */
  take(into: Uint8Array, at: number): number {
    const length = this.peek();
    if (length === EMPTY) return EMPTY;
    const head = Atomics.load(this.#words, HEAD);
    this.#copyOut((head + 4) & (this.capacity - 1), into, at, length);
    Atomics.store(this.#words, HEAD, (head + paddedLength(length)) | 0);
    return length;
  }

  #copyIn(at: number, from: Uint8Array, start: number, end: number): void {
    const first = Math.min(end - start, this.capacity - at);
    this.#bytes.set(from.subarray(start, start + first), at);
    if (start + first < end) this.#bytes.set(from.subarray(start + first, end), 0);
  }

  #copyOut(at: number, into: Uint8Array, to: number, length: number): void {
    const first = Math.min(length, this.capacity - at);
    into.set(this.#bytes.subarray(at, at + first), to);
    if (first < length) into.set(this.#bytes.subarray(0, length - first), to + first);
  }
}

/** What a message takes of a ring: its length, its bytes, up to a multiple of four. */
function paddedLength(length: number): number {
  return 4 + ((length + 3) & ~3);
}
