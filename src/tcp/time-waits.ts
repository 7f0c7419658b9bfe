/**
 * Connections in TIME-WAIT, oldest first: all wait equally long, so a queue is in order.
 *
 * Entries are not removed when a wait ends otherwise (timer, new SYN); they are recognized and
 * skipped when they come to the front.
 * @module
 */
import { IndexQueue } from '../storage/index-queue.ts';
import type { Connection } from './connection.ts';
import { TIME_WAIT } from './state.ts';

export class TimeWaits {
  /** Connections in TIME-WAIT now; kept by Tcp. */
  count = 0;
  readonly #connections: Connection[];
  readonly #queue: IndexQueue = new IndexQueue();

  constructor(connections: Connection[]) {
    this.#connections = connections;
  }

  push(c: Connection): void {
    this.#skipEnded();
    this.#queue.push(c.index);
  }

  /** Takes the oldest out; null when there is none. */
  oldest(): Connection | null {
    this.#skipEnded();
    const index = this.#queue.shift();
    return index < 0 ? null : this.#connections[index]!;
  }

  #skipEnded(): void {
    const queue = this.#queue;
    while (queue.length > 0 && this.#connections[queue.peek()]!.state !== TIME_WAIT) queue.shift();
  }
}
