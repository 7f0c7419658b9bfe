/**
 * A growing FIFO of small integers. It forgets nothing by itself: whoever takes an index out
 * checks that the entry still means something, so removal from the middle is never needed.   hot path
 * @module
 */
export const EMPTY = -1;

export class IndexQueue {
  #items: Int32Array = new Int32Array(16);
  #mask = 15;
  /** How many were taken out so far, and put in; they wrap. */
  #taken = 0;
  #put = 0;

  get length(): number {
    return (this.#put - this.#taken) | 0;
  }

  push(index: number): void {
    const put = this.#put;
    if (((put - this.#taken) | 0) > this.#mask) this.#grow();
    this.#items[put & this.#mask] = index;
    this.#put = (put + 1) | 0;
  }

  /** The oldest index, or EMPTY. */
  peek(): number {
    return this.#taken === this.#put ? EMPTY : this.#items[this.#taken & this.#mask]!;
  }

  /** Takes the oldest index out, or EMPTY. */
  shift(): number {
    const taken = this.#taken;
    if (taken === this.#put) return EMPTY;
    this.#taken = (taken + 1) | 0;
    return this.#items[taken & this.#mask]!;
  }

  /** cold: once per doubling. */
  #grow(): void {
    const old = this.#items;
    const mask = this.#mask;
    this.#items = new Int32Array(old.length * 2);
    this.#mask = old.length * 2 - 1;
    for (let i = this.#taken; i !== this.#put; i = (i + 1) | 0) {
      this.#items[i & this.#mask] = old[i & mask]!;
    }
  }
}
