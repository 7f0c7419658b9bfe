/**
 * A bounded queue of descriptors: the wire between two ends in memory.   hot path
 *
 * Entries have the words of a transmit descriptor (native/src/layout.h). A burst reads or writes
 * `words` from `first` or `last` on, going by next(), and moves the index once at its end.
 * @module
 */
import { DESCRIPTOR_WORDS } from './layout.gen.ts';

export class FrameQueue {
  readonly words: Int32Array;
  /** Where in `words` the oldest entry begins, and where the next one will. */
  first = 0;
  last = 0;
  readonly #mask: number;

  /** Room for `capacity` entries at least. */
  constructor(capacity: number) {
    const entries = 2 ** Math.ceil(Math.log2(capacity + 1));
    this.words = new Int32Array(entries * DESCRIPTOR_WORDS);
    this.#mask = this.words.length - 1;
  }

  get count(): number {
    return ((this.last - this.first) & this.#mask) / DESCRIPTOR_WORDS;
  }

  get isEmpty(): boolean {
    return this.first === this.last;
  }

  /** Where the entry behind the one at `at` begins. */
  next(at: number): number {
    return (at + DESCRIPTOR_WORDS) & this.#mask;
  }
}
