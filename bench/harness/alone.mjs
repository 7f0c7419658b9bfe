/**
 * What a benchmark with a program of its own is told on its command line, and where its figures go.
 *
 *     node bench/NAME.mjs [--quick] [--json FILE] [--LENGTH N ...]
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * The settings: each number of `full`, those of `quick` instead when it is to be quick, and what
 * an option of the same name says. With `flags`, names that are true when given. Also `json`.
 */
export function settingsOf({ full, quick, flags = [] }) {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(Object.keys(full).map((name) => [name, text])),
      ...Object.fromEntries([...flags, 'quick'].map((name) => [name, flag])),
      json: text,
    },
  });
  const lengths = { ...full, ...(values.quick ? quick : {}) };
  for (const name of Object.keys(full)) {
    if (values[name] !== undefined) lengths[name] = Number(values[name]);
  }
  return { ...values, ...lengths };
}

/** Writes the figures to the file that was asked for, if one was. */
export function saveFigures(file, figures) {
  if (file === undefined) return;
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
}
