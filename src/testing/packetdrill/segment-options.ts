/**
 * TCP options in three forms: packetdrill's notation, data, and the bytes in a header.
 *
 * Options that came are compared as a set: where the padding lies and which comes first is a
 * stack's own business, and scripts for Linux write down Linux's order.
 * @module
 */
import { bigEndian, concat } from '../bytes.ts';
import type { Cursor } from './lexer.ts';
import { type OptionSpec, Unsupported } from './syntax.ts';

const KIND = { eol: 0, nop: 1, mss: 2, wscale: 3, sackOK: 4, sack: 5, TS: 8, FO: 34 };
const PLAIN: Readonly<Record<number, string>> = { 0: 'eol', 1: 'nop', 4: 'sackOK' };
/** AccECN (RFC 9768): the order of the counters is in the kind. */
const ACCECN: Readonly<Record<string, number>> = { ECN0: 172, ECN1: 174 };
const EXPERIMENT = 254;
const FAST_OPEN_MAGIC = 'f989';

const option = (name: string, numbers: readonly number[] = [], text = ''): OptionSpec => ({
  name,
  numbers,
  text,
});

/** `<mss 1000,sackOK,...>`; null for `<...>`; an empty list when there is none. */
export function parseOptions(cursor: Cursor): OptionSpec[] | null {
  if (!cursor.at('<')) return [];
  // The next event may begin with a time and then `<`, never with `<` itself.
  cursor.take();
  if (cursor.skip('...')) {
    cursor.expect('>');
    return null;
  }
  const options: OptionSpec[] = [];
  while (!cursor.skip('>')) {
    options.push(parseOption(cursor));
    if (!cursor.at('>')) cursor.expect(',');
  }
  return options;
}

function parseOption(cursor: Cursor): OptionSpec {
  const line = cursor.line;
  const name = cursor.word('an option such as mss, sackOK, nop');
  if (name in PLAIN || name === 'sackOK' || name === 'nop' || name === 'eol') return option(name);
  if (name === 'mss' || name === 'wscale') return option(name, [cursor.number('a number')]);
  if (name === 'TS') {
    cursor.expect('val');
    const value = cursor.number('a timestamp');
    cursor.expect('ecr');
    return option(name, [value, cursor.number('a timestamp')]);
  }
  if (name === 'sack') {
    const edges: number[] = [];
    while (cursor.peek().kind === 'number') {
      edges.push(cursor.number('an edge'));
      cursor.expect(':');
      edges.push(cursor.number('an edge'));
    }
    return option(name, edges);
  }
  if (name === 'FO' || name === 'FOEXP' || name in ACCECN) return option(name, [], hexOf(cursor));
  throw new Unsupported(line, `TCP option '${name}'`);
}

/** The raw text up to the next comma or the end: a cookie may look like a number. */
function hexOf(cursor: Cursor): string {
  let text = '';
  while (!cursor.at(',') && !cursor.at('>') && cursor.peek().kind !== 'end') {
    const token = cursor.take();
    text += cursor.source.slice(token.at, token.end);
  }
  return text.toLowerCase();
}

/** As they go into a header, padded to a multiple of 4. */
export function optionBytes(options: readonly OptionSpec[]): Uint8Array {
  const bytes = concat(...options.map(encode));
  return concat(bytes, new Uint8Array(-bytes.length & 3));
}

function encode({ name, numbers, text }: OptionSpec): Uint8Array {
  const frame = (kind: number, ...body: Uint8Array[]): Uint8Array => {
    const value = concat(...body);
    return concat(Uint8Array.of(kind, value.length + 2), value);
  };
  const words = (size: number): Uint8Array[] => numbers.map((n) => bigEndian(n, size));
  if (name === 'eol' || name === 'nop') return Uint8Array.of(KIND[name]);
  if (name === 'sackOK') return frame(KIND.sackOK);
  if (name === 'mss') return frame(KIND.mss, ...words(2));
  if (name === 'wscale') return frame(KIND.wscale, ...words(1));
  if (name === 'TS') return frame(KIND.TS, ...words(4));
  if (name === 'sack') return frame(KIND.sack, ...words(4));
  if (name === 'FO') return frame(KIND.FO, fromHex(text));
  if (name === 'FOEXP') return frame(EXPERIMENT, fromHex(FAST_OPEN_MAGIC + text));
  return frame(ACCECN[name]!, fromHex(text));
}

/** What stands in a header; an option that claims more than there is ends the list. */
export function decodeOptions(bytes: Uint8Array): OptionSpec[] {
  const options: OptionSpec[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at]!;
    const length = kind <= KIND.nop ? 1 : (bytes[at + 1] ?? 0);
    if (kind > KIND.nop && (length < 2 || at + length > bytes.length)) {
      options.push(option('malformed', [], toHex(bytes.subarray(at))));
      break;
    }
    if (kind === KIND.eol) break;
    options.push(decodeOne(kind, bytes.subarray(at + 2, at + length)));
    at += length;
  }
  return options;
}

function decodeOne(kind: number, value: Uint8Array): OptionSpec {
  const numbers = (size: number): number[] => {
    const found: number[] = [];
    for (let at = 0; at + size <= value.length; at += size) {
      found.push(value.subarray(at, at + size).reduce((sum, byte) => sum * 256 + byte, 0));
    }
    return found;
  };
  if (kind in PLAIN) return option(PLAIN[kind]!);
  if (kind === KIND.mss) return option('mss', numbers(2));
  if (kind === KIND.wscale) return option('wscale', numbers(1));
  if (kind === KIND.TS) return option('TS', numbers(4));
  if (kind === KIND.sack) return option('sack', numbers(4));
  const hex = toHex(value);
  if (kind === KIND.FO) return option('FO', [], hex);
  if (kind === EXPERIMENT && hex.startsWith(FAST_OPEN_MAGIC)) {
    return option('FOEXP', [], hex.slice(FAST_OPEN_MAGIC.length));
  }
  for (const [name, number] of Object.entries(ACCECN)) {
    if (number === kind) return option(name, [], hex);
  }
  return option(`kind${kind}`, [], hex);
}

export function optionText({ name, numbers, text }: OptionSpec): string {
  if (name === 'TS') return `TS val ${numbers[0]} ecr ${numbers[1]}`;
  if (name === 'sack') {
    const blocks: string[] = [];
    for (let i = 0; i < numbers.length; i += 2) blocks.push(`${numbers[i]}:${numbers[i + 1]}`);
    return `sack ${blocks.join(' ')}`;
  }
  return [name, ...numbers, ...(text === '' ? [] : [text])].join(' ');
}

/** Those that say something, in the order of their names. */
export function meaningful(options: readonly OptionSpec[]): OptionSpec[] {
  return options
    .filter(({ name }) => name !== 'nop' && name !== 'eol')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function fromHex(text: string): Uint8Array {
  const even = text.length % 2 === 0 ? text : `0${text}`;
  return Uint8Array.from({ length: even.length / 2 }, (_, i) =>
    Number.parseInt(even.slice(2 * i, 2 * i + 2), 16),
  );
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
