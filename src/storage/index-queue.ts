/**
 * A growing FIFO of small integers. It forgets nothing by itself: whoever takes an index out
 * checks that the entry still means something, so removal from the middle is never needed.   hot path
 * @module
 */
export const EMPTY = -1;

export class IndexQueue {
  length = 0;
  #items: Int32Array = new Int32Array(16);
  #first = 0;

  push(index: number): void {
    if (this.length === this.#items.length) this.#grow();
    this.#items[(this.#first + this.length) & (this.#items.length - 1)] = index;
    this.length++;
  }

  /** The oldest index, or EMPTY. */
  peek(): number {
    return this.length === 0 ? EMPTY : this.#items[this.#first]!;
  }

  /** Takes the oldest index out, or EMPTY. */
  shift(): number {
    if (this.length === 0) return EMPTY;
    const index = this.#items[this.#first]!;
    this.#first = (this.#first + 1) & (this.#items.length - 1);
    this.length--;
    return index;
  }

  /** cold: once per doubling. */
  #grow(): void {
    const old = this.#items;
    const items = new Int32Array(old.length * 2);
    for (let i = 0; i < this.length; i++) items[i] = old[(this.#first + i) & (old.length - 1)]!;
    this.#items = items;
    this.#first = 0;
  }
}
