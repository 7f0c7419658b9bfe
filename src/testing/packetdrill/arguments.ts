/**
 * What the arguments of a script's calls mean: addresses, vectors, fields of records.
 * @module
 */
import { Address } from '../../base/address.ts';
import type { Bound } from './files.ts';
import { numberOf } from './socket-options.ts';
import type { Field, Value } from './syntax.ts';

/** `...` in a script. */
export const ANY: Value = { kind: 'any' };

/** `[1]` and `[{...}]` stand for their one item. */
export function first(value: Value | undefined): Value {
  if (value === undefined) return ANY;
  return value.kind === 'list' ? (value.items[0] ?? ANY) : value;
}

export function fieldOf(value: Value | undefined, name: string): Value | undefined {
  if (value?.kind !== 'record') return undefined;
  return value.fields.find((field: Field) => field.name === name)?.value;
}

/** Bytes of `[{..., 1000}, {..., 500}]`. */
export function vectorBytes(value: Value | undefined): number {
  const items = value?.kind === 'list' ? value.items : [];
  return items.reduce((sum, item) => {
    const size = item.kind === 'record' ? item.fields[1]?.value : undefined;
    return sum + numberOf(size);
  }, 0);
}

/** A sockaddr, or the default for `...`. */
export function addressOf(value: Value | undefined, address: string, port: number): Bound {
  if (value?.kind !== 'record') return { address: Address.parse(address), port };
  const text = fieldOf(value, 'sin_addr') ?? fieldOf(value, 'sin6_addr');
  const portField = fieldOf(value, 'sin_port') ?? fieldOf(value, 'sin6_port');
  const any = address.includes(':') ? Address.ANY_V6 : Address.ANY_V4;
  return {
    address: text?.kind === 'text' ? Address.parse(text.text) : any,
    port: portField === undefined ? port : numberOf(portField),
  };
}
