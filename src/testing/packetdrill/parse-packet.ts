/**
 * Packets in packetdrill's notation, from `<` or `>` to the end of the options.
 * @module
 */
import { ICMP_CODES, icmpType } from './icmp-names.ts';
import type { Cursor } from './lexer.ts';
import { parseOptions } from './segment-options.ts';
import {
  type IcmpSpec,
  type IpSpec,
  type PacketSpec,
  ScriptError,
  type TcpSpec,
  type UdpSpec,
  Unsupported,
} from './syntax.ts';
import { parseFlags } from './tcp-flags.ts';

const ECN = ['noecn', 'ect0', 'ect1', 'ect01', 'ce'];

/** `inbound`: what the script sends, which must say its window. */
export function parsePacket(cursor: Cursor, inbound: boolean): PacketSpec {
  const ip = parseIp(cursor);
  if (cursor.at('udp')) return parseUdp(cursor, ip);
  if (cursor.at('icmp') || cursor.at('icmpv6')) return parseIcmp(cursor, ip);
  for (const outer of ['ipv4', 'ipv6', 'gre', 'mpls']) {
    if (cursor.at(outer)) throw new Unsupported(cursor.line, `${outer}: no tunnels here`);
  }
  return parseTcp(cursor, ip, inbound);
}

/** `[ect0]`, `[tos 0x10, ttl 64]` and the like in front of the packet. */
function parseIp(cursor: Cursor): IpSpec {
  let ecn: string | null = null;
  let trafficClass: number | null = null;
  let hops: number | null = null;
  if (cursor.skip('[')) {
    while (!cursor.skip(']')) {
      const word = cursor.word('noecn, ect0, ect1, ect01, ce, tos, ttl, ...');
      if (ECN.includes(word)) ecn = word;
      else if (word === 'tos' || word === 'tclass') trafficClass = cursor.number('a number');
      else if (word === 'ttl' || word === 'hlim') hops = cursor.number('a number');
      else throw new Unsupported(cursor.line, `'${word}' of the IP header`);
      cursor.skip(',');
    }
  }
  return { ecn, trafficClass, hops };
}

function parsePorts(cursor: Cursor): [number, number] | null {
  if (cursor.peek().kind !== 'number' || !cursor.at('>', 1)) return null;
  const from = cursor.number('a port');
  cursor.take();
  return [from, cursor.number('a port')];
}

function parseTcp(cursor: Cursor, ip: IpSpec, inbound: boolean): TcpSpec {
  const line = cursor.line;
  const ports = parsePorts(cursor);
  const flags = parseFlags(cursor);
  const { seq, length } = parseSequence(cursor);
  const ack = cursor.skip('ack') ? cursor.number('an acknowledgment number') : null;
  const window = cursor.skip('win') ? cursor.number('a window') : null;
  const urgent = cursor.skip('urg') ? cursor.number('an urgent pointer') : null;
  const options = parseOptions(cursor);
  if (inbound && window === null) throw new ScriptError(line, "a packet in needs its 'win'");
  if (inbound && options === null) throw new ScriptError(line, '<...> is for packets out');
  return { kind: 'tcp', ip, ports, flags, seq, length, ack, window, urgent, options };
}

/** `1:1001(1000)`: the end must fit the length. */
function parseSequence(cursor: Cursor): { seq: number; length: number } {
  const line = cursor.line;
  const seq = cursor.number('a sequence number');
  cursor.expect(':');
  const end = cursor.number('the sequence number behind the data');
  cursor.expect('(');
  const length = cursor.number('a length');
  cursor.expect(')');
  if (((seq + length - end) | 0) !== 0) {
    throw new ScriptError(line, `${seq}:${end} is not ${length} bytes`);
  }
  return { seq, length };
}

function parseUdp(cursor: Cursor, ip: IpSpec): UdpSpec {
  cursor.expect('udp');
  const ports = parsePorts(cursor);
  cursor.expect('(');
  const length = cursor.number('a length');
  cursor.expect(')');
  return { kind: 'udp', ip, ports, length };
}

/** `icmp unreachable frag_needed mtu 1200 [1:1001(1000)]` */
function parseIcmp(cursor: Cursor, ip: IpSpec): IcmpSpec {
  const line = cursor.line;
  const version = cursor.word('icmp or icmpv6') === 'icmp' ? 4 : 6;
  const typeName = cursor.word('a type');
  const type = icmpType(version, typeName);
  if (type < 0) throw new ScriptError(line, `'${typeName}' is no type of icmp error`);
  const codes = ICMP_CODES[`${version}.${type}`] ?? {};
  let code = 0;
  if (cursor.peek().kind === 'word' && cursor.peek().text in codes)
    code = codes[cursor.take().text]!;
  const mtu = cursor.skip('mtu') ? cursor.number('a number of bytes') : 0;
  cursor.expect('[');
  const quoted = parseQuoted(cursor);
  cursor.expect(']');
  return { kind: 'icmp', ip, version, type, code, mtu, quoted };
}

function parseQuoted(cursor: Cursor): IcmpSpec['quoted'] {
  if (cursor.skip('udp')) {
    cursor.expect('(');
    const length = cursor.number('a length');
    cursor.expect(')');
    return { protocol: 'udp', seq: 0, length };
  }
  return { protocol: 'tcp', ...parseSequence(cursor) };
}
