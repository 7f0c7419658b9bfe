/**
 * The way in: Ethernet, VLAN, IPv4 and IPv6 headers of received frames.   hot path
 *
 * A straight line for the steady case; ARP, fragments, options and extension headers branch off
 * to ordinary code. Every frame ends in a transport, an answer, or a named drop.
 * @module
 */
import { V4_PREFIX } from '../base/address.ts';
import * as Drop from '../base/drops.ts';
import {
  DESCRIPTOR_WORDS,
  RX_AT,
  RX_BASE,
  RX_COUNT,
  RX_FLAGS,
  RX_IP_BAD,
  RX_IP_GOOD,
  RX_L4_BAD,
  RX_L4_GOOD,
  RX_LENGTH,
  RX_VLAN,
  RX_VLAN_STRIPPED,
} from '../link/layout.gen.ts';
import * as Checksum from '../wire/checksum.ts';
import * as Ethernet from '../wire/ethernet.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import { type AddressTable, NO_ENTRY, NONE, UNICAST } from './address-table.ts';
import type { Core } from './core.ts';
import type { ArpProtocol } from './neighbor/arp.ts';
import type { Nic } from './nic.ts';
import type { Packet } from './packet.ts';
import * as Stats from './stats.ts';
import type { Transport } from './transport.ts';

/** 12 bits of an 802.1Q tag. */
const VLAN_MASK = 0xfff;
/** The frame was used, or whoever dropped it has counted it. */
const NO_DROP = -1;
/** 255.255.255.255. */
const LIMITED_BROADCAST = -1;

/** Where the packets go that are not the steady case. */
export interface IngressBranches {
  /** IPv4 with options: true when they are harmless. */
  checkOptions(packet: Packet): boolean;
  /** An IPv4 fragment; its payload is in the packet. */
  fragment(packet: Packet): void;
  /** IPv6 whose next header is not a transport we know; delivers what is behind the extensions. */
  extensions(packet: Packet, nextHeader: number): void;
  /** A protocol nobody registered for. */
  unknownProtocol(packet: Packet): void;
}

export class Ingress {
  readonly #core: Core;
  readonly #view: DataView;
  readonly #drops: Float64Array;
  readonly #addresses: AddressTable;
  readonly #packet: Packet;
  readonly #transports: (Transport | null)[];
  readonly #arp: ArpProtocol;
  readonly #branches: IngressBranches;

  constructor(
    core: Core,
    addresses: AddressTable,
    packet: Packet,
    transports: (Transport | null)[],
    arp: ArpProtocol,
    branches: IngressBranches,
  ) {
    this.#core = core;
    this.#view = core.view;
    this.#drops = core.drops;
    this.#addresses = addresses;
    this.#packet = packet;
    this.#transports = transports;
    this.#arp = arp;
    this.#branches = branches;
  }

  /** Processes all frames of the ring's last exchange; returns how many. */
  receive(nic: Nic): number {
    const ring = nic.ring;
    const count = ring[RX_COUNT]!;
    let bytes = 0;
    for (let i = 0; i < count; i++) {
      const descriptor = RX_BASE + i * DESCRIPTOR_WORDS;
      const length = ring[descriptor + RX_LENGTH]!;
      this.#packet.descriptor = i;
      bytes += length;
      const reason = this.#frame(
        nic,
        ring[descriptor + RX_AT]!,
        length,
        ring[descriptor + RX_FLAGS]!,
        ring[descriptor + RX_VLAN]!,
      );
      if (reason !== NO_DROP) this.#drops[reason]!++;
    }
    nic.counters[Stats.NIC_FRAMES_IN]! += count;
    nic.counters[Stats.NIC_BYTES_IN]! += bytes;
    return count;
  }

  #frame(nic: Nic, at: number, length: number, flags: number, strippedTag: number): number {
    const view = this.#view;
    if (!Ethernet.check(view, at, length)) return Drop.ETHERNET_TOO_SHORT;
    const high = Ethernet.dstHigh(view, at);
    let group = 0;
    if (high !== nic.macHigh || Ethernet.dstLow(view, at) !== nic.macLow) {
      if (!Ethernet.isGroup(high)) return Drop.ETHERNET_NOT_FOR_US;
      group = 1;
    }
    if (Ethernet.isGroup(Ethernet.srcHigh(view, at))) return Drop.ETHERNET_BAD_SOURCE;
    let type = Ethernet.type(view, at);
    let headerLength = Ethernet.HEADER_LENGTH;
    let vlan = (flags & RX_VLAN_STRIPPED) !== 0 ? strippedTag & VLAN_MASK : 0;
    if (type === Ethernet.ETHERTYPE_VLAN) {
      vlan = Ethernet.tci(view, at) & VLAN_MASK;
      type = Ethernet.taggedType(view, at);
      headerLength = Ethernet.TAGGED_LENGTH;
    }
    if (vlan !== nic.vlan) return Drop.VLAN_NOT_OURS;
    const packet = this.#packet;
    packet.nic = nic.index;
    packet.frameAt = at;
    packet.group = group;
    packet.ipAt = at + headerLength;
    const available = length - headerLength;
    if (type === Ethernet.ETHERTYPE_IPV4) return this.#ipv4(nic, packet, available, flags);
    if (type === Ethernet.ETHERTYPE_IPV6) return this.#ipv6(nic, packet, available, flags);
    if (type !== Ethernet.ETHERTYPE_ARP) return Drop.ETHERNET_UNKNOWN_TYPE;
    this.#arp.receive(nic, packet.ipAt, available);
    return NO_DROP;
  }

  #ipv4(nic: Nic, packet: Packet, available: number, flags: number): number {
    const view = this.#view;
    const ipAt = packet.ipAt;
    if (available < Ipv4.HEADER_LENGTH) return Drop.IPV4_MALFORMED;
    const first = Ipv4.firstWord(view, ipAt);
    if (!Ipv4.isSound(first, available)) return Drop.IPV4_MALFORMED;
    const headerLength = Ipv4.headerLengthOf(first);
    if ((flags & RX_IP_GOOD) === 0 && !this.#isIntact(ipAt, headerLength, flags)) {
      return Drop.IPV4_BAD_CHECKSUM;
    }
    const src = Ipv4.src(view, ipAt);
    const dst = Ipv4.dst(view, ipAt);
    if (nic.loopback === 0 && this.#isMartianV4(src, dst, ipAt)) return Drop.IP_MARTIAN_SOURCE;
    packet.version = 4;
    packet.src0 = 0;
    packet.src1 = 0;
    packet.src2 = V4_PREFIX;
    packet.src3 = src;
    packet.dst0 = 0;
    packet.dst1 = 0;
    packet.dst2 = V4_PREFIX;
    packet.dst3 = dst;
    const third = Ipv4.thirdWord(view, ipAt);
    packet.hops = Ipv4.ttlOf(third);
    packet.protocol = Ipv4.protocolOf(third);
    packet.ecn = Ipv4.ecnOf(first);
    packet.at = ipAt + headerLength;
    packet.length = Ipv4.totalLengthOf(first) - headerLength;
    if (!this.#isForUs(nic, packet)) return Drop.IP_NOT_FOR_US;
    if (headerLength !== Ipv4.HEADER_LENGTH && !this.#branches.checkOptions(packet)) {
      return Drop.IPV4_BAD_OPTIONS;
    }
    packet.checked = 0;
    if ((Ipv4.flagsAndOffset(view, ipAt) & (Ipv4.MORE_FRAGMENTS | Ipv4.OFFSET_MASK)) !== 0) {
      this.#branches.fragment(packet);
      return NO_DROP;
    }
    return this.#verified(packet, flags);
  }

  /** Looks where the link did not. */
  #isIntact(ipAt: number, headerLength: number, flags: number): boolean {
    if ((flags & RX_IP_BAD) !== 0) return false;
    return Checksum.fold(Checksum.sum(this.#view, ipAt, headerLength, 0)) === 0xffff;
  }

  #ipv6(nic: Nic, packet: Packet, available: number, flags: number): number {
    const view = this.#view;
    const ipAt = packet.ipAt;
    if (!Ipv6.check(view, ipAt, available)) return Drop.IPV6_MALFORMED;
    packet.version = 6;
    packet.src0 = Ipv6.src(view, ipAt, 0);
    packet.src1 = Ipv6.src(view, ipAt, 1);
    packet.src2 = Ipv6.src(view, ipAt, 2);
    packet.src3 = Ipv6.src(view, ipAt, 3);
    packet.dst0 = Ipv6.dst(view, ipAt, 0);
    packet.dst1 = Ipv6.dst(view, ipAt, 1);
    packet.dst2 = Ipv6.dst(view, ipAt, 2);
    packet.dst3 = Ipv6.dst(view, ipAt, 3);
    packet.hops = Ipv6.hopLimit(view, ipAt);
    packet.ecn = Ipv6.ecn(view, ipAt);
    packet.at = ipAt + Ipv6.HEADER_LENGTH;
    packet.length = Ipv6.payloadLength(view, ipAt);
    packet.checked = 0;
    if (this.#isMartianV6(nic, packet)) return Drop.IP_MARTIAN_SOURCE;
    if (!this.#isForUs(nic, packet)) return Drop.IP_NOT_FOR_US;
    const next = Ipv6.nextHeader(view, ipAt);
    packet.protocol = next;
    if (this.#transports[next] !== null) return this.#verified(packet, flags);
    this.#branches.extensions(packet, next);
    return NO_DROP;
  }

  /** Takes over the link's verdict on the transport checksum. */
  #verified(packet: Packet, flags: number): number {
    if ((flags & RX_L4_GOOD) !== 0) packet.checked = 1;
    if ((flags & RX_L4_BAD) !== 0) {
      if (packet.protocol === Ipv4.PROTOCOL_TCP) return Drop.TCP_BAD_CHECKSUM;
      if (packet.protocol === Ipv4.PROTOCOL_UDP) return Drop.UDP_BAD_CHECKSUM;
    }
    this.deliver(packet);
    return NO_DROP;
  }

  /** Hands a whole packet to its transport. */
  deliver(packet: Packet): void {
    const transport = this.#transports[packet.protocol]!;
    if (transport === null) {
      this.#branches.unknownProtocol(packet);
      return;
    }
    const stats = this.#core.stats;
    stats[Stats.DELIVERED]!++;
    if (packet.ecn !== 0) stats[Stats.ECT1_IN + packet.ecn - 1]!++;
    transport.receive(packet);
  }

  /** One of our addresses, or a group we are in; the latter sets packet.group. */
  #isForUs(nic: Nic, packet: Packet): boolean {
    const addresses = this.#addresses;
    const entry = addresses.find(packet.dst0, packet.dst1, packet.dst2, packet.dst3);
    if (entry === NO_ENTRY) return nic.loopback === 1 && isLoopbackV4(packet);
    if (addresses.kindOf(entry) !== UNICAST) {
      packet.group = 1;
      return true;
    }
    // A link-local address exists on its own link only.
    return (
      packet.dst0 >>> 22 !== 0x3fa || addresses.nicOf(entry) === nic.index || nic.loopback === 1
    );
  }

  /** No host on a wire sends this (RFC 1122 3.2.1.3): 0/8, 127/8, groups, broadcast, ourselves. */
  #isMartianV4(src: number, dst: number, ipAt: number): boolean {
    const first = src >>> 24;
    if (first >= 224 || first === 127 || dst >>> 24 === 127) return true;
    if (first === 0) return src !== 0 || !this.#mayLackAddress(dst, ipAt);
    return this.#addresses.kind(0, 0, V4_PREFIX, src) !== NONE;
  }

  /**
   * What a host without an address sends from 0.0.0.0: a switch asks who is in which group (RFC 4541
   * 2.1.1), a DHCP client asks everybody for an address (RFC 2131 4.1).
   */
  #mayLackAddress(dst: number, ipAt: number): boolean {
    const protocol = Ipv4.protocolOf(Ipv4.thirdWord(this.#view, ipAt));
    if (dst === LIMITED_BROADCAST) return protocol === Ipv4.PROTOCOL_UDP;
    return dst >>> 28 === 14 && protocol === Ipv4.PROTOCOL_IGMP;
  }

  /**
   * Groups and IPv4-mapped addresses always, ::1 and ourselves on a wire. The unspecified source
   * is for Neighbor Discovery, which asks again.
   */
  #isMartianV6(nic: Nic, packet: Packet): boolean {
    const src0 = packet.src0;
    if (src0 >>> 24 === 0xff) return true;
    if (src0 === 0 && packet.src1 === 0) {
      if (packet.src2 === V4_PREFIX) return true;
      if (packet.src2 === 0 && packet.src3 === 1 && nic.loopback === 0) return true;
      if (packet.src2 === 0 && packet.src3 === 0 && packet.group === 0) return true;
    }
    if (packet.dst0 === 0 && packet.dst1 === 0) {
      if (packet.dst2 === V4_PREFIX) return true;
      if (packet.dst2 === 0 && packet.dst3 === 1 && nic.loopback === 0) return true;
    }
    if (nic.loopback === 1) return false;
    return this.#addresses.kind(src0, packet.src1, packet.src2, packet.src3) !== NONE;
  }
}

function isLoopbackV4(packet: Packet): boolean {
  return packet.version === 4 && packet.dst3 >>> 24 === 127;
}
