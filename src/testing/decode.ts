/**
 * Frames as plain objects, for assertions. Throws a RangeError for a frame that ends early.
 *
 *     assert.equal(decode(frame).tcp?.flags, 'SYN ACK');
 * @module
 */
import { Address } from '../base/address.ts';
import { bigEndian, internetChecksum, macText } from './bytes.ts';
import { type TcpOptions, tcpFlagNames } from './packet.ts';

export interface Decoded {
  readonly ethernet: {
    readonly src: string;
    readonly dst: string;
    readonly type: number;
    readonly vlan?: number;
  };
  readonly arp?: DecodedArp;
  readonly ip?: DecodedIp;
  readonly tcp?: DecodedTcp;
  readonly udp?: {
    readonly srcPort: number;
    readonly dstPort: number;
    readonly length: number;
    readonly checksumGood: boolean;
  };
  readonly icmp?: { readonly type: number; readonly code: number; readonly checksumGood: boolean };
  /** What follows the innermost header found. Of ICMP: all behind the checksum. */
  readonly payload: Uint8Array;
}

export interface DecodedArp {
  readonly operation: 'request' | 'reply' | number;
  readonly senderMac: string;
  readonly senderIp: string;
  readonly targetMac: string;
  readonly targetIp: string;
}

export interface DecodedIp {
  readonly version: 4 | 6;
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  readonly hops: number;
  readonly trafficClass: number;
  readonly totalLength: number;
  readonly id: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In bytes. */
  readonly fragmentOffset: number;
  /** True for IPv6, which has none. */
  readonly checksumGood: boolean;
  /** IPv6: the extension headers by number, in order. */
  readonly extensions: readonly number[];
}

export interface DecodedTcp {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  /** Names in the order FIN SYN RST PSH ACK URG ECE CWR. */
  readonly flags: string;
  readonly window: number;
  readonly urgent: number;
  readonly options: TcpOptions;
  readonly checksumGood: boolean;
}

/** Reads big-endian numbers one after another. */
class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  take(count: number): Uint8Array {
    if (count < 0 || count > this.left) {
      throw new RangeError(`the frame ends ${count - this.left} bytes early`);
    }
    this.at += count;
    return this.bytes.slice(this.at - count, this.at);
  }

  number(bytes: number): number {
    return this.take(bytes).reduce((value, byte) => value * 256 + byte, 0);
  }
}

export function decode(frame: Uint8Array): Decoded {
  const reader = new Reader(frame);
  const dst = macText(reader.take(6));
  const src = macText(reader.take(6));
  let type = reader.number(2);
  const tag = type === 0x8100 ? reader.number(2) & 0xfff : -1;
  if (tag >= 0) type = reader.number(2);
  const ethernet = tag < 0 ? { src, dst, type } : { src, dst, type, vlan: tag };
  if (type === 0x0806)
    return { ethernet, arp: decodeArp(reader), payload: reader.take(reader.left) };
  if (type === 0x0800) return { ethernet, ...decodeIpv4(reader) };
  if (type === 0x86dd) return { ethernet, ...decodeIpv6(reader) };
  return { ethernet, payload: reader.take(reader.left) };
}

function decodeArp(reader: Reader): DecodedArp {
  reader.take(6);
  const operation = reader.number(2);
  return {
    operation: operation === 1 ? 'request' : operation === 2 ? 'reply' : operation,
    senderMac: macText(reader.take(6)),
    senderIp: addressText(reader.take(4)),
    targetMac: macText(reader.take(6)),
    targetIp: addressText(reader.take(4)),
  };
}

type Inner = Omit<Decoded, 'ethernet' | 'arp'>;

function decodeIpv4(outer: Reader): Inner {
  const start = outer.at;
  const headerLength = (outer.number(1) & 15) * 4;
  const trafficClass = outer.number(1);
  const totalLength = outer.number(2);
  const id = outer.number(2);
  const fragment = outer.number(2);
  const hops = outer.number(1);
  const protocol = outer.number(1);
  outer.take(2);
  const src = outer.take(4);
  const dst = outer.take(4);
  outer.take(headerLength - 20);
  const ip: DecodedIp = {
    version: 4,
    src: addressText(src),
    dst: addressText(dst),
    protocol,
    hops,
    trafficClass,
    totalLength,
    id,
    dontFragment: (fragment & 0x4000) !== 0,
    moreFragments: (fragment & 0x2000) !== 0,
    fragmentOffset: (fragment & 0x1fff) * 8,
    checksumGood: internetChecksum(outer.bytes.slice(start, outer.at)) === 0,
    extensions: [],
  };
  const payload = outer.take(totalLength - headerLength);
  return { ip, ...decodeTransport(ip, payload, src, dst) };
}

function decodeIpv6(outer: Reader): Inner {
  const first = outer.number(4);
  const length = outer.number(2);
  let protocol = outer.number(1);
  const hops = outer.number(1);
  const src = outer.take(16);
  const dst = outer.take(16);
  const reader = new Reader(outer.take(length));
  const extensions: number[] = [];
  let fragment = 0;
  let id = 0;
  while ([0, 43, 44, 60].includes(protocol)) {
    extensions.push(protocol);
    const next = reader.number(1);
    const units = reader.number(1);
    if (protocol === 44) {
      fragment = reader.number(2);
      id = reader.number(4);
    } else reader.take(6 + 8 * units);
    protocol = next;
  }
  const ip: DecodedIp = {
    version: 6,
    src: addressText(src),
    dst: addressText(dst),
    protocol,
    hops,
    trafficClass: Math.floor(first / 1048576) & 0xff,
    totalLength: 40 + length,
    id,
    dontFragment: true,
    moreFragments: (fragment & 1) !== 0,
    fragmentOffset: fragment & 0xfff8,
    checksumGood: true,
    extensions,
  };
  return { ip, ...decodeTransport(ip, reader.take(reader.left), src, dst) };
}

function decodeTransport(
  ip: DecodedIp,
  bytes: Uint8Array,
  src: Uint8Array,
  dst: Uint8Array,
): Omit<Inner, 'ip'> {
  if (ip.fragmentOffset > 0 || ip.moreFragments) return { payload: bytes };
  const pseudo = [src, dst, bigEndian(ip.protocol, 4), bigEndian(bytes.length, 4)];
  const good = (...parts: Uint8Array[]): boolean => internetChecksum(...parts, bytes) === 0;
  const reader = new Reader(bytes);
  if (ip.protocol === 6) {
    const tcp = { ...decodeTcp(reader), checksumGood: good(...pseudo) };
    return { tcp, payload: reader.take(reader.left) };
  }
  if (ip.protocol === 17) {
    const [srcPort, dstPort, length, checksum] = [2, 2, 2, 2].map((size) => reader.number(size));
    const checksumGood = (checksum === 0 && ip.version === 4) || good(...pseudo);
    const udp = { srcPort: srcPort!, dstPort: dstPort!, length: length!, checksumGood };
    return { udp, payload: reader.take(reader.left) };
  }
  if (ip.protocol === 1 || ip.protocol === 58) {
    const icmp = {
      type: reader.number(1),
      code: reader.number(1),
      checksumGood: ip.protocol === 1 ? good() : good(...pseudo),
    };
    reader.take(2);
    return { icmp, payload: reader.take(reader.left) };
  }
  return { payload: bytes };
}

function decodeTcp(reader: Reader): Omit<DecodedTcp, 'checksumGood'> {
  const srcPort = reader.number(2);
  const dstPort = reader.number(2);
  const seq = reader.number(4);
  const ack = reader.number(4);
  const offsetAndFlags = reader.number(2);
  const window = reader.number(2);
  reader.take(2);
  const urgent = reader.number(2);
  const options = decodeTcpOptions(new Reader(reader.take((offsetAndFlags >> 12) * 4 - 20)));
  const flags = tcpFlagNames(offsetAndFlags & 0x1ff);
  return { srcPort, dstPort, seq, ack, flags, window, urgent, options };
}

function decodeTcpOptions(reader: Reader): TcpOptions {
  const options: { -readonly [K in keyof TcpOptions]: TcpOptions[K] } = {};
  while (reader.left > 0) {
    const kind = reader.number(1);
    if (kind === 0) break;
    if (kind === 1) continue;
    const value = new Reader(reader.take(reader.number(1) - 2));
    if (kind === 2) options.mss = value.number(2);
    else if (kind === 3) options.windowScale = value.number(1);
    else if (kind === 4) options.sackPermitted = true;
    else if (kind === 5) {
      const blocks: [number, number][] = [];
      while (value.left > 0) blocks.push([value.number(4), value.number(4)]);
      options.sack = blocks;
    } else if (kind === 8) options.timestamps = [value.number(4), value.number(4)];
  }
  return options;
}

function addressText(bytes: Uint8Array): string {
  const reader = new Reader(bytes);
  if (bytes.length === 4) return new Address(0, 0, 0xffff, reader.number(4)).toString();
  const [w0, w1, w2, w3] = [4, 4, 4, 4].map((size) => reader.number(size));
  return new Address(w0!, w1!, w2!, w3!).toString();
}
