/**
 * `dpdk-net start`: the services of a configuration, without a line of code.
 * @module
 */
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { DEFAULT_FILE } from '../config/default-file.ts';
import { UsageError } from './errors.ts';
import { type ConfigOptions, configOptions } from './options.ts';

const HELP = `
Services are [[listeners]] of the configuration:

  [[listeners]]
  service = "static"          # files of a folder over HTTP
  port = 80
  root = "./public"

  [[listeners]]
  service = "echo"            # every byte sent back
  port = 7

Examples:
  dpdk-net start
  dpdk-net start --config site.toml --set listeners.0.port=8080
  dpdk-net start --dry-run                    (says what it would do: devices, queues, cores)

Ctrl-C (SIGINT) and SIGTERM end every connection in order, then the process with exit code 0.`;

interface Options extends ConfigOptions {
  readonly quiet?: boolean;
  readonly dryRun?: boolean;
}

export function addStartCommand(program: Command, version: string): void {
  configOptions(program.command('start'))
    .summary('run the services of the configuration: files over HTTP, echo')
    .description('Runs the services of the configuration, without a line of code.')
    .option('-q, --quiet', 'do not say what runs')
    .option('--dry-run', 'only say what would be done: queues, cores, addresses, listeners')
    .exitOverride()
    .addHelpText('after', HELP)
    .action((options: Options) => start(options, version));
}

async function start(options: Options, version: string): Promise<void> {
  const { config: file = DEFAULT_FILE, set, quiet = false, dryRun = false } = options;
  const { loadConfig } = await import('../config/config.ts');
  const { servicesOf } = await import('../app/plan.ts');
  const { runWith } = await import('./run.ts');
  const config = loadConfig(file, set);
  const services = servicesOf(config.listeners);
  if (services.length === 0) {
    throw new UsageError(
      `${file} has no service to start; add one: [[listeners]] with service = "echo" and port = 7`,
    );
  }
  const program = fileURLToPath(new URL('../app/services-main.js', import.meta.url));
  await runWith(config, program, [JSON.stringify(services)], {
    config: file,
    settings: set,
    quiet,
    dryRun,
    title: `start ${file}`,
    version,
  });
}
