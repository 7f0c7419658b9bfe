/**
 * Which connection a segment belongs to: the flow table under its keyed hash.   hot path
 * @module
 */
import { halfSip3 } from '../base/siphash.ts';
import type { Packet } from '../net/packet.ts';
import { isBetween, type Path } from '../net/path.ts';
import { FlowTable, NONE } from '../storage/flow-table.ts';
import type { Connection } from './connection.ts';

export class Flows {
  readonly #table: FlowTable = new FlowTable(1024);
  readonly #connections: Connection[];
  readonly #key0: number;
  readonly #key1: number;

  /** Finds among `connections`, by index. The keys are secret: they keep chains short. */
  constructor(connections: Connection[], key0: number, key1: number) {
    this.#connections = connections;
    this.#key0 = key0;
    this.#key1 = key1;
  }

  /** The connection of a received packet; `ports` as they stand in its TCP header. */
  lookup(p: Packet, ports: number): Connection | null {
    const hash =
      p.version === 4
        ? halfSip3(this.#key0, this.#key1, p.src3, p.dst3, ports)
        : this.#hashV6(p.src0, p.src1, p.src2, p.src3, p.dst0, p.dst1, p.dst2, p.dst3, ports);
    const table = this.#table;
    for (let at = table.find(hash); at !== NONE; at = table.next(at, hash)) {
      const c = this.#connections[table.value(at)]!;
      if (isFlow(c, p, ports)) return c;
    }
    return null;
  }

  /** The first connection with the hash of these IPv4 words, unchecked: a hint for warm.ts. */
  firstV4(remote: number, local: number, ports: number): Connection | null {
    const at = this.#table.find(halfSip3(this.#key0, this.#key1, remote, local, ports));
    return at === NONE ? null : this.#connections[this.#table.value(at)]!;
  }

  /** The connection over this path between these ports; null when the tuple is free. */
  find(path: Path, localPort: number, remotePort: number): Connection | null {
    const ports = (remotePort << 16) | localPort;
    const hash = this.hashOf(path, ports);
    const table = this.#table;
    for (let at = table.find(hash); at !== NONE; at = table.next(at, hash)) {
      const c = this.#connections[table.value(at)]!;
      if (c.ports === ports && (c.path === path || isBetween(c.path!, path))) return c;
    }
    return null;
  }

  add(c: Connection): void {
    this.#table.insert(this.hashOf(c.path!, c.ports), c.index);
  }

  /** Idempotent. */
  remove(c: Connection): void {
    this.#table.remove(this.hashOf(c.path!, c.ports), c.index);
  }

  /** The hash that packets from the other end of this connection have. */
  hashOf(p: Path, ports: number): number {
    return p.version === 4
      ? halfSip3(this.#key0, this.#key1, p.remote3, p.local3, ports)
      : this.#hashV6(
          p.remote0,
          p.remote1,
          p.remote2,
          p.remote3,
          p.local0,
          p.local1,
          p.local2,
          p.local3,
          ports,
        );
  }

  #hashV6(
    r0: number,
    r1: number,
    r2: number,
    r3: number,
    l0: number,
    l1: number,
    l2: number,
    l3: number,
    ports: number,
  ): number {
    const remote = halfSip3(this.#key0, this.#key1, r0, r1, r2);
    const local = halfSip3(this.#key1, this.#key0, l0, l1, l2);
    return halfSip3(remote ^ this.#key0, local ^ this.#key1, r3, l3, ports);
  }
}

/** True when the packet belongs to the connection; `ports` as they stand in its TCP header. */
export function isFlow(c: Connection, p: Packet, ports: number): boolean {
  return (
    c.ports === ports &&
    c.remote3 === p.src3 &&
    c.local3 === p.dst3 &&
    c.version === p.version &&
    (p.version === 4 || hasPrefixes(c.path!, p))
  );
}

/** The words of IPv6 addresses that a connection leaves to its path. */
function hasPrefixes(path: Path, p: Packet): boolean {
  return (
    path.remote2 === p.src2 &&
    path.local2 === p.dst2 &&
    path.remote1 === p.src1 &&
    path.local1 === p.dst1 &&
    path.remote0 === p.src0 &&
    path.local0 === p.dst0
  );
}
