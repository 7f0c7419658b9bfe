/**
 * What is in flight, segment by segment: when it was sent, and what became of it.   hot path
 *
 * One entry per transmission, in sequence order; an entry is split where a SACK block or an ACK ends
 * inside it.
 *
 *     first        END            END        END               sndMax
 *     |   entry    |    entry     |  entry   |      entry      |
 *     |   lost     |  SACKED      |          | SACKED          |
 *
 * An entry is named by the offset of its words, which holds until one is added or split.
 * @module
 */
export const SACKED = 1;
/** Taken to be lost and not sent again yet. */
export const LOST = 2;
/** Sent more than once. */
export const RETRANSMITTED = 4;
/** No entry. */
export const NONE = -1;

/** Words of an entry: where it ends, when it was sent (microseconds), the bits above. */
export const WORDS = 3;
export const END = 0;
export const SENT_AT = 1;
export const STATE = 2;

export class Transmissions {
  entries: Int32Array = new Int32Array(16 * WORDS);
  /** The first entry, and where the next one goes. */
  head = 0;
  tail = 0;
  /** Sequence number at which the first entry begins. */
  first = 0;
  /** No entry before this one is lost. */
  lostFrom = 0;

  /** Nothing is in flight, and `first` is what goes out next. */
  clear(first: number): void {
    this.head = 0;
    this.tail = 0;
    this.first = first;
    this.lostFrom = 0;
  }

  get isEmpty(): boolean {
    return this.head === this.tail;
  }

  /** Entries now. */
  get count(): number {
    return (this.tail - this.head) / WORDS;
  }

  startOf(at: number): number {
    return at === this.head ? this.first : this.entries[at - WORDS + END]!;
  }

  endOf(at: number): number {
    return this.entries[at + END]!;
  }

  /** New data up to `end` went out. */
  sent(end: number, nowUs: number): void {
    if (this.tail === this.entries.length) this.makeRoom();
    const entries = this.entries;
    entries[this.tail + END] = end;
    entries[this.tail + SENT_AT] = nowUs;
    entries[this.tail + STATE] = 0;
    this.tail += WORDS;
  }

  /** The entry that holds `seq`, by bisection; the first one when `seq` lies before it. */
  find(seq: number): number {
    let low = this.head / WORDS;
    let high = this.tail / WORDS;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (((this.entries[middle * WORDS + END]! - seq) | 0) <= 0) low = middle + 1;
      else high = middle;
    }
    const at = low * WORDS;
    return at < this.tail ? at : NONE;
  }

  /** Two entries out of one, the second beginning at `seq`; where the first is now. */
  split(at: number, seq: number): number {
    if (this.tail === this.entries.length) {
      const before = this.head;
      this.makeRoom();
      at += this.head - before;
    }
    this.entries.copyWithin(at + WORDS, at, this.tail);
    this.tail += WORDS;
    if (at < this.lostFrom) this.lostFrom += WORDS;
    this.entries[at + END] = seq;
    return at;
  }

  /** True when the first byte in flight was sacked, which a receiver does not do: it reneged. */
  get reneged(): boolean {
    return !this.isEmpty && (this.entries[this.head + STATE]! & SACKED) !== 0;
  }

  /**
   * Segments of up to `mss` bytes in the entries whose state has one of `bits` and none of `not`;
   * with `bits` 0 in all entries that have none of `not`. For info.ts: it walks the scoreboard.
   */
  segments(mss: number, bits: number, not: number): number {
    let count = 0;
    for (let at = this.head; at < this.tail; at += WORDS) {
      const state = this.entries[at + STATE]!;
      if ((bits !== 0 && (state & bits) === 0) || (state & not) !== 0) continue;
      count += Math.ceil(((this.entries[at + END]! - this.startOf(at)) | 0) / mss);
    }
    return count;
  }

  /** Bytes in flight that were sent more than once, arrived or not. */
  get repeatedBytes(): number {
    let bytes = 0;
    for (let at = this.head; at < this.tail; at += WORDS) {
      if ((this.entries[at + STATE]! & RETRANSMITTED) === 0) continue;
      bytes += (this.entries[at + END]! - this.startOf(at)) | 0;
    }
    return bytes;
  }

  /** Moves the entries to the front, or into more memory. cold: once per doubling. */
  makeRoom(): void {
    const used = this.tail - this.head;
    if (used * 2 > this.entries.length) {
      const larger = new Int32Array(this.entries.length * 2);
      larger.set(this.entries.subarray(this.head, this.tail));
      this.entries = larger;
    } else {
      this.entries.copyWithin(0, this.head, this.tail);
    }
    this.lostFrom = this.lostFrom > this.head ? this.lostFrom - this.head : 0;
    this.head = 0;
    this.tail = used;
  }
}
