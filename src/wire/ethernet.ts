/**
 * Ethernet II header, with or without one 802.1Q tag. `at` is the frame's byte offset.
 * MAC addresses are two numbers: the first 2 bytes, and the last 4 as an int32.   hot path
 * @module
 */

export const HEADER_LENGTH = 14;
export const TAGGED_LENGTH = 18;

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_VLAN = 0x8100;
export const ETHERTYPE_IPV6 = 0x86dd;

/** The broadcast address. */
export const BROADCAST_HIGH = 0xffff;
export const BROADCAST_LOW = -1;

//  0      6      12     14            0      6      12       14    16     18
//  | dst  | src  | type | payload …   | dst  | src  | 0x8100 | tci | type | payload …
export function dstHigh(view: DataView, at: number): number {
  return view.getUint16(at);
}
export function dstLow(view: DataView, at: number): number {
  return view.getInt32(at + 2);
}
export function srcHigh(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}
export function srcLow(view: DataView, at: number): number {
  return view.getInt32(at + 8);
}
export function type(view: DataView, at: number): number {
  return view.getUint16(at + 12);
}
/** Priority and VLAN identifier; only when type() is ETHERTYPE_VLAN. */
export function tci(view: DataView, at: number): number {
  return view.getUint16(at + 14);
}
/** The type behind the tag; only when type() is ETHERTYPE_VLAN. */
export function taggedType(view: DataView, at: number): number {
  return view.getUint16(at + 16);
}

/** True when the header, tag included, fits in the `available` bytes. */
export function check(view: DataView, at: number, available: number): boolean {
  if (available < HEADER_LENGTH) return false;
  return type(view, at) !== ETHERTYPE_VLAN || available >= TAGGED_LENGTH;
}

/** True for multicast and broadcast addresses. */
export function isGroup(high: number): boolean {
  return (high & 0x0100) !== 0;
}

export function write(
  view: DataView,
  at: number,
  dstHighPart: number,
  dstLowPart: number,
  srcHighPart: number,
  srcLowPart: number,
  etherType: number,
): void {
  view.setInt16(at, dstHighPart);
  view.setInt32(at + 2, dstLowPart);
  view.setInt16(at + 6, srcHighPart);
  view.setInt32(at + 8, srcLowPart);
  view.setInt16(at + 12, etherType);
}

/** Puts a tag and the type behind it in place of the type that write() wrote. */
export function writeTag(view: DataView, at: number, tag: number, etherType: number): void {
  view.setInt16(at + 12, ETHERTYPE_VLAN);
  view.setInt16(at + 14, tag);
  view.setInt16(at + 16, etherType);
}
