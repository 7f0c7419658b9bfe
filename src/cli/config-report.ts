/**
 * What `dpdk-net config` prints.
 * @module
 */
import { dirname } from 'node:path';
import { configOf, loadDocument } from '../config/config.ts';
import { DEFAULT_FILE } from '../config/default-file.ts';
import { explain, explainedText } from '../config/explain.ts';
import { jsonSchema } from '../config/json-schema.ts';
import { ConfigError } from '../config/problems.ts';
import type { Document } from '../config/toml.ts';
import { jsonText, print as out } from './attached.ts';
import type { ConfigOptions } from './options.ts';

const WRONG = 2;

interface Options extends ConfigOptions {
  readonly json?: boolean;
}

function read({ config = DEFAULT_FILE, set }: Options): Document {
  const document = loadDocument(config, { settings: set, environment: process.env });
  configOf(document, dirname(config));
  return document;
}

/** Throws ConfigError, or tells it as JSON and sets the exit code. */
export function check(options: Options): void {
  if (options.json !== true) {
    read(options);
    out(`${options.config ?? DEFAULT_FILE}: all is well\n`);
    return;
  }
  try {
    read(options);
    outJson({ ok: true, problems: [] });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ place, message }) => ({ ...place, message }));
    outJson({ ok: false, problems });
    process.exitCode = WRONG;
  }
}

export function print(options: Options): void {
  const tables = explain(read(options));
  if (options.json === true) outJson(tables);
  else out(explainedText(tables));
}

export function printSchema(): void {
  outJson(jsonSchema());
}

function outJson(value: unknown): void {
  out(jsonText(value));
}
