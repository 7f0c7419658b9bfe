/**
 * Options that several commands have.
 * @module
 */
import type { Command } from 'commander';
import { DEFAULT_FILE } from '../config/default-file.ts';

/** What configOptions() reads. */
export interface ConfigOptions {
  readonly config?: string;
  readonly set: readonly string[];
}

/** -c and -s: the configuration and what overrides it. */
export function configOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', `the configuration (default: ${DEFAULT_FILE} in this folder)`)
    .option('-s, --set <table.key=value>', 'override one value of the configuration', collect, []);
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}
