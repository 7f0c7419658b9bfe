/**
 * The way out: IP and Ethernet headers in front of a transport packet.   hot path
 *
 *      slot                                       SLOT_TRANSPORT
 *      | …            | Ethernet | IPv4 or IPv6  | transport header, payload …
 *                                                 ^ begin() returns this, the transport fills it,
 *                       commit() puts these in front and hands the frame to the link.
 * @module
 */
import type { Clock } from '../base/clock.ts';
import * as Drop from '../base/drops.ts';
import { SLOT_TRANSPORT, TX_IP_SUM, TX_IPV6, TX_TCP_SUM, TX_UDP_SUM } from '../link/layout.gen.ts';
import * as Ethernet from '../wire/ethernet.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import type { Core } from './core.ts';
import type { NeighborCache } from './neighbor/cache.ts';
import { REACHABLE } from './neighbor/neighbor.ts';
import type { Path } from './path.ts';
import { give, NO_SLOT, push, take } from './transmit.ts';

export { NO_SLOT };

export class Egress {
  readonly #core: Core;
  readonly #view: DataView;
  readonly #clock: Clock;
  readonly #neighbors: NeighborCache;

  constructor(core: Core, neighbors: NeighborCache) {
    this.#core = core;
    this.#view = core.view;
    this.#clock = core.clock;
    this.#neighbors = neighbors;
  }

  /** Takes a free transmit slot; returns where the transport header goes, or NO_SLOT. */
  begin(path: Path): number {
    const slot = take(path.nic.ring);
    return slot === NO_SLOT ? NO_SLOT : slot + SLOT_TRANSPORT;
  }

  /** Gives back a slot that begin() took. */
  abandon(path: Path, transportAt: number): void {
    give(path.nic.ring, transportAt - SLOT_TRANSPORT);
  }

  /**
   * Sends the transport packet of `length` bytes at `transportAt`, which begin() returned.
   * @param flags TX_TCP_SUM or TX_UDP_SUM, which also name the protocol (neither: ICMP), and
   *   TX_SEGMENT with `mss`
   * @param ecn the ECN field, 0 to 3
   */
  commit(
    path: Path,
    transportAt: number,
    length: number,
    flags: number,
    transportHeaderLength: number,
    mss: number,
    ecn: number,
  ): void {
    const slot = transportAt - SLOT_TRANSPORT;
    if (path.version === 4) {
      const ipAt = transportAt - Ipv4.HEADER_LENGTH;
      const total = length + Ipv4.HEADER_LENGTH;
      const protocol = protocolOf(flags, Ipv4.PROTOCOL_ICMP);
      path.ipId = (path.ipId + 1) & 0xffff;
      this.#writeIpv4(path, ipAt, total, path.ipId, Ipv4.DONT_FRAGMENT, protocol, ecn);
      this.#send(path, slot, ipAt, total, flags | TX_IP_SUM, transportHeaderLength, mss);
    } else {
      const ipAt = transportAt - Ipv6.HEADER_LENGTH;
      const total = length + Ipv6.HEADER_LENGTH;
      this.#writeIpv6(path, ipAt, length, protocolOf(flags, Ipv6.PROTOCOL_ICMPV6), ecn);
      this.#send(path, slot, ipAt, total, flags | TX_IPV6, transportHeaderLength, mss);
    }
  }

  /**
   * Sends one fragment; its payload lies at `payloadAt`: where begin() said for IPv4, and
   * Ipv6.FRAGMENT_LENGTH behind that for IPv6, to make room for the fragment header.
   */
  commitFragment(
    path: Path,
    payloadAt: number,
    length: number,
    protocol: number,
    id: number,
    offset: number,
    more: boolean,
  ): void {
    if (path.version === 4) {
      const ipAt = payloadAt - Ipv4.HEADER_LENGTH;
      const total = length + Ipv4.HEADER_LENGTH;
      const field = (offset >> 3) | (more ? Ipv4.MORE_FRAGMENTS : 0);
      this.#writeIpv4(path, ipAt, total, id & 0xffff, field, protocol, 0);
      this.#send(path, payloadAt - SLOT_TRANSPORT, ipAt, total, TX_IP_SUM, 0, 0);
    } else {
      const headerAt = payloadAt - Ipv6.FRAGMENT_LENGTH;
      const ipAt = headerAt - Ipv6.HEADER_LENGTH;
      const payload = length + Ipv6.FRAGMENT_LENGTH;
      const field = more ? offset | Ipv6.MORE_FRAGMENTS : offset;
      Ipv6.writeFragment(this.#view, headerAt, protocol, field, id);
      this.#writeIpv6(path, ipAt, payload, Ipv6.FRAGMENT, 0);
      const total = payload + Ipv6.HEADER_LENGTH;
      this.#send(path, headerAt - SLOT_TRANSPORT, ipAt, total, TX_IPV6, 0, 0);
    }
  }

  #writeIpv4(
    path: Path,
    ipAt: number,
    total: number,
    id: number,
    flagsAndOffset: number,
    protocol: number,
    ecn: number,
  ): void {
    const view = this.#view;
    const hops = path.hops;
    const src = path.local3;
    const dst = path.remote3;
    const tos = path.trafficClass | ecn;
    Ipv4.write(view, ipAt, tos, total, id, flagsAndOffset, hops, protocol, src, dst);
  }

  #writeIpv6(path: Path, ipAt: number, payload: number, next: number, ecn: number): void {
    const view = this.#view;
    const trafficClass = path.trafficClass | ecn;
    Ipv6.write(view, ipAt, trafficClass, path.flowLabel, payload, next, path.hops);
    Ipv6.writeSrc(view, ipAt, path.local0, path.local1, path.local2, path.local3);
    Ipv6.writeDst(view, ipAt, path.remote0, path.remote1, path.remote2, path.remote3);
  }

  /** The Ethernet header, and off; or into the neighbor's queue while its MAC is not known. */
  #send(
    path: Path,
    slot: number,
    ipAt: number,
    length: number,
    flags: number,
    transportHeaderLength: number,
    mss: number,
  ): void {
    const nic = path.nic;
    const neighbor = path.neighbor;
    const l2Length = nic.l2Length;
    const headers = l2Length | (path.headerLength << 8) | (transportHeaderLength << 16);
    let macHigh = path.macHigh;
    let macLow = path.macLow;
    if (neighbor !== null) {
      const neighbors = this.#neighbors;
      const age = (this.#clock.ms - neighbor.confirmedAt) >>> 0;
      if (neighbor.state !== REACHABLE || age >= neighbors.reachableMs) {
        if (neighbors.use(neighbor) === 0) {
          neighbors.hold(neighbor, ipAt, length, flags, headers, mss);
          give(nic.ring, slot);
          return;
        }
      }
      macHigh = neighbor.macHigh;
      macLow = neighbor.macLow;
    }
    const at = ipAt - l2Length;
    const type = path.version === 4 ? Ethernet.ETHERTYPE_IPV4 : Ethernet.ETHERTYPE_IPV6;
    Ethernet.write(this.#view, at, macHigh, macLow, nic.macHigh, nic.macLow, type);
    if (nic.vlan !== 0) Ethernet.writeTag(this.#view, at, nic.vlan, type);
    if (!push(nic, slot, at, length + l2Length, flags, headers, mss)) {
      this.#core.drops[Drop.TX_NO_SLOT]!++;
    }
  }
}

function protocolOf(flags: number, otherwise: number): number {
  if ((flags & TX_TCP_SUM) !== 0) return Ipv4.PROTOCOL_TCP;
  if ((flags & TX_UDP_SUM) !== 0) return Ipv4.PROTOCOL_UDP;
  return otherwise;
}
