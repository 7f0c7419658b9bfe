/**
 * Flow rules as text:
 *
 *     ipv4 src 10.0.0.0/8 tcp dst 80 => queue 1
 *     vlan 5 udp dst 5000-5999 => rss 0,1
 *     eth src 02:00:00:00:00:09 => drop
 *     ipv6 dst fd00::2 tcp => mark 7 queue 2
 *     ipv4 icmp => count
 *
 * `src` and `dst` belong to the word before: addresses of eth, ipv4 and ipv6, ports of tcp and udp.
 * @module
 */
import { Prefix } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import * as Mac from '../wire/mac.ts';
import type { FlowAction, FlowPattern, FlowRule, PortRange } from './rule.ts';

const PROTOCOLS: Record<string, number> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 };
const QUEUES_MAX = 128;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Reads a rule. Throws StackError EINVAL that names the word which is wrong. */
export function parseRule(text: string): FlowRule {
  const [before, after, ...more] = text.split('=>');
  if (after === undefined || more.length > 0) {
    throw new StackError('EINVAL', `not a flow rule, 'PATTERN => ACTION': '${text}'`);
  }
  const rule = { pattern: parsePattern(words(before!)), action: parseAction(words(after)) };
  checkRule(rule);
  return rule;
}

/** Throws StackError EINVAL for a rule that contradicts itself. */
export function checkRule({ pattern, action }: FlowRule): void {
  const version = pattern.version ?? pattern.src?.address.version;
  for (const prefix of [pattern.src, pattern.dst]) {
    if (prefix !== undefined && version !== undefined && prefix.address.version !== version) {
      throw new StackError('EINVAL', `${prefix} is no IPv${version} address`);
    }
  }
  const hasPorts = pattern.protocol === PROTOCOLS['tcp'] || pattern.protocol === PROTOCOLS['udp'];
  if ((pattern.srcPorts ?? pattern.dstPorts) !== undefined && !hasPorts) {
    throw new StackError('EINVAL', 'only tcp and udp have ports');
  }
  const { queues } = action;
  if (action.drop === true && (queues !== undefined || action.mark !== undefined)) {
    throw new StackError('EINVAL', 'what is dropped has no queue and no mark');
  }
  if (queues !== undefined && (queues.length === 0 || !queues.every(isQueue))) {
    throw new StackError('EINVAL', `no queues: '${queues.join()}'`);
  }
}

/** The rule as parseRule() reads it. */
export function formatRule({ pattern, action }: FlowRule): string {
  const parts: string[] = [];
  if ((pattern.srcMac ?? pattern.dstMac ?? pattern.etherType) !== undefined) parts.push('eth');
  if (pattern.srcMac !== undefined) parts.push('src', macText(pattern.srcMac));
  if (pattern.dstMac !== undefined) parts.push('dst', macText(pattern.dstMac));
  if (pattern.etherType !== undefined) parts.push('type', `0x${pattern.etherType.toString(16)}`);
  if (pattern.vlan !== undefined) parts.push('vlan', `${pattern.vlan}`);
  const version = pattern.version ?? pattern.src?.address.version ?? pattern.dst?.address.version;
  if (version !== undefined) parts.push(`ipv${version}`);
  if (pattern.src !== undefined) parts.push('src', `${pattern.src}`);
  if (pattern.dst !== undefined) parts.push('dst', `${pattern.dst}`);
  if (pattern.protocol !== undefined) parts.push(protocolText(pattern.protocol));
  if (pattern.srcPorts !== undefined) parts.push('src', rangeText(pattern.srcPorts));
  if (pattern.dstPorts !== undefined) parts.push('dst', rangeText(pattern.dstPorts));
  parts.push('=>', ...actionWords(action));
  return parts.join(' ');
}

function actionWords({ drop, mark, queues }: FlowAction): string[] {
  const parts: string[] = [];
  if (drop === true) parts.push('drop');
  if (mark !== undefined) parts.push('mark', `${mark}`);
  if (queues !== undefined) parts.push(queues.length === 1 ? 'queue' : 'rss', queues.join());
  return parts.length > 0 ? parts : ['count'];
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function parsePattern(list: string[]): FlowPattern {
  const pattern: Mutable<FlowPattern> = {};
  /** What `src` and `dst` belong to. */
  let layer: 'eth' | 'ip' | 'port' | null = null;
  for (let i = 0; i < list.length; i++) {
    const word = list[i]!;
    if (word === 'eth') layer = 'eth';
    else if (word === 'ipv4' || word === 'ipv6') {
      layer = 'ip';
      pattern.version = word === 'ipv4' ? 4 : 6;
    } else if (word in PROTOCOLS) {
      layer = 'port';
      pattern.protocol = PROTOCOLS[word]!;
    } else if (word === 'vlan') pattern.vlan = wholeNumber(list[++i], 0, 4094);
    else if (word === 'type') pattern.etherType = wholeNumber(list[++i], 0, 0xffff);
    else if (word === 'protocol') {
      layer = 'port';
      pattern.protocol = wholeNumber(list[++i], 0, 255);
    } else if ((word === 'src' || word === 'dst') && layer !== null) {
      setEnd(pattern, layer, word, list[++i]);
    } else throw new StackError('EINVAL', `a flow rule has no '${word}' here`);
  }
  return pattern;
}

function setEnd(
  pattern: Mutable<FlowPattern>,
  layer: 'eth' | 'ip' | 'port',
  end: 'src' | 'dst',
  value: string | undefined,
): void {
  if (value === undefined) throw new StackError('EINVAL', `'${end}' is the last word`);
  if (layer === 'eth') pattern[end === 'src' ? 'srcMac' : 'dstMac'] = mac(value);
  else if (layer === 'ip') pattern[end] = Prefix.parse(value);
  else pattern[end === 'src' ? 'srcPorts' : 'dstPorts'] = portRange(value);
}

function parseAction(list: string[]): FlowAction {
  const action: Mutable<FlowAction> = {};
  if (list.length === 0) throw new StackError('EINVAL', "a flow rule without an action: 'count'?");
  for (let i = 0; i < list.length; i++) {
    const word = list[i]!;
    if (word === 'drop') action.drop = true;
    else if (word === 'mark') action.mark = wholeNumber(list[++i], 0, 0x7fffffff);
    else if (word === 'queue') action.queues = [wholeNumber(list[++i], 0, QUEUES_MAX - 1)];
    else if (word === 'rss') action.queues = queueList(list[++i]);
    else if (word !== 'count') throw new StackError('EINVAL', `a flow rule does no '${word}'`);
  }
  return action;
}

function wholeNumber(text: string | undefined, least: number, most: number): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text ?? '') ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new StackError('EINVAL', `'${text ?? ''}' is not a number from ${least} to ${most}`);
  }
  return value;
}

function queueList(text: string | undefined): number[] {
  return (text ?? '').split(',').map((queue) => wholeNumber(queue, 0, QUEUES_MAX - 1));
}

function portRange(text: string): PortRange {
  const [first, last, ...more] = text.split('-');
  const range = [wholeNumber(first, 0, 65_535), wholeNumber(last ?? first, 0, 65_535)] as const;
  if (more.length > 0 || range[0] > range[1]) {
    throw new StackError('EINVAL', `not a range of ports: '${text}'`);
  }
  return range;
}

function mac(text: string): Uint8Array {
  const bytes = Mac.parse(text);
  if (bytes === null) throw new StackError('EINVAL', `not a MAC address: '${text}'`);
  return bytes;
}

function macText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Mac.format(view.getUint16(0), view.getUint32(2));
}

function protocolText(protocol: number): string {
  const known = Object.keys(PROTOCOLS).find((name) => PROTOCOLS[name] === protocol);
  return known ?? `protocol ${protocol}`;
}

function rangeText([first, last]: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

function isQueue(queue: number): boolean {
  return Number.isInteger(queue) && queue >= 0 && queue < QUEUES_MAX;
}
