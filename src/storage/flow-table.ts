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
 *
 * It grows without a pause: the larger table is empty at first, and each insertion moves a few
 * entries over. Whole clusters move, from one empty place to the next, so that what is left in the
 * old table is found there as before. Places of the old table count on behind those of the new one.
 * @module
 */
export const NONE = -1;

/** Marks an empty place: values are stored plus one. */
const EMPTY = 0;
/** Places of the old table that an insertion looks at: it is empty long before the new one is full. */
const STEP = 8;
const NO_PLACES = new Int32Array(0);

export class FlowTable {
  size = 0;
  /** hash, value + 1, hash, value + 1, ... */
  #places: Int32Array;
  #mask: number;
  /** What was in use before and is being emptied; no places when that is done. */
  #old: Int32Array = NO_PLACES;
  /** The old table's next place to move, and how many are left. */
  #cursor = 0;
  #left = 0;

  /** Starts with room for about half of `capacity` places, a power of two. */
  constructor(capacity = 64) {
    this.#places = new Int32Array(capacity * 2);
    this.#mask = capacity - 1;
  }

  /** The place of the first value with this hash, or NONE. */
  find(hash: number): number {
    const places = this.#places;
    const mask = this.#mask;
    let at = hash & mask;
    while (places[at * 2 + 1] !== EMPTY) {
      if (places[at * 2] === hash) return at;
      at = (at + 1) & mask;
    }
    return this.#left === 0 ? NONE : this.#findOld(this.#homeInOld(hash), hash);
  }

  /** The next place after `at` with this hash, or NONE. */
  next(at: number, hash: number): number {
    const places = this.#places;
    const mask = this.#mask;
    if (at > mask) return this.#findOld((at - mask) & (mask >> 1), hash);
    let place = (at + 1) & mask;
    while (places[place * 2 + 1] !== EMPTY) {
      if (places[place * 2] === hash) return place;
      place = (place + 1) & mask;
    }
    return this.#left === 0 ? NONE : this.#findOld(this.#homeInOld(hash), hash);
  }

  #homeInOld(hash: number): number {
    return hash & (this.#mask >> 1);
  }

  /** From the old table's place `at` on. */
  #findOld(at: number, hash: number): number {
    const old = this.#old;
    const mask = this.#mask >> 1;
    let place = at;
    while (old[place * 2 + 1] !== EMPTY) {
      if (old[place * 2] === hash) return this.#mask + 1 + place;
      place = (place + 1) & mask;
    }
    return NONE;
  }

  value(at: number): number {
    const mask = this.#mask;
    if (at > mask) return this.#old[(at - mask - 1) * 2 + 1]! - 1;
    return this.#places[at * 2 + 1]! - 1;
  }

  /** Adds a value; the same pair twice is the caller's error. */
  insert(hash: number, value: number): void {
    if (this.#left > 0) this.#move();
    if (this.size * 2 >= this.#mask) this.#grow();
    this.size++;
    put(this.#places, this.#mask, hash, value + 1);
  }

  /** cold: once per doubling. The old table is empty by now, many insertions ago. */
  #grow(): void {
    while (this.#left > 0) this.#move();
    const capacity = this.#mask + 1;
    this.#old = this.#places;
    this.#places = new Int32Array(capacity * 4);
    this.#mask = capacity * 2 - 1;
    this.#left = capacity;
    // Clusters are whole from behind an empty place on; half of all are empty.
    this.#cursor = 0;
    while (this.#old[this.#cursor * 2 + 1] !== EMPTY) this.#cursor++;
  }

  /** Moves what is in the next places, and goes on to the end of the cluster. */
  #move(): void {
    const old = this.#old;
    const mask = this.#mask >> 1;
    let at = this.#cursor;
    for (let looked = 0; this.#left > 0; looked++) {
      const stored = old[at * 2 + 1]!;
      if (stored === EMPTY && looked >= STEP) break;
      if (stored !== EMPTY) {
        old[at * 2 + 1] = EMPTY;
        put(this.#places, this.#mask, old[at * 2]!, stored);
      }
      at = (at + 1) & mask;
      this.#left--;
    }
    this.#cursor = at;
    if (this.#left === 0) this.#old = NO_PLACES;
  }

  /** Removes the pair; false when it is not there. Later entries move up to close the gap. */
  remove(hash: number, value: number): boolean {
    let at = this.find(hash);
    while (at !== NONE && this.value(at) !== value) at = this.next(at, hash);
    if (at === NONE) return false;
    this.size--;
    const mask = this.#mask;
    if (at > mask) closeGap(this.#old, mask >> 1, at - mask - 1);
    else closeGap(this.#places, mask, at);
    return true;
  }
}

function put(places: Int32Array, mask: number, hash: number, stored: number): void {
  let at = hash & mask;
  while (places[at * 2 + 1] !== EMPTY) at = (at + 1) & mask;
  places[at * 2] = hash;
  places[at * 2 + 1] = stored;
}

/** The place `gap` becomes empty: entries behind it that may lie nearer to their home move up. */
function closeGap(places: Int32Array, mask: number, gap: number): void {
  let hole = gap;
  for (let i = (gap + 1) & mask; places[i * 2 + 1] !== EMPTY; i = (i + 1) & mask) {
    const home = places[i * 2]! & mask;
    // The entry may move into the hole unless its home lies between the hole and itself.
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      places[hole * 2] = places[i * 2]!;
      places[hole * 2 + 1] = places[i * 2 + 1]!;
      hole = i;
    }
  }
  places[hole * 2 + 1] = EMPTY;
}
