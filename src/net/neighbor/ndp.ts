/**
 * Neighbor Discovery (RFC 4861): asks for IPv6 neighbors, answers for our addresses.
 *
 * Routers come from the configuration; router advertisements and redirects are not acted on.
 * @module
 */
import { Address } from '../../base/address.ts';
import * as Drop from '../../base/drops.ts';
import { SLOT_TRANSPORT, TX_IPV6 } from '../../link/layout.gen.ts';
import * as Checksum from '../../wire/checksum.ts';
import * as Ethernet from '../../wire/ethernet.ts';
import * as Icmpv6 from '../../wire/icmpv6.ts';
import * as Ipv6 from '../../wire/ipv6.ts';
import { type AddressTable, NO_ENTRY, UNICAST } from '../address-table.ts';
import type { Core } from '../core.ts';
import type { Nic } from '../nic.ts';
import { NO_FRAME, type Packet } from '../packet.ts';
import { chooseSource, isOnLink } from '../source.ts';
import * as Stats from '../stats.ts';
import { NO_SLOT, push, take } from '../transmit.ts';
import type { NeighborCache } from './cache.ts';
import { FAILED, INCOMPLETE, type Neighbor, PROBE } from './neighbor.ts';

/** Messages that crossed a router have less (RFC 4861 7.1). */
const HOPS = 255;
const WITH_OPTION = Icmpv6.NEIGHBOR_LENGTH + Icmpv6.LINK_OPTION_LENGTH;
/** ff02::1 and the solicited-node prefix ff02::1:ff00:0/104. */
const MULTICAST_LINK = 0xff020000 | 0;
const SOLICITED_NODE = 0xff000000 | 0;
/** MAC addresses of IPv6 groups start with 33:33 (RFC 2464 7). */
const GROUP_MAC_HIGH = 0x3333;

export class NdpProtocol {
  readonly #core: Core;
  readonly #addresses: AddressTable;
  readonly #neighbors: NeighborCache;

  constructor(core: Core, addresses: AddressTable, neighbors: NeighborCache) {
    this.#core = core;
    this.#addresses = addresses;
    this.#neighbors = neighbors;
  }

  /** Asks for a neighbor: its solicited-node group, or the station we knew (a probe). */
  solicit(neighbor: Neighbor): boolean {
    const view = this.#core.view;
    const nic = neighbor.nic;
    const source = chooseSource(nic, neighbor.w0, neighbor.w1, neighbor.w2, neighbor.w3);
    if (source === null) return true;
    const slot = take(nic.ring);
    if (slot === NO_SLOT) return false;
    const at = slot + SLOT_TRANSPORT;
    Icmpv6.write(view, at, Icmpv6.NEIGHBOR_SOLICITATION, 0, 0);
    Icmpv6.writeTarget(view, at, neighbor.w0, neighbor.w1, neighbor.w2, neighbor.w3);
    const optionAt = at + Icmpv6.NEIGHBOR_LENGTH;
    Icmpv6.writeLinkOption(view, optionAt, Icmpv6.OPTION_SOURCE_LINK, nic.macHigh, nic.macLow);
    this.#core.stats[Stats.NDP_SOLICITATIONS_OUT]!++;
    if (neighbor.state === PROBE) {
      const { w0, w1, w2, w3, macHigh, macLow } = neighbor;
      return this.#send(nic, slot, source, w0, w1, w2, w3, macHigh, macLow);
    }
    const low = SOLICITED_NODE | (neighbor.w3 & 0xffffff);
    return this.#send(nic, slot, source, MULTICAST_LINK, 0, 1, low, GROUP_MAC_HIGH, low);
  }

  /** Unsolicited advertisement (RFC 4861 7.2.6): tells the link that the address is here. */
  announce(nic: Nic, address: Address): boolean {
    return this.#advertise(
      nic,
      address,
      Icmpv6.FLAG_OVERRIDE,
      MULTICAST_LINK,
      0,
      0,
      1,
      GROUP_MAC_HIGH,
      1,
    );
  }

  /** A solicitation or advertisement whose checksum is right. Fragmented ones: RFC 6980. */
  receive(nic: Nic, packet: Packet): void {
    const view = this.#core.view;
    const { at, length } = packet;
    const end = at + length;
    if (
      packet.hops !== HOPS ||
      packet.frameAt === NO_FRAME ||
      length < Icmpv6.NEIGHBOR_LENGTH ||
      Icmpv6.code(view, at) !== 0 ||
      Icmpv6.target(view, at, 0) >>> 24 === 0xff ||
      !Icmpv6.checkOptions(view, at + Icmpv6.NEIGHBOR_LENGTH, end)
    ) {
      this.#core.drops[Drop.NDP_MALFORMED]!++;
    } else if (Icmpv6.type(view, at) === Icmpv6.NEIGHBOR_SOLICITATION) {
      this.#solicitation(nic, packet, end);
    } else {
      this.#advertisement(nic, packet, end);
    }
  }

  #solicitation(nic: Nic, packet: Packet, end: number): void {
    const { view, drops } = this.#core;
    const option = this.#linkOption(packet, end, Icmpv6.OPTION_SOURCE_LINK);
    const probing =
      packet.src0 === 0 && packet.src1 === 0 && packet.src2 === 0 && packet.src3 === 0;
    if (probing && (option !== Icmpv6.NO_OPTION || !isSolicitedNode(packet))) {
      drops[Drop.NDP_MALFORMED]!++;
      return;
    }
    const target = this.#target(packet);
    if (!this.#isOurs(nic, target)) {
      drops[Drop.NDP_NOT_FOR_US]!++;
      return;
    }
    if (probing) {
      // Somebody wants to use our address (RFC 4862 5.4.3): everybody is told that it is taken.
      this.announce(nic, target);
      return;
    }
    const { src0, src1, src2, src3 } = packet;
    let macHigh = Ethernet.srcHigh(view, packet.frameAt);
    let macLow = Ethernet.srcLow(view, packet.frameAt);
    if (option !== Icmpv6.NO_OPTION) {
      macHigh = Icmpv6.optionMacHigh(view, option);
      macLow = Icmpv6.optionMacLow(view, option);
      if (!Ethernet.isGroup(macHigh) && isOnLink(nic, src0, src1, src2, src3)) {
        this.#neighbors.learn(nic, src0, src1, src2, src3, macHigh, macLow);
      }
    }
    const flags = Icmpv6.FLAG_SOLICITED | Icmpv6.FLAG_OVERRIDE;
    if (!this.#advertise(nic, target, flags, src0, src1, src2, src3, macHigh, macLow)) {
      drops[Drop.TX_NO_SLOT]!++;
    }
  }

  #advertisement(nic: Nic, packet: Packet, end: number): void {
    const { view, drops } = this.#core;
    const flags = Icmpv6.flags(view, packet.at);
    const solicited = (flags & Icmpv6.FLAG_SOLICITED) !== 0;
    if (solicited && packet.group === 1) {
      drops[Drop.NDP_MALFORMED]!++;
      return;
    }
    const target = this.#target(packet);
    if (this.#isOurs(nic, target)) {
      drops[Drop.NDP_CONFLICT]!++;
      return;
    }
    const neighbor = this.#neighbors.findAsked(nic, target.w0, target.w1, target.w2, target.w3);
    if (neighbor === null) {
      drops[Drop.NDP_UNSOLICITED]!++;
      return;
    }
    const unknown = neighbor.state === INCOMPLETE || neighbor.state === FAILED;
    const option = this.#linkOption(packet, end, Icmpv6.OPTION_TARGET_LINK);
    if (option === Icmpv6.NO_OPTION && unknown) return;
    const macHigh =
      option === Icmpv6.NO_OPTION ? neighbor.macHigh : Icmpv6.optionMacHigh(view, option);
    const macLow =
      option === Icmpv6.NO_OPTION ? neighbor.macLow : Icmpv6.optionMacLow(view, option);
    if (Ethernet.isGroup(macHigh)) {
      drops[Drop.NDP_MALFORMED]!++;
      return;
    }
    const override = (flags & Icmpv6.FLAG_OVERRIDE) !== 0;
    this.#neighbors.update(neighbor, macHigh, macLow, solicited, override);
  }

  #advertise(
    nic: Nic,
    target: Address,
    flags: number,
    dst0: number,
    dst1: number,
    dst2: number,
    dst3: number,
    macHigh: number,
    macLow: number,
  ): boolean {
    const view = this.#core.view;
    const slot = take(nic.ring);
    if (slot === NO_SLOT) return false;
    const at = slot + SLOT_TRANSPORT;
    Icmpv6.write(view, at, Icmpv6.NEIGHBOR_ADVERTISEMENT, 0, flags);
    Icmpv6.writeTarget(view, at, target.w0, target.w1, target.w2, target.w3);
    const optionAt = at + Icmpv6.NEIGHBOR_LENGTH;
    Icmpv6.writeLinkOption(view, optionAt, Icmpv6.OPTION_TARGET_LINK, nic.macHigh, nic.macLow);
    this.#core.stats[Stats.NDP_ADVERTISEMENTS_OUT]!++;
    return this.#send(nic, slot, target, dst0, dst1, dst2, dst3, macHigh, macLow);
  }

  /** Completes and sends the message of WITH_OPTION bytes that lies in the slot. */
  #send(
    nic: Nic,
    slot: number,
    source: Address,
    dst0: number,
    dst1: number,
    dst2: number,
    dst3: number,
    macHigh: number,
    macLow: number,
  ): boolean {
    const view = this.#core.view;
    const { w0, w1, w2, w3 } = source;
    const at = slot + SLOT_TRANSPORT;
    const protocol = Ipv6.PROTOCOL_ICMPV6;
    const pseudo = Checksum.pseudo(w0, w1, w2, w3, dst0, dst1, dst2, dst3, protocol, WITH_OPTION);
    Icmpv6.setChecksum(view, at, Checksum.finish(Checksum.sum(view, at, WITH_OPTION, pseudo)));
    const ipAt = at - Ipv6.HEADER_LENGTH;
    Ipv6.write(view, ipAt, 0, 0, WITH_OPTION, protocol, HOPS);
    Ipv6.writeSrc(view, ipAt, w0, w1, w2, w3);
    Ipv6.writeDst(view, ipAt, dst0, dst1, dst2, dst3);
    const frameAt = ipAt - nic.l2Length;
    const type = Ethernet.ETHERTYPE_IPV6;
    Ethernet.write(view, frameAt, macHigh, macLow, nic.macHigh, nic.macLow, type);
    if (nic.vlan !== 0) Ethernet.writeTag(view, frameAt, nic.vlan, type);
    const headers = nic.l2Length | (Ipv6.HEADER_LENGTH << 8);
    return push(nic, slot, frameAt, at + WITH_OPTION - frameAt, TX_IPV6, headers, 0);
  }

  #target(packet: Packet): Address {
    const { view } = this.#core;
    const word = (i: number): number => Icmpv6.target(view, packet.at, i);
    return new Address(word(0), word(1), word(2), word(3));
  }

  /** The link-layer address option of `kind`, of the length Ethernet has, or NO_OPTION. */
  #linkOption(packet: Packet, end: number, kind: number): number {
    const { view } = this.#core;
    const option = Icmpv6.findOption(view, packet.at + Icmpv6.NEIGHBOR_LENGTH, end, kind);
    if (option === Icmpv6.NO_OPTION) return option;
    const right = Icmpv6.optionLength(view, option) === Icmpv6.LINK_OPTION_LENGTH;
    return right ? option : Icmpv6.NO_OPTION;
  }

  #isOurs(nic: Nic, address: Address): boolean {
    const entry = this.#addresses.find(address.w0, address.w1, address.w2, address.w3);
    if (entry === NO_ENTRY || this.#addresses.kindOf(entry) !== UNICAST) return false;
    return this.#addresses.nicOf(entry) === nic.index;
  }
}

function isSolicitedNode(packet: Packet): boolean {
  return (
    packet.dst0 === MULTICAST_LINK &&
    packet.dst1 === 0 &&
    packet.dst2 === 1 &&
    packet.dst3 >>> 24 === 0xff
  );
}
