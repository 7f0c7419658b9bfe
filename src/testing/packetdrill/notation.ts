/**
 * Packets, times and results in packetdrill's notation, and where two of them differ.
 * @module
 */
import type { Outcome } from './files.ts';
import { ecnName } from './flows.ts';
import { meaningful, optionText } from './segment-options.ts';
import type { CallSpec, IpSpec, OptionSpec, PacketSpec, TcpSpec } from './syntax.ts';
import { flagText } from './tcp-flags.ts';

/** A packet as words: the field each is about, its value, and how it is shown where it stands. */
type Words = { readonly field: string; readonly value: string; readonly text: string }[];

export interface Difference {
  /** The fields that differ, [] when nothing does. */
  readonly fields: readonly string[];
  /** Both packets, one below the other, the difference marked. */
  readonly text: string;
}

/** Compares what came with what was expected; only what the script says counts. */
export function compare(
  expected: PacketSpec,
  actual: PacketSpec,
  times: [string, string],
): Difference {
  const left = words(expected, expected);
  const right = words(actual, expected);
  const fields: string[] = [];
  const anyOptions = expected.kind === 'tcp' && expected.options === null;
  for (const name of new Set([...left, ...right].map(({ field }) => field))) {
    const [a, b] = [left, right].map((side) => side.find(({ field }) => field === name)?.value);
    if (a !== b && !(anyOptions && name.startsWith(OPTION))) fields.push(name);
  }
  return { fields, text: sideBySide(left, right, fields, times) };
}

const OPTION = 'option ';

const word = (field: string, value: string): Words[number] => ({ field, value, text: value });

/** One packet on a line; of what only some scripts say, what `like` says. */
export function packetText(packet: PacketSpec, like: PacketSpec = packet): string {
  return words(packet, like)
    .map(({ text }) => text)
    .join(' ');
}

function sideBySide(
  left: Words,
  right: Words,
  fields: readonly string[],
  times: [string, string],
): string {
  const line = (title: string, time: string, side: Words): string =>
    `${title}${time}  ${side.map(({ text }) => text).join(' ')}`;
  const before = 'actual:    '.length + times[1].length + 2;
  const marks = right
    .map(({ field, text }) => (fields.includes(field) ? '^' : ' ').repeat(text.length))
    .join(' ');
  const marked = ' '.repeat(before) + marks;
  return [
    line('expected:  ', times[0], left),
    line('actual:    ', times[1], right),
    marked.trimEnd(),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

/** `like`: the script's packet, which decides what is shown at all. */
function words(packet: PacketSpec, like: PacketSpec): Words {
  const found: Words = ipWords(packet.ip, like.ip);
  if (packet.kind === 'tcp') return [...found, ...tcpWords(packet, like)];
  if (packet.kind === 'udp') {
    return [...found, word('kind', 'udp'), word('length', `(${packet.length})`)];
  }
  return [...found, word('kind', `icmp type ${packet.type} code ${packet.code}`)];
}

function ipWords(ip: IpSpec, like: IpSpec): Words {
  const parts: string[] = [];
  if (like.ecn !== null) parts.push(like.ecn === 'ect01' ? ectEither(ip) : (ip.ecn ?? 'noecn'));
  if (like.trafficClass !== null) parts.push(`tos 0x${(ip.trafficClass ?? 0).toString(16)}`);
  if (like.hops !== null) parts.push(`ttl ${ip.hops}`);
  return parts.length === 0 ? [] : [word('IP', `[${parts.join(', ')}]`)];
}

function ectEither(ip: IpSpec): string {
  const name = ip.ecn ?? ecnName(ip.trafficClass ?? 0);
  return name === 'ect0' || name === 'ect1' ? 'ect01' : name;
}

function tcpWords(packet: TcpSpec, like: PacketSpec): Words {
  const { flags, seq, length, ack, window, urgent } = packet;
  const script: Partial<TcpSpec> = like.kind === 'tcp' ? like : {};
  const found: Words = [];
  if (script.ports) found.push(word('ports', packet.ports?.join(' > ') ?? 'other ports'));
  found.push(word('flags', flagText(flags)));
  found.push(word('seq', `${seq}:${(seq + length) >>> 0}(${length})`));
  if (ack !== null) found.push(word('ack', `ack ${ack}`));
  if (script.window !== null && window !== null) found.push(word('win', `win ${window}`));
  if ((script.urgent ?? 0) !== 0 || (urgent ?? 0) !== 0)
    found.push(word('urg', `urg ${urgent ?? 0}`));
  return [...found, ...optionWords(packet.options)];
}

/** In one order for both sides, so that a difference stands out. */
function optionWords(options: readonly OptionSpec[] | null): Words {
  if (options === null) return [word(`${OPTION}any`, '<...>')];
  const shown = meaningful(options);
  return shown.map((option, index) => {
    const value = optionText(option);
    const text = `${index === 0 ? '<' : ''}${value}${index === shown.length - 1 ? '>' : ','}`;
    return { field: `${OPTION}${option.name}`, value, text };
  });
}

/** 0.100000 */
export function seconds(us: number): string {
  return (us / 1e6).toFixed(6);
}

/** When an event is to happen, microseconds. */
export function timeText(from: number, to: number): string {
  if (to === Number.POSITIVE_INFINITY) return '*';
  return from === to ? seconds(from) : `${seconds(from)}~${seconds(to)}`;
}

/** '' when the call returned what the script says. */
export function differenceOf(call: CallSpec, { result, errno, wrong }: Outcome): string {
  const text = (value: number, name: string): string => `${value}${name === '' ? '' : ` ${name}`}`;
  const expected = call.result;
  const same = expected === null || (expected === result && (result >= 0 || call.errno === errno));
  if (same) return wrong === undefined ? '' : `: ${wrong}`;
  return ` returned\n  expected:  ${text(expected, call.errno)}\n  actual:    ${text(result, errno)}`;
}
