/**
 * ARP (RFC 826, RFC 5227): asks for IPv4 neighbors, answers for our addresses.
 *
 * Believes only what it asked for or already knows; remembers who asks for us.
 * @module
 */
import { V4_PREFIX } from '../../base/address.ts';
import * as Drop from '../../base/drops.ts';
import { SLOT_TRANSPORT } from '../../link/layout.gen.ts';
import * as Arp from '../../wire/arp.ts';
import * as Ethernet from '../../wire/ethernet.ts';
import type { AddressTable } from '../address-table.ts';
import { NO_ENTRY, UNICAST } from '../address-table.ts';
import type { Core } from '../core.ts';
import type { Nic } from '../nic.ts';
import { chooseSource, isOnLink } from '../source.ts';
import * as Stats from '../stats.ts';
import { NO_SLOT, push, take } from '../transmit.ts';
import type { NeighborCache } from './cache.ts';
import { type Neighbor, PROBE } from './neighbor.ts';

export class ArpProtocol {
  readonly #core: Core;
  readonly #addresses: AddressTable;
  readonly #neighbors: NeighborCache;

  constructor(core: Core, addresses: AddressTable, neighbors: NeighborCache) {
    this.#core = core;
    this.#addresses = addresses;
    this.#neighbors = neighbors;
  }

  /** Asks for a neighbor: everybody, or only the station we knew (a probe). False: no slot. */
  solicit(neighbor: Neighbor): boolean {
    const nic = neighbor.nic;
    const source = chooseSource(nic, neighbor.w0, neighbor.w1, neighbor.w2, neighbor.w3);
    const probe = neighbor.state === PROBE;
    const sent = this.#send(
      nic,
      Arp.REQUEST,
      source === null ? 0 : source.w3,
      neighbor.w3,
      probe ? neighbor.macHigh : Ethernet.BROADCAST_HIGH,
      probe ? neighbor.macLow : Ethernet.BROADCAST_LOW,
    );
    if (sent) this.#core.stats[Stats.ARP_REQUESTS_OUT]!++;
    return sent;
  }

  /** Gratuitous ARP (RFC 5227 3): tells the link that the address is here. False: no slot. */
  announce(nic: Nic, address: number): boolean {
    return this.#send(
      nic,
      Arp.REQUEST,
      address,
      address,
      Ethernet.BROADCAST_HIGH,
      Ethernet.BROADCAST_LOW,
    );
  }

  receive(nic: Nic, at: number, length: number): void {
    const { view, drops } = this.#core;
    if (!Arp.check(view, at, length)) {
      drops[Drop.ARP_MALFORMED]!++;
      return;
    }
    const senderHigh = Arp.senderHigh(view, at);
    const senderLow = Arp.senderLow(view, at);
    const sender = Arp.senderIp(view, at);
    if (Ethernet.isGroup(senderHigh) || isNobody(sender)) {
      drops[Drop.ARP_MALFORMED]!++;
    } else if (sender !== 0 && this.#isOurs(nic, sender)) {
      drops[Drop.ARP_CONFLICT]!++;
    } else if (Arp.operation(view, at) === Arp.REQUEST) {
      this.#request(nic, senderHigh, senderLow, sender, Arp.targetIp(view, at));
    } else if (Arp.operation(view, at) === Arp.REPLY) {
      const toUs =
        Arp.targetHigh(view, at) === nic.macHigh && Arp.targetLow(view, at) === nic.macLow;
      this.#reply(nic, senderHigh, senderLow, sender, toUs);
    } else {
      drops[Drop.ARP_MALFORMED]!++;
    }
  }

  #request(nic: Nic, senderHigh: number, senderLow: number, sender: number, target: number): void {
    if (!this.#isOurs(nic, target)) {
      // Gratuitous, or a neighbor asking for a third: refresh what we know, learn nothing new.
      const known = sender === target ? this.#neighbors.find(nic, 0, 0, V4_PREFIX, sender) : null;
      if (known !== null) this.#neighbors.update(known, senderHigh, senderLow, false, true);
      else this.#core.drops[Drop.ARP_NOT_FOR_US]!++;
      return;
    }
    // A sender of 0 is probing whether the address is free (RFC 5227): answered, not remembered.
    if (sender !== 0 && isOnLink(nic, 0, 0, V4_PREFIX, sender)) {
      this.#neighbors.learn(nic, 0, 0, V4_PREFIX, sender, senderHigh, senderLow);
    }
    if (this.#send(nic, Arp.REPLY, target, sender, senderHigh, senderLow)) {
      this.#core.stats[Stats.ARP_REPLIES_OUT]!++;
    } else {
      this.#core.drops[Drop.TX_NO_SLOT]!++;
    }
  }

  #reply(nic: Nic, senderHigh: number, senderLow: number, sender: number, toUs: boolean): void {
    const neighbor = this.#neighbors.findAsked(nic, 0, 0, V4_PREFIX, sender);
    if (neighbor === null) {
      this.#core.drops[Drop.ARP_UNSOLICITED]!++;
      return;
    }
    this.#neighbors.update(neighbor, senderHigh, senderLow, toUs, true);
  }

  #isOurs(nic: Nic, address: number): boolean {
    const entry = this.#addresses.find(0, 0, V4_PREFIX, address);
    if (entry === NO_ENTRY || this.#addresses.kindOf(entry) !== UNICAST) return false;
    return this.#addresses.nicOf(entry) === nic.index;
  }

  #send(
    nic: Nic,
    operation: number,
    sender: number,
    target: number,
    macHigh: number,
    macLow: number,
  ): boolean {
    const view = this.#core.view;
    const slot = take(nic.ring);
    if (slot === NO_SLOT) return false;
    const arpAt = slot + SLOT_TRANSPORT;
    const at = arpAt - nic.l2Length;
    Ethernet.write(view, at, macHigh, macLow, nic.macHigh, nic.macLow, Ethernet.ETHERTYPE_ARP);
    if (nic.vlan !== 0) Ethernet.writeTag(view, at, nic.vlan, Ethernet.ETHERTYPE_ARP);
    // In a broadcast request the target's MAC is what is asked for: zeros.
    const ask = macHigh === Ethernet.BROADCAST_HIGH;
    Arp.write(
      view,
      arpAt,
      operation,
      nic.macHigh,
      nic.macLow,
      sender,
      ask ? 0 : macHigh,
      ask ? 0 : macLow,
      target,
    );
    return push(nic, slot, at, nic.l2Length + Arp.LENGTH, 0, nic.l2Length, 0);
  }
}

/** No station has this address: a group, the broadcast address, loopback, or 0.x but 0.0.0.0. */
function isNobody(address: number): boolean {
  const first = address >>> 24;
  return first >= 224 || first === 127 || (first === 0 && address !== 0);
}
