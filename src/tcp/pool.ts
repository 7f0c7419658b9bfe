/**
 * Records of one kind that are used again: made when there is none left over, never freed, so
 * that there are as many as were once in use together.
 * @module
 */

export class Pool<T> {
  readonly #make: () => T;
  readonly #free: T[] = [];

  constructor(make: () => T) {
    this.#make = make;
  }

  /** A record, which may be as its last user left it. */
  take(): T {
    return this.#free.pop() ?? this.#make();
  }

  give(record: T): void {
    this.#free.push(record);
  }
}
