/**
 * IGMP (RFC 3376, with RFC 2236 and RFC 1112 for older routers): IPv4 groups on the wire.
 * @module
 */
import { Address, V4_PREFIX } from '../../base/address.ts';
import * as Drop from '../../base/drops.ts';
import { SLOT_TRANSPORT } from '../../link/layout.gen.ts';
import * as Checksum from '../../wire/checksum.ts';
import * as Ethernet from '../../wire/ethernet.ts';
import * as Igmp from '../../wire/igmp.ts';
import * as Ipv4 from '../../wire/ipv4.ts';
import type { Core } from '../core.ts';
import type { Nic } from '../nic.ts';
import type { Packet } from '../packet.ts';
import { chooseSource } from '../source.ts';
import * as Stats from '../stats.ts';
import { NO_SLOT, push, take } from '../transmit.ts';
import type { Transport } from '../transport.ts';
import { type GroupRecord, pack } from './membership.ts';
import type { Reporter, Speech } from './reporter.ts';

/** The option "every router looks at this" (RFC 2113), and the header with it. */
const ROUTER_ALERT = 0x94040000 | 0;
const IP_LENGTH = Ipv4.HEADER_LENGTH + 4;
/** Internetwork control (RFC 3376 4). */
const CONTROL = 0xc0;
/** 224.0.0.22: routers that speak version 3; 224.0.0.2: all routers. */
const V3_ROUTERS = 0xe0000016 | 0;
const ALL_ROUTERS = 0xe0000002 | 0;
/** A router of version 1 says no time. */
const V1_RESPONSE_MS = 10_000;

export class IgmpProtocol implements Transport, Speech {
  readonly newest = 3;
  readonly changeMs = 1000;
  readonly oldChangeMs = 10_000;
  readonly #core: Core;
  readonly #nics: readonly Nic[];
  readonly #reporterOf: (nic: Nic) => Reporter | null;

  constructor(core: Core, nics: readonly Nic[], reporterOf: (nic: Nic) => Reporter | null) {
    this.#core = core;
    this.#nics = nics;
    this.#reporterOf = reporterOf;
  }

  receive(packet: Packet): void {
    const { view, drops } = this.#core;
    const { at, length } = packet;
    const reporter = this.#reporterOf(this.#nics[packet.nic]!);
    if (packet.version !== 4 || reporter === null) {
      drops[Drop.IP_UNKNOWN_PROTOCOL]!++;
    } else if (length < Igmp.HEADER_LENGTH || packet.hops !== 1) {
      drops[Drop.GROUP_MALFORMED]!++;
    } else if (Checksum.fold(Checksum.sum(view, at, length, 0)) !== 0xffff) {
      drops[Drop.GROUP_MALFORMED]!++;
    } else {
      this.#message(reporter, packet);
    }
  }

  /** Errors about our reports concern nobody. */
  failed(): void {
    this.#core.drops[Drop.ICMP_NO_FLOW]!++;
  }

  #message(reporter: Reporter, { at, length }: Packet): void {
    const { view, drops, stats } = this.#core;
    const type = Igmp.type(view, at);
    const group = v4(Igmp.group(view, at));
    if (type === Igmp.QUERY) {
      if (!this.#query(reporter, at, length, group)) drops[Drop.GROUP_MALFORMED]!++;
      else stats[Stats.GROUP_QUERIES_IN]!++;
    } else if (type === Igmp.REPORT_V1 || type === Igmp.REPORT_V2) {
      reporter.heard(group);
    } else if (type !== Igmp.REPORT_V3 && type !== Igmp.LEAVE_V2) {
      drops[Drop.ICMP_UNKNOWN_TYPE]!++;
    }
  }

  /** The length tells the version (RFC 3376 7.1). */
  #query(reporter: Reporter, at: number, length: number, group: Address): boolean {
    const view = this.#core.view;
    const isGeneral = group.w3 === 0;
    if (!isGeneral && !group.isMulticast) return false;
    const about = isGeneral ? null : group;
    const tenths = Igmp.maxResponse(view, at);
    if (length === Igmp.HEADER_LENGTH) {
      const version = tenths === 0 ? 1 : 2;
      const maxMs = tenths === 0 ? V1_RESPONSE_MS : view.getUint8(at + 1) * 100;
      reporter.query({ version, group: about, sources: [], maxMs, robustness: 0 });
      return true;
    }
    if (length < Igmp.QUERY_V3_LENGTH) return false;
    const count = Igmp.sourceCount(view, at);
    if (length < Igmp.QUERY_V3_LENGTH + count * Igmp.SOURCE_LENGTH) return false;
    const sources = Array.from({ length: count }, (_, i) => v4(Igmp.source(view, at, i)));
    if (about === null && count > 0) return false;
    const robustness = Igmp.robustness(view, at);
    reporter.query({ version: 3, group: about, sources, maxMs: tenths * 100, robustness });
    return true;
  }

  report(nic: Nic, records: readonly GroupRecord[]): void {
    const { view, stats } = this.#core;
    const space = nic.mtu - IP_LENGTH - Igmp.HEADER_LENGTH;
    for (const frame of pack(records, space, Igmp.RECORD_LENGTH, Igmp.SOURCE_LENGTH)) {
      const slot = take(nic.ring);
      if (slot === NO_SLOT) return;
      const at = slot + SLOT_TRANSPORT;
      Igmp.write(view, at, Igmp.REPORT_V3, frame.length);
      let length = Igmp.HEADER_LENGTH;
      for (const { type, group, sources } of frame) {
        length += Igmp.writeRecord(view, at + length, type, group, sources);
      }
      stats[Stats.GROUP_REPORTS_OUT]!++;
      this.#send(nic, slot, length, V3_ROUTERS);
    }
  }

  /** Version 1 has no goodbye. */
  reportOld(nic: Nic, group: Address, version: number, isLeave: boolean): void {
    if (isLeave && version === 1) return;
    const slot = take(nic.ring);
    if (slot === NO_SLOT) return;
    const report = version === 1 ? Igmp.REPORT_V1 : Igmp.REPORT_V2;
    const type = isLeave ? Igmp.LEAVE_V2 : report;
    Igmp.write(this.#core.view, slot + SLOT_TRANSPORT, type, group.w3);
    this.#core.stats[Stats.GROUP_REPORTS_OUT]!++;
    this.#send(nic, slot, Igmp.HEADER_LENGTH, isLeave ? ALL_ROUTERS : group.w3);
  }

  /** Completes and sends the message of `length` bytes that lies in the slot. */
  #send(nic: Nic, slot: number, length: number, to: number): void {
    const view = this.#core.view;
    const at = slot + SLOT_TRANSPORT;
    Igmp.setChecksum(view, at, Checksum.finish(Checksum.sum(view, at, length, 0)));
    const from = chooseSource(nic, 0, 0, V4_PREFIX, to)?.w3 ?? 0;
    const ipAt = at - IP_LENGTH;
    const total = IP_LENGTH + length;
    Ipv4.write(view, ipAt, CONTROL, total, 0, Ipv4.DONT_FRAGMENT, 1, Ipv4.PROTOCOL_IGMP, from, to);
    Ipv4.writeOption(view, ipAt, ROUTER_ALERT);
    Ipv4.setChecksum(view, ipAt, Checksum.finish(Checksum.sum(view, ipAt, IP_LENGTH, 0)));
    const frameAt = ipAt - nic.l2Length;
    const macLow = 0x5e000000 | (to & 0x7fffff);
    const type = Ethernet.ETHERTYPE_IPV4;
    Ethernet.write(view, frameAt, 0x0100, macLow, nic.macHigh, nic.macLow, type);
    if (nic.vlan !== 0) Ethernet.writeTag(view, frameAt, nic.vlan, type);
    push(nic, slot, frameAt, at + length - frameAt, 0, nic.l2Length | (IP_LENGTH << 8), 0);
  }
}

function v4(w3: number): Address {
  return new Address(0, 0, V4_PREFIX, w3);
}
