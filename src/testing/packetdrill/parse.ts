/**
 * From the text of a script to its events.
 * @module
 */
import { Cursor } from './lexer.ts';
import { parseCall } from './parse-call.ts';
import { parsePacket } from './parse-packet.ts';
import { type Action, type Script, ScriptError, type ScriptEvent, type When } from './syntax.ts';

/** Throws ScriptError with the line for what is not packetdrill's language. */
export function parse(source: string): Script {
  const cursor = new Cursor(source);
  const flags: { name: string; value: string; line: number }[] = [];
  const setup: { text: string; line: number }[] = [];
  while (cursor.peek().kind === 'flag' || cursor.peek().kind === 'command') {
    const { kind, text, line } = cursor.take();
    if (kind === 'command') {
      setup.push({ text, line });
      continue;
    }
    const [name = '', ...rest] = text.split('=');
    flags.push({ name, value: rest.join('=').replace(/^"|"$/g, ''), line });
  }
  const events: ScriptEvent[] = [];
  while (cursor.peek().kind !== 'end') {
    // A command without a time cleans up at the end: there is nothing to clean.
    if (events.length > 0 && cursor.peek().kind === 'command') cursor.take();
    else events.push(parseEvent(cursor));
  }
  if (events.length === 0) throw new ScriptError(cursor.line, 'a script without events');
  return { flags, setup, events };
}

function parseEvent(cursor: Cursor): ScriptEvent {
  const line = cursor.line;
  const when = parseWhen(cursor);
  const action = parseAction(cursor);
  if (when.until >= 0 && action.kind !== 'call') {
    throw new ScriptError(line, "only a call can block: '...' between times is for calls");
  }
  return { line, when, action };
}

function parseWhen(cursor: Cursor): When {
  if (cursor.skip('*')) return { base: 'any', from: 0, to: 0, until: -1 };
  const base = cursor.at('+') ? 'relative' : 'absolute';
  const from = parseTime(cursor);
  if (cursor.skip('...')) return { base, from, to: from, until: parseTime(cursor) };
  const to = cursor.skip('~') ? parseTime(cursor) : from;
  if (to < from) cursor.fail(`a range that ends after ${from / 1e6}`);
  return { base, from, to, until: -1 };
}

function parseTime(cursor: Cursor): number {
  cursor.skip('+');
  return Math.round(cursor.number('a time in seconds') * 1e6);
}

function parseAction(cursor: Cursor): Action {
  const { kind, text } = cursor.peek();
  if (kind === 'command' || kind === 'code') {
    cursor.take();
    return { kind, text };
  }
  if (cursor.skip('<')) return { kind: 'in', packet: parsePacket(cursor, true) };
  if (cursor.skip('>')) return { kind: 'out', packet: parsePacket(cursor, false) };
  if (kind === 'word') return { kind: 'call', call: parseCall(cursor) };
  return cursor.fail("a packet ('<', '>'), a call, a `command` or %{ code }%");
}
