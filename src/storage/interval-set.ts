/**
 * Ranges of sequence space that arrived out of order: sorted, disjoint, bounded.
 *
 * Ranges are half open [first, end) and int32; they lie within half the sequence space of each
 * other. A bound on their number is a bound on work per segment (SegmentSmack, CVE-2018-5390).
 * @module
 */
import { lessThan } from '../base/seq.ts';

export class IntervalSet {
  readonly limit: number;
  count = 0;
  readonly #edges: Int32Array;

  /** Holds at most `limit` ranges. */
  constructor(limit: number) {
    this.limit = limit;
    this.#edges = new Int32Array(limit * 2 + 2);
  }

  first(index: number): number {
    return this.#edges[index * 2]!;
  }

  end(index: number): number {
    return this.#edges[index * 2 + 1]!;
  }

  /** The range that holds `position`, -1 when there is none. */
  indexOf(position: number): number {
    for (let i = 0; i < this.count; i++) {
      if (lessThan(position, this.first(i))) return -1;
      if (lessThan(position, this.end(i))) return i;
    }
    return -1;
  }

  /** The first range that shares a position with [first, end), -1 when none does. */
  indexOfOverlap(first: number, end: number): number {
    for (let i = 0; i < this.count && lessThan(this.first(i), end); i++) {
      if (lessThan(first, this.end(i))) return i;
    }
    return -1;
  }

  clear(): void {
    this.count = 0;
  }

  /** Adds [first, end), merging with what it touches. False when that would be a range too many. */
  add(first: number, end: number): boolean {
    const edges = this.#edges;
    // Ranges wholly before [first, end), not even touching it, stay in front.
    let from = 0;
    while (from < this.count && lessThan(edges[from * 2 + 1]!, first)) from++;
    let to = from;
    let low = first;
    let high = end;
    while (to < this.count && !lessThan(end, edges[to * 2]!)) {
      if (lessThan(edges[to * 2]!, low)) low = edges[to * 2]!;
      if (lessThan(high, edges[to * 2 + 1]!)) high = edges[to * 2 + 1]!;
      to++;
    }
    if (from === to && this.count === this.limit) return false;
    edges.copyWithin(from * 2 + 2, to * 2, this.count * 2);
    edges[from * 2] = low;
    edges[from * 2 + 1] = high;
    this.count += 1 - (to - from);
    return true;
  }

  /**
   * What is contiguous from `next` on: removes the ranges that begin at or before it and
   * returns where they end; `next` itself when there are none.
   */
  takeFrom(next: number): number {
    const edges = this.#edges;
    let taken = 0;
    while (taken < this.count && !lessThan(next, edges[taken * 2]!)) {
      if (lessThan(next, edges[taken * 2 + 1]!)) next = edges[taken * 2 + 1]!;
      taken++;
    }
    if (taken > 0) {
      edges.copyWithin(0, taken * 2, this.count * 2);
      this.count -= taken;
    }
    return next;
  }
}
