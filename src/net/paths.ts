/**
 * All paths: made from routes and neighbors, shared, reference counted.
 *
 * A path nobody refers to is kept for a while, oldest out first, so that a program that talks in
 * single datagrams does not look up routes and neighbors for each.
 * @module
 */
import { type Address, isV4, V4_PREFIX } from '../base/address.ts';
import type { AddressHash } from './address-hash.ts';
import { type AddressTable, BROADCAST, NO_ENTRY, UNICAST } from './address-table.ts';
import type { Core } from './core.ts';
import type { NeighborCache } from './neighbor/cache.ts';
import type { Nic } from './nic.ts';
import { Path } from './path.ts';
import { PathTable } from './path-table.ts';
import type { Routes } from './routes.ts';
import { chooseSource } from './source.ts';
import * as Stats from './stats.ts';

/** Path MTU is tried again after this time (RFC 1191 6.3, RFC 8201 4). */
const MTU_MS = 10 * 60 * 1000;
/** Lowest path MTU believed: a lower one is a forgery or a link we do not support. */
const MTU_MIN_V4 = 576;
const MTU_MIN_V6 = 1280;
/** Plateaus for routers that do not tell their MTU (RFC 1191 7.1). */
const PLATEAUS: readonly number[] = [32000, 17914, 8166, 4352, 2002, 1492, 1006, MTU_MIN_V4];

export class Paths {
  readonly #core: Core;
  readonly #table: PathTable;
  readonly #addresses: AddressTable;
  readonly #routes: Routes;
  readonly #neighbors: NeighborCache;
  readonly #nics: readonly Nic[];
  readonly #cachedMax: number;
  readonly #lowered: Set<Path> = new Set();
  readonly #labelKey: number;

  constructor(
    core: Core,
    hash: AddressHash,
    addresses: AddressTable,
    routes: Routes,
    neighbors: NeighborCache,
    nics: readonly Nic[],
    cachedMax: number,
  ) {
    this.#core = core;
    this.#table = new PathTable(hash);
    this.#addresses = addresses;
    this.#routes = routes;
    this.#neighbors = neighbors;
    this.#nics = nics;
    this.#cachedMax = cachedMax;
    this.#labelKey = core.random() | 0;
  }

  /** Paths that exist, referenced or kept. */
  get size(): number {
    return this.#table.size;
  }

  /**
   * The path between two addresses, with one reference for the caller. Local all zero (or
   * 0.0.0.0): the source is chosen. Null: no route, no source, or the local address is not ours.
   */
  acquire(
    remote0: number,
    remote1: number,
    remote2: number,
    remote3: number,
    local0: number,
    local1: number,
    local2: number,
    local3: number,
  ): Path | null {
    const chosen =
      local3 === 0 && local0 === 0 && local1 === 0 && (local2 === 0 || local2 === V4_PREFIX);
    let path = chosen
      ? null
      : this.find(remote0, remote1, remote2, remote3, local0, local1, local2, local3);
    if (path === null) {
      const local = chosen ? null : this.#localNic(local0, local1, local2, local3);
      if (!chosen && local === null) return null;
      path = this.#make(remote0, remote1, remote2, remote3, local0, local1, local2, local3, local);
      if (path === null) return null;
    }
    this.#table.refer(path);
    return path;
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
    return this.#table.find(remote0, remote1, remote2, remote3, local0, local1, local2, local3);
  }

  /**
   * The path like `path` whose packets have this traffic class (its ECN bits are left out) and this
   * time to live, with one reference for the caller, whose reference to `path` is given back. What
   * is learned about one - its MTU - the others learn for themselves.
   */
  variant(path: Path, trafficClass: number, hops: number): Path {
    const differentiated = trafficClass & 0xfc;
    if (path.trafficClass === differentiated && path.hops === hops) return path;
    const found =
      this.#table.findVariant(path, differentiated, hops) ?? this.#copy(path, differentiated, hops);
    this.#table.refer(found);
    this.release(path);
    return found;
  }

  #copy(path: Path, trafficClass: number, hops: number): Path {
    const copy = new Path(path.nic);
    Object.assign(copy, path);
    copy.references = 0;
    copy.trafficClass = trafficClass;
    copy.hops = hops;
    copy.mtuLowered = 0;
    copy.mtu = path.nic.mtu;
    if (path.mtuLowered === 1) this.lowerMtu(copy, path.mtu);
    // The neighbor counts whom it serves, and this is one more.
    if (path.neighbor !== null) path.neighbor.references++;
    this.#table.add(copy);
    return copy;
  }

  /** Gives a reference back. */
  release(path: Path): void {
    this.#table.release(path);
    if (this.#table.kept > this.#cachedMax) this.#discard(this.#table.oldest!);
  }

  /**
   * A packet larger than `mtu` (0: unknown) did not fit; the caller has checked that the news is
   * genuine. Lower bounds 576 and 1280; after 10 minutes the interface's MTU is tried again.
   */
  lowerMtu(path: Path, mtu: number): void {
    let lower = mtu === 0 ? (PLATEAUS.find((plateau) => plateau < path.mtu) ?? path.mtu) : mtu;
    lower = Math.max(lower, path.version === 4 ? MTU_MIN_V4 : MTU_MIN_V6);
    if (lower >= path.mtu) return;
    path.mtu = lower;
    path.mtuLowered = 1;
    path.mtuUntil = (this.#core.clock.ms + MTU_MS) | 0;
    this.#lowered.add(path);
    this.#core.stats[Stats.PATH_MTU_LOWERED]!++;
    this.#core.tickBy(path.mtuUntil);
  }

  /** The interface has another MTU: what was found out about a path counts where it is less. */
  followMtu(nic: Nic): void {
    for (const path of this.#table.all()) {
      if (path.nic === nic && (path.mtuLowered === 0 || path.mtu > nic.mtu)) path.mtu = nic.mtu;
    }
  }

  /** Path MTUs that are old enough to be tried again. */
  tick(): void {
    const now = this.#core.clock.ms;
    for (const path of this.#lowered) {
      if (((path.mtuUntil - now) | 0) > 0) {
        this.#core.tickBy(path.mtuUntil);
      } else {
        this.#lowered.delete(path);
        path.mtuLowered = 0;
        path.mtu = path.nic.mtu;
      }
    }
  }

  /** Forgets all paths that are only kept for later. */
  reclaim(): void {
    for (let path = this.#table.oldest; path !== null; path = this.#table.oldest) {
      this.#discard(path);
    }
  }

  /** The routes have changed: next hops are looked up anew; a path that lost its route stays. */
  reroute(): void {
    this.reclaim();
    for (const path of this.#table.all()) this.#rerouteOne(path);
  }

  #rerouteOne(path: Path): void {
    const old = path.neighbor;
    if (old === null) return;
    const { remote0, remote1, remote2, remote3 } = path;
    const route = this.#routes.find(remote0, remote1, remote2, remote3);
    if (route === null || route.nic !== path.nic) return;
    const hop = route.gateway;
    const neighbor =
      hop === null
        ? this.#neighbors.acquire(route.nic, remote0, remote1, remote2, remote3)
        : this.#neighbors.acquire(route.nic, hop.w0, hop.w1, hop.w2, hop.w3);
    if (neighbor === null) return;
    path.neighbor = neighbor;
    this.#neighbors.release(old);
  }

  /** The interface a local address belongs to, null when it is not ours. */
  #localNic(w0: number, w1: number, w2: number, w3: number): Nic | null {
    const entry = this.#addresses.find(w0, w1, w2, w3);
    if (entry === NO_ENTRY || this.#addresses.kindOf(entry) !== UNICAST) {
      return isV4(w0, w1, w2) && w3 >>> 24 === 127 ? this.#loopback() : null;
    }
    return this.#nics[this.#addresses.nicOf(entry)]!;
  }

  #loopback(): Nic | null {
    return this.#nics.find((nic) => nic.loopback === 1) ?? null;
  }

  #make(
    remote0: number,
    remote1: number,
    remote2: number,
    remote3: number,
    local0: number,
    local1: number,
    local2: number,
    local3: number,
    localNic: Nic | null,
  ): Path | null {
    const v4 = isV4(remote0, remote1, remote2);
    if (localNic !== null && isV4(local0, local1, local2) !== v4) return null;
    if (remote3 === 0 && remote0 === 0 && remote1 === 0 && (v4 || remote2 === 0)) return null;
    const path = new Path(this.#nics[0]!);
    path.remote0 = remote0;
    path.remote1 = remote1;
    path.remote2 = remote2;
    path.remote3 = remote3;
    path.local0 = local0;
    path.local1 = local1;
    path.local2 = local2;
    path.local3 = local3;
    path.version = v4 ? 4 : 6;
    path.headerLength = v4 ? 20 : 40;
    const kind = this.#addresses.kind(remote0, remote1, remote2, remote3);
    if (kind === UNICAST || (v4 && remote3 >>> 24 === 127))
      return this.#toOurselves(path, localNic);
    if (kind === BROADCAST || isGroup(path)) return this.#toGroup(path, localNic);
    return this.#toStation(path, localNic);
  }

  /** To one of our own addresses: through the loopback interface. */
  #toOurselves(path: Path, localNic: Nic | null): Path | null {
    const nic = this.#loopback();
    if (nic === null) return null;
    path.nic = nic;
    if (localNic === null) {
      path.local0 = path.remote0;
      path.local1 = path.remote1;
      path.local2 = path.remote2;
      path.local3 = path.remote3;
    }
    path.macHigh = nic.macHigh;
    path.macLow = nic.macLow;
    return this.#adopt(path);
  }

  /** To a group or broadcast address: its MAC follows from it (RFC 1112 6.4, RFC 2464 7). */
  #toGroup(path: Path, localNic: Nic | null): Path | null {
    const { remote0, remote1, remote2, remote3 } = path;
    const route = this.#routes.find(remote0, remote1, remote2, remote3);
    const nic = localNic ?? route?.nic ?? this.#nics.find((candidate) => candidate.loopback === 0);
    if (nic === undefined) return null;
    path.nic = nic;
    path.group = isGroup(path) ? 1 : 2;
    if (path.group === 2) {
      path.macHigh = 0xffff;
      path.macLow = -1;
    } else if (path.version === 4) {
      path.macHigh = 0x0100;
      path.macLow = 0x5e000000 | (remote3 & 0x7fffff);
    } else {
      path.macHigh = 0x3333;
      path.macLow = remote3;
    }
    return this.#chooseLocal(path, localNic, null) ? this.#adopt(path) : null;
  }

  /** To a station on the link, or through a router. */
  #toStation(path: Path, localNic: Nic | null): Path | null {
    const { remote0, remote1, remote2, remote3 } = path;
    let nic = localNic;
    let gateway: Address | null = null;
    if (remote0 >>> 22 === 0x3fa && path.version === 6) {
      nic ??= this.#nics.find((candidate) => candidate.loopback === 0) ?? null;
      if (nic === null || nic.loopback === 1) return null;
    } else {
      const route = this.#routes.find(remote0, remote1, remote2, remote3);
      if (route === null) return null;
      nic = route.nic;
      gateway = route.gateway;
    }
    path.nic = nic;
    if (!this.#chooseLocal(path, localNic, gateway)) return null;
    const kept = this.#table.findLike(path);
    if (kept !== null) return kept;
    path.neighbor =
      gateway === null
        ? this.#neighbors.acquire(nic, remote0, remote1, remote2, remote3)
        : this.#neighbors.acquire(nic, gateway.w0, gateway.w1, gateway.w2, gateway.w3);
    return path.neighbor === null ? null : this.#adopt(path);
  }

  /** Fills in the source unless the caller named one; false when the interface has none. */
  #chooseLocal(path: Path, localNic: Nic | null, gateway: Address | null): boolean {
    if (localNic !== null) return true;
    const { nic, remote0, remote1, remote2, remote3 } = path;
    // The source that shares a prefix with the router, unless the router has a link-local address.
    const source =
      gateway === null || (gateway.version === 6 && gateway.isLinkLocal)
        ? chooseSource(nic, remote0, remote1, remote2, remote3)
        : chooseSource(nic, gateway.w0, gateway.w1, gateway.w2, gateway.w3);
    if (source === null) return false;
    path.local0 = source.w0;
    path.local1 = source.w1;
    path.local2 = source.w2;
    path.local3 = source.w3;
    return true;
  }

  /** Puts a fresh path into the table, unless one like it is there; returns the one there. */
  #adopt(path: Path): Path {
    const kept = this.#table.findLike(path);
    if (kept !== null) return kept;
    path.mtu = path.nic.mtu;
    path.ipId = this.#core.random() & 0xffff;
    this.#table.add(path);
    path.flowLabel = (path.hash ^ this.#labelKey) & 0xfffff;
    return path;
  }

  #discard(path: Path): void {
    this.#lowered.delete(path);
    if (path.neighbor !== null) this.#neighbors.release(path.neighbor);
    this.#table.remove(path);
  }
}

/** Multicast of either family. */
function isGroup(path: Path): boolean {
  if (path.version === 4) return path.remote3 >>> 28 === 14;
  return path.remote0 >>> 24 === 0xff;
}
