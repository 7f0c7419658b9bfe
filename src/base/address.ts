/**
 * IP addresses as four int32 words, for both families at once.
 *
 * An IPv4 address a.b.c.d is ::ffff:a.b.c.d (RFC 4291 2.5.5.2), so tables, keys and comparisons
 * have one code path. On the packet path the words travel as numbers; `Address` is the immutable
 * object for configuration, sockets and text.
 * @module
 */
import { StackError } from './errors.ts';

/** Word 2 of every IPv4 address; words 0 and 1 are zero. */
export const V4_PREFIX = 0xffff;

/** True when the words are an IPv4 address. */
export function isV4(w0: number, w1: number, w2: number): boolean {
  return w2 === V4_PREFIX && w0 === 0 && w1 === 0;
}

export class Address {
  /** The address as int32 words, most significant first. */
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;

  constructor(w0: number, w1: number, w2: number, w3: number) {
    this.w0 = w0 | 0;
    this.w1 = w1 | 0;
    this.w2 = w2 | 0;
    this.w3 = w3 | 0;
  }

  /** 0.0.0.0, which also stands for "any IPv4". */
  static readonly ANY_V4: Address = new Address(0, 0, V4_PREFIX, 0);
  /** :: */
  static readonly ANY_V6: Address = new Address(0, 0, 0, 0);

  /** Parses '10.0.0.1' or 'fd00::1'. Throws StackError EINVAL. */
  static parse(text: string): Address {
    const address = text.includes(':') ? parseV6(text) : parseV4(text);
    if (address === null) throw new StackError('EINVAL', `not an IP address: '${text}'`);
    return address;
  }

  /** Like parse, null instead of an exception. */
  static tryParse(text: string): Address | null {
    return text.includes(':') ? parseV6(text) : parseV4(text);
  }

  static v4(a: number, b: number, c: number, d: number): Address {
    return new Address(0, 0, V4_PREFIX, (a << 24) | (b << 16) | (c << 8) | d);
  }

  get version(): 4 | 6 {
    return isV4(this.w0, this.w1, this.w2) ? 4 : 6;
  }

  get isAny(): boolean {
    return (
      this.w3 === 0 && this.w0 === 0 && this.w1 === 0 && (this.w2 === 0 || this.w2 === V4_PREFIX)
    );
  }

  get isLoopback(): boolean {
    if (this.version === 4) return this.w3 >>> 24 === 127;
    return this.w0 === 0 && this.w1 === 0 && this.w2 === 0 && this.w3 === 1;
  }

  get isMulticast(): boolean {
    return this.version === 4 ? this.w3 >>> 28 === 14 : this.w0 >>> 24 === 0xff;
  }

  get isLinkLocal(): boolean {
    return this.version === 4 ? this.w3 >>> 16 === 0xa9fe : this.w0 >>> 22 === 0x3fa;
  }

  equals(other: Address): boolean {
    return (
      this.w0 === other.w0 && this.w1 === other.w1 && this.w2 === other.w2 && this.w3 === other.w3
    );
  }

  toString(): string {
    return format(this.w0, this.w1, this.w2, this.w3);
  }
}

/** A prefix such as 10.0.0.0/24; `length` counts the bits of its own family. */
export class Prefix {
  readonly address: Address;
  readonly length: number;

  constructor(address: Address, length: number) {
    const bits = address.version === 4 ? 32 : 128;
    if (!Number.isInteger(length) || length < 0 || length > bits) {
      throw new StackError('EINVAL', `prefix length ${length} is not in 0-${bits}`);
    }
    this.address = address;
    this.length = length;
  }

  /** Parses '10.0.0.2/24'; without '/n' the prefix is the one address. Throws StackError EINVAL. */
  static parse(text: string): Prefix {
    const slash = text.indexOf('/');
    const address = Address.parse(slash < 0 ? text : text.slice(0, slash));
    const bits = address.version === 4 ? 32 : 128;
    if (slash < 0) return new Prefix(address, bits);
    const digits = text.slice(slash + 1);
    if (!/^\d{1,3}$/.test(digits)) throw new StackError('EINVAL', `not a prefix: '${text}'`);
    return new Prefix(address, Number(digits));
  }

  /** True when the words lie in the prefix; never across families. */
  contains(w0: number, w1: number, w2: number, w3: number): boolean {
    const a = this.address;
    if (a.version === 4) return isV4(w0, w1, w2) && same(a.w3, w3, this.length);
    if (isV4(w0, w1, w2)) return false;
    return (
      same(a.w0, w0, this.length) &&
      same(a.w1, w1, this.length - 32) &&
      same(a.w2, w2, this.length - 64) &&
      same(a.w3, w3, this.length - 96)
    );
  }

  toString(): string {
    return `${this.address}/${this.length}`;
  }
}

/** The first `bits` bits of two words agree (none when bits <= 0, all when >= 32). */
function same(a: number, b: number, bits: number): boolean {
  if (bits <= 0) return true;
  if (bits >= 32) return a === b;
  return (a ^ b) >>> (32 - bits) === 0;
}

function parseV4(text: string): Address | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let word = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    word = (word << 8) | Number(part);
  }
  return new Address(0, 0, V4_PREFIX, word);
}

function parseV6(text: string): Address | null {
  let source = text;
  const lastColon = source.lastIndexOf(':');
  if (source.includes('.')) {
    const v4 = parseV4(source.slice(lastColon + 1));
    if (v4 === null) return null;
    const hex = `${(v4.w3 >>> 16).toString(16)}:${(v4.w3 & 0xffff).toString(16)}`;
    source = source.slice(0, lastColon + 1) + hex;
  }
  const halves = source.split('::');
  if (halves.length > 2) return null;
  const head = halves[0] === '' ? [] : halves[0]!.split(':');
  const tail = halves.length === 1 || halves[1] === '' ? [] : halves[1]!.split(':');
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...new Array<string>(missing).fill('0'), ...tail];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  const n = groups.map((group) => Number.parseInt(group, 16));
  const word = (i: number): number => (n[i]! << 16) | n[i + 1]!;
  return new Address(word(0), word(2), word(4), word(6));
}

/** Dotted quad, or the canonical IPv6 text of RFC 5952. */
export function format(w0: number, w1: number, w2: number, w3: number): string {
  if (isV4(w0, w1, w2)) {
    return `${w3 >>> 24}.${(w3 >>> 16) & 255}.${(w3 >>> 8) & 255}.${w3 & 255}`;
  }
  const groups = [w0, w1, w2, w3].flatMap((word) => [word >>> 16, word & 0xffff]);
  let best = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > bestLength) {
      best = start;
      bestLength = end - start;
    }
  }
  const text = (list: number[]): string => list.map((group) => group.toString(16)).join(':');
  if (best < 0) return text(groups);
  return `${text(groups.slice(0, best))}::${text(groups.slice(best + bestLength))}`;
}
