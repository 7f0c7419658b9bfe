/**
 * JSON with positions: the same document as toml.ts makes, out of the other language.
 *
 * Two forms: plain (the tables of the TOML file as objects), and SPDK's `subsystems`:
 *
 *     { "subsystems": [ { "subsystem": "dpdk_net", "config": { "network": { ... } } },
 *                       { "subsystem": "tcp", "config": [ { "method": "set", "params": { ... } } ] } ] }
 *
 * where a subsystem is the whole configuration or one of its tables, and `config` is its content
 * or a list of calls: `set` for keys, `add` for one more entry of a list of tables.
 * @module
 */
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { ConfigError } from './problems.ts';
import { below, type Document, newTable, type Place, type Table } from './toml.ts';

/** The subsystem that stands for the whole configuration. */
const WHOLE = 'dpdk_net';

/** Parses `text`; `source` is what errors call it. Throws ConfigError for a syntax error. */
export function parseJsonDocument(text: string, source: string): Document {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true });
  const reader: Reader = new Reader(text, source);
  const first = errors[0];
  if (first !== undefined) {
    reader.fail(first.offset, `not JSON: ${spaced(printParseErrorCode(first.error))}`);
  }
  if (tree === undefined || tree.type !== 'object') {
    reader.fail(tree?.offset ?? 0, 'not a configuration: it has to be one JSON object, { ... }');
  }
  const members = membersOf(tree);
  const subsystems = members.find(({ name }) => name === 'subsystems');
  if (subsystems === undefined) {
    reader.table(tree, reader.root, '');
  } else {
    const other = members.find(({ name }) => name !== 'subsystems');
    if (other !== undefined) {
      reader.fail(
        other.key.offset,
        `'${other.name}' beside 'subsystems': put it into the "config" of a subsystem "${WHOLE}"`,
      );
    }
    reader.subsystems(subsystems.value);
  }
  return reader;
}

interface Member {
  readonly name: string;
  readonly key: Node;
  readonly value: Node;
}

/** None where there is no object. */
function membersOf({ type, children = [] }: Node): Member[] {
  if (type !== 'object') return [];
  return children.map(({ children }) => {
    const [key, value] = children as [Node, Node];
    return { name: key.value as string, key, value };
  });
}

class Reader implements Document {
  readonly root: Table = newTable();
  readonly keys: Map<string, Place> = new Map();
  readonly values: Map<string, Place> = new Map();
  readonly #text: string;
  readonly #source: string;

  constructor(text: string, source: string) {
    this.#text = text;
    this.#source = source;
  }

  fail(offset: number, message: string): never {
    throw new ConfigError([{ place: this.#placeAt(offset), message }]);
  }

  /** Adds the members of an object to `table`, which is at `pointer`; what is there is replaced. */
  table(node: Node, table: Table, pointer: string): void {
    const seen = new Set<string>();
    for (const { name, key, value } of membersOf(node)) {
      if (seen.has(name)) this.fail(key.offset, `not JSON: the key '${name}' is there twice`);
      seen.add(name);
      const at = below(pointer, name);
      this.keys.set(at, this.#placeAt(key.offset));
      table[name] = this.#value(value, at);
    }
  }

  /** SPDK's form. */
  subsystems(node: Node): void {
    if (node.type !== 'array') this.fail(node.offset, `'subsystems' has to be a list: [ ... ]`);
    for (const entry of node.children ?? []) {
      const members = new Map(membersOf(entry).map((member) => [member.name, member]));
      const subsystem = members.get('subsystem');
      const config = members.get('config')?.value;
      if (typeof subsystem?.value.value !== 'string' || config === undefined) {
        this.fail(
          entry.offset,
          `a subsystem is { "subsystem": "${WHOLE}" or a table such as "tcp", "config": { ... } }`,
        );
      }
      this.#subsystem(subsystem.value, config);
    }
  }

  #subsystem(nameNode: Node, config: Node): void {
    if (config.type === 'null') return;
    const name = nameNode.value as string;
    if (config.type === 'object') {
      if (name === WHOLE) this.table(config, this.root, '');
      else this.table(config, this.#open(name, nameNode.offset), below('', name));
      return;
    }
    for (const call of config.children ?? []) this.#call(name, call);
  }

  /** { "method": "set" or "add", "params": { ... } } */
  #call(name: string, call: Node): void {
    const members = new Map(membersOf(call).map((member) => [member.name, member.value]));
    const method = members.get('method')?.value as unknown;
    const params = members.get('params');
    if (params?.type !== 'object' || (method !== 'set' && method !== 'add')) {
      this.fail(call.offset, `a call is { "method": "set" or "add", "params": { ... } }`);
    }
    if (method === 'set') {
      if (name === WHOLE) this.table(params, this.root, '');
      else this.table(params, this.#open(name, call.offset), below('', name));
      return;
    }
    const list = this.root[name] ?? [];
    if (name === WHOLE || !Array.isArray(list)) {
      this.fail(call.offset, `'${name}' is no list of tables: nothing can be added to it`);
    }
    this.root[name] = list;
    const pointer = below('', name);
    if (!this.keys.has(pointer)) this.keys.set(pointer, this.#placeAt(call.offset));
    const at = below(pointer, list.length);
    this.keys.set(at, this.#placeAt(call.offset));
    list.push(this.#value(params, at));
  }

  #open(name: string, offset: number): Table {
    const pointer = below('', name);
    if (!this.keys.has(pointer)) this.keys.set(pointer, this.#placeAt(offset));
    if (typeof this.root[name] !== 'object' || this.root[name] === null) {
      this.root[name] = newTable();
    }
    return this.root[name] as Table;
  }

  #value(node: Node, pointer: string): unknown {
    this.values.set(pointer, this.#placeAt(node.offset));
    if (node.type === 'array') {
      return (node.children ?? []).map((child, index) => this.#value(child, below(pointer, index)));
    }
    if (node.type !== 'object') return node.value as unknown;
    const table = newTable();
    this.table(node, table, pointer);
    return table;
  }

  #placeAt(offset: number): Place {
    const before = this.#text.slice(0, offset);
    const lineStart = before.lastIndexOf('\n') + 1;
    const line = before.split('\n').length;
    return { source: this.#source, line, column: offset - lineStart + 1 };
  }
}

/** 'CommaExpected' -> 'comma expected'. */
function spaced(code: string): string {
  return code.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}
