/**
 * ICMP for IPv4 (RFC 792, RFC 1191). `at` is the message's byte offset.
 * @module
 */
export const HEADER_LENGTH = 8;

export const ECHO_REPLY = 0;
export const UNREACHABLE = 3;
export const REDIRECT = 5;
export const ECHO_REQUEST = 8;
export const TIME_EXCEEDED = 11;
export const PARAMETER_PROBLEM = 12;

/** Codes of UNREACHABLE. */
export const CODE_NETWORK = 0;
export const CODE_HOST = 1;
export const CODE_PROTOCOL = 2;
export const CODE_PORT = 3;
export const CODE_TOO_BIG = 4;
export const CODE_NETWORK_PROHIBITED = 9;
export const CODE_HOST_PROHIBITED = 10;
export const CODE_PROHIBITED = 13;

/** Code of TIME_EXCEEDED: not reassembled in time. */
export const CODE_REASSEMBLY = 1;

//  0      1      2     4              8
//  | type | code | sum | id, sequence | echoed data, or the quoted packet …
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
/** Next-hop MTU of CODE_TOO_BIG; 0 from routers older than RFC 1191. */
export function mtu(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}

export function setChecksum(view: DataView, at: number, value: number): void {
  view.setUint16(at + 2, value);
}

export function check(available: number): boolean {
  return available >= HEADER_LENGTH;
}

/** Writes the 8 bytes, checksum 0. @param rest the second word: id and sequence, or pointer or MTU */
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

/** Errors quote a packet, and are never answered with another error. */
export function isError(messageType: number): boolean {
  return (
    messageType === UNREACHABLE ||
    messageType === 4 /* source quench */ ||
    messageType === REDIRECT ||
    messageType === TIME_EXCEEDED ||
    messageType === PARAMETER_PROBLEM
  );
}
