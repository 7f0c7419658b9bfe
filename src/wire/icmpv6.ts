/**
 * ICMP for IPv6 (RFC 4443) and Neighbor Discovery (RFC 4861). `at` is the message's byte offset.
 * @module
 */
export const HEADER_LENGTH = 8;

export const UNREACHABLE = 1;
export const TOO_BIG = 2;
export const TIME_EXCEEDED = 3;
export const PARAMETER_PROBLEM = 4;
export const ECHO_REQUEST = 128;
export const ECHO_REPLY = 129;
export const ROUTER_SOLICITATION = 133;
export const ROUTER_ADVERTISEMENT = 134;
export const NEIGHBOR_SOLICITATION = 135;
export const NEIGHBOR_ADVERTISEMENT = 136;
export const REDIRECT = 137;

/** Codes of UNREACHABLE. */
export const CODE_NO_ROUTE = 0;
export const CODE_PROHIBITED = 1;
export const CODE_ADDRESS = 3;
export const CODE_PORT = 4;
/** Code of TIME_EXCEEDED: not reassembled in time. */
export const CODE_REASSEMBLY = 1;
/** Codes of PARAMETER_PROBLEM. */
export const CODE_HEADER_FIELD = 0;
export const CODE_NEXT_HEADER = 1;
export const CODE_OPTION = 2;

/** Flags of a neighbor advertisement, in its second word. */
export const FLAG_ROUTER = 0x80000000 | 0;
export const FLAG_SOLICITED = 0x40000000;
export const FLAG_OVERRIDE = 0x20000000;

/** Neighbor Discovery options. */
export const OPTION_SOURCE_LINK = 1;
export const OPTION_TARGET_LINK = 2;
export const OPTION_PREFIX = 3;
export const OPTION_MTU = 5;

/** Solicitation or advertisement up to its options, and a link-layer address option. */
export const NEIGHBOR_LENGTH = 24;
export const LINK_OPTION_LENGTH = 8;
/** Router solicitation up to its options. */
export const ROUTER_SOLICITATION_LENGTH = 8;

/** No such option. */
export const NO_OPTION = -1;

//  0      1      2     4                          8
//  | type | code | sum | id, sequence, mtu, flags | data, quoted packet, or target address …
export function type(view: DataView, at: number): number {
  return view.getUint8(at);
}
export function code(view: DataView, at: number): number {
  return view.getUint8(at + 1);
}
export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}
export function echoId(view: DataView, at: number): number {
  return view.getUint16(at + 4);
}
export function echoSequence(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}
/** MTU of TOO_BIG, as an int32: negative means absurdly large. */
export function mtu(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}
/** FLAG_* of a neighbor advertisement. */
export function flags(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}
/** Word 0 to 3 of the target of a neighbor solicitation or advertisement. */
export function target(view: DataView, at: number, word: number): number {
  return view.getInt32(at + 8 + (word << 2));
}

export function setChecksum(view: DataView, at: number, value: number): void {
  view.setUint16(at + 2, value);
}

export function check(available: number): boolean {
  return available >= HEADER_LENGTH;
}

/** Writes the 8 bytes, checksum 0. @param rest the second word: id and sequence, MTU, pointer or flags */
export function write(
  view: DataView,
  at: number,
  messageType: number,
  messageCode: number,
  rest: number,
): void {
  view.setInt32(at, (messageType << 24) | (messageCode << 16));
  view.setInt32(at + 4, rest);
}

export function writeTarget(
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

/** Errors have types below 128. */
export function isError(messageType: number): boolean {
  return messageType < 128;
}

// Neighbor Discovery options; `at` is the option's own offset.
//  0      1              2
//  | type | length / 8   | …
export function optionType(view: DataView, at: number): number {
  return view.getUint8(at);
}
export function optionLength(view: DataView, at: number): number {
  return view.getUint8(at + 1) << 3;
}
export function optionMacHigh(view: DataView, at: number): number {
  return view.getUint16(at + 2);
}
export function optionMacLow(view: DataView, at: number): number {
  return view.getInt32(at + 4);
}

export function writeLinkOption(
  view: DataView,
  at: number,
  kind: number,
  macHigh: number,
  macLow: number,
): void {
  view.setUint8(at, kind);
  view.setUint8(at + 1, LINK_OPTION_LENGTH >> 3);
  view.setUint16(at + 2, macHigh);
  view.setInt32(at + 4, macLow);
}

/** True when the options between `at` and `end` are whole and none has length 0 (RFC 4861 7.1). */
export function checkOptions(view: DataView, at: number, end: number): boolean {
  let option = at;
  while (option < end) {
    if (end - option < 2) return false;
    const length = optionLength(view, option);
    if (length === 0 || option + length > end) return false;
    option += length;
  }
  return true;
}

/** Offset of the first option of `kind`, or NO_OPTION; the options have passed checkOptions(). */
export function findOption(view: DataView, at: number, end: number, kind: number): number {
  for (let option = at; option < end; option += optionLength(view, option)) {
    if (optionType(view, option) === kind) return option;
  }
  return NO_OPTION;
}
