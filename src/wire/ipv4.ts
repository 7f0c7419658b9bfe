/**
 * IPv4 header (RFC 791). `at` is the header's byte offset.   hot path
 * Readers assume check() returned true; writers assume the room is there.
 * @module
 */

export const HEADER_LENGTH = 20;
/** With the longest options. */
export const HEADER_LENGTH_MAX = 60;

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_IGMP = 2;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

/** The bits of flagsAndOffset(). */
export const DONT_FRAGMENT = 0x4000;
export const MORE_FRAGMENTS = 0x2000;
export const OFFSET_MASK = 0x1fff;

export const OPTION_END = 0;
export const OPTION_NOP = 1;
export const OPTION_LOOSE_ROUTE = 131;
export const OPTION_STRICT_ROUTE = 137;

//  0     1     2        4    6        8     9       10    12    16    20
//  | v+l | tos | length | id | offset | ttl | proto | sum | src | dst | options …
export function version(view: DataView, at: number): number {
  return view.getUint8(at) >>> 4;
}
export function headerLength(view: DataView, at: number): number {
  return (view.getUint8(at) & 15) << 2;
}
export function tos(view: DataView, at: number): number {
  return view.getUint8(at + 1);
}
/** The low two bits of tos (RFC 3168). */
export function ecn(view: DataView, at: number): number {
  return view.getUint8(at + 1) & 3;
}
/** Header and payload. */
export function totalLength(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}
export function id(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}
export function flagsAndOffset(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}
/** Byte offset of a fragment's payload in the datagram. */
export function fragmentOffset(view: DataView, at: number): number {
  return (view.getUint16(at + 6) & OFFSET_MASK) << 3;
}
export function ttl(view: DataView, at: number): number {
  return view.getUint8(at + 8);
}
export function protocol(view: DataView, at: number): number {
  return view.getUint8(at + 9);
}
export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + 10);
}
export function src(view: DataView, at: number): number {
  return view.getInt32(at + 12);
}
export function dst(view: DataView, at: number): number {
  return view.getInt32(at + 16);
}

export function setTotalLength(view: DataView, at: number, length: number): void {
  view.setUint16(at + 2, length);
}
export function setFlagsAndOffset(view: DataView, at: number, value: number): void {
  view.setUint16(at + 6, value);
}
export function setChecksum(view: DataView, at: number, value: number): void {
  view.setUint16(at + 10, value);
}

// The way in reads the words that hold several fields once.

/** Version, header length, tos and total length. */
export function firstWord(view: DataView, at: number): number {
  return view.getInt32(at);
}
export function headerLengthOf(first: number): number {
  return (first >>> 22) & 0x3c;
}
export function ecnOf(first: number): number {
  return (first >>> 16) & 3;
}
export function totalLengthOf(first: number): number {
  return first & 0xffff;
}
/** TTL, protocol and checksum. */
export function thirdWord(view: DataView, at: number): number {
  return view.getInt32(at + 8);
}
export function ttlOf(third: number): number {
  return third >>> 24;
}
export function protocolOf(third: number): number {
  return (third >>> 16) & 0xff;
}

/** True when version and lengths fit each other and the `available` bytes, 20 at least. */
export function isSound(first: number, available: number): boolean {
  const header = headerLengthOf(first);
  const total = totalLengthOf(first);
  return first >>> 28 === 4 && header >= HEADER_LENGTH && total >= header && total <= available;
}

/** True when version and lengths fit each other and the `available` bytes. */
export function check(view: DataView, at: number, available: number): boolean {
  return available >= HEADER_LENGTH && isSound(firstWord(view, at), available);
}

/** Writes a header without options; the checksum is 0. */
export function write(
  view: DataView,
  at: number,
  tosByte: number,
  total: number,
  identification: number,
  flags: number,
  timeToLive: number,
  proto: number,
  source: number,
  destination: number,
): void {
  view.setInt32(at, (0x4500 << 16) | (tosByte << 16) | total);
  view.setInt32(at + 4, (identification << 16) | flags);
  view.setInt32(at + 8, (timeToLive << 24) | (proto << 16));
  view.setInt32(at + 12, source);
  view.setInt32(at + 16, destination);
}

/** Makes room for one word of options in a header just written, whose length counts it already. */
export function writeOption(view: DataView, at: number, option: number): void {
  view.setUint8(at, 0x46);
  view.setInt32(at + HEADER_LENGTH, option);
}
