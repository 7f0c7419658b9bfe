/**
 * The words in which the schema is written: JSON Schema (draft 7) with five keywords of our own.
 *
 * - `kind` names a textual form with a checker: 'address', 'prefix', 'mac', 'size', 'duration',
 *   'flow';
 * - `least` and `most` bound a size (bytes) or a duration (milliseconds);
 * - `expects` says in words what is allowed; errors and the documentation quote it.
 * @module
 */
import { formatDuration, formatSize } from './units.ts';

export type Kind = 'address' | 'prefix' | 'mac' | 'size' | 'duration' | 'flow';

/** The parts of JSON Schema that this schema uses. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: false;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly kind?: Kind;
  readonly least?: number;
  readonly most?: number;
  readonly expects?: string;
}

export function table(description: string, properties: Record<string, Schema>): Schema {
  return { type: 'object', description, additionalProperties: false, properties };
}

/** A list of tables: [[name]] in TOML. */
export function tables(
  description: string,
  properties: Record<string, Schema>,
  required: readonly string[],
): Schema {
  const items: Schema = { type: 'object', additionalProperties: false, properties, required };
  return { type: 'array', description, items };
}

export function text(description: string, expects: string, standard?: string): Schema {
  const schema = { type: 'string', description, minLength: 1, expects };
  return standard === undefined ? schema : { ...schema, default: standard };
}

export function integer(
  description: string,
  minimum: number,
  maximum: number,
  standard?: number,
): Schema {
  const expects = `a whole number from ${minimum} to ${maximum}`;
  const schema = { type: 'integer', description, minimum, maximum, expects };
  return standard === undefined ? schema : { ...schema, default: standard };
}

export function flag(description: string, standard: boolean): Schema {
  return { type: 'boolean', description, default: standard, expects: 'true or false' };
}

export function choice(description: string, values: readonly string[], standard: string): Schema {
  const expects = values.map((value) => `"${value}"`).join(' or ');
  return { type: 'string', description, enum: values, default: standard, expects };
}

export function size(description: string, least: number, most: number, standard: number): Schema {
  const range = `from ${formatSize(least)} to ${formatSize(most)}`;
  return {
    type: ['integer', 'string'],
    kind: 'size',
    description,
    least,
    most,
    default: formatSize(standard),
    expects: `a size ${range}, such as 65536 or "64KiB"`,
  };
}

export function duration(
  description: string,
  least: number,
  most: number,
  standard: number,
): Schema {
  const range = `from ${formatDuration(least)} to ${formatDuration(most)}`;
  return {
    type: 'string',
    kind: 'duration',
    description,
    least,
    most,
    default: formatDuration(standard),
    expects: `a duration ${range}, such as "200ms" or "30s"`,
  };
}

/** One text of a kind, or a list of them. */
export function oneOrMore(
  description: string,
  kind: Kind,
  expects: string,
  standard?: string[],
): Schema {
  const schema: Schema = {
    type: ['string', 'array'],
    kind,
    description,
    items: { type: 'string', kind, expects },
    uniqueItems: true,
    expects: `${expects}, or a list of such`,
  };
  return standard === undefined ? { ...schema, minItems: 1 } : { ...schema, default: standard };
}
