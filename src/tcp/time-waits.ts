/**
 * Connections in TIME-WAIT, oldest first: all wait equally long, so a queue is in order.
 *
 * Entries are not removed when a wait ends otherwise (timer, new SYN); they are recognized and
 * skipped when they come to the front. While the front waits, those behind it are cleared away once
 * they are the most. Where a connection waits again, an entry of its earlier wait may still stand: it
 * then counts as older than it is.
 * @module
 */
import { EMPTY, IndexQueue } from '../storage/index-queue.ts';
import type { Connection } from './connection.ts';
import { TIME_WAIT } from './state.ts';

/** Entries that mean nothing and are not worth clearing away. */
const SLACK = 64;

export class TimeWaits {
  /** Connections in TIME-WAIT now; kept by Tcp. */
  count = 0;
  readonly #connections: Connection[];
  readonly #queue: IndexQueue = new IndexQueue();

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
    this.#queue.push(c.index);
  }

  /** Takes the oldest out; null when there is none. */
  oldest(): Connection | null {
    this.#skipEnded();
    const index = this.#queue.shift();
    return index < 0 ? null : this.#connections[index]!;
  }

  /** Keeps the last entry of each connection that waits: done once for as many pushes as it has work. */
  #clearAway(): void {
    const queue = this.#queue;
    const last = new Set<number>();
    for (let index = queue.shift(); index !== EMPTY; index = queue.shift()) {
      last.delete(index);
      last.add(index);
    }
    for (const index of last) {
      if (this.#connections[index]!.state === TIME_WAIT) queue.push(index);
    }
  }

  #skipEnded(): void {
    const queue = this.#queue;
    while (queue.length > 0 && this.#connections[queue.peek()]!.state !== TIME_WAIT) queue.shift();
  }
}
