/**
 * Multicast Listener Discovery (RFC 2710, RFC 3810): ICMPv6 messages that say who is in which IPv6
 * group. `at` is the message's offset.
 * @module
 */
import { Address } from '../base/address.ts';

export const QUERY = 130;
export const REPORT_V1 = 131;
export const DONE_V1 = 132;
export const REPORT_V2 = 143;

/** All of a message of version 1. */
export const V1_LENGTH = 24;
/** A version 2 query up to its sources. */
export const QUERY_V2_LENGTH = 28;
/** A version 2 report up to its records. */
export const REPORT_LENGTH = 8;
/** A record up to its sources, and one source. */
export const RECORD_LENGTH = 20;
export const SOURCE_LENGTH = 16;

//  0      1      2     4                 8       24          25     26            28
//  | type | code | sum | max response, 0 | group | flags,QRV | QQIC | source count | sources …
/** Milliseconds; from 32,768 on it is a float (RFC 3810 5.1.3). */
export function maxResponse(view: DataView, at: number): number {
  const code = view.getUint16(at + 4);
  return code < 0x8000 ? code : ((code & 0xfff) | 0x1000) << (((code >> 12) & 7) + 3);
}
/** ::, all groups. */
export function group(view: DataView, at: number): Address {
  return addressAt(view, at + 8);
}
export function robustness(view: DataView, at: number): number {
  return view.getUint8(at + 24) & 7;
}
export function sourceCount(view: DataView, at: number): number {
  return view.getUint16(at + 26);
}
export function source(view: DataView, at: number, index: number): Address {
  return addressAt(view, at + QUERY_V2_LENGTH + index * SOURCE_LENGTH);
}

/** Writes a message of version 1, checksum 0. */
export function writeV1(view: DataView, at: number, type: number, groupAddress: Address): void {
  view.setInt32(at, type << 24);
  view.setInt32(at + 4, 0);
  writeAddress(view, at + 8, groupAddress);
}

/** Writes the beginning of a version 2 report, checksum 0. */
export function writeReport(view: DataView, at: number, records: number): void {
  view.setInt32(at, REPORT_V2 << 24);
  view.setInt32(at + 4, records);
}

/** Writes a group record; returns its length. */
export function writeRecord(
  view: DataView,
  at: number,
  recordType: number,
  groupAddress: Address,
  sources: readonly Address[],
): number {
  view.setInt32(at, (recordType << 24) | sources.length);
  writeAddress(view, at + 4, groupAddress);
  let next = at + RECORD_LENGTH;
  for (const address of sources) {
    writeAddress(view, next, address);
    next += SOURCE_LENGTH;
  }
  return next - at;
}

function addressAt(view: DataView, at: number): Address {
  const word = (i: number): number => view.getInt32(at + (i << 2));
  return new Address(word(0), word(1), word(2), word(3));
}

function writeAddress(view: DataView, at: number, { w0, w1, w2, w3 }: Address): void {
  view.setInt32(at, w0);
  view.setInt32(at + 4, w1);
  view.setInt32(at + 8, w2);
  view.setInt32(at + 12, w3);
}
