/**
 * A flow rule as the addon compares it with a frame's key: values, masks, ranges of ports and an
 * action in RULE_WORDS int32 words (native/src/layout.h).
 * @module
 */
import type { Address, Prefix } from '../base/address.ts';
import * as L from '../link/layout.gen.ts';
import type { FlowRule, PortRange } from './rule.ts';

const ANY_PORT: PortRange = [-1, 65_535];
const ALL = -1;

/** The words of a rule that text.ts or checkRule() found good. */
export function ruleWords({ pattern, action }: FlowRule): Int32Array {
  const words = new Int32Array(L.RULE_WORDS);
  const compare = (word: number, value: number, mask: number): void => {
    words[L.RULE_VALUE + word] = value & mask;
    words[L.RULE_MASK + word] = mask;
  };
  compareMac(L.KEY_SRC_MAC, pattern.srcMac, compare);
  compareMac(L.KEY_DST_MAC, pattern.dstMac, compare);
  if (pattern.etherType !== undefined) compare(L.KEY_TYPE, pattern.etherType, ALL);
  if (pattern.vlan !== undefined) compare(L.KEY_VLAN, pattern.vlan, ALL);
  const version = pattern.version ?? pattern.src?.address.version ?? pattern.dst?.address.version;
  if (version !== undefined) compare(L.KEY_VERSION, version, ALL);
  if (pattern.protocol !== undefined) compare(L.KEY_PROTOCOL, pattern.protocol, ALL);
  comparePrefix(L.KEY_SRC, pattern.src, compare);
  comparePrefix(L.KEY_DST, pattern.dst, compare);
  words.set([...(pattern.srcPorts ?? ANY_PORT), ...(pattern.dstPorts ?? ANY_PORT)], L.RULE_PORTS);
  words[L.RULE_FATE] = action.drop === true ? L.FATE_DROP : L.FATE_PASS;
  words[L.RULE_MARK] = action.mark ?? L.NO_MARK;
  for (const queue of action.queues ?? []) {
    words[L.RULE_QUEUES + (queue >> 5)]! |= 1 << (queue & 31);
  }
  return words;
}

type Compare = (word: number, value: number, mask: number) => void;

function compareMac(word: number, mac: Uint8Array | undefined, compare: Compare): void {
  if (mac === undefined) return;
  const [a, b, c, d, e, f] = mac as Uint8Array & [number, number, number, number, number, number];
  compare(word, (a << 8) | b, ALL);
  compare(word + 1, (c << 24) | (d << 16) | (e << 8) | f, ALL);
}

/** An IPv4 prefix is one of ::ffff:0:0/96. */
function comparePrefix(word: number, prefix: Prefix | undefined, compare: Compare): void {
  if (prefix === undefined) return;
  const bits = prefix.address.version === 4 ? prefix.length + 96 : prefix.length;
  for (const [index, value] of wordsOf(prefix.address).entries()) {
    compare(word + index, value, maskOf(bits - 32 * index));
  }
}

function wordsOf({ w0, w1, w2, w3 }: Address): number[] {
  return [w0, w1, w2, w3];
}

/** A word with its first `bits` bits set. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? ALL : ALL << (32 - bits);
}
