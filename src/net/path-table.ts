/**
 * The table of paths: by their two addresses, and those that nobody refers to in the order in which
 * they were let go, so that the oldest makes room.
 * @module
 */
import type { AddressHash } from './address-hash.ts';
import { DEFAULT_HOPS, isBetween, type Path } from './path.ts';

export class PathTable {
  /** Paths in the table, referenced or kept. */
  size = 0;
  /** Of these, how many nobody refers to. */
  kept = 0;
  readonly #hash: AddressHash;
  #buckets: (Path | null)[] = new Array<Path | null>(64).fill(null);
  #oldest: Path | null = null;
  #newest: Path | null = null;

  constructor(hash: AddressHash) {
    this.#hash = hash;
  }

  /** Who has been unreferenced for longest; null when all are in use. */
  get oldest(): Path | null {
    return this.#oldest;
  }

  /** All paths, in no order. */
  all(): Path[] {
    const all: Path[] = [];
    for (const first of this.#buckets) {
      for (let path = first; path !== null; path = path.nextInBucket) all.push(path);
    }
    return all;
  }

  /** The path between two addresses when there is one, without a reference; else null. */
  find(
    remote0: number,
    remote1: number,
    remote2: number,
    remote3: number,
    local0: number,
    local1: number,
    local2: number,
    local3: number,
  ): Path | null {
    const hash = this.#hash.two(remote0, remote1, remote2, remote3, local0, local1, local2, local3);
    let path = this.#buckets[hash & (this.#buckets.length - 1)] ?? null;
    while (path !== null) {
      if (
        path.remote3 === remote3 &&
        path.local3 === local3 &&
        path.remote2 === remote2 &&
        path.local2 === local2 &&
        path.remote1 === remote1 &&
        path.local1 === local1 &&
        path.remote0 === remote0 &&
        path.local0 === local0 &&
        path.hops === DEFAULT_HOPS &&
        path.trafficClass === 0
      ) {
        return path;
      }
      path = path.nextInBucket;
    }
    return null;
  }

  /** The path between the same addresses with the usual header, null when there is none. */
  findLike(path: Path): Path | null {
    return this.find(
      path.remote0,
      path.remote1,
      path.remote2,
      path.remote3,
      path.local0,
      path.local1,
      path.local2,
      path.local3,
    );
  }

  /** The variant of `path` with this traffic class and time to live, null when there is none. */
  findVariant(path: Path, trafficClass: number, hops: number): Path | null {
    let found: Path | null = this.#buckets[path.hash & (this.#buckets.length - 1)] ?? null;
    while (found !== null) {
      const fits = found.trafficClass === trafficClass && found.hops === hops;
      if (fits && isBetween(found, path)) return found;
      found = found.nextInBucket;
    }
    return null;
  }

  /** Puts in a path that nobody refers to yet. */
  add(path: Path): void {
    path.hash = this.#hashOf(path);
    if (this.size >= this.#buckets.length) this.#grow();
    const bucket = path.hash & (this.#buckets.length - 1);
    path.nextInBucket = this.#buckets[bucket] ?? null;
    this.#buckets[bucket] = path;
    this.size++;
    this.#list(path);
  }

  /** One more refers to it. */
  refer(path: Path): void {
    if (path.references++ === 0) this.#unlist(path);
  }

  /** One less refers to it. */
  release(path: Path): void {
    if (--path.references === 0) this.#list(path);
  }

  /** Takes out a path that nobody refers to. */
  remove(path: Path): void {
    this.#unlist(path);
    const bucket = path.hash & (this.#buckets.length - 1);
    let link = this.#buckets[bucket] ?? null;
    if (link === path) this.#buckets[bucket] = path.nextInBucket;
    else {
      while (link!.nextInBucket !== path) link = link!.nextInBucket;
      link!.nextInBucket = path.nextInBucket;
    }
    this.size--;
  }

  #hashOf(path: Path): number {
    return this.#hash.two(
      path.remote0,
      path.remote1,
      path.remote2,
      path.remote3,
      path.local0,
      path.local1,
      path.local2,
      path.local3,
    );
  }

  #grow(): void {
    const old = this.#buckets;
    this.#buckets = new Array<Path | null>(old.length * 2).fill(null);
    for (const first of old) {
      for (let path = first; path !== null; ) {
        const next: Path | null = path.nextInBucket;
        const bucket = path.hash & (this.#buckets.length - 1);
        path.nextInBucket = this.#buckets[bucket] ?? null;
        this.#buckets[bucket] = path;
        path = next;
      }
    }
  }

  #list(path: Path): void {
    path.older = this.#newest;
    path.newer = null;
    if (this.#newest === null) this.#oldest = path;
    else this.#newest.newer = path;
    this.#newest = path;
    this.kept++;
  }

  #unlist(path: Path): void {
    if (path.older === null) this.#oldest = path.newer;
    else path.older.newer = path.newer;
    if (path.newer === null) this.#newest = path.older;
    else path.newer.older = path.older;
    path.older = null;
    path.newer = null;
    this.kept--;
  }
}
