/**
 * A network interface as the stack sees it: a link, its MAC, and the addresses that live on it.
 * @module
 */
import type { Prefix } from '../base/address.ts';
import { LINK_MTU } from '../link/layout.gen.ts';
import type { Link } from '../link/link.ts';
import * as Stats from './stats.ts';

/** Bytes of an Ethernet header without and with an 802.1Q tag. */
const PLAIN = 14;
const TAGGED = 18;

export class Nic {
  readonly index: number;
  /** Its observers put a wrapper around it that shares the ring (src/control/observe.ts). */
  link: Link;
  readonly ring: Int32Array;
  /** The station's address: its first 2 bytes, and its last 4 as an int32. */
  readonly macHigh: number;
  readonly macLow: number;
  /** Largest IP packet, header included; changed by Net.followMtu. */
  mtu: number;
  /** What the link last said of it (LINK_MTU). */
  linkMtu: number;
  /** 802.1Q identifier, 0 for none. */
  readonly vlan: number;
  /** Bytes of the Ethernet header of what is sent: 14 or 18. */
  readonly l2Length: number;
  /** 1 for the loopback interface: packets to our own addresses go there. */
  readonly loopback: number;
  /** Our addresses on this interface; change them with Net.addAddress. */
  readonly addresses: Prefix[] = [];
  /** Counters of Stats.nicFamily. */
  readonly counters: Float64Array = Stats.nicFamily.values();
  /** How many of `addresses` have been announced (gratuitous ARP, unsolicited NA). */
  announced = 0;

  constructor(index: number, link: Link, vlan: number, loopback: boolean) {
    const mac = link.mac;
    this.index = index;
    this.link = link;
    this.ring = link.ring;
    this.macHigh = (mac[0]! << 8) | mac[1]!;
    this.macLow = (mac[2]! << 24) | (mac[3]! << 16) | (mac[4]! << 8) | mac[5]!;
    this.mtu = link.mtu;
    this.linkMtu = link.ring[LINK_MTU]!;
    this.vlan = vlan;
    this.l2Length = vlan === 0 ? PLAIN : TAGGED;
    this.loopback = loopback ? 1 : 0;
  }
}
