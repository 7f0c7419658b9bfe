/**
 * ICMP for IPv6 (RFC 4443): echo, errors about packets of ours, and the way to Neighbor Discovery.
 * @module
 */
import * as Drop from '../base/drops.ts';
import * as Checksum from '../wire/checksum.ts';
import * as Icmpv6 from '../wire/icmpv6.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import * as Mld from '../wire/mld.ts';
import type { Core } from './core.ts';
import type { Failures } from './failures.ts';
import type { FragmentsOut } from './fragments-out.ts';
import type { MldProtocol } from './groups/mld.ts';
import type { NdpProtocol } from './neighbor/ndp.ts';
import type { Nic } from './nic.ts';
import type { Packet } from './packet.ts';
import type { Paths } from './paths.ts';
import * as Stats from './stats.ts';
import {
  type IcmpError,
  PACKET_TOO_BIG,
  PARAMETER_PROBLEM,
  TIME_EXCEEDED,
  type Transport,
  UNREACHABLE_HOST,
  UNREACHABLE_NETWORK,
  UNREACHABLE_PORT,
  UNREACHABLE_PROHIBITED,
} from './transport.ts';
import { transportSum } from './transport-sum.ts';

/** By code of "destination unreachable", 0 to 6 (RFC 4443 3.1). */
const UNREACHABLE_KINDS: readonly number[] = [
  UNREACHABLE_NETWORK,
  UNREACHABLE_PROHIBITED,
  UNREACHABLE_NETWORK,
  UNREACHABLE_HOST,
  UNREACHABLE_PORT,
  UNREACHABLE_PROHIBITED,
  UNREACHABLE_PROHIBITED,
];

export class Icmpv6Protocol implements Transport {
  readonly #core: Core;
  readonly #nics: readonly Nic[];
  readonly #paths: Paths;
  readonly #out: FragmentsOut;
  readonly #failures: Failures;
  readonly #ndp: NdpProtocol;
  readonly #mld: MldProtocol;

  constructor(
    core: Core,
    nics: readonly Nic[],
    paths: Paths,
    out: FragmentsOut,
    failures: Failures,
    ndp: NdpProtocol,
    mld: MldProtocol,
  ) {
    this.#core = core;
    this.#nics = nics;
    this.#paths = paths;
    this.#out = out;
    this.#failures = failures;
    this.#ndp = ndp;
    this.#mld = mld;
  }

  receive(packet: Packet): void {
    const { view, drops } = this.#core;
    const { at, length } = packet;
    if (packet.version !== 6) {
      drops[Drop.IP_UNKNOWN_PROTOCOL]!++;
    } else if (!Icmpv6.check(length)) {
      drops[Drop.ICMP_MALFORMED]!++;
    } else if (transportSum(view, packet) !== 0xffff) {
      drops[Drop.ICMP_BAD_CHECKSUM]!++;
    } else {
      this.#message(packet, Icmpv6.type(view, at));
    }
  }

  /** Errors about our echo replies and errors concern nobody. */
  failed(error: IcmpError): void {
    const { echo, view, drops } = this.#core;
    if (echo !== null && Icmpv6.type(view, error.at) === Icmpv6.ECHO_REQUEST) echo.failed(error);
    else drops[Drop.ICMP_NO_FLOW]!++;
  }

  /** An echo reply is for the ping socket that asked. */
  #reply(packet: Packet): void {
    const { echo, drops } = this.#core;
    if (echo === null) drops[Drop.ICMP_NO_PING]!++;
    else echo.receive(packet);
  }

  #message(packet: Packet, type: number): void {
    if (type === Icmpv6.NEIGHBOR_SOLICITATION || type === Icmpv6.NEIGHBOR_ADVERTISEMENT) {
      this.#ndp.receive(this.#nics[packet.nic]!, packet);
    } else if (isMld(type)) {
      this.#mld.receive(packet);
    } else if (isUnspecified(packet)) {
      this.#core.drops[Drop.IP_MARTIAN_SOURCE]!++;
    } else if (type === Icmpv6.ECHO_REQUEST) {
      this.#echo(packet);
    } else if (type === Icmpv6.ECHO_REPLY) {
      this.#reply(packet);
    } else {
      this.#error(packet, type);
    }
  }

  /** Also to groups (RFC 4443 4.2), from an address of our own then. */
  #echo(packet: Packet): void {
    const { view, drops, stats } = this.#core;
    const { at, length, src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    const path =
      packet.group === 1
        ? this.#paths.acquire(src0, src1, src2, src3, 0, 0, 0, 0)
        : this.#paths.acquire(src0, src1, src2, src3, dst0, dst1, dst2, dst3);
    if (path === null) {
      drops[Drop.IP_NO_ROUTE]!++;
      return;
    }
    view.setUint8(at, Icmpv6.ECHO_REPLY);
    Icmpv6.setChecksum(view, at, 0);
    const { local0, local1, local2, local3 } = path;
    const protocol = Ipv6.PROTOCOL_ICMPV6;
    const pseudo = Checksum.pseudo(
      local0,
      local1,
      local2,
      local3,
      src0,
      src1,
      src2,
      src3,
      protocol,
      length,
    );
    Icmpv6.setChecksum(view, at, Checksum.finish(Checksum.sum(view, at, length, pseudo)));
    if (this.#out.send(path, protocol, at, length)) stats[Stats.ECHO_REPLIES]!++;
    else drops[Drop.TX_NO_SLOT]!++;
    this.#paths.release(path);
  }

  #error(packet: Packet, type: number): void {
    const view = this.#core.view;
    const { at, length } = packet;
    const kind = kindOf(type, Icmpv6.code(view, at));
    if (kind === 0) {
      this.#core.drops[Drop.ICMP_UNKNOWN_TYPE]!++;
      return;
    }
    this.#core.stats[Stats.ICMP_ERRORS_IN]!++;
    let mtu = 0;
    if (kind === PACKET_TOO_BIG) {
      mtu = Icmpv6.mtu(view, at);
      // Nothing larger than 65,535 exists; an absurd MTU is no news.
      if (mtu < 0 || mtu > 0xffff) mtu = 0xffff;
    }
    const quoteAt = at + Icmpv6.HEADER_LENGTH;
    this.#failures.report(6, quoteAt, length - Icmpv6.HEADER_LENGTH, kind, mtu);
  }
}

function isMld(type: number): boolean {
  return (type >= Mld.QUERY && type <= Mld.DONE_V1) || type === Mld.REPORT_V2;
}

function kindOf(type: number, code: number): number {
  if (type === Icmpv6.UNREACHABLE) return UNREACHABLE_KINDS[code] ?? 0;
  if (type === Icmpv6.TOO_BIG) return PACKET_TOO_BIG;
  if (type === Icmpv6.TIME_EXCEEDED) return TIME_EXCEEDED;
  if (type === Icmpv6.PARAMETER_PROBLEM) return PARAMETER_PROBLEM;
  return 0;
}

function isUnspecified(packet: Packet): boolean {
  return packet.src0 === 0 && packet.src1 === 0 && packet.src2 === 0 && packet.src3 === 0;
}
