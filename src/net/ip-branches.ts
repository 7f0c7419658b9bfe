/**
 * Where received packets go that are not the steady case: options, fragments, extension headers,
 * protocols nobody speaks.
 * @module
 */
import * as Drop from '../base/drops.ts';
import * as Icmpv4 from '../wire/icmpv4.ts';
import * as Icmpv6 from '../wire/icmpv6.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import type { Core } from './core.ts';
import { checkIpv4Options, DONE, ExtensionWalk, FRAGMENT } from './extensions.ts';
import type { Reassembly } from './fragments.ts';
import type { IcmpErrors } from './icmp-errors.ts';
import type { IngressBranches } from './ingress.ts';
import type { Packet } from './packet.ts';

/** The first fragment has to show the transport's header (RFC 7112); every one has 8 bytes. */
const TRANSPORT_MIN = 8;
/** ICMPv6 parameter problem, code 3: the first fragment lacks part of the header chain. */
const CODE_INCOMPLETE_CHAIN = 3;

export class IpBranches implements IngressBranches {
  readonly #core: Core;
  readonly #reassembly: Reassembly;
  readonly #errors: IcmpErrors;
  readonly #walk: ExtensionWalk;
  readonly #deliver: (packet: Packet) => void;

  constructor(
    core: Core,
    reassembly: Reassembly,
    errors: IcmpErrors,
    deliver: (packet: Packet) => void,
  ) {
    this.#core = core;
    this.#reassembly = reassembly;
    this.#errors = errors;
    this.#deliver = deliver;
    this.#walk = new ExtensionWalk(core, (packet, code, pointerAt) =>
      this.#problem(packet, code, pointerAt),
    );
  }

  checkOptions(packet: Packet): boolean {
    return checkIpv4Options(this.#core.view, packet.ipAt);
  }

  fragment(packet: Packet): void {
    const { view } = this.#core;
    const { ipAt, protocol } = packet;
    const offset = Ipv4.fragmentOffset(view, ipAt);
    const more = (Ipv4.flagsAndOffset(view, ipAt) & Ipv4.MORE_FRAGMENTS) !== 0;
    const id = Ipv4.id(view, ipAt);
    if (this.#reassembly.add(packet, offset, more, id, protocol, packet.at - ipAt, 0))
      this.#deliver(packet);
  }

  extensions(packet: Packet, nextHeader: number): void {
    this.#walkOn(packet, nextHeader, packet.at, packet.ipAt + 6, false);
  }

  unknownProtocol(packet: Packet): void {
    this.#core.drops[Drop.IP_UNKNOWN_PROTOCOL]!++;
    if (packet.version === 4) {
      this.#errors.send(packet, Icmpv4.UNREACHABLE, Icmpv4.CODE_PROTOCOL, 0);
    } else if (packet.protocol !== Ipv6.NO_NEXT_HEADER) {
      this.#problem(packet, Icmpv6.CODE_NEXT_HEADER, this.#walk.nextFieldAt);
    }
  }

  #walkOn(packet: Packet, next: number, at: number, nextFieldAt: number, whole: boolean): void {
    const outcome = this.#walk.run(packet, next, at, nextFieldAt);
    if (outcome === DONE) {
      const end = packet.at + packet.length;
      packet.protocol = this.#walk.protocol;
      packet.at = this.#walk.at;
      packet.length = end - packet.at;
      this.#deliver(packet);
    } else if (outcome === FRAGMENT) {
      if (whole) this.#core.drops[Drop.IPV6_BAD_EXTENSION]!++;
      else this.#ipv6Fragment(packet);
    }
  }

  #ipv6Fragment(packet: Packet): void {
    const { view, drops } = this.#core;
    const { ipAt } = packet;
    const fragmentAt = this.#walk.at;
    const nextField = this.#walk.nextFieldAt - ipAt;
    const payloadAt = fragmentAt + Ipv6.FRAGMENT_LENGTH;
    const next = Ipv6.extensionNext(view, fragmentAt);
    const field = Ipv6.fragmentOffsetAndFlag(view, fragmentAt);
    const offset = field & ~7;
    const more = (field & Ipv6.MORE_FRAGMENTS) !== 0;
    // An atomic fragment is a whole packet, whatever else has its identification (RFC 6946).
    if (field === 0) {
      this.#walkOn(packet, next, payloadAt, fragmentAt, true);
      return;
    }
    const end = packet.at + packet.length;
    if (more && ((end - payloadAt) & 7) !== 0) {
      drops[Drop.FRAGMENT_MALFORMED]!++;
      this.#problem(packet, Icmpv6.CODE_HEADER_FIELD, ipAt + 4);
      return;
    }
    const inFront = fragmentAt - ipAt - Ipv6.HEADER_LENGTH;
    if (inFront + offset + (end - payloadAt) > Ipv6.PAYLOAD_MAX) {
      drops[Drop.FRAGMENT_MALFORMED]!++;
      this.#problem(packet, Icmpv6.CODE_HEADER_FIELD, fragmentAt + 2);
      return;
    }
    if (offset === 0 && !this.#showsTransport(packet, next, payloadAt, fragmentAt)) return;
    packet.at = payloadAt;
    packet.length = end - payloadAt;
    const id = Ipv6.fragmentId(view, fragmentAt);
    const headerLength = fragmentAt - ipAt;
    if (!this.#reassembly.add(packet, offset, more, id, next, headerLength, nextField)) return;
    this.#walkOn(packet, packet.protocol, packet.at, packet.ipAt + nextField, true);
  }

  /** The first fragment holds all headers, the transport's included; else it is dropped. */
  #showsTransport(packet: Packet, next: number, payloadAt: number, fragmentAt: number): boolean {
    const outcome = this.#walk.run(packet, next, payloadAt, fragmentAt);
    const left = packet.at + packet.length - this.#walk.at;
    if (outcome === DONE && left >= TRANSPORT_MIN) return true;
    if (outcome === DONE) {
      this.#core.drops[Drop.FRAGMENT_MALFORMED]!++;
      this.#problem(packet, CODE_INCOMPLETE_CHAIN, packet.ipAt);
    }
    return false;
  }

  /** ICMPv6 parameter problem about the byte at `pointerAt`. */
  #problem(packet: Packet, code: number, pointerAt: number): void {
    const toGroup = code === Icmpv6.CODE_OPTION;
    const pointer = pointerAt - packet.ipAt;
    this.#errors.send(packet, Icmpv6.PARAMETER_PROBLEM, code, pointer, toGroup);
  }
}
