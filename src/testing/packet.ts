/**
 * Builders of frames for tests: plain objects in, the bytes of an Ethernet frame out, with right
 * lengths and checksums unless a field says otherwise.
 *
 *     tcp({ src: '10.0.0.1', dst: '10.0.0.2', srcPort: 4000, dstPort: 80, flags: 'SYN' })
 * @module
 */
import { Address } from '../base/address.ts';
import { bigEndian, concat, internetChecksum, macBytes, type Payload, toBytes } from './bytes.ts';

export interface EthernetFields {
  /** Default 02:00:00:00:00:01. */
  readonly srcMac?: string;
  /** Default 02:00:00:00:00:02. */
  readonly dstMac?: string;
  /** VLAN identifier; none when not given. */
  readonly vlan?: number;
}

export interface IpFields extends EthernetFields {
  /** Both of one family: '10.0.0.1' or 'fd00::1'. */
  readonly src: string;
  readonly dst: string;
  /** Time to live or hop limit, default 64. */
  readonly hops?: number;
  /** Type of service or traffic class, default 0. */
  readonly trafficClass?: number;
  /** IPv4 only: identification, default 0. */
  readonly id?: number;
  /** IPv4 only: don't fragment, default true. */
  readonly dontFragment?: boolean;
  /** IPv4 only: options, a multiple of 4 bytes. */
  readonly ipOptions?: Uint8Array;
  /** IPv6 only: extension headers, the last of which must name the protocol. */
  readonly extensions?: { readonly first: number; readonly bytes: Uint8Array };
}

export interface TcpOptions {
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted?: boolean;
  /** [left, right] edges. */
  readonly sack?: readonly (readonly [number, number])[];
  /** [value, echo reply]. */
  readonly timestamps?: readonly [number, number];
}

export interface TcpFields extends IpFields {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq?: number;
  readonly ack?: number;
  /** Names or bits: 'SYN ACK' or 0x12. Default ACK. */
  readonly flags?: string | number;
  /** The field as it stands in the header; default 65535. */
  readonly window?: number;
  readonly urgent?: number;
  readonly options?: TcpOptions;
  /** Option bytes as they are, padded to a multiple of 4; instead of `options`. */
  readonly rawOptions?: Uint8Array;
  readonly payload?: Payload;
  /** The checksum field, when it shall be wrong. */
  readonly checksum?: number;
}

export interface UdpFields extends IpFields {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly payload?: Payload;
  /** The checksum field, when it shall be wrong, or 0 for none. */
  readonly checksum?: number;
}

export interface IcmpFields extends IpFields {
  readonly type: number;
  readonly code?: number;
  /** What follows the checksum. */
  readonly body: Uint8Array;
}

export interface EchoFields extends IpFields {
  /** True for a reply. */
  readonly reply?: boolean;
  readonly id?: number;
  readonly sequence?: number;
  readonly payload?: Payload;
}

export interface ArpFields extends EthernetFields {
  /** 'request' or 'reply'. */
  readonly operation: 'request' | 'reply';
  readonly senderMac?: string;
  readonly senderIp: string;
  readonly targetMac?: string;
  readonly targetIp: string;
}

const FLAG_NAMES = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'AE'];

/** 'SYN ACK' as bits. Throws a TypeError for a name that is not a flag. */
export function tcpFlags(text: string): number {
  let bits = 0;
  for (const name of text.split(/[\s|+]+/).filter((word) => word !== '')) {
    const index = FLAG_NAMES.indexOf(name);
    if (index < 0) throw new TypeError(`no TCP flag is called '${name}'`);
    bits |= 1 << index;
  }
  return bits;
}

/** Bits as 'SYN ACK'. */
export function tcpFlagNames(bits: number): string {
  return FLAG_NAMES.filter((_, index) => (bits >> index) & 1).join(' ');
}

/** A frame around any payload. */
export function ethernet(
  fields: EthernetFields,
  etherType: number,
  payload: Uint8Array,
): Uint8Array {
  return concat(
    macBytes(fields.dstMac ?? '02:00:00:00:00:02'),
    macBytes(fields.srcMac ?? '02:00:00:00:00:01'),
    fields.vlan === undefined
      ? new Uint8Array(0)
      : concat(bigEndian(0x8100, 2), bigEndian(fields.vlan, 2)),
    bigEndian(etherType, 2),
    payload,
  );
}

/** A frame with an IP packet of either family. */
export function ip(fields: IpFields, protocol: number, payload: Uint8Array): Uint8Array {
  const v6 = Address.parse(fields.src).version === 6;
  const packet = v6 ? ipv6Packet(fields, protocol, payload) : ipv4Packet(fields, protocol, payload);
  return ethernet(fields, v6 ? 0x86dd : 0x0800, packet);
}

function ipv4Packet(fields: IpFields, protocol: number, payload: Uint8Array): Uint8Array {
  const options = fields.ipOptions ?? new Uint8Array(0);
  const headerLength = 20 + options.length;
  const header = concat(
    Uint8Array.of(0x40 | (headerLength >> 2), fields.trafficClass ?? 0),
    bigEndian(headerLength + payload.length, 2),
    bigEndian(fields.id ?? 0, 2),
    bigEndian(fields.dontFragment === false ? 0 : 0x4000, 2),
    Uint8Array.of(fields.hops ?? 64, protocol, 0, 0),
    addressBytes(fields.src),
    addressBytes(fields.dst),
    options,
  );
  header.set(bigEndian(internetChecksum(header), 2), 10);
  return concat(header, payload);
}

function ipv6Packet(fields: IpFields, protocol: number, payload: Uint8Array): Uint8Array {
  const extensions = fields.extensions?.bytes ?? new Uint8Array(0);
  return concat(
    bigEndian(0x60000000 | ((fields.trafficClass ?? 0) << 20), 4),
    bigEndian(extensions.length + payload.length, 2),
    Uint8Array.of(fields.extensions?.first ?? protocol, fields.hops ?? 64),
    addressBytes(fields.src),
    addressBytes(fields.dst),
    extensions,
    payload,
  );
}

/** A TCP segment in its frame. */
export function tcp(fields: TcpFields): Uint8Array {
  const options = fields.rawOptions ?? tcpOptionBytes(fields.options ?? {});
  const padded = concat(options, new Uint8Array(-options.length & 3));
  const flags = typeof fields.flags === 'number' ? fields.flags : tcpFlags(fields.flags ?? 'ACK');
  const segment = concat(
    bigEndian(fields.srcPort, 2),
    bigEndian(fields.dstPort, 2),
    bigEndian(fields.seq ?? 0, 4),
    bigEndian(fields.ack ?? 0, 4),
    bigEndian((((20 + padded.length) >> 2) << 12) | flags, 2),
    bigEndian(fields.window ?? 65535, 2),
    bigEndian(0, 2),
    bigEndian(fields.urgent ?? 0, 2),
    padded,
    toBytes(fields.payload ?? ''),
  );
  const checksum =
    fields.checksum ?? internetChecksum(pseudoHeader(fields, 6, segment.length), segment);
  segment.set(bigEndian(checksum, 2), 16);
  return ip(fields, 6, segment);
}

function tcpOptionBytes(options: TcpOptions): Uint8Array {
  const nop = 1;
  const parts: Uint8Array[] = [];
  if (options.mss !== undefined) parts.push(concat(Uint8Array.of(2, 4), bigEndian(options.mss, 2)));
  if (options.windowScale !== undefined) parts.push(Uint8Array.of(nop, 3, 3, options.windowScale));
  if (options.sackPermitted === true) parts.push(Uint8Array.of(nop, nop, 4, 2));
  if (options.timestamps !== undefined) {
    const [value, echo] = options.timestamps;
    parts.push(concat(Uint8Array.of(nop, nop, 8, 10), bigEndian(value, 4), bigEndian(echo, 4)));
  }
  if (options.sack !== undefined) {
    const edges = options.sack.flatMap(([left, right]) => [
      bigEndian(left, 4),
      bigEndian(right, 4),
    ]);
    parts.push(concat(Uint8Array.of(nop, nop, 5, 2 + 8 * options.sack.length), ...edges));
  }
  return concat(...parts);
}

/** A UDP datagram in its frame. */
export function udp(fields: UdpFields): Uint8Array {
  const payload = toBytes(fields.payload ?? '');
  const datagram = concat(
    bigEndian(fields.srcPort, 2),
    bigEndian(fields.dstPort, 2),
    bigEndian(8 + payload.length, 2),
    bigEndian(0, 2),
    payload,
  );
  const sum = internetChecksum(pseudoHeader(fields, 17, datagram.length), datagram);
  datagram.set(bigEndian(fields.checksum ?? (sum === 0 ? 0xffff : sum), 2), 6);
  return ip(fields, 17, datagram);
}

/** Any ICMP or ICMPv6 message, the family as that of the addresses. */
export function icmp(fields: IcmpFields): Uint8Array {
  const v6 = Address.parse(fields.src).version === 6;
  const message = concat(Uint8Array.of(fields.type, fields.code ?? 0, 0, 0), fields.body);
  const pseudo = v6 ? pseudoHeader(fields, 58, message.length) : new Uint8Array(0);
  message.set(bigEndian(internetChecksum(pseudo, message), 2), 2);
  return ip(fields, v6 ? 58 : 1, message);
}

/** An echo request or reply (ping) of either family. */
export function icmpEcho(fields: EchoFields): Uint8Array {
  const v6 = Address.parse(fields.src).version === 6;
  const request = v6 ? 128 : 8;
  const reply = v6 ? 129 : 0;
  const body = concat(
    bigEndian(fields.id ?? 1, 2),
    bigEndian(fields.sequence ?? 1, 2),
    toBytes(fields.payload ?? ''),
  );
  return icmp({ ...fields, id: 0, type: fields.reply === true ? reply : request, body });
}

/** An ARP request (to everybody unless dstMac says otherwise) or reply. */
export function arp(fields: ArpFields): Uint8Array {
  const request = fields.operation === 'request';
  const senderMac = fields.senderMac ?? fields.srcMac ?? '02:00:00:00:00:01';
  const targetMac = fields.targetMac ?? (request ? '00:00:00:00:00:00' : '02:00:00:00:00:02');
  const dstMac = fields.dstMac ?? (request ? 'ff:ff:ff:ff:ff:ff' : targetMac);
  const payload = concat(
    Uint8Array.of(0, 1, 8, 0, 6, 4, 0, request ? 1 : 2),
    macBytes(senderMac),
    addressBytes(fields.senderIp),
    macBytes(targetMac),
    addressBytes(fields.targetIp),
  );
  return ethernet({ ...fields, srcMac: fields.srcMac ?? senderMac, dstMac }, 0x0806, payload);
}

/** 4 or 16 bytes. */
export function addressBytes(text: string): Uint8Array {
  const address = Address.parse(text);
  const { w0, w1, w2, w3 } = address;
  if (address.version === 4) return bigEndian(w3, 4);
  return concat(bigEndian(w0, 4), bigEndian(w1, 4), bigEndian(w2, 4), bigEndian(w3, 4));
}

function pseudoHeader(fields: IpFields, protocol: number, length: number): Uint8Array {
  return concat(
    addressBytes(fields.src),
    addressBytes(fields.dst),
    bigEndian(protocol, 4),
    bigEndian(length, 4),
  );
}
