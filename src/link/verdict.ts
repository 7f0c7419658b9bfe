/**
 * What a link without hardware finds out about a received frame: the RX_* checksum
 * verdicts.   hot path
 *
 * No verdict (0) means "not looked at": what does not parse, other protocols, and above IP
 * every fragment (RFC 791 3.2, RFC 8200 4.5), since the sum covers the whole datagram only.
 * @module
 */
import { fold } from '../wire/checksum.ts';
import { RX_IP_BAD, RX_IP_GOOD, RX_L4_BAD, RX_L4_GOOD } from './layout.gen.ts';
import { halves, type SummedArena, sum, transportSum } from './ones-sum.ts';

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPE_VLAN = 0x8100;
const ETHERTYPE_QINQ = 0x88a8;
const TCP = 6;
const UDP = 17;
const HOP_BY_HOP = 0;
const ROUTING = 43;
const DESTINATION_OPTIONS = 60;
const MAX_EXTENSIONS = 8;

/** The verdicts on the frame of `length` bytes at `at`. Reads nothing behind the frame. */
export function verify(memory: SummedArena, at: number, length: number): number {
  const simd = memory.simd;
  if (simd !== null && simd.isWhole(at, length) === 1) return RX_IP_GOOD | RX_L4_GOOD;
  const view = memory.view;
  const end = at + length;
  let ipAt = at + 14;
  if (ipAt > end) return 0;
  let type = view.getUint16(at + 12);
  while ((type === ETHERTYPE_VLAN || type === ETHERTYPE_QINQ) && ipAt + 4 <= end) {
    type = view.getUint16(ipAt + 2);
    ipAt += 4;
  }
  if (type === ETHERTYPE_IPV4) return verifyIpv4(memory, ipAt, end);
  if (type === ETHERTYPE_IPV6) return verifyIpv6(memory, ipAt, end);
  return 0;
}

function verifyIpv4(memory: SummedArena, ipAt: number, end: number): number {
  if (ipAt + 20 > end) return 0;
  const view = memory.view;
  // The header as five little-endian words: its fields and its sum from the same reads.
  const a = view.getInt32(ipAt, true);
  const b = view.getInt32(ipAt + 4, true);
  const c = view.getInt32(ipAt + 8, true);
  const d = view.getInt32(ipAt + 12, true);
  const e = view.getInt32(ipAt + 16, true);
  const headerLength = (a & 15) << 2;
  const totalLength = ((a >>> 8) & 0xff00) | (a >>> 24);
  if ((a & 0xf0) !== 0x40 || headerLength < 20 || totalLength < headerLength) return 0;
  if (ipAt + totalLength > end) return 0;
  let total = halves(a) + halves(b) + halves(c) + halves(d) + halves(e);
  if (headerLength > 20) total += sum(memory, ipAt + 20, headerLength - 20);
  if (fold(total) !== 0xffff) return RX_IP_BAD;
  const isFragment = ((b >>> 16) & 0xff3f) !== 0;
  if (isFragment) return RX_IP_GOOD;
  const protocol = (c >>> 8) & 0xff;
  const at = ipAt + headerLength;
  return RX_IP_GOOD | verifyL4(memory, ipAt, 0, at, protocol, totalLength - headerLength);
}

function verifyIpv6(memory: SummedArena, ipAt: number, end: number): number {
  const view = memory.view;
  if (ipAt + 40 > end || view.getUint8(ipAt) >>> 4 !== 6) return 0;
  const packetEnd = ipAt + 40 + view.getUint16(ipAt + 4);
  if (packetEnd > end) return 0;
  let next = view.getUint8(ipAt + 6);
  let at = ipAt + 40;
  for (let i = 0; i < MAX_EXTENSIONS; i++) {
    if (next !== HOP_BY_HOP && next !== ROUTING && next !== DESTINATION_OPTIONS) break;
    if (at + 8 > packetEnd) return 0;
    // The pseudo header has the final destination, which is not in the IPv6 header on the way.
    if (next === ROUTING && view.getUint8(at + 3) !== 0) return 0;
    next = view.getUint8(at);
    at += (view.getUint8(at + 1) + 1) << 3;
  }
  if (at > packetEnd) return 0;
  return verifyL4(memory, ipAt, 1, at, next, packetEnd - at);
}

function verifyL4(
  memory: SummedArena,
  ipAt: number,
  isV6: number,
  at: number,
  protocol: number,
  available: number,
): number {
  let length = available;
  if (protocol === UDP) {
    if (available < 8) return 0;
    const view = memory.view;
    length = view.getUint16(at + 4);
    if (length < 8 || length > available) return 0;
    // Zero: the sender computed none, which IPv6 does not allow (RFC 8200 8.1).
    if (view.getUint16(at + 6) === 0) return isV6 === 1 ? RX_L4_BAD : RX_L4_GOOD;
  } else if (protocol !== TCP || available < 20) return 0;
  const total = transportSum(memory, ipAt, isV6, protocol, at, length);
  return fold(total) === 0xffff ? RX_L4_GOOD : RX_L4_BAD;
}
