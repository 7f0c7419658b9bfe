/**
 * The schema for editors: plain JSON Schema (draft 7), without the keywords of our own.
 *
 * What those say is said in words (`description`) and, as far as a pattern can, checked.
 * @module
 */
import { schema } from './schema.ts';
import type { Kind, Schema } from './schema-parts.ts';

const PATTERNS: Record<Kind, string> = {
  address: '^[0-9A-Fa-f:.]+$',
  prefix: '^[0-9A-Fa-f:.]+/\\d{1,3}$',
  mac: '^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$',
  size: '^\\d+(\\.\\d+)? ?(B|kB|KiB|MB|MiB|GB|GiB)?$',
  flow: '=>',
  duration: '^\\d+(\\.\\d+)? ?(ms|s|min|h)$',
};

/** The whole schema, ready for JSON.stringify(). */
export function jsonSchema(): Record<string, unknown> {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'dpdk-net.toml',
    ...plain(schema),
  };
}

function plain(part: Schema): Record<string, unknown> {
  const { kind, least, most, expects, properties, items, description, ...standard } = part;
  const words = [description, expects === undefined ? undefined : `Allowed: ${expects}.`];
  const text = words.filter((word) => word !== undefined).join(' ');
  return {
    ...standard,
    ...(text === '' ? {} : { description: text }),
    ...(kind === undefined ? {} : { pattern: PATTERNS[kind] }),
    ...(kind === 'size' && least !== undefined ? { minimum: least, maximum: most } : {}),
    ...(items === undefined ? {} : { items: plain(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, below]) => [name, plain(below)]),
          ),
        }),
  };
}
