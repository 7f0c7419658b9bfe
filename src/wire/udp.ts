/**
 * UDP header (RFC 768). `at` is the header's byte offset.   hot path
 * Readers assume check() returned true; writers assume the room is there.
 * @module
 */
export const HEADER_LENGTH = 8;
/** Most payload bytes: what IPv4 can carry, and what IPv6 can. */
export const PAYLOAD_MAX_V4 = 65507;
export const PAYLOAD_MAX_V6 = 65527;

//  0      2      4        6     8
//  | src  | dst  | length | sum | payload …
export function srcPort(view: DataView, at: number): number {
  return view.getUint16(at);
}
export function dstPort(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}
/** Header and payload. */
export function length(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}
/** 0: the sender made none (IPv4 only). */
export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}

export function setChecksum(view: DataView, at: number, value: number): void {
  view.setUint16(at + 6, value);
}

/** True when the header, and the length it claims, fit in the `available` bytes. */
export function check(view: DataView, at: number, available: number): boolean {
  if (available < HEADER_LENGTH) return false;
  const claimed = length(view, at);
  return claimed >= HEADER_LENGTH && claimed <= available;
}

/** Writes the header, checksum 0. */
export function write(
  view: DataView,
  at: number,
  src: number,
  dst: number,
  datagramLength: number,
): void {
  view.setInt32(at, (src << 16) | dst);
  view.setInt32(at + 4, datagramLength << 16);
}
