/**
 * The table of neighbors: by address, and those that nobody refers to in the order in which they
 * were let go, so that the oldest makes room.
 * @module
 */
import type { AddressHash } from '../address-hash.ts';
import type { Nic } from '../nic.ts';
import { Neighbor } from './neighbor.ts';

export class NeighborTable {
  /** Entries in the table. */
  size = 0;
  readonly #hash: AddressHash;
  readonly #buckets: (Neighbor | null)[];
  #oldest: Neighbor | null = null;
  #newest: Neighbor | null = null;

  constructor(hash: AddressHash, most: number) {
    this.#hash = hash;
    let buckets = 16;
    while (buckets < most) buckets *= 2;
    this.#buckets = new Array<Neighbor | null>(buckets).fill(null);
  }

  /** Who has been unreferenced for longest; null when all are in use. */
  get oldest(): Neighbor | null {
    return this.#oldest;
  }

  find(nic: Nic, w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    const hash = this.#hash.one(w0, w1, w2, w3, nic.index);
    let neighbor = this.#buckets[hash & (this.#buckets.length - 1)] ?? null;
    while (neighbor !== null && !matches(neighbor, nic, w0, w1, w2, w3)) {
      neighbor = neighbor.nextInBucket;
    }
    return neighbor;
  }

  /** All entries, in no order. */
  all(): Neighbor[] {
    const all: Neighbor[] = [];
    for (const first of this.#buckets) {
      for (let neighbor = first; neighbor !== null; neighbor = neighbor.nextInBucket) {
        all.push(neighbor);
      }
    }
    return all;
  }

  /** A new entry, unreferenced, for an address that has none. */
  add(nic: Nic, w0: number, w1: number, w2: number, w3: number): Neighbor {
    const neighbor = new Neighbor(nic);
    neighbor.version = w2 === 0xffff && w0 === 0 && w1 === 0 ? 4 : 6;
    neighbor.w0 = w0;
    neighbor.w1 = w1;
    neighbor.w2 = w2;
    neighbor.w3 = w3;
    neighbor.hash = this.#hash.one(w0, w1, w2, w3, nic.index);
    const bucket = neighbor.hash & (this.#buckets.length - 1);
    neighbor.nextInBucket = this.#buckets[bucket] ?? null;
    this.#buckets[bucket] = neighbor;
    this.size++;
    this.#list(neighbor);
    return neighbor;
  }

  /** Takes out an unreferenced entry. */
  remove(neighbor: Neighbor): void {
    this.#unlist(neighbor);
    const bucket = neighbor.hash & (this.#buckets.length - 1);
    let link = this.#buckets[bucket] ?? null;
    if (link === neighbor) this.#buckets[bucket] = neighbor.nextInBucket;
    else {
      while (link!.nextInBucket !== neighbor) link = link!.nextInBucket;
      link!.nextInBucket = neighbor.nextInBucket;
    }
    this.size--;
  }

  /** One more, or one less, refers to the neighbor. */
  refer(neighbor: Neighbor): void {
    if (neighbor.references++ === 0) this.#unlist(neighbor);
  }

  release(neighbor: Neighbor): void {
    if (--neighbor.references === 0) this.#list(neighbor);
  }

  #list(neighbor: Neighbor): void {
    neighbor.older = this.#newest;
    neighbor.newer = null;
    if (this.#newest === null) this.#oldest = neighbor;
    else this.#newest.newer = neighbor;
    this.#newest = neighbor;
  }

  #unlist(neighbor: Neighbor): void {
    if (neighbor.older === null) this.#oldest = neighbor.newer;
    else neighbor.older.newer = neighbor.newer;
    if (neighbor.newer === null) this.#newest = neighbor.older;
    else neighbor.newer.older = neighbor.older;
    neighbor.older = null;
    neighbor.newer = null;
  }
}

function matches(
  neighbor: Neighbor,
  nic: Nic,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): boolean {
  return (
    neighbor.w3 === w3 &&
    neighbor.nic === nic &&
    neighbor.w2 === w2 &&
    neighbor.w1 === w1 &&
    neighbor.w0 === w0
  );
}
