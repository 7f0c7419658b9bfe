/**
 * ICMP for IPv4 (RFC 792, RFC 1122 3.2.2): echo, and errors about packets of ours.
 *
 * Redirects are not followed. What an error means is the transport's decision: it knows whether
 * the quoted packet can be its own (RFC 5927).
 * @module
 */
import * as Drop from '../base/drops.ts';
import * as Checksum from '../wire/checksum.ts';
import * as Icmpv4 from '../wire/icmpv4.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import type { Core } from './core.ts';
import type { Failures } from './failures.ts';
import type { FragmentsOut } from './fragments-out.ts';
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
  UNREACHABLE_PROTOCOL,
} from './transport.ts';

/** By code of "destination unreachable", 0 to 15 (RFC 792, RFC 1122, RFC 1812). */
const UNREACHABLE_KINDS: readonly number[] = [
  UNREACHABLE_NETWORK,
  UNREACHABLE_HOST,
  UNREACHABLE_PROTOCOL,
  UNREACHABLE_PORT,
  PACKET_TOO_BIG,
  UNREACHABLE_NETWORK,
  UNREACHABLE_NETWORK,
  UNREACHABLE_HOST,
  UNREACHABLE_HOST,
  UNREACHABLE_PROHIBITED,
  UNREACHABLE_PROHIBITED,
  UNREACHABLE_NETWORK,
  UNREACHABLE_HOST,
  UNREACHABLE_PROHIBITED,
  UNREACHABLE_PROHIBITED,
  UNREACHABLE_PROHIBITED,
];

export class IcmpProtocol implements Transport {
  readonly #core: Core;
  readonly #paths: Paths;
  readonly #out: FragmentsOut;
  readonly #failures: Failures;

  constructor(core: Core, paths: Paths, out: FragmentsOut, failures: Failures) {
    this.#core = core;
    this.#paths = paths;
    this.#out = out;
    this.#failures = failures;
  }

  receive(packet: Packet): void {
    const { view, drops } = this.#core;
    const { at, length } = packet;
    if (packet.version !== 4) {
      drops[Drop.IP_UNKNOWN_PROTOCOL]!++;
    } else if (!Icmpv4.check(length)) {
      drops[Drop.ICMP_MALFORMED]!++;
    } else if (Checksum.fold(Checksum.sum(view, at, length, 0)) !== 0xffff) {
      drops[Drop.ICMP_BAD_CHECKSUM]!++;
    } else if (Icmpv4.type(view, at) === Icmpv4.ECHO_REQUEST) {
      this.#echo(packet);
    } else if (Icmpv4.type(view, at) === Icmpv4.ECHO_REPLY) {
      this.#reply(packet);
    } else {
      this.#error(packet);
    }
  }

  /** Errors about our echo replies and errors concern nobody. */
  failed(error: IcmpError): void {
    const { echo, view, drops } = this.#core;
    if (echo !== null && Icmpv4.type(view, error.at) === Icmpv4.ECHO_REQUEST) echo.failed(error);
    else drops[Drop.ICMP_NO_FLOW]!++;
  }

  /** An echo reply is for the ping socket that asked. */
  #reply(packet: Packet): void {
    const { echo, drops } = this.#core;
    if (echo === null) drops[Drop.ICMP_NO_PING]!++;
    else echo.receive(packet);
  }

  /** The request becomes the reply where it lies, then is copied out. */
  #echo(packet: Packet): void {
    const { view, drops, stats } = this.#core;
    const { at } = packet;
    if (packet.group === 1) {
      drops[Drop.ICMP_TO_GROUP]!++;
      return;
    }
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    const path = this.#paths.acquire(src0, src1, src2, src3, dst0, dst1, dst2, dst3);
    if (path === null) {
      drops[Drop.IP_NO_ROUTE]!++;
      return;
    }
    const before = view.getUint16(at);
    const after = (Icmpv4.ECHO_REPLY << 8) | Icmpv4.code(view, at);
    view.setUint16(at, after);
    Icmpv4.setChecksum(view, at, Checksum.update(Icmpv4.checksum(view, at), before, after));
    if (this.#out.send(path, Ipv4.PROTOCOL_ICMP, at, packet.length)) stats[Stats.ECHO_REPLIES]!++;
    else drops[Drop.TX_NO_SLOT]!++;
    this.#paths.release(path);
  }

  #error(packet: Packet): void {
    const view = this.#core.view;
    const { at, length } = packet;
    const kind = kindOf(Icmpv4.type(view, at), Icmpv4.code(view, at));
    if (kind === 0) {
      this.#core.drops[Drop.ICMP_UNKNOWN_TYPE]!++;
      return;
    }
    this.#core.stats[Stats.ICMP_ERRORS_IN]!++;
    const mtu = kind === PACKET_TOO_BIG ? Icmpv4.mtu(view, at) : 0;
    const quoteAt = at + Icmpv4.HEADER_LENGTH;
    this.#failures.report(4, quoteAt, length - Icmpv4.HEADER_LENGTH, kind, mtu);
  }
}

function kindOf(type: number, code: number): number {
  if (type === Icmpv4.UNREACHABLE) return UNREACHABLE_KINDS[code] ?? 0;
  if (type === Icmpv4.TIME_EXCEEDED) return TIME_EXCEEDED;
  if (type === Icmpv4.PARAMETER_PROBLEM) return PARAMETER_PROBLEM;
  return 0;
}
