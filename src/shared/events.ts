/**
 * What happened to sockets, from one thread to one other: what base/events.ts is within a stack.
 *
 * Each slot has bits, and there is one queue of the slots that have any. A slot is queued at most
 * once however much happens to it, so the queue never overflows, and idle slots cost nothing. The
 * reader may sleep: it says so, and the writer is told that it has to be woken.
 *
 *     | taken | queued | sleeping | bits of slot 0, 1, ... | queue of slots ...
 * @module
 */

/** In words, on cache lines of their own. */
const TAKEN = 0;
const QUEUED = 16;
const SLEEPING = 32;
const BITS = 48;
/** next(): no slot has news. */
export const NO_SLOT = -1;

export class SharedEvents {
  readonly #words: Int32Array;
  readonly #queueAt: number;
  readonly #mask: number;

  /** Over zeros, or over the memory of the other side: bytesFor(slots) bytes from byteOffset on. */
  constructor(memory: SharedArrayBuffer, byteOffset: number, slots: number) {
    this.#words = new Int32Array(memory, byteOffset, SharedEvents.bytesFor(slots) / 4);
    this.#queueAt = BITS + slots;
    this.#mask = powerOfTwo(slots) - 1;
  }

  /** Bytes of memory for so many slots: a multiple of four. */
  static bytesFor(slots: number): number {
    return 4 * (BITS + slots + powerOfTwo(slots));
  }

  /** Writer: adds bits to a slot. True when the reader slept: the writer wakes it, by other means. */
  raise(slot: number, bits: number): boolean {
    const words = this.#words;
    if (Atomics.or(words, BITS + slot, bits) !== 0) return false;
    const queued = Atomics.load(words, QUEUED);
    words[this.#queueAt + (queued & this.#mask)] = slot;
    Atomics.store(words, QUEUED, (queued + 1) | 0);
    return Atomics.load(words, SLEEPING) === 1 && Atomics.exchange(words, SLEEPING, 0) === 1;
  }

  /** Reader: a slot that has news, out of the queue; then take() its bits. NO_SLOT: none has. */
  next(): number {
    const words = this.#words;
    const taken = Atomics.load(words, TAKEN);
    if (taken === Atomics.load(words, QUEUED)) return NO_SLOT;
    const slot = words[this.#queueAt + (taken & this.#mask)]!;
    Atomics.store(words, TAKEN, (taken + 1) | 0);
    return slot;
  }

  /** Reader: the bits of a slot that next() gave, which are none from now on. */
  take(slot: number): number {
    return Atomics.exchange(this.#words, BITS + slot, 0);
  }

  /** Reader: will not look again until it is woken. False when there is news: look now. */
  sleep(): boolean {
    Atomics.store(this.#words, SLEEPING, 1);
    if (Atomics.load(this.#words, TAKEN) === Atomics.load(this.#words, QUEUED)) return true;
    Atomics.store(this.#words, SLEEPING, 0);
    return false;
  }

  /** Reader: looks again, woken or not. */
  wake(): void {
    Atomics.store(this.#words, SLEEPING, 0);
  }
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}
