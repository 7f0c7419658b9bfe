/**
 * ARP for IPv4 over Ethernet (RFC 826). `at` is the packet's byte offset.
 * @module
 */
export const LENGTH = 28;

export const REQUEST = 1;
export const REPLY = 2;

const ETHERNET = 1;
const IPV4 = 0x0800;
/** Address lengths 6 and 4 as one 16-bit field. */
const LENGTHS = 0x0604;

//  0          2       4           6   8           14         18          24         28
//  | hardware | proto | hlen plen | op | sender mac | sender ip | target mac | target ip |
export function operation(view: DataView, at: number): number {
  return view.getUint16(at + 6);
}
export function senderHigh(view: DataView, at: number): number {
  return view.getUint16(at + 8);
}
export function senderLow(view: DataView, at: number): number {
  return view.getInt32(at + 10);
}
export function senderIp(view: DataView, at: number): number {
  return view.getInt32(at + 14);
}
export function targetHigh(view: DataView, at: number): number {
  return view.getUint16(at + 18);
}
export function targetLow(view: DataView, at: number): number {
  return view.getInt32(at + 20);
}
export function targetIp(view: DataView, at: number): number {
  return view.getInt32(at + 24);
}

/** True for a whole ARP packet that maps IPv4 to Ethernet. */
export function check(view: DataView, at: number, available: number): boolean {
  return (
    available >= LENGTH &&
    view.getUint16(at) === ETHERNET &&
    view.getUint16(at + 2) === IPV4 &&
    view.getUint16(at + 4) === LENGTHS
  );
}

export function write(
  view: DataView,
  at: number,
  op: number,
  senderMacHigh: number,
  senderMacLow: number,
  senderAddress: number,
  targetMacHigh: number,
  targetMacLow: number,
  targetAddress: number,
): void {
  view.setUint16(at, ETHERNET);
  view.setUint16(at + 2, IPV4);
  view.setUint16(at + 4, LENGTHS);
  view.setUint16(at + 6, op);
  view.setUint16(at + 8, senderMacHigh);
  view.setInt32(at + 10, senderMacLow);
  view.setInt32(at + 14, senderAddress);
  view.setUint16(at + 18, targetMacHigh);
  view.setInt32(at + 20, targetMacLow);
  view.setInt32(at + 24, targetAddress);
}
