/**
 * A hash table from a keyed 32-bit hash to the indexes that have it: open addressing, linear
 * probing, deletion without tombstones, so that lookups stay O(1) after any number of
 * connections have come and gone.   hot path
 *
 * The table knows hashes only; the caller compares the full key of each candidate:
 *
 *     let at = table.find(hash);
 *     while (at !== NONE && !matches(table.value(at))) at = table.next(at, hash);
 *
 * The hash must be keyed (base/siphash.ts), or an attacker chooses the chain lengths.
 * @module
 */
export const NONE = -1;

/** Marks an empty place: values are stored plus one. */
const EMPTY = 0;

export class FlowTable {
  size = 0;
  /** hash, value + 1, hash, value + 1, ... */
  #places: Int32Array;
  #mask: number;

  /** Starts with room for about half of `capacity` places, a power of two. */
  constructor(capacity = 64) {
    this.#places = new Int32Array(capacity * 2);
    this.#mask = capacity - 1;
  }

  /** The place of the first value with this hash, or NONE. */
  find(hash: number): number {
    return this.#probe(hash & this.#mask, hash);
  }

  /** The next place after `at` with this hash, or NONE. */
  next(at: number, hash: number): number {
    return this.#probe((at + 1) & this.#mask, hash);
  }

  #probe(at: number, hash: number): number {
    const places = this.#places;
    const mask = this.#mask;
    while (places[at * 2 + 1] !== EMPTY) {
      if (places[at * 2] === hash) return at;
      at = (at + 1) & mask;
    }
    return NONE;
  }

  value(at: number): number {
    return this.#places[at * 2 + 1]! - 1;
  }

  /** Adds a value; the same pair twice is the caller's error. */
  insert(hash: number, value: number): void {
    if (this.size * 2 >= this.#mask) this.#grow();
    this.size++;
    this.#put(hash, value + 1);
  }

  #put(hash: number, stored: number): void {
    const mask = this.#mask;
    let at = hash & mask;
    while (this.#places[at * 2 + 1] !== EMPTY) at = (at + 1) & mask;
    this.#places[at * 2] = hash;
    this.#places[at * 2 + 1] = stored;
  }

  /** cold: once per doubling. */
  #grow(): void {
    const old = this.#places;
    this.#places = new Int32Array(old.length * 2);
    this.#mask = (this.#mask << 1) | 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] !== EMPTY) this.#put(old[i]!, old[i + 1]!);
    }
  }

  /** Removes the pair; false when it is not there. Later entries move up to close the gap. */
  remove(hash: number, value: number): boolean {
    let at = this.find(hash);
    while (at !== NONE && this.value(at) !== value) at = this.next(at, hash);
    if (at === NONE) return false;
    this.size--;
    const table = this.#places;
    const mask = this.#mask;
    let hole = at;
    for (let i = (at + 1) & mask; table[i * 2 + 1] !== EMPTY; i = (i + 1) & mask) {
      const home = table[i * 2]! & mask;
      // The entry may move into the hole unless its home lies between the hole and itself.
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        table[hole * 2] = table[i * 2]!;
        table[hole * 2 + 1] = table[i * 2 + 1]!;
        hole = i;
      }
    }
    table[hole * 2 + 1] = EMPTY;
    return true;
  }
}
