/**
 * Where the headers of a frame lie, found by parsing: for what looks at frames from outside
 * (capture, trace, faults). The stack's own ingress has its own, faster way.
 * @module
 */
import * as Ethernet from '../wire/ethernet.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import * as Tcp from '../wire/tcp.ts';
import * as Udp from '../wire/udp.ts';
import { TX_IP_SUM, TX_IPV6, TX_TCP_SUM, TX_UDP_SUM } from './layout.gen.ts';

export interface FrameLayout {
  readonly etherType: number;
  /** The VLAN identifier of the outer tag, -1 without. */
  readonly vlan: number;
  /** Offset behind the Ethernet header. */
  readonly networkAt: number;
  /** 4 or 6 for a well-formed IP packet, else 0. The rest is valid for IP only. */
  readonly version: number;
  readonly protocol: number;
  /** Offset of the transport header, and the end of the packet without padding. */
  readonly transportAt: number;
  readonly end: number;
  /** True for a fragment other than a whole packet. */
  readonly fragment: boolean;
}

/** Parses the frame of `length` bytes at `at`. */
export function locate(view: DataView, at: number, length: number): FrameLayout {
  const end = at + length;
  let networkAt = at + Ethernet.HEADER_LENGTH;
  let etherType = length >= Ethernet.HEADER_LENGTH ? Ethernet.type(view, at) : 0;
  let vlan = -1;
  if (etherType === Ethernet.ETHERTYPE_VLAN && length >= Ethernet.TAGGED_LENGTH) {
    vlan = Ethernet.tci(view, at) & 0xfff;
    etherType = Ethernet.taggedType(view, at);
    networkAt = at + Ethernet.TAGGED_LENGTH;
  }
  const room = end - networkAt;
  if (etherType === Ethernet.ETHERTYPE_IPV4 && Ipv4.check(view, networkAt, room)) {
    return {
      etherType,
      vlan,
      networkAt,
      version: 4,
      protocol: Ipv4.protocol(view, networkAt),
      transportAt: networkAt + Ipv4.headerLength(view, networkAt),
      end: networkAt + Ipv4.totalLength(view, networkAt),
      fragment: (Ipv4.flagsAndOffset(view, networkAt) & 0x3fff) !== 0,
    };
  }
  if (etherType === Ethernet.ETHERTYPE_IPV6 && Ipv6.check(view, networkAt, room)) {
    return locateIpv6(view, etherType, vlan, networkAt);
  }
  const nothing = { version: 0, protocol: -1, transportAt: networkAt, end, fragment: false };
  return { etherType, vlan, networkAt, ...nothing };
}

function isExtension(next: number): boolean {
  return (
    next === Ipv6.HOP_BY_HOP ||
    next === Ipv6.ROUTING ||
    next === Ipv6.DESTINATION_OPTIONS ||
    next === Ipv6.FRAGMENT
  );
}

function locateIpv6(
  view: DataView,
  etherType: number,
  vlan: number,
  networkAt: number,
): FrameLayout {
  const end = networkAt + Ipv6.HEADER_LENGTH + Ipv6.payloadLength(view, networkAt);
  let at = networkAt + Ipv6.HEADER_LENGTH;
  let protocol = Ipv6.nextHeader(view, networkAt);
  let fragment = false;
  while (isExtension(protocol) && at + 8 <= end) {
    const isFragment = protocol === Ipv6.FRAGMENT;
    if (isFragment) fragment = Ipv6.fragmentOffsetAndFlag(view, at) !== 0;
    protocol = Ipv6.extensionNext(view, at);
    at += isFragment ? Ipv6.FRAGMENT_LENGTH : Ipv6.extensionLength(view, at);
  }
  const transportAt = Math.min(at, end);
  return { etherType, vlan, networkAt, version: 6, protocol, transportAt, end, fragment };
}

/** The sums a descriptor would ask for to make this frame right: TX_FLAGS, and TX_HEADERS. */
export function sumsOf(layout: FrameLayout, at: number): { flags: number; headers: number } {
  const { version, protocol, networkAt, transportAt, end } = layout;
  if (version === 0) return { flags: 0, headers: 0 };
  const room = end - transportAt;
  let flags = version === 6 ? TX_IPV6 : TX_IP_SUM;
  if (!layout.fragment) {
    if (protocol === Ipv4.PROTOCOL_TCP && room >= Tcp.HEADER_LENGTH) flags |= TX_TCP_SUM;
    if (protocol === Ipv4.PROTOCOL_UDP && room >= Udp.HEADER_LENGTH) flags |= TX_UDP_SUM;
  }
  return { flags, headers: (networkAt - at) | ((transportAt - networkAt) << 8) };
}
