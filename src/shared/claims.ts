/**
 * Claims: who of several threads does a thing that one of them has to do.
 *
 * A thing is known by two keyed hashes; a claim names its owner and ends by itself at a deadline,
 * so that an owner who dies holds nothing up. The table is bounded and forgets: where it has no
 * room a claim is granted, and the thing may be done twice. It is never done by nobody for longer
 * than a deadline.
 * @module
 */

/** Cells looked at for one thing. */
const WINDOW = 8;
const EMPTY = 0n;

export class Claims {
  /** A 64-bit cell: 24 bits of a hash, the owner's number, the deadline in int32 milliseconds. */
  readonly #cells: BigInt64Array;

  /** `memory`: zeros at first; its first bytes up to a power of two of cells are used. */
  constructor(memory: SharedArrayBuffer, byteOffset: number, cells: number) {
    this.#cells = new BigInt64Array(memory, byteOffset, cells);
  }

  /**
   * Claims a thing for `owner` (0 to 254) until `deadline`. False when another has it. Whoever has
   * it already may claim it anew.
   */
  claim(hash: number, mark: number, owner: number, now: number, deadline: number): boolean {
    const wanted = pack(mark, owner, deadline);
    for (let tries = 0; tries < WINDOW; tries++) {
      // Where it would go comes before looking whether it is there: who puts the same thing down
      // in between takes this very cell, or is seen.
      let index = this.#findFree(hash, now);
      let before = index === NONE ? EMPTY : Atomics.load(this.#cells, index);
      if (index !== NONE && isAlive(before, now)) continue;
      const found = this.#find(hash, mark, now);
      if (found !== NONE) {
        index = found;
        before = Atomics.load(this.#cells, index);
        if (!isAlive(before, now) || markOf(before) !== markOf(wanted)) continue;
        if (ownerOf(before) !== ownerOf(wanted)) return false;
      }
      if (index === NONE) return true;
      if (Atomics.compareExchange(this.#cells, index, before, wanted) === before) return true;
    }
    return true;
  }

  /** Whether anybody has claimed the thing, and the deadline is still to come. */
  isClaimed(hash: number, mark: number, now: number): boolean {
    return this.#find(hash, mark, now) !== NONE;
  }

  #find(hash: number, mark: number, now: number): number {
    for (let i = 0; i < WINDOW; i++) {
      const index = (hash + i) & (this.#cells.length - 1);
      const cell = Atomics.load(this.#cells, index);
      if (isAlive(cell, now) && markOf(cell) === (mark & 0xffffff)) return index;
    }
    return NONE;
  }

  #findFree(hash: number, now: number): number {
    for (let i = 0; i < WINDOW; i++) {
      const index = (hash + i) & (this.#cells.length - 1);
      if (!isAlive(Atomics.load(this.#cells, index), now)) return index;
    }
    return NONE;
  }
}

const NONE = -1;

function pack(mark: number, owner: number, deadline: number): bigint {
  const high = BigInt(((mark & 0xffffff) << 8) | (owner + 1));
  return (high << 32n) | BigInt(deadline >>> 0);
}

function markOf(cell: bigint): number {
  return Number((cell >> 40n) & 0xffffffn);
}

function ownerOf(cell: bigint): number {
  return Number((cell >> 32n) & 0xffn);
}

function isAlive(cell: bigint, now: number): boolean {
  return cell !== EMPTY && ((Number(cell & 0xffffffffn) - now) | 0) > 0;
}
