/**
 * TOML with positions: every key and every value knows its line and column.
 *
 * The parser (toml-eslint-parser) gives a syntax tree; this file turns it into plain values and
 * remembers where each one stood, by JSON pointer, so that a complaint about a value can name
 * its place long after parsing.
 * @module
 */
import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import { ConfigError } from './problems.ts';

/** Where something stood: the file (or the option) and 1-based line and column. */
export interface Place {
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

export type Table = { [key: string]: unknown };

/** A document: its values, and the places of keys and values by JSON pointer ('/tcp/nagle'). */
export interface Document {
  readonly root: Table;
  readonly keys: Map<string, Place>;
  readonly values: Map<string, Place>;
}

/** Parses `text`; `source` is what errors call it. Throws ConfigError for a syntax error. */
export function parseDocument(text: string, source: string): Document {
  const reader = new Reader(source);
  try {
    reader.read(parseTOML(text));
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const place = { source, line: error.lineNumber, column: error.column + 1 };
    throw new ConfigError([{ place, message: `not TOML: ${lowerFirst(error.message)}` }]);
  }
  return reader;
}

/** One step down a JSON pointer. */
export function below(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** A table that inherits nothing, so that a key called `__proto__` is only a key. */
export function newTable(): Table {
  return Object.create(null) as Table;
}

class Reader implements Document {
  readonly root: Table = newTable();
  readonly keys: Map<string, Place> = new Map();
  readonly values: Map<string, Place> = new Map();
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  read(program: AST.TOMLProgram): void {
    for (const node of program.body[0].body) {
      if (node.type === 'TOMLKeyValue') this.#keyValue(node, this.root, '');
      else this.#table(node);
    }
  }

  #table(node: AST.TOMLTable): void {
    let table = this.root;
    let pointer = '';
    for (const [index, key] of node.resolvedKey.entries()) {
      const next = below(pointer, key);
      if (!this.keys.has(next)) this.#note(this.keys, next, node);
      table = this.#child(table, key, typeof node.resolvedKey[index + 1] === 'number');
      pointer = next;
    }
    for (const entry of node.body) this.#keyValue(entry, table, pointer);
  }

  /** What lies under `key` of a table or of an array of tables; made when it is new. */
  #child(parent: Table, key: string | number, isArray: boolean): Table {
    const holder = parent as Record<string | number, unknown>;
    if (holder[key] === undefined) holder[key] = isArray ? [] : newTable();
    return holder[key] as Table;
  }

  #keyValue(node: AST.TOMLKeyValue, parent: Table, parentPointer: string): void {
    let table = parent;
    let pointer = parentPointer;
    const names = node.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value));
    for (const [index, name] of names.entries()) {
      pointer = below(pointer, name);
      if (!this.keys.has(pointer)) this.#note(this.keys, pointer, node.key.keys[index]!);
      if (index < names.length - 1) table = this.#child(table, name, false);
    }
    table[names.at(-1)!] = this.#value(node.value, pointer);
  }

  #value(node: AST.TOMLContentNode, pointer: string): unknown {
    this.#note(this.values, pointer, node);
    if (node.type === 'TOMLValue') return node.kind === 'integer' ? Number(node.value) : node.value;
    if (node.type === 'TOMLArray') {
      return node.elements.map((element, index) => this.#value(element, below(pointer, index)));
    }
    const table = newTable();
    for (const entry of node.body) this.#keyValue(entry, table, pointer);
    return table;
  }

  #note(places: Map<string, Place>, pointer: string, node: AST.TOMLNode): void {
    const { line, column } = node.loc.start;
    places.set(pointer, { source: this.#source, line, column: column + 1 });
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
