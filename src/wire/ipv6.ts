/**
 * IPv6 header and its extension headers (RFC 8200). `at` is the header's byte offset.   hot path
 * Readers assume check() returned true; writers assume the room is there.
 * @module
 */

export const HEADER_LENGTH = 40;
/** What the payload length field can say. */
export const PAYLOAD_MAX = 0xffff;
export const FRAGMENT_LENGTH = 8;

/** Next header values. */
export const HOP_BY_HOP = 0;
export const ROUTING = 43;
export const FRAGMENT = 44;
export const ESP = 50;
export const AUTHENTICATION = 51;
export const PROTOCOL_ICMPV6 = 58;
export const NO_NEXT_HEADER = 59;
export const DESTINATION_OPTIONS = 60;

/** Bit 0 of fragmentOffsetAndFlag(). */
export const MORE_FRAGMENTS = 1;

/** What to do with an unknown option, the two highest bits of its type (RFC 8200 4.2). */
export const ACTION_SKIP = 0;
export const ACTION_DISCARD = 1;
export const ACTION_REPORT = 2;
export const ACTION_REPORT_UNLESS_GROUP = 3;

export const OPTION_PAD1 = 0;
export const OPTION_PADN = 1;
export const OPTION_ROUTER_ALERT = 5;
export const OPTION_JUMBO = 0xc2;

//  0                    4        6      7      8     24    40
//  | version class flow | length | next | hops | src | dst | extension headers, payload …
export function version(view: DataView, at: number): number {
  return view.getUint8(at) >>> 4;
}
export function trafficClass(view: DataView, at: number): number {
  return (view.getUint16(at) >>> 4) & 0xff;
}
/** The low two bits of the traffic class (RFC 3168). */
export function ecn(view: DataView, at: number): number {
  return (view.getUint8(at + 1) >>> 4) & 3;
}
export function flowLabel(view: DataView, at: number): number {
  return view.getInt32(at) & 0xfffff;
}
/** Everything behind the 40 bytes, extension headers included. */
export function payloadLength(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}
export function nextHeader(view: DataView, at: number): number {
  return view.getUint8(at + 6);
}
export function hopLimit(view: DataView, at: number): number {
  return view.getUint8(at + 7);
}
/** Word 0 to 3 of the source address. */
export function src(view: DataView, at: number, word: number): number {
  return view.getInt32(at + 8 + (word << 2));
}
/** Word 0 to 3 of the destination address. */
export function dst(view: DataView, at: number, word: number): number {
  return view.getInt32(at + 24 + (word << 2));
}

export function setPayloadLength(view: DataView, at: number, length: number): void {
  view.setUint16(at + 4, length);
}
export function setNextHeader(view: DataView, at: number, next: number): void {
  view.setUint8(at + 6, next);
}

/** True when version and length fit the `available` bytes. A jumbogram (length 0) is refused. */
export function check(view: DataView, at: number, available: number): boolean {
  if (available < HEADER_LENGTH || version(view, at) !== 6) return false;
  const payload = payloadLength(view, at);
  return payload > 0 && HEADER_LENGTH + payload <= available;
}

/** Writes everything but the addresses. */
export function write(
  view: DataView,
  at: number,
  classByte: number,
  flow: number,
  payload: number,
  next: number,
  hops: number,
): void {
  view.setInt32(at, (6 << 28) | (classByte << 20) | flow);
  view.setInt32(at + 4, (payload << 16) | (next << 8) | hops);
}

export function writeSrc(
  view: DataView,
  at: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): void {
  view.setInt32(at + 8, w0);
  view.setInt32(at + 12, w1);
  view.setInt32(at + 16, w2);
  view.setInt32(at + 20, w3);
}

export function writeDst(
  view: DataView,
  at: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): void {
  view.setInt32(at + 24, w0);
  view.setInt32(at + 28, w1);
  view.setInt32(at + 32, w2);
  view.setInt32(at + 36, w3);
}

// Extension headers; `at` is the extension header's own offset.
//  0      1        2
//  | next | length | …            length in units of 8 bytes, the first 8 not counted
export function extensionNext(view: DataView, at: number): number {
  return view.getUint8(at);
}
export function extensionLength(view: DataView, at: number): number {
  return (view.getUint8(at + 1) + 1) << 3;
}
export function routingType(view: DataView, at: number): number {
  return view.getUint8(at + 2);
}
export function segmentsLeft(view: DataView, at: number): number {
  return view.getUint8(at + 3);
}

//  0      1          2               4    8
//  | next | reserved | offset + more | id |
export function fragmentOffsetAndFlag(view: DataView, at: number): number {
  return view.getUint16(at + 2) & 0xfff9;
}
export function fragmentId(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}

/** @param offsetAndFlag byte offset (a multiple of 8) | MORE_FRAGMENTS */
export function writeFragment(
  view: DataView,
  at: number,
  next: number,
  offsetAndFlag: number,
  id: number,
): void {
  view.setUint8(at, next);
  view.setUint8(at + 1, 0);
  view.setUint16(at + 2, offsetAndFlag);
  view.setInt32(at + 4, id);
}
