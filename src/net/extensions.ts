/**
 * IPv4 options and IPv6 extension headers (RFC 791 3.1, RFC 8200 4), read with suspicion.
 * @module
 */
import * as Drop from '../base/drops.ts';
import * as Icmpv6 from '../wire/icmpv6.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import type { Core } from './core.ts';
import type { Packet } from './packet.ts';

/** Extension headers one packet may have. */
const HEADERS_MAX = 8;
/** Options one header may have: RFC 8504 5.3 asks hosts to have a bound. */
const OPTIONS_MAX = 8;

/** Outcomes of ExtensionWalk.run. */
export const DONE = 0;
export const FRAGMENT = 1;
export const REFUSED = 2;

/** True when the options parse and none asks for source routing. */
export function checkIpv4Options(view: DataView, ipAt: number): boolean {
  const end = ipAt + Ipv4.headerLength(view, ipAt);
  let at = ipAt + Ipv4.HEADER_LENGTH;
  while (at < end) {
    const option = view.getUint8(at);
    if (option === Ipv4.OPTION_END) return true;
    if (option === Ipv4.OPTION_NOP) {
      at++;
      continue;
    }
    if (option === Ipv4.OPTION_LOOSE_ROUTE || option === Ipv4.OPTION_STRICT_ROUTE) return false;
    if (at + 2 > end) return false;
    const length = view.getUint8(at + 1);
    if (length < 2 || at + length > end) return false;
    at += length;
  }
  return true;
}

/** Sends an ICMPv6 parameter problem about the byte at `pointerAt` of the arena. */
export type ReportProblem = (packet: Packet, code: number, pointerAt: number) => void;

export class ExtensionWalk {
  /** The transport protocol, or the next header of the fragment, that run() found. */
  protocol = 0;
  /** Where it starts; for FRAGMENT, where the fragment header starts. */
  at = 0;
  /** Offset of the next-header field that named it. */
  nextFieldAt = 0;
  readonly #core: Core;
  readonly #report: ReportProblem;

  constructor(core: Core, report: ReportProblem) {
    this.#core = core;
    this.#report = report;
  }

  /**
   * Walks the headers from `at`, whose type is `next`, up to a transport or a fragment header.
   * REFUSED: the packet is dropped and counted, and answered where RFC 8200 says so.
   */
  run(packet: Packet, next: number, at: number, nextFieldAt: number): number {
    const view = this.#core.view;
    const end = packet.at + packet.length;
    this.at = at;
    this.nextFieldAt = nextFieldAt;
    this.protocol = next;
    for (let headers = 0; isExtension(this.protocol); headers++) {
      const left = end - this.at;
      if (headers === HEADERS_MAX || left < 8) return this.#refuse(Drop.IPV6_BAD_EXTENSION);
      if (this.protocol === Ipv6.FRAGMENT) return FRAGMENT;
      if (this.protocol === Ipv6.HOP_BY_HOP && headers > 0) {
        // Only the IPv6 header itself may name it (RFC 8200 4.3).
        this.#report(packet, Icmpv6.CODE_NEXT_HEADER, this.nextFieldAt);
        return this.#refuse(Drop.IPV6_BAD_EXTENSION);
      }
      const length = Ipv6.extensionLength(view, this.at);
      if (length > left) return this.#refuse(Drop.IPV6_BAD_EXTENSION);
      if (!this.#accept(packet, this.at, length)) return REFUSED;
      this.protocol = Ipv6.extensionNext(view, this.at);
      this.nextFieldAt = this.at;
      this.at += length;
    }
    return DONE;
  }

  #accept(packet: Packet, at: number, length: number): boolean {
    if (this.protocol !== Ipv6.ROUTING) return this.#options(packet, at + 2, at + length);
    const view = this.#core.view;
    const left = Ipv6.segmentsLeft(view, at);
    if (left === 0 && Ipv6.routingType(view, at) !== 0) return true;
    this.#core.drops[Drop.IPV6_ROUTING_HEADER]!++;
    if (left > 0) this.#report(packet, Icmpv6.CODE_HEADER_FIELD, at + 2);
    return false;
  }

  /** Hop-by-hop and destination options: unknown ones say themselves what to do (RFC 8200 4.2). */
  #options(packet: Packet, first: number, end: number): boolean {
    const view = this.#core.view;
    let at = first;
    let known = 0;
    while (at < end) {
      const type = view.getUint8(at);
      if (type === Ipv6.OPTION_PAD1) {
        at++;
        continue;
      }
      if (at + 2 > end) return this.#drop(Drop.IPV6_BAD_EXTENSION);
      const length = 2 + view.getUint8(at + 1);
      if (at + length > end) return this.#drop(Drop.IPV6_BAD_EXTENSION);
      if (type !== Ipv6.OPTION_PADN) {
        if (++known > OPTIONS_MAX) return this.#drop(Drop.IPV6_BAD_EXTENSION);
        if (type !== Ipv6.OPTION_ROUTER_ALERT && !this.#unknownOption(packet, type, at))
          return false;
      }
      at += length;
    }
    return true;
  }

  #unknownOption(packet: Packet, type: number, at: number): boolean {
    const action = type >>> 6;
    if (action === Ipv6.ACTION_SKIP) return true;
    const report =
      action === Ipv6.ACTION_REPORT ||
      (action === Ipv6.ACTION_REPORT_UNLESS_GROUP && packet.group === 0);
    if (report) this.#report(packet, Icmpv6.CODE_OPTION, at);
    return this.#drop(Drop.IPV6_BAD_EXTENSION);
  }

  #refuse(reason: number): number {
    this.#core.drops[reason]!++;
    return REFUSED;
  }

  #drop(reason: number): false {
    this.#core.drops[reason]!++;
    return false;
  }
}

/** Headers that may stand between IPv6 and a transport, and that we can read. */
export function isExtension(next: number): boolean {
  return (
    next === Ipv6.HOP_BY_HOP ||
    next === Ipv6.ROUTING ||
    next === Ipv6.FRAGMENT ||
    next === Ipv6.DESTINATION_OPTIONS
  );
}
