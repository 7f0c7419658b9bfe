/**
 * A list of entries with deadlines, through the entries themselves. Few are ever on it (neighbors
 * being asked for), so it is scanned, not sorted.
 * @module
 */

/** The list is empty. */
export const NO_DEADLINE = -1;

export interface Timed<T> {
  /** int32 milliseconds. */
  deadline: number;
  /** 1 while on the list. */
  timed: number;
  timerBefore: T | null;
  timerAfter: T | null;
}

export class TimerList<T extends Timed<T>> {
  #first: T | null = null;

  add(entry: T): void {
    if (entry.timed === 1) return;
    entry.timed = 1;
    entry.timerBefore = null;
    entry.timerAfter = this.#first;
    if (this.#first !== null) this.#first.timerBefore = entry;
    this.#first = entry;
  }

  remove(entry: T): void {
    if (entry.timed === 0) return;
    entry.timed = 0;
    if (entry.timerBefore === null) this.#first = entry.timerAfter;
    else entry.timerBefore.timerAfter = entry.timerAfter;
    if (entry.timerAfter !== null) entry.timerAfter.timerBefore = entry.timerBefore;
    entry.timerBefore = null;
    entry.timerAfter = null;
  }

  /** The entries whose deadline has passed; what one of them does may take others off the list. */
  due(now: number): T[] {
    const entries: T[] = [];
    for (let entry = this.#first; entry !== null; entry = entry.timerAfter) {
      if (((entry.deadline - now) | 0) <= 0) entries.push(entry);
    }
    return entries;
  }

  /** Milliseconds until the first deadline, NO_DEADLINE when the list is empty. */
  soonest(now: number): number {
    let soonest = NO_DEADLINE;
    for (let entry = this.#first; entry !== null; entry = entry.timerAfter) {
      const left = Math.max(0, (entry.deadline - now) | 0);
      if (soonest === NO_DEADLINE || left < soonest) soonest = left;
    }
    return soonest;
  }
}
