/**
 * The frames of a capture on their way from the thread of a stack to who writes them out.
 *
 * The stack's thread copies what is wanted of each frame into shared memory, and that is all: no
 * text, no call to anybody, no sums. Where there is no room the frame is lost, and counted. The other
 * side takes the bytes as they are, and cuts them into frames at the very end (eachFrame).
 *
 *     | lost | pipe (shared/pipe.ts): records of 28 bytes and the frame's own, padded to 4 |
 * @module
 */

import { SummedArena } from '../link/ones-sum.ts';
import { type Direction, seal } from '../link/tap.ts';
import { PIPE_HEADER_BYTES, SharedPipe } from '../shared/pipe.ts';
import { Arena } from '../storage/arena.ts';

/** What waits at most: 30,000 frames of 100 bytes, 40 of the largest. */
const CAPACITY = 4 << 20;
const PIPE_AT = 64;

/** Words of a record. */
const KEPT = 0;
const LENGTH = 1;
const TIME_LOW = 2;
const TIME_HIGH = 3;
const IS_OUT = 4;
const FLAGS = 5;
const HEADERS = 6;
const RECORD_WORDS = 7;
const RECORD_BYTES = RECORD_WORDS * 4;

const TWO_TO_32 = 4294967296;
/** Up to here a loop over words is faster than set(), which needs an object for its source. */
const FEW_BYTES = 512;
/** Larger than any frame. */
export const LARGEST_FRAME = 0x40000;

export class FrameRing {
  readonly memory: SharedArrayBuffer;
  readonly #lost: Int32Array;
  readonly #pipe: SharedPipe;
  readonly #words: Int32Array;
  /** The stack's side: the byte behind the last record, and the room that there is at least. */
  #tail = 0;
  #room = 0;

  /** A new one, or the other side of one. */
  constructor(memory = new SharedArrayBuffer(PIPE_AT + PIPE_HEADER_BYTES + CAPACITY)) {
    this.memory = memory;
    this.#lost = new Int32Array(memory, 0, 1);
    this.#pipe = new SharedPipe(memory, PIPE_AT, CAPACITY);
    this.#tail = this.#pipe.tailAt;
    this.#words = new Int32Array(memory, this.#pipe.bytes.byteOffset, CAPACITY / 4);
  }

  /** Frames that there was no room for. */
  get lost(): number {
    return Atomics.load(this.#lost, 0) >>> 0;
  }

  /** The stack's side: the first `kept` bytes of the frame at `at`, seen at `timeUs` since 1970. */
  put(
    arena: Arena,
    at: number,
    kept: number,
    length: number,
    timeUs: number,
    isOut: number,
    flags: number,
    headers: number,
  ): void {
    const bytes = RECORD_BYTES + ((kept + 3) & ~3);
    if (this.#room < bytes) this.#room = this.#pipe.writable;
    if (this.#room < bytes) {
      Atomics.add(this.#lost, 0, 1);
      return;
    }
    const words = this.#words;
    const mask = words.length - 1;
    const to = this.#tail >>> 2;
    words[(to + KEPT) & mask] = kept;
    words[(to + LENGTH) & mask] = length;
    words[(to + TIME_LOW) & mask] = (timeUs % TWO_TO_32) | 0;
    words[(to + TIME_HIGH) & mask] = timeUs / TWO_TO_32;
    words[(to + IS_OUT) & mask] = isOut;
    words[(to + FLAGS) & mask] = flags;
    words[(to + HEADERS) & mask] = headers;
    if (kept <= FEW_BYTES) this.#copyWords(arena.view, at, kept, to + RECORD_WORDS);
    else this.#copyBytes(arena.bytes, at, kept, (to + RECORD_WORDS) << 2);
    this.#room -= bytes;
    this.#tail = (this.#tail + bytes) & (CAPACITY - 1);
    this.#pipe.commit(bytes);
  }

  /** The other side: everything that is in it, whole records; null when there is nothing. */
  take(): Uint8Array | null {
    const pipe = this.#pipe;
    const length = pipe.readable;
    if (length === 0) return null;
    const bytes = Buffer.allocUnsafeSlow(length);
    pipe.copyOut(bytes, 0, length);
    pipe.consume(length);
    return bytes;
  }

  #copyWords(from: DataView, at: number, length: number, to: number): void {
    const words = this.#words;
    const mask = words.length - 1;
    const whole = length & ~3;
    for (let i = 0; i < whole; i += 4) {
      words[(to + (i >>> 2)) & mask] = from.getInt32(at + i, true);
    }
    let last = 0;
    for (let i = whole; i < length; i++) last |= from.getUint8(at + i) << ((i & 3) << 3);
    if (whole < length) words[(to + (whole >>> 2)) & mask] = last;
  }

  #copyBytes(from: Uint8Array, at: number, length: number, unwrapped: number): void {
    const { bytes, capacity } = this.#pipe;
    const to = unwrapped & (capacity - 1);
    const first = Math.min(length, capacity - to);
    bytes.set(from.subarray(at, at + first), to);
    if (first < length) bytes.set(from.subarray(at + first, at + length), 0);
  }
}

/** Microseconds since 1970, which way, its beginning, the frame's own length; valid during the call. */
export type OnFrame = (
  timeUs: number,
  direction: Direction,
  bytes: Uint8Array,
  length: number,
) => void;

/** Cuts what take() returned into frames. A whole frame gets the sums that it has on the wire. */
export function eachFrame(records: Uint8Array, onFrame: OnFrame): void {
  const arena = new Arena(Uint8Array.from(records).buffer);
  const memory = new SummedArena(arena);
  const { view } = arena;
  const word = (at: number, index: number): number => view.getInt32(at + index * 4, true);
  for (let at = 0; at < records.length; ) {
    const [kept, length, flags] = [word(at, KEPT), word(at, LENGTH), word(at, FLAGS)];
    const direction = word(at, IS_OUT) === 1 ? 'out' : 'in';
    const timeUs = word(at, TIME_HIGH) * TWO_TO_32 + (word(at, TIME_LOW) >>> 0);
    const frameAt = at + RECORD_BYTES;
    if (kept === length) seal(memory, direction, frameAt, length, flags, word(at, HEADERS));
    onFrame(timeUs, direction, arena.bytes.subarray(frameAt, frameAt + kept), length);
    at = frameAt + ((kept + 3) & ~3);
  }
}

/** How many frames there are in what take() returned. */
export function countFrames(records: Uint8Array): number {
  const { buffer, byteOffset, length } = records;
  const view = new DataView(buffer, byteOffset, length);
  let count = 0;
  for (let at = 0; at < length; count++) at += RECORD_BYTES + ((view.getInt32(at, true) + 3) & ~3);
  return count;
}
