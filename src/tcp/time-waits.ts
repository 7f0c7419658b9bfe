/**
 * Connections in TIME-WAIT, oldest first: all wait equally long, so a queue is in order.
 *
 * Entries are not removed when a wait ends otherwise (timer, new SYN); they are recognized and
 * skipped when they come to the front. While the front waits, those behind it are cleared away once
 * they are the most. Waits are numbered: where a connection waits again, the entry of its earlier
 * wait does not count for it.
 * @module
 */
import { IndexQueue } from '../storage/index-queue.ts';
import type { Connection } from './connection.ts';
import { TIME_WAIT } from './state.ts';

/** Entries that mean nothing and are not worth clearing away. */
const SLACK = 64;

export class TimeWaits {
  /** Connections in TIME-WAIT now; kept by time-wait.ts and close.ts. */
  count = 0;
  readonly #connections: Connection[];
  /** The connections of the entries, and the numbers of their waits. */
  readonly #queue: IndexQueue = new IndexQueue();
  readonly #numbers: IndexQueue = new IndexQueue();
  /** The number of each connection's last wait. */
  #last: Int32Array = new Int32Array(64);
  #number = 0;

  constructor(connections: Connection[]) {
    this.#connections = connections;
  }

  /** Entries kept, also of waits that are over. */
  get entries(): number {
    return this.#queue.length;
  }

  push(c: Connection): void {
    this.#skipEnded();
    if (this.#queue.length > 2 * this.count + SLACK) this.#clearAway();
    this.#number = (this.#number + 1) | 0;
    if (c.index >= this.#last.length) this.#grow(c.index);
    this.#last[c.index] = this.#number;
    this.#queue.push(c.index);
    this.#numbers.push(this.#number);
  }

  /** Takes the oldest out; null when there is none. */
  oldest(): Connection | null {
    this.#skipEnded();
    if (this.#queue.length === 0) return null;
    this.#numbers.shift();
    return this.#connections[this.#queue.shift()]!;
  }

  /** Keeps the entries of those that wait: done once for as many pushes as it has work. */
  #clearAway(): void {
    for (let left = this.#queue.length; left > 0; left--) {
      const index = this.#queue.shift();
      const number = this.#numbers.shift();
      if (!this.#waits(index, number)) continue;
      this.#queue.push(index);
      this.#numbers.push(number);
    }
  }

  #skipEnded(): void {
    while (this.#queue.length > 0 && !this.#waits(this.#queue.peek(), this.#numbers.peek())) {
      this.#queue.shift();
      this.#numbers.shift();
    }
  }

  #waits(index: number, number: number): boolean {
    return this.#last[index] === number && this.#connections[index]!.state === TIME_WAIT;
  }

  #grow(index: number): void {
    const larger = new Int32Array(2 ** Math.ceil(Math.log2(index + 1)));
    larger.set(this.#last);
    this.#last = larger;
  }
}
