/**
 * Every value of a configuration with where it comes from: what `dpdk-net config print` shows.
 * @module
 */
import { schema } from './schema.ts';
import type { Schema } from './schema-parts.ts';
import { below, type Document, type Table } from './toml.ts';

export interface ExplainedValue {
  readonly key: string;
  /** As it was written; undefined: left out, and without a default. */
  readonly value: unknown;
  /** 'default', 'dpdk-net.toml:7', '--set network.mtu=9000', 'environment DPDK_NET_...'. */
  readonly from: string;
}

export interface ExplainedTable {
  /** '[network]' or '[[listeners]]'. */
  readonly title: string;
  readonly values: readonly ExplainedValue[];
}

/** All tables of a checked document in the order of the schema; lists of tables row by row. */
export function explain(document: Document): ExplainedTable[] {
  const tables: ExplainedTable[] = [];
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    const given = document.root[name];
    if (part.items === undefined) {
      tables.push(
        explainTable(`[${name}]`, part, (given as Table) ?? {}, below('', name), document),
      );
      continue;
    }
    for (const [index, row] of ((given as Table[] | undefined) ?? []).entries()) {
      const pointer = below(below('', name), index);
      tables.push(explainTable(`[[${name}]]`, part.items, row, pointer, document));
    }
  }
  return tables;
}

function explainTable(
  title: string,
  part: Schema,
  given: Table,
  pointer: string,
  { values: places }: Document,
): ExplainedTable {
  const values = Object.entries(part.properties ?? {}).map(([key, { default: standard }]) => {
    const place = places.get(below(pointer, key));
    if (given[key] === undefined || place === undefined) {
      return { key, value: standard, from: 'default' };
    }
    const from = place.line === 0 ? place.source : `${place.source}:${place.line}`;
    return { key, value: given[key], from };
  });
  return { title, values };
}

/** As TOML again, each value with where it comes from. */
export function explainedText(tables: readonly ExplainedTable[]): string {
  return tables.map(({ title, values }) => `${title}\n${values.map(line).join('')}`).join('\n');
}

function line({ key, value, from }: ExplainedValue): string {
  if (value === undefined) return `# ${key} is left out\n`;
  return `${`${key} = ${JSON.stringify(value)}`.padEnd(40)}  # ${from}\n`;
}
