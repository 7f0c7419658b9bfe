/**
 * A pipe: bytes from one thread to one other, in order, bounded. Where a ring (ring.ts) has messages.
 *
 * One side only ever moves `tail`, the other only `head`; both count bytes and wrap at 2^32. Either
 * side may work in the pipe's own memory: `bytes` from `tailAt` or `headAt` on, as far as one piece
 * goes, then commit() or consume().
 *
 *     | head | tail | waiting |  ...  bytes: .....|#### readable ####|.... writable ....
 * @module
 */
import { StackError } from '../base/errors.ts';

/** In words, on cache lines of their own: who writes one does not slow down who writes another. */
const HEAD = 0;
const TAIL = 16;
/** 1 while the producer waits for room. */
const WAITING = 32;
/** Bytes in front of the pipe's own. */
export const PIPE_HEADER_BYTES = 192;

export class SharedPipe {
  /** Bytes it holds, a power of two. */
  readonly capacity: number;
  /** The memory of the bytes in it, `capacity` long. */
  readonly bytes: Uint8Array;
  readonly #words: Int32Array;

  /** Over zeros, or over the memory of the other side: header and bytes from byteOffset on. Throws EINVAL. */
  constructor(memory: SharedArrayBuffer, byteOffset: number, capacity: number) {
    if (capacity < 16 || capacity > 2 ** 30 || (capacity & (capacity - 1)) !== 0) {
      throw new StackError('EINVAL', `a pipe of ${capacity} bytes`);
    }
    this.capacity = capacity;
    this.#words = new Int32Array(memory, byteOffset, PIPE_HEADER_BYTES / 4);
    this.bytes = new Uint8Array(memory, byteOffset + PIPE_HEADER_BYTES, capacity);
  }

  /** Memory for one, empty. */
  static allocate(capacity: number): SharedArrayBuffer {
    return new SharedArrayBuffer(PIPE_HEADER_BYTES + capacity);
  }

  /** Bytes in it. To the producer: at most so many; to the consumer: at least. */
  get readable(): number {
    return (Atomics.load(this.#words, TAIL) - Atomics.load(this.#words, HEAD)) | 0;
  }

  /** Bytes that may be written now. */
  get writable(): number {
    return this.capacity - this.readable;
  }

  /** Producer: where the next byte goes. */
  get tailAt(): number {
    return Atomics.load(this.#words, TAIL) & (this.capacity - 1);
  }

  /** Producer: bytes that may be written from there in one piece. */
  get writablePiece(): number {
    return Math.min(this.writable, this.capacity - this.tailAt);
  }

  /** Producer: `count` bytes were written at `tailAt`. */
  commit(count: number): void {
    Atomics.store(this.#words, TAIL, (Atomics.load(this.#words, TAIL) + count) | 0);
  }

  /** Producer: copies as much of from[start, end) as there is room for; returns how much. */
  write(from: Uint8Array, start: number, end: number): number {
    const length = Math.min(end - start, this.writable);
    if (length <= 0) return 0;
    const at = this.tailAt;
    const first = Math.min(length, this.capacity - at);
    this.bytes.set(from.subarray(start, start + first), at);
    if (first < length) this.bytes.set(from.subarray(start + first, start + length), 0);
    this.commit(length);
    return length;
  }

  /**
   * Producer: waits for room; consume() will tell when half of the pipe is free. False when it is
   * already: nobody will tell.
   */
  awaitRoom(): boolean {
    Atomics.store(this.#words, WAITING, 1);
    if (this.writable < this.capacity / 2) return true;
    // The consumer may have seen it meanwhile, and tells: once too often does no harm.
    Atomics.store(this.#words, WAITING, 0);
    return false;
  }

  /** Consumer: where the first byte is. */
  get headAt(): number {
    return Atomics.load(this.#words, HEAD) & (this.capacity - 1);
  }

  /** Consumer: bytes that may be read from there in one piece. */
  get readablePiece(): number {
    return Math.min(this.readable, this.capacity - this.headAt);
  }

  /** Consumer: drops `count` bytes. True when the producer waits for room and is to be told. */
  consume(count: number): boolean {
    Atomics.store(this.#words, HEAD, (Atomics.load(this.#words, HEAD) + count) | 0);
    if (Atomics.load(this.#words, WAITING) === 0 || this.writable < this.capacity / 2) return false;
    return Atomics.exchange(this.#words, WAITING, 0) === 1;
  }

  /** Consumer: copies up to `end - start` bytes out and leaves them; returns how many. */
  copyOut(into: Uint8Array, start: number, end: number): number {
    const length = Math.min(end - start, this.readable);
    if (length <= 0) return 0;
    const at = this.headAt;
    const first = Math.min(length, this.capacity - at);
    into.set(this.bytes.subarray(at, at + first), start);
    if (first < length) into.set(this.bytes.subarray(0, length - first), start + first);
    return length;
  }

  /** Makes it empty, for others: neither side may be using it. */
  reset(): void {
    this.#words.fill(0);
  }
}
