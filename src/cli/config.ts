/**
 * `dpdk-net config`: check a configuration, show what it comes to, print the schema.
 * @module
 */
import type { Command } from 'commander';
import { type ConfigOptions, configOptions } from './options.ts';

const HELP = `
Examples:
  dpdk-net config check
  dpdk-net config check --json --config other.json
  dpdk-net config print --set tcp.ecn=on
  dpdk-net config schema > dpdk-net.schema.json

Exit code: 0 when the configuration is right, 2 when it is not. Nothing is started.`;

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
    .action(async (options: Options) => (await import('./config-report.ts')).check(options));
  configOptions(config.command('print'))
    .description('Every value, and where it comes from: the file, the environment, --set.')
    .option('--json', 'one JSON object')
    .exitOverride()
    .action(async (options: Options) => (await import('./config-report.ts')).print(options));
  config
    .command('schema')
    .description('The JSON Schema of the configuration, for editors.')
    .exitOverride()
    .action(async () => (await import('./config-report.ts')).printSchema());
}
