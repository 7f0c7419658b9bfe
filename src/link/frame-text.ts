/**
 * A frame as one line of text, in the manner of tcpdump.
 * @module
 */
import * as Address from '../base/address.ts';
import * as Arp from '../wire/arp.ts';
import * as Ethernet from '../wire/ethernet.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import * as Mac from '../wire/mac.ts';
import * as Tcp from '../wire/tcp.ts';
import * as TcpOptions from '../wire/tcp-options.ts';
import * as Udp from '../wire/udp.ts';
import { type FrameLayout, locate } from './locate.ts';

const FLAGS: readonly (readonly [number, string])[] = [
  [Tcp.SYN, 'SYN'],
  [Tcp.FIN, 'FIN'],
  [Tcp.RST, 'RST'],
  [Tcp.PSH, 'PSH'],
  [Tcp.ACK, 'ACK'],
  [Tcp.URG, 'URG'],
  [Tcp.ECE, 'ECE'],
  [Tcp.CWR, 'CWR'],
];

/** For example `10.0.0.1.80 > 10.0.0.2.4000 SYN seq 1 win 65535 mss 1460`. */
export function frameText(view: DataView, at: number, length: number): string {
  if (length < Ethernet.HEADER_LENGTH) return `runt of ${length} bytes`;
  const layout = locate(view, at, length);
  const tag = layout.vlan < 0 ? '' : `vlan ${layout.vlan} `;
  if (layout.version !== 0) return tag + packetText(view, layout);
  if (layout.etherType === Ethernet.ETHERTYPE_ARP && layout.end - layout.networkAt >= Arp.LENGTH) {
    return tag + arpText(view, layout.networkAt);
  }
  const macs = `${macText(view, at + 6)} > ${macText(view, at)}`;
  return `${tag}${macs} type 0x${layout.etherType.toString(16).padStart(4, '0')} len ${length}`;
}

function packetText(view: DataView, layout: FrameLayout): string {
  const [src, dst] = addresses(view, layout);
  const { protocol, transportAt, end } = layout;
  const room = end - transportAt;
  if (layout.fragment) return `${src} > ${dst} fragment of protocol ${protocol} len ${room}`;
  if (protocol === Ipv4.PROTOCOL_TCP && room >= Tcp.HEADER_LENGTH) {
    const ports = [Tcp.srcPort(view, transportAt), Tcp.dstPort(view, transportAt)];
    return `${src}.${ports[0]} > ${dst}.${ports[1]} ${tcpText(view, transportAt, end)}`;
  }
  if (protocol === Ipv4.PROTOCOL_UDP && room >= Udp.HEADER_LENGTH) {
    const ports = [Udp.srcPort(view, transportAt), Udp.dstPort(view, transportAt)];
    const payload = Udp.length(view, transportAt) - Udp.HEADER_LENGTH;
    return `${src}.${ports[0]} > ${dst}.${ports[1]} UDP len ${payload}`;
  }
  const icmp = layout.version === 4 ? Ipv4.PROTOCOL_ICMP : Ipv6.PROTOCOL_ICMPV6;
  if (protocol === icmp && room >= 4) {
    const name = layout.version === 4 ? 'ICMP' : 'ICMPv6';
    const kind = `type ${view.getUint8(transportAt)} code ${view.getUint8(transportAt + 1)}`;
    return `${src} > ${dst} ${name} ${kind} len ${room}`;
  }
  return `${src} > ${dst} protocol ${protocol} len ${room}`;
}

function tcpText(view: DataView, at: number, end: number): string {
  const bits = Tcp.flags(view, at);
  const words = FLAGS.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);
  const payload = Math.max(end - at - Tcp.headerLength(view, at), 0);
  words.push(`seq ${Tcp.seq(view, at) >>> 0}`);
  if ((bits & Tcp.ACK) !== 0) words.push(`ack ${Tcp.ack(view, at) >>> 0}`);
  words.push(`win ${Tcp.window(view, at)}`);
  if (payload > 0) words.push(`len ${payload}`);
  const optionsEnd = Math.min(at + Tcp.headerLength(view, at), end);
  return [...words, ...optionText(view, at + Tcp.HEADER_LENGTH, optionsEnd)].join(' ');
}

function optionText(view: DataView, at: number, end: number): string[] {
  const values = new TcpOptions.TcpOptionValues();
  if (!TcpOptions.parse(view, at, end, values)) return ['malformed options'];
  const words: string[] = [];
  if (values.mss > 0) words.push(`mss ${values.mss}`);
  if (values.windowScale >= 0) words.push(`wscale ${values.windowScale}`);
  if (values.sackPermitted === 1) words.push('sackOK');
  for (let i = 0; i < values.sackCount; i++) {
    const blockAt = values.sackAt + 8 * i;
    words.push(`sack ${view.getUint32(blockAt)}-${view.getUint32(blockAt + 4)}`);
  }
  if (values.timestamps === 1) words.push(`ts ${values.tsVal >>> 0}/${values.tsEcr >>> 0}`);
  return words;
}

function addresses(view: DataView, layout: FrameLayout): [string, string] {
  const at = layout.networkAt;
  if (layout.version === 4) {
    const text = (word: number): string => Address.format(0, 0, Address.V4_PREFIX, word);
    return [text(Ipv4.src(view, at)), text(Ipv4.dst(view, at))];
  }
  const text = (word: (i: number) => number): string =>
    Address.format(word(0), word(1), word(2), word(3));
  return [text((i) => Ipv6.src(view, at, i)), text((i) => Ipv6.dst(view, at, i))];
}

function arpText(view: DataView, at: number): string {
  const text = (word: number): string => Address.format(0, 0, Address.V4_PREFIX, word);
  const sender = text(Arp.senderIp(view, at));
  const target = text(Arp.targetIp(view, at));
  if (Arp.operation(view, at) === Arp.REQUEST) return `ARP who has ${target}, tell ${sender}`;
  return `ARP ${sender} is at ${macText(view, at + 8)}`;
}

function macText(view: DataView, at: number): string {
  return Mac.format(view.getUint16(at), view.getInt32(at + 2));
}
