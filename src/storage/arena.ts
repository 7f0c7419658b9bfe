/**
 * The arena: the one region of memory that packets and socket buffers share.
 *
 * One region, because bytes then move with `copyWithin`, which neither allocates nor calls out
 * (measured on Node 20: 100 ns for 1,460 bytes; `set(subarray())` makes garbage per call), and
 * because a packet or a buffer is an integer offset that any code can hold. Under DPDK the addon
 * allocates the arena and its pools lie in front; everywhere else it is an ArrayBuffer.
 * Keep an arena below 2 GiB: offsets are int32.
 * @module
 */
import { StackError } from '../base/errors.ts';
import type { Simd } from './simd.ts';

export class Arena {
  readonly buffer: ArrayBufferLike;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** Faster sums and copies, where the memory allows them (simd.ts). */
  readonly simd: Simd | null;
  #lastAsked: Uint8Array | null = null;
  #lastOffset = -1;
  /** First byte not yet handed out by `reserve`. */
  #next: number;
  readonly #end: number;

  /** Takes over `buffer`; bytes from `start` to `end` may be reserved. */
  constructor(
    buffer: ArrayBufferLike,
    start = 0,
    end: number = buffer.byteLength,
    simd: Simd | null = null,
  ) {
    this.buffer = buffer;
    this.simd = simd;
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer, 0, buffer.byteLength >> 2);
    this.#next = start;
    this.#end = end;
  }

  /** An arena of its own. */
  static allocate(bytes: number): Arena {
    return new Arena(new ArrayBuffer(bytes));
  }

  /** Bytes that can still be reserved. */
  get available(): number {
    return this.#end - this.#next;
  }

  /**
   * Byte offset of a program's array when it lies in this arena, else -1. Asked with every read
   * and write: the getters behind it are calls, so the last answer is kept (measured: 13 % of an
   * echo were spent in them).
   */
  offsetOf(array: Uint8Array): number {
    if (array === this.#lastAsked) return this.#lastOffset;
    this.#lastAsked = array;
    this.#lastOffset = array.buffer === this.buffer ? array.byteOffset : -1;
    return this.#lastOffset;
  }

  /** Hands out `length` bytes for good, aligned to 64 (a cache line). Throws StackError ENOMEM. */
  reserve(length: number): number {
    const at = (this.#next + 63) & ~63;
    if (at + length > this.#end) {
      throw new StackError(
        'ENOMEM',
        `the arena has ${this.available} bytes left, ${length} asked; make it larger`,
      );
    }
    this.#next = at + length;
    return at;
  }
}

/** Up to here a loop over whole words, or over a DataView, beats the call into copyWithin. */
const WORD_LOOP_BYTES = 192;
const VIEW_LOOP_BYTES = 48;

/** Copies `length` bytes inside the arena; the ranges may overlap. */
export function copy(arena: Arena, to: number, from: number, length: number): void {
  const apart = to <= from || to >= from + length;
  const simd = arena.simd;
  if (simd !== null && apart) {
    simd.copy(to, from, length);
  } else if (length <= WORD_LOOP_BYTES && apart && ((to | from) & 3) === 0) {
    copyWords(arena, to, from, length);
  } else if (length <= VIEW_LOOP_BYTES && apart) {
    const view = arena.view;
    let i = 0;
    for (; i + 4 <= length; i += 4) view.setInt32(to + i, view.getInt32(from + i, true), true);
    for (; i < length; i++) view.setUint8(to + i, view.getUint8(from + i));
  } else {
    arena.bytes.copyWithin(to, from, from + length);
  }
}

/** Both offsets are multiples of four; the bytes behind the last whole word follow singly. */
function copyWords(arena: Arena, to: number, from: number, length: number): void {
  const words = arena.words;
  // Unsigned, so that the compiler needs neither overflow checks nor sign extension.
  let i = to >>> 2;
  let j = from >>> 2;
  const end = (to + length) >>> 2;
  const lastFour = end - 3;
  // Four loads, then four stores: after a store the compiler asks again where the array lies.
  for (; i < lastFour; i += 4, j += 4) {
    const a = words[j]!;
    const b = words[j + 1]!;
    const c = words[j + 2]!;
    const d = words[j + 3]!;
    words[i] = a;
    words[i + 1] = b;
    words[i + 2] = c;
    words[i + 3] = d;
  }
  for (; i < end; i++, j++) words[i] = words[j]!;
  const bytes = arena.bytes;
  for (let k = length & ~3; k < length; k++) bytes[to + k] = bytes[from + k]!;
}
