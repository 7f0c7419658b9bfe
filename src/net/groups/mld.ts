/**
 * Multicast Listener Discovery (RFC 3810, with RFC 2710 for older routers): IPv6 groups on the wire.
 * @module
 */
import { Address } from '../../base/address.ts';
import * as Drop from '../../base/drops.ts';
import { SLOT_TRANSPORT, TX_IPV6 } from '../../link/layout.gen.ts';
import * as Checksum from '../../wire/checksum.ts';
import * as Ethernet from '../../wire/ethernet.ts';
import * as Icmpv6 from '../../wire/icmpv6.ts';
import * as Ipv6 from '../../wire/ipv6.ts';
import * as Mld from '../../wire/mld.ts';
import type { Core } from '../core.ts';
import type { Nic } from '../nic.ts';
import type { Packet } from '../packet.ts';
import { chooseSource } from '../source.ts';
import * as Stats from '../stats.ts';
import { NO_SLOT, push, take } from '../transmit.ts';
import { type GroupRecord, pack } from './membership.ts';
import type { Reporter, Speech } from './reporter.ts';

/** A hop-by-hop header: the option "every router looks at this" for MLD (RFC 2711), and padding. */
const ALERT_LENGTH = 8;
const ALERT_OPTION = 0x05020000;
const ALERT_PADDING = 0x01000000;
/** ff02::16: routers that speak version 2; ff02::2: all routers. */
const V2_ROUTERS = new Address(0xff020000, 0, 0, 0x16);
const ALL_ROUTERS = new Address(0xff020000, 0, 0, 2);
/** MAC addresses of IPv6 groups start with 33:33 (RFC 2464 7). */
const GROUP_MAC_HIGH = 0x3333;

export class MldProtocol implements Speech {
  readonly newest = 2;
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

  /** A message of MLD whose checksum is right. */
  receive(packet: Packet): void {
    const { view, drops, stats } = this.#core;
    const { at, length } = packet;
    const reporter = this.#reporterOf(this.#nics[packet.nic]!);
    const type = Icmpv6.type(view, at);
    if (reporter === null || type === Mld.REPORT_V2 || type === Mld.DONE_V1) return;
    if (!isFromLink(packet) || length < Mld.V1_LENGTH) {
      drops[Drop.GROUP_MALFORMED]!++;
    } else if (type === Mld.REPORT_V1) {
      reporter.heard(Mld.group(view, at));
    } else if (this.#query(reporter, at, length)) {
      stats[Stats.GROUP_QUERIES_IN]!++;
    } else {
      drops[Drop.GROUP_MALFORMED]!++;
    }
  }

  /** The length tells the version (RFC 3810 8.1). */
  #query(reporter: Reporter, at: number, length: number): boolean {
    const view = this.#core.view;
    const group = Mld.group(view, at);
    if (!group.isAny && !group.isMulticast) return false;
    const about = group.isAny ? null : group;
    if (length === Mld.V1_LENGTH) {
      const maxMs = view.getUint16(at + 4);
      reporter.query({ version: 1, group: about, sources: [], maxMs, robustness: 0 });
      return true;
    }
    if (length < Mld.QUERY_V2_LENGTH) return false;
    const count = Mld.sourceCount(view, at);
    if (length < Mld.QUERY_V2_LENGTH + count * Mld.SOURCE_LENGTH) return false;
    if (about === null && count > 0) return false;
    const sources = Array.from({ length: count }, (_, i) => Mld.source(view, at, i));
    const maxMs = Mld.maxResponse(view, at);
    const robustness = Mld.robustness(view, at);
    reporter.query({ version: 2, group: about, sources, maxMs, robustness });
    return true;
  }

  report(nic: Nic, records: readonly GroupRecord[]): void {
    const { view } = this.#core;
    const space = nic.mtu - Ipv6.HEADER_LENGTH - ALERT_LENGTH - Mld.REPORT_LENGTH;
    for (const frame of pack(records, space, Mld.RECORD_LENGTH, Mld.SOURCE_LENGTH)) {
      const slot = take(nic.ring);
      if (slot === NO_SLOT) return;
      const at = slot + SLOT_TRANSPORT;
      Mld.writeReport(view, at, frame.length);
      let length = Mld.REPORT_LENGTH;
      for (const { type, group, sources } of frame) {
        length += Mld.writeRecord(view, at + length, type, group, sources);
      }
      this.#send(nic, slot, length, V2_ROUTERS);
    }
  }

  reportOld(nic: Nic, group: Address, _version: number, isLeave: boolean): void {
    const slot = take(nic.ring);
    if (slot === NO_SLOT) return;
    const type = isLeave ? Mld.DONE_V1 : Mld.REPORT_V1;
    Mld.writeV1(this.#core.view, slot + SLOT_TRANSPORT, type, group);
    this.#send(nic, slot, Mld.V1_LENGTH, isLeave ? ALL_ROUTERS : group);
  }

  /** Completes and sends the message of `length` bytes that lies in the slot. */
  #send(nic: Nic, slot: number, length: number, to: Address): void {
    const view = this.#core.view;
    const at = slot + SLOT_TRANSPORT;
    // From a link-local address (RFC 3810 5.2.13), or from none when there is none yet.
    const from = chooseSource(nic, V2_ROUTERS.w0, 0, 0, V2_ROUTERS.w3) ?? Address.ANY_V6;
    const { w0, w1, w2, w3 } = from;
    const protocol = Ipv6.PROTOCOL_ICMPV6;
    const pseudo = Checksum.pseudo(w0, w1, w2, w3, to.w0, to.w1, to.w2, to.w3, protocol, length);
    Icmpv6.setChecksum(view, at, Checksum.finish(Checksum.sum(view, at, length, pseudo)));
    const alertAt = at - ALERT_LENGTH;
    view.setInt32(alertAt, (protocol << 24) | (ALERT_OPTION >>> 16));
    view.setInt32(alertAt + 4, ALERT_PADDING);
    const ipAt = alertAt - Ipv6.HEADER_LENGTH;
    Ipv6.write(view, ipAt, 0, 0, ALERT_LENGTH + length, Ipv6.HOP_BY_HOP, 1);
    Ipv6.writeSrc(view, ipAt, w0, w1, w2, w3);
    Ipv6.writeDst(view, ipAt, to.w0, to.w1, to.w2, to.w3);
    const frameAt = ipAt - nic.l2Length;
    const type = Ethernet.ETHERTYPE_IPV6;
    Ethernet.write(view, frameAt, GROUP_MAC_HIGH, to.w3, nic.macHigh, nic.macLow, type);
    if (nic.vlan !== 0) Ethernet.writeTag(view, frameAt, nic.vlan, type);
    const headers = nic.l2Length | ((Ipv6.HEADER_LENGTH + ALERT_LENGTH) << 8);
    this.#core.stats[Stats.GROUP_REPORTS_OUT]!++;
    push(nic, slot, frameAt, at + length - frameAt, TX_IPV6, headers, 0);
  }
}

/** RFC 3810 6.2: nothing from behind a router counts. */
function isFromLink({ src0, hops }: Packet): boolean {
  return src0 >>> 22 === 0x3fa && hops === 1;
}
