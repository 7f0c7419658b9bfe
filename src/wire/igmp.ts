/**
 * IGMP (RFC 1112, RFC 2236, RFC 3376): who is in which IPv4 group. `at` is the message's offset.
 * @module
 */
import type { Address } from '../base/address.ts';

export const QUERY = 0x11;
export const REPORT_V1 = 0x12;
export const REPORT_V2 = 0x16;
export const LEAVE_V2 = 0x17;
export const REPORT_V3 = 0x22;

/** All of a message of versions 1 and 2, and what comes before the records of a version 3 report. */
export const HEADER_LENGTH = 8;
/** A version 3 query up to its sources. */
export const QUERY_V3_LENGTH = 12;
/** A group record up to its sources, and one source. */
export const RECORD_LENGTH = 8;
export const SOURCE_LENGTH = 4;

//  0      1              2     4       8           9       10            12
//  | type | max response | sum | group | flags,QRV | QQIC  | source count | sources …
export function type(view: DataView, at: number): number {
  return view.getUint8(at);
}
/** Tenths of a second; 0 in a query of version 1. Above 127 it is a float (RFC 3376 4.1.1). */
export function maxResponse(view: DataView, at: number): number {
  const code = view.getUint8(at + 1);
  return code < 128 ? code : ((code & 0xf) | 0x10) << (((code >> 4) & 7) + 3);
}
/** 0: all groups. */
export function group(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}
export function robustness(view: DataView, at: number): number {
  return view.getUint8(at + 8) & 7;
}
export function sourceCount(view: DataView, at: number): number {
  return view.getUint16(at + 10);
}
export function source(view: DataView, at: number, index: number): number {
  return view.getInt32(at + QUERY_V3_LENGTH + index * SOURCE_LENGTH);
}

export function setChecksum(view: DataView, at: number, value: number): void {
  view.setUint16(at + 2, value);
}

/** Writes the 8 bytes, checksum 0. @param rest the group, or the number of records of a report */
export function write(view: DataView, at: number, messageType: number, rest: number): void {
  view.setInt32(at, messageType << 24);
  view.setInt32(at + 4, rest);
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
  view.setInt32(at + 4, groupAddress.w3);
  let next = at + RECORD_LENGTH;
  for (const { w3 } of sources) {
    view.setInt32(next, w3);
    next += SOURCE_LENGTH;
  }
  return next - at;
}
