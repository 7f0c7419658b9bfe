/**
 * packetdrill's text as tokens, and a cursor over them.
 * @module
 */
import { ScriptError } from './syntax.ts';

export interface Token {
  /** 'command' stood in backticks, 'code' in %{ }%, 'flag' is a line that begins with `--`. */
  readonly kind: 'number' | 'word' | 'string' | 'command' | 'code' | 'flag' | 'sign' | 'end';
  readonly text: string;
  readonly line: number;
  /** Where it begins and ends in the source. */
  readonly at: number;
  readonly end: number;
}

const BLANK = /(?:\s|\/\/.*|\/\*[\s\S]*?\*\/|#.*)+/y;
const FORMS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['flag', /--(\S+=(?:"[^"]*"|\S*)|\S+)/y],
  ['code', /%\{([\s\S]*?)\}%/y],
  ['command', /`([^`]*)`/y],
  ['string', /"([^"\n]*)"/y],
  ['number', /(0x[0-9a-fA-F]+|\d+(?:\.(?!\.)\d*)?|\.\d+)/y],
  ['word', /([A-Za-z_]\w*)/y],
  ['sign', /(\.\.\.|[<>()[\]{},:=|+\-*~.])/y],
];

/** Throws ScriptError at the first character that begins no token. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  const skip = (to: number): void => {
    for (; at < to; at++) if (source[at] === '\n') line++;
  };
  for (;;) {
    BLANK.lastIndex = at;
    if (BLANK.test(source)) skip(BLANK.lastIndex);
    if (at >= source.length) break;
    const token = tokenAt(source, at, line);
    tokens.push(token);
    skip(token.end);
  }
  tokens.push({ kind: 'end', text: '', line, at, end: at });
  return tokens;
}

function tokenAt(source: string, at: number, line: number): Token {
  for (const [kind, form] of FORMS) {
    form.lastIndex = at;
    const match = form.exec(source);
    if (match !== null) return { kind, text: match[1]!, line, at, end: form.lastIndex };
  }
  throw new ScriptError(line, `'${source.slice(at).split('\n')[0]}' is not packetdrill's language`);
}

/** Reads tokens one after another. */
export class Cursor {
  readonly source: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(source: string) {
    this.source = source;
    this.#tokens = tokenize(source);
  }

  /** The token that is `ahead` of the next one. */
  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)]!;
  }

  take(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  /** Is the next token this sign or word? */
  at(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return (token.kind === 'sign' || token.kind === 'word') && token.text === text;
  }

  /** Takes the sign or word if it is there. */
  skip(text: string): boolean {
    if (!this.at(text)) return false;
    this.take();
    return true;
  }

  expect(text: string): void {
    if (!this.skip(text)) this.fail(`'${text}'`);
  }

  /** A number; fractions only where `fraction` says so. */
  number(what: string): number {
    const token = this.peek();
    if (token.kind !== 'number') this.fail(what);
    this.take();
    return Number(token.text);
  }

  word(what: string): string {
    const token = this.peek();
    if (token.kind !== 'word') this.fail(what);
    this.take();
    return token.text;
  }

  get line(): number {
    return this.peek().line;
  }

  fail(expected: string): never {
    const { kind, text, line } = this.peek();
    const found = kind === 'end' ? 'the end' : `'${text}'`;
    throw new ScriptError(line, `expected ${expected}, found ${found}`);
  }
}
