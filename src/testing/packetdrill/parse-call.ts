/**
 * Calls: `write(4, ..., 1000) = -1 EPIPE (Broken pipe)`.
 * @module
 */
import type { Cursor } from './lexer.ts';
import { type CallSpec, type Field, Unsupported, type Value } from './syntax.ts';
import { CONSTANTS } from './values.ts';

export function parseCall(cursor: Cursor): CallSpec {
  const name = cursor.word('the name of a call');
  cursor.expect('(');
  const args = parseList(cursor, ')');
  cursor.expect('=');
  const result = cursor.skip('...') ? null : parseNumber(cursor);
  // An errno stands in capitals; the next event begins with a number, '+' or '*'.
  let errno = '';
  if (cursor.peek().kind === 'word') errno = cursor.word('an errno');
  if (cursor.at('(')) skipComment(cursor);
  return { name, args, result, errno };
}

/** `(Operation now in progress)`: said by packetdrill's authors for people. */
function skipComment(cursor: Cursor): void {
  cursor.expect('(');
  for (let depth = 1; depth > 0; ) {
    if (cursor.peek().kind === 'end') cursor.fail("')'");
    const { text, kind } = cursor.take();
    if (kind === 'sign' && text === '(') depth++;
    if (kind === 'sign' && text === ')') depth--;
  }
}

function parseNumber(cursor: Cursor): number {
  const sign = cursor.skip('-') ? -1 : 1;
  if (cursor.peek().kind === 'word') return sign * constant(cursor);
  return sign * cursor.number('a number');
}

function parseList(cursor: Cursor, close: string): Value[] {
  const items: Value[] = [];
  while (!cursor.skip(close)) {
    items.push(parseValue(cursor));
    if (!cursor.at(close)) cursor.expect(',');
  }
  return items;
}

function parseValue(cursor: Cursor): Value {
  if (cursor.skip('...')) return { kind: 'any' };
  if (cursor.skip('[')) return { kind: 'list', items: parseList(cursor, ']') };
  if (cursor.skip('{')) return { kind: 'record', fields: parseFields(cursor) };
  if (cursor.peek().kind === 'string') return { kind: 'text', text: cursor.take().text };
  if (isNamed(cursor)) return { kind: 'record', fields: [parseField(cursor)] };
  let number = parseTerm(cursor);
  if (typeof number === 'object') return number;
  while (cursor.skip('|')) number |= parseNumber(cursor);
  return { kind: 'number', number };
}

/** A number, a constant, htons(8080); inet_addr("192.0.2.1") is its text. */
function parseTerm(cursor: Cursor): number | Value {
  const isCall = cursor.peek().kind === 'word' && cursor.at('(', 1);
  if (!isCall) return parseNumber(cursor);
  const name = cursor.word('a function');
  cursor.expect('(');
  const inner = parseList(cursor, ')');
  const first = inner[inner.length - 1];
  if (first === undefined) cursor.fail(`something in ${name}()`);
  return first;
}

/** `sin_port = ...`, `msg_iov(1)=[...]`: does a name with '=' come next? */
function isNamed(cursor: Cursor): boolean {
  if (cursor.peek().kind !== 'word') return false;
  if (cursor.at('=', 1)) return true;
  return cursor.at('(', 1) && (cursor.at(')', 3) || cursor.at('...', 2)) && cursor.at('=', 4);
}

function parseFields(cursor: Cursor): Field[] {
  const fields: Field[] = [];
  while (!cursor.skip('}')) {
    fields.push(isNamed(cursor) ? parseField(cursor) : { name: '', value: parseValue(cursor) });
    if (!cursor.at('}')) cursor.expect(',');
  }
  return fields;
}

function parseField(cursor: Cursor): Field {
  const name = cursor.word('a name');
  if (cursor.skip('(')) parseList(cursor, ')');
  cursor.expect('=');
  return { name, value: parseValue(cursor) };
}

function constant(cursor: Cursor): number {
  const line = cursor.line;
  const name = cursor.word('a constant');
  const value = CONSTANTS[name];
  if (value === undefined) throw new Unsupported(line, `the constant ${name}`);
  return value;
}
