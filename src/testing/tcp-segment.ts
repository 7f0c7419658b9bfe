/**
 * Segments as the tests of TCP write and see them (tcp-peer.ts).
 * @module
 */
import { Address } from '../base/address.ts';
import type { Packet } from '../net/packet.ts';
import type { Arena } from '../storage/arena.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Wire from '../wire/tcp.ts';
import * as Options from '../wire/tcp-options.ts';

/** A segment the stack under test sent. */
export interface SentSegment {
  /** AE (0x100) with them. */
  flags: number;
  /** The ECN field of the packet. */
  ecn: number;
  seq: number;
  ack: number;
  window: number;
  data: string;
  mss: number;
  windowScale: number;
  /** Timestamps; NaN when the option is not there. */
  tsVal: number;
  tsEcr: number;
  sackPermitted: boolean;
  sack: [number, number][];
  srcPort: number;
  dstPort: number;
  /** The options' bytes, padding included. */
  options: Uint8Array;
  /** The urgent pointer; of the IP header source, traffic class, hops left and (IPv4) identification. */
  urgent: number;
  src: string;
  trafficClass: number;
  hops: number;
  ipId: number;
}

/** A segment for the stack; what is left out is what a well-behaved peer would send. */
export interface GivenSegment {
  flags: number;
  seq?: number;
  ack?: number;
  window?: number;
  data?: string;
  mss?: number;
  windowScale?: number;
  /** TSval and TSecr; null: none, although they were agreed on. */
  timestamps?: [number, number] | null;
  sackPermitted?: boolean;
  sack?: [number, number][];
  /** Option bytes as they are, instead of mss and windowScale. */
  options?: number[];
  /** The ECN field of the packet; Not-ECT when left out. */
  ecn?: number;
  srcPort?: number;
  dstPort?: number;
  /** The urgent pointer, as it stands in the header. */
  urgent?: number;
}

/** The segment in a packet that a network layer of the test's has received. */
export function sentSegment({ view, bytes }: Arena, packet: Packet): SentSegment {
  const at = packet.at;
  const headerLength = Wire.check(view, at, packet.length);
  const options = new Options.TcpOptionValues();
  Options.parse(view, at + Wire.HEADER_LENGTH, at + headerLength, options);
  const flags = Wire.flags(view, at);
  return {
    flags: flags | ((view.getUint8(at + 12) & 1) << 8),
    ecn: packet.ecn,
    seq: Wire.seq(view, at),
    ack: Wire.ack(view, at),
    window: Wire.window(view, at),
    data: String.fromCharCode(...bytes.subarray(at + headerLength, at + packet.length)),
    mss: options.mss,
    windowScale: options.windowScale,
    tsVal: options.timestamps === 1 ? options.tsVal : Number.NaN,
    tsEcr: options.timestamps === 1 ? options.tsEcr : Number.NaN,
    sackPermitted: options.sackPermitted === 1,
    sack: Array.from({ length: options.sackCount }, (_, i) => [
      view.getInt32(options.sackAt + i * 8),
      view.getInt32(options.sackAt + i * 8 + 4),
    ]),
    srcPort: Wire.srcPort(view, at),
    dstPort: Wire.dstPort(view, at),
    options: bytes.slice(at + Wire.HEADER_LENGTH, at + headerLength),
    urgent: Wire.urgentPointer(view, at),
    ...ipFields(view, packet),
  };
}

function ipFields(
  view: DataView,
  packet: Packet,
): Pick<SentSegment, 'src' | 'trafficClass' | 'hops' | 'ipId'> {
  const { ipAt, hops } = packet;
  const src = new Address(packet.src0, packet.src1, packet.src2, packet.src3).toString();
  if (packet.version === 4) {
    return { src, trafficClass: Ipv4.tos(view, ipAt), hops, ipId: Ipv4.id(view, ipAt) };
  }
  return { src, trafficClass: (view.getUint16(ipAt) >> 4) & 0xff, hops, ipId: 0 };
}

/** The options of a segment, padded. `timestamps`: TSval and TSecr, null for none. */
export function optionBytes(given: GivenSegment, timestamps: [number, number] | null): number[] {
  const bytes = given.options ? [...given.options] : [];
  if (!given.options && given.mss) bytes.push(2, 4, given.mss >> 8, given.mss & 255);
  if (!given.options && (given.windowScale ?? -1) >= 0) bytes.push(1, 3, 3, given.windowScale!);
  if (timestamps !== null) bytes.push(1, 1, 8, 10, ...timestamps.flatMap(octets));
  if (given.sackPermitted) bytes.push(1, 1, 4, 2);
  if (given.sack && given.sack.length > 0) {
    bytes.push(1, 1, 5, 2 + 8 * given.sack.length);
    bytes.push(...given.sack.flat().flatMap(octets));
  }
  while (bytes.length % 4 !== 0) bytes.push(0);
  return bytes;
}

/** The four bytes of a word. */
function octets(word: number): number[] {
  return [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255];
}

/** In words, for what a test says when it fails. */
export function describe(segment: Partial<SentSegment>): string {
  const parts: string[] = [];
  for (const [field, value] of Object.entries(segment)) {
    if (field === 'flags') parts.unshift(Wire.flagNames(value as number) || 'no flags');
    else if (field === 'data')
      parts.push(`data '${String(value).slice(0, 20)}' (${String(value).length})`);
    else parts.push(`${field} ${(value as number) >>> 0}`);
  }
  return parts.join(', ');
}
