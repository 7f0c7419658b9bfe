/**
 * Checks a document against the schema and turns every finding into a sentence with a place.
 * @module
 */
import { createRequire } from 'node:module';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { closestMatch } from 'leven';
import { Address, Prefix } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import { parseRule } from '../flow/text.ts';
import type { Problem } from './problems.ts';
import { schema } from './schema.ts';
import type { Kind, Schema } from './schema-parts.ts';
import { below, type Document, type Place } from './toml.ts';
import { parseDuration, parseSize } from './units.ts';

/** A wrong key is taken for a misspelling of another when this many letters differ, at most. */
const MOST_DIFFERENT = 4;

let validator: ValidateFunction | null = null;

/**
 * Loaded and compiled for the first document, which takes 150 ms: a program under
 * `dpdk-net/register` that names no file never does.
 */
function compile(): ValidateFunction {
  const { Ajv } = createRequire(import.meta.url)('ajv') as typeof import('ajv');
  const ajv = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true });
  ajv.addKeyword({ keyword: 'expects', schemaType: 'string' });
  ajv.addKeyword({ keyword: 'least', schemaType: 'number' });
  ajv.addKeyword({ keyword: 'most', schemaType: 'number' });
  ajv.addKeyword({
    keyword: 'kind',
    schemaType: 'string',
    validate: (kind: Kind, value: unknown, parent?: Schema) => isKind(kind, value, parent ?? {}),
    errors: false,
  });
  return ajv.compile(schema);
}

/** Whether `value` is well formed; a list is judged element by element, by its own schema. */
function isKind(kind: Kind, value: unknown, { least = 0, most = Infinity }: Schema): boolean {
  if (Array.isArray(value)) return true;
  if (kind === 'size' || kind === 'duration') {
    const amount = kind === 'size' ? parseSize(value) : parseDuration(value);
    return amount !== null && amount >= least && amount <= most;
  }
  if (typeof value !== 'string') return true; // `type` says it better.
  if (kind === 'mac') return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(value);
  if (kind === 'flow') return whyNoRule(value) === null;
  if (kind === 'address') return Address.tryParse(value) !== null;
  try {
    return value.includes('/') && Prefix.parse(value) !== null;
  } catch {
    return false;
  }
}

/** What is wrong with a flow rule; null: nothing. */
function whyNoRule(text: string): string | null {
  try {
    parseRule(text);
    return null;
  } catch (error) {
    if (error instanceof StackError) return error.message.replace(`${error.code}: `, '');
    throw error;
  }
}

/** Everything about the document that the schema forbids. */
export function findProblems(document: Document): Problem[] {
  validator ??= compile();
  if (validator(document.root)) return [];
  const problems = new Map<string, Problem>();
  for (const error of validator.errors ?? []) {
    const unknown = error.keyword === 'additionalProperties';
    const pointer = unknown
      ? below(error.instancePath, error.params['additionalProperty'] as string)
      : error.instancePath;
    if (problems.has(pointer)) continue;
    problems.set(pointer, unknown ? unknownKey(document, error) : badValue(document, error));
  }
  return [...problems.values()];
}

/** The place of a value, or of the table or list around it. */
export function placeOf(document: Document, pointer: string): Place | null {
  for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const place = document.values.get(at) ?? document.keys.get(at);
    if (place !== undefined) return place;
  }
  return null;
}

function unknownKey(document: Document, error: ErrorObject): Problem {
  const name = error.params['additionalProperty'] as string;
  const pointer = below(error.instancePath, name);
  const place = document.keys.get(pointer) ?? placeOf(document, pointer);
  const allowed = Object.keys((error.parentSchema as Schema).properties ?? {});
  if (error.instancePath === '') {
    const message = `unknown table [${name}]${suggestion(name, '', allowed)}; the tables are ${allowed.join(', ')}`;
    return { place, message };
  }
  const title = titleOf(error.instancePath);
  const table = error.instancePath.split('/')[1]!;
  return {
    place,
    message: `unknown key '${name}' in ${title}${suggestion(name, table, allowed)}; ${title} takes ${allowed.join(', ')}`,
  };
}

function suggestion(name: string, table: string, allowed: readonly string[]): string {
  const home = homeOf(name);
  if (home !== null && home !== table) return `: it belongs in [${home}]`;
  return didYouMean(name, allowed);
}

function didYouMean(word: string, allowed: readonly string[]): string {
  const maxDistance = Math.min(MOST_DIFFERENT, Math.ceil(word.length / 2));
  const nearest = closestMatch(word, allowed, { maxDistance });
  return nearest === undefined ? '' : `: did you mean '${nearest}'?`;
}

/** The table that has a key of exactly this name. */
function homeOf(name: string): string | null {
  for (const [table, { properties }] of Object.entries(schema.properties ?? {})) {
    if (properties !== undefined && Object.hasOwn(properties, name)) return table;
  }
  return null;
}

function badValue(document: Document, error: ErrorObject): Problem {
  const pointer = error.instancePath;
  const { expects, type, enum: choices, items, kind } = error.parentSchema as Schema;
  const place = placeOf(document, pointer);
  const name = nameOf(pointer);
  if (error.keyword === 'uniqueItems')
    return { place, message: `${name} has the same value twice` };
  if (error.keyword === 'minItems')
    return { place, message: `${name} is empty; allowed is ${expects}` };
  if (error.keyword === 'required') {
    const missing = error.params['missingProperty'] as string;
    const wanted = (error.parentSchema as Schema).properties?.[missing]?.expects;
    return { place, message: `${titleOf(pointer)} needs ${missing}: ${wanted}` };
  }
  if (type === 'object') {
    return {
      place,
      message: `${name} is a table: write ${titleOf(pointer)} and its keys below it`,
    };
  }
  if (items?.type === 'object') {
    const title = `[[${pointer.slice(1)}]]`;
    return { place, message: `${name} is a list of tables: write ${title} and its keys below it` };
  }
  const hint = choices === undefined ? '' : didYouMean(String(error.data), choices);
  if (kind === 'flow' && typeof error.data === 'string') {
    return { place, message: `${name}: ${whyNoRule(error.data)}; allowed is ${expects}` };
  }
  const wrong = `${name} = ${show(error.data)} is not allowed${hint}`;
  return { place, message: `${wrong}; allowed is ${expects}` };
}

/** '/network/ip/0' -> '[network] ip[0]'; '/listeners/0/port' -> '[[listeners]] 1: port'. */
function nameOf(pointer: string): string {
  const [, table, key, index] = pointer.split('/');
  if (key === undefined) return `'${table}'`;
  if (isListed(table!)) {
    const title = titleOf(`/${table}/${key}`);
    if (index === undefined) return title;
    const element = pointer.split('/')[4];
    return `${title}: ${index}${element === undefined ? '' : `[${element}]`}`;
  }
  return index === undefined ? `[${table}] ${key}` : `[${table}] ${key}[${index}]`;
}

/** '/tcp' -> '[tcp]'; '/listeners/0' -> '[[listeners]] 1': people count from one. */
function titleOf(pointer: string): string {
  const [, table, index] = pointer.split('/');
  return isListed(table!) && index !== undefined
    ? `[[${table}]] ${Number(index) + 1}`
    : `[${table}]`;
}

/** Whether it is a list of tables. */
function isListed(table: string): boolean {
  return schema.properties?.[table]?.type === 'array';
}

function show(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
}
