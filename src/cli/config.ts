/**
 * `dpdk-net config`: check a configuration, show what it comes to, print the schema.
 * @module
 */
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { configOf, DEFAULT_FILE, loadDocument } from '../config/config.ts';
import { explain, explainedText } from '../config/explain.ts';
import { jsonSchema } from '../config/json-schema.ts';
import { ConfigError } from '../config/problems.ts';
import type { Document } from '../config/toml.ts';
import { type ConfigOptions, configOptions } from './options.ts';

const HELP = `
Examples:
  dpdk-net config check
  dpdk-net config check --json --config other.json
  dpdk-net config print --set tcp.ecn=on
  dpdk-net config schema > dpdk-net.schema.json

Exit code: 0 when the configuration is right, 2 when it is not. Nothing is started.`;

const WRONG = 2;

interface Options extends ConfigOptions {
  readonly json?: boolean;
}

export function addConfigCommand(program: Command): void {
  const config = program
    .command('config')
    .summary('check a configuration, print it, print its schema')
    .description('Checks a configuration, prints what it comes to, or prints its schema.')
    .exitOverride()
    .addHelpText('after', HELP);
  configOptions(config.command('check'))
    .description('Names everything that is wrong, with its place and what would be right.')
    .option('--json', 'one JSON object: { ok, problems: [{ source, line, column, message }] }')
    .exitOverride()
    .action(check);
  configOptions(config.command('print'))
    .description('Every value, and where it comes from: the file, the environment, --set.')
    .option('--json', 'one JSON object')
    .exitOverride()
    .action(print);
  config
    .command('schema')
    .description('The JSON Schema of the configuration, for editors.')
    .exitOverride()
    .action(() => out(jsonSchema()));
}

function read({ config = DEFAULT_FILE, set }: Options): Document {
  const document = loadDocument(config, { settings: set, environment: process.env });
  configOf(document, dirname(config));
  return document;
}

function check(options: Options): void {
  if (options.json !== true) {
    read(options);
    process.stdout.write(`${options.config ?? DEFAULT_FILE}: all is well\n`);
    return;
  }
  try {
    read(options);
    out({ ok: true, problems: [] });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ place, message }) => ({ ...place, message }));
    out({ ok: false, problems });
    process.exitCode = WRONG;
  }
}

function print(options: Options): void {
  const tables = explain(read(options));
  if (options.json === true) out(tables);
  else process.stdout.write(explainedText(tables));
}

function out(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
