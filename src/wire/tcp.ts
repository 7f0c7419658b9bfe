/**
 * TCP header (RFC 9293 3.1). `at` is the header's byte offset.   hot path
 *
 * Readers assume check() returned a header length; writers assume the room is there.
 * @module
 */
export const HEADER_LENGTH = 20;
export const MAX_HEADER_LENGTH = 60;

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;
export const ECE = 0x40;
export const CWR = 0x80;
/** RFC 9768: in the byte before the others, where write() puts it; flags() does not read it. */
export const AE = 0x100;

//  0      2      4      8      12      13     14      16     18     20
//  | src  | dst  | seq  | ack  | off   | flags| window| sum  | urg  | options ...
export function srcPort(view: DataView, at: number): number {
  return view.getUint16(at);
}
export function dstPort(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}
/** Both ports as one word, source in the high half: one read for a table's key. */
export function ports(view: DataView, at: number): number {
  return view.getInt32(at);
}
export function seq(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}
export function ack(view: DataView, at: number): number {
  return view.getInt32(at + 8);
}
export function headerLength(view: DataView, at: number): number {
  return (view.getUint8(at + 12) >>> 4) << 2;
}
export function flags(view: DataView, at: number): number {
  return view.getUint8(at + 13);
}
export function window(view: DataView, at: number): number {
  return view.getUint16(at + 14);
}
export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + 16);
}
export function urgentPointer(view: DataView, at: number): number {
  return view.getUint16(at + 18);
}
/** Sets URG and the pointer: how far behind `seq` the urgent data ends. */
export function setUrgent(view: DataView, at: number, pointer: number): void {
  view.setUint8(at + 13, view.getUint8(at + 13) | URG);
  view.setUint16(at + 18, pointer);
}
export function setChecksum(view: DataView, at: number, value: number): void {
  view.setUint16(at + 16, value);
}

/** Writes the fixed header; checksum and urgent pointer are zero. */
export function write(
  view: DataView,
  at: number,
  srcPort: number,
  dstPort: number,
  seq: number,
  ack: number,
  headerLength: number,
  flags: number,
  window: number,
): void {
  view.setInt32(at, (srcPort << 16) | dstPort);
  view.setInt32(at + 4, seq);
  view.setInt32(at + 8, ack);
  view.setInt32(at + 12, (headerLength << 26) | (flags << 16) | window);
  view.setInt32(at + 16, 0);
}

/** The header's length when it fits in `available` bytes, else 0. */
export function check(view: DataView, at: number, available: number): number {
  if (available < HEADER_LENGTH) return 0;
  const length = headerLength(view, at);
  return length >= HEADER_LENGTH && length <= available ? length : 0;
}

/** The flags as people know them: 'SYN ACK'. cold: for text only. */
export function flagNames(flags: number): string {
  const names = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];
  return names.filter((_, bit) => flags & (1 << bit)).join(' ');
}
