/**
 * A path: everything a transport needs to send to one address, looked up once.
 *
 * Local and remote address, interface, next hop, MTU. A connection acquires its path when it is
 * made and keeps it; all connections between the same two addresses share it.
 * @module
 */
import type { Neighbor } from './neighbor/neighbor.ts';
import type { Nic } from './nic.ts';

export const DEFAULT_HOPS = 64;

export class Path {
  local0 = 0;
  local1 = 0;
  local2 = 0;
  local3 = 0;
  remote0 = 0;
  remote1 = 0;
  remote2 = 0;
  remote3 = 0;
  /** 4 or 6. */
  version = 4;
  /** Largest IP packet on this path, header included (lowered by path MTU discovery). */
  mtu = 0;
  /** IP header bytes: 20 or 40. */
  headerLength = 20;
  /** Time to live or hop limit of what is sent. */
  hops = DEFAULT_HOPS;
  /** The Differentiated Services field of what is sent, in place: the two ECN bits are 0. */
  trafficClass = 0;
  /** How many hold this path; at 0 it may go back to the pool. */
  references = 0;
  nic: Nic;
  /** The station to send to; null where there is none to resolve (loopback, groups). */
  neighbor: Neighbor | null = null;

  /** Destination MAC when `neighbor` is null. */
  macHigh = 0;
  macLow = 0;
  /** 1 when the remote address is a multicast group, 2 when it is a broadcast address. */
  group = 0;
  /** Last IPv4 identification sent (RFC 6864: it matters only where fragments are made). */
  ipId = 0;
  /** IPv6 flow label (RFC 6437), the same for all packets of the path. */
  flowLabel = 0;
  /** When `mtuLowered`, the time (int32 ms) at which the interface's MTU is tried again. */
  mtuUntil = 0;
  mtuLowered = 0;

  /** Hash of the addresses, next path in the bucket; place in the list of unreferenced ones. */
  hash = 0;
  nextInBucket: Path | null = null;
  older: Path | null = null;
  newer: Path | null = null;

  constructor(nic: Nic) {
    this.nic = nic;
  }
}

/** True when both are of the same two addresses: variants of a path differ in something else. */
export function isBetween(a: Path, b: Path): boolean {
  return (
    a.remote3 === b.remote3 &&
    a.local3 === b.local3 &&
    a.remote2 === b.remote2 &&
    a.local2 === b.local2 &&
    a.remote1 === b.remote1 &&
    a.local1 === b.local1 &&
    a.remote0 === b.remote0 &&
    a.local0 === b.local0
  );
}
