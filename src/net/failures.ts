/**
 * Tells a transport that a packet it sent did not arrive: from an ICMP error that quotes it, or
 * from the neighbor cache that could not deliver it.
 * @module
 */
import { V4_PREFIX } from '../base/address.ts';
import * as Drop from '../base/drops.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import { type AddressTable, UNICAST } from './address-table.ts';
import type { Core } from './core.ts';
import { isExtension } from './extensions.ts';
import { IcmpError, type Transport } from './transport.ts';

/** Every transport finds its flow in the first 8 bytes. */
const TRANSPORT_MIN = 8;
/** Extension headers in a quoted packet; we send at most a fragment header. */
const QUOTED_EXTENSIONS_MAX = 4;

export class Failures {
  readonly #core: Core;
  readonly #addresses: AddressTable;
  readonly #transports: readonly (Transport | null)[];
  readonly #error: IcmpError = new IcmpError();

  constructor(core: Core, addresses: AddressTable, transports: readonly (Transport | null)[]) {
    this.#core = core;
    this.#addresses = addresses;
    this.#transports = transports;
  }

  /**
   * The packet of which `length` bytes lie at `ipAt` has failed. Its source has to be ours.
   * @param kind a constant of transport.ts
   */
  report(version: number, ipAt: number, length: number, kind: number, mtu: number): void {
    const protocol = version === 4 ? this.#parseV4(ipAt, length) : this.#parseV6(ipAt, length);
    const transport = protocol < 0 ? null : this.#transports[protocol]!;
    const error = this.#error;
    const ours =
      transport !== null &&
      this.#addresses.kind(error.local0, error.local1, error.local2, error.local3) === UNICAST;
    if (!ours) {
      this.#core.drops[Drop.ICMP_NO_FLOW]!++;
      return;
    }
    error.kind = kind;
    error.mtu = mtu;
    transport.failed(error);
  }

  /** Fills in the addresses and the transport header; the protocol, -1 when it makes no sense. */
  #parseV4(ipAt: number, length: number): number {
    const view = this.#core.view;
    const error = this.#error;
    if (length < Ipv4.HEADER_LENGTH || Ipv4.version(view, ipAt) !== 4) return -1;
    const headerLength = Ipv4.headerLength(view, ipAt);
    if (headerLength < Ipv4.HEADER_LENGTH || headerLength + TRANSPORT_MIN > length) return -1;
    if (Ipv4.fragmentOffset(view, ipAt) !== 0) return -1;
    error.at = ipAt + headerLength;
    error.length = length - headerLength;
    error.local0 = 0;
    error.local1 = 0;
    error.local2 = V4_PREFIX;
    error.local3 = Ipv4.src(view, ipAt);
    error.remote0 = 0;
    error.remote1 = 0;
    error.remote2 = V4_PREFIX;
    error.remote3 = Ipv4.dst(view, ipAt);
    return Ipv4.protocol(view, ipAt);
  }

  #parseV6(ipAt: number, length: number): number {
    const view = this.#core.view;
    const error = this.#error;
    if (length < Ipv6.HEADER_LENGTH || Ipv6.version(view, ipAt) !== 6) return -1;
    let protocol = Ipv6.nextHeader(view, ipAt);
    let at = ipAt + Ipv6.HEADER_LENGTH;
    const end = ipAt + length;
    for (let headers = 0; isExtension(protocol); headers++) {
      if (headers === QUOTED_EXTENSIONS_MAX || at + 8 > end) return -1;
      const fragment = protocol === Ipv6.FRAGMENT;
      if (fragment && Ipv6.fragmentOffsetAndFlag(view, at) > Ipv6.MORE_FRAGMENTS) return -1;
      protocol = Ipv6.extensionNext(view, at);
      at += fragment ? Ipv6.FRAGMENT_LENGTH : Ipv6.extensionLength(view, at);
    }
    if (at + TRANSPORT_MIN > end) return -1;
    error.at = at;
    error.length = end - at;
    error.local0 = Ipv6.src(view, ipAt, 0);
    error.local1 = Ipv6.src(view, ipAt, 1);
    error.local2 = Ipv6.src(view, ipAt, 2);
    error.local3 = Ipv6.src(view, ipAt, 3);
    error.remote0 = Ipv6.dst(view, ipAt, 0);
    error.remote1 = Ipv6.dst(view, ipAt, 1);
    error.remote2 = Ipv6.dst(view, ipAt, 2);
    error.remote3 = Ipv6.dst(view, ipAt, 3);
    return protocol;
  }
}
