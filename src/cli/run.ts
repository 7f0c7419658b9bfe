/**
 * `dpdk-net run`: an unmodified program, on a stack that the configuration describes.
 *
 * Everything that can be wrong before the stack is opened is found before it is opened.
 * @module
 */
import { existsSync, writeSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { basename, resolve } from 'node:path';
import { openLog } from '../app/log.ts';
import { type Plan, planOf } from '../app/plan.ts';
import { openSurfaces } from '../app/surfaces.ts';
import { type Config, loadConfig, readSource } from '../config/config.ts';
import { DEFAULT_FILE } from '../config/default-file.ts';
import { devicesOf, openControl, type ProcessOptions, reporterOf } from '../control/process.ts';
import type { Engine } from '../node/engine.ts';
import { openStack, type RunningStack } from '../runtime/open-stack.ts';
import { atExit, exitOnSignals } from '../runtime/shutdown.ts';
import { banner, farewell } from './banner.ts';
import { StartError, UsageError } from './errors.ts';
import { planText } from './plan.ts';
import { reloadingOf } from './reloading.ts';
import { runWorkers } from './run-workers.ts';

export interface RunSettings {
  /** The configuration file; null: the default one, in the current folder. */
  readonly config: string | null;
  /** table.key=value, each overriding the file. */
  readonly settings: readonly string[];
  /** Print neither banner nor farewell. */
  readonly quiet: boolean;
  /** Only say what would be done. */
  readonly dryRun?: boolean;
  /** What the process is called among others; 'run FILE' when not given. */
  readonly title?: string;
  readonly version: string;
}

const STDERR = 2;

/**
 * Opens the stack, puts Node's network on it, and runs `file` as if `node file args...` had been
 * typed. Throws ConfigError or UsageError before anything is started, StartError when the stack can
 * not be opened.
 */
export async function run(
  file: string,
  args: readonly string[],
  settings: RunSettings,
): Promise<void> {
  const program = findProgram(file);
  const config = loadConfig(settings.config ?? DEFAULT_FILE, settings.settings);
  await runWith(config, program, args, settings);
}

/** The same with a configuration that is read already. `program` is a full path. */
export async function runWith(
  config: Config,
  program: string,
  args: readonly string[],
  settings: RunSettings,
): Promise<void> {
  if (config.ports.length > 1) {
    throw new UsageError(
      `there are ${config.ports.length} [[ports]]: one program has one; a DpdkApp serves several`,
    );
  }
  if (settings.dryRun === true) {
    process.stdout.write(planText(plan(config)));
    return;
  }
  const source = readSource(settings.config ?? DEFAULT_FILE, settings.settings);
  if (config.queues.count > 1) {
    await runWorkers(config, source, program, args, settings);
    return;
  }
  // Synchronous from here to the listeners: no signal can come in between.
  const running = open(config);
  const log = openLog(config.log, running.device, config.queues.count);
  const reporters = [reporterOf(running)];
  const title = settings.title ?? `run ${basename(program)}`;
  const devices = devicesOf(running);
  let engine: Engine | null = null;
  const reloading = reloadingOf(source, config, devices, async (now) => {
    running.reload(now);
    if (engine !== null) engine.kernelRoutes = now.routes.kernel;
  });
  const questions: ProcessOptions = {
    title,
    reporters: () => reporters,
    devices: () => devices,
    reload: reloading.reload,
  };
  const control = openControl(questions);
  atExit(() => {
    control?.close();
    const report = running.close();
    log?.close(report);
    if (!settings.quiet) writeSync(STDERR, farewell(report));
  });
  exitOnSignals(() => running.finish(), reloading.onSignal);
  // Before the program's network is the stack's: these are on the kernel's.
  await openSurfaces(config, questions);
  const { install } = await import('../node/install.ts');
  engine = install(running, { kernelRoutes: config.routes.kernel, dns: config.dns });
  if (!settings.quiet) process.stderr.write(banner(settings.version, running));
  process.argv = [process.execPath, program, ...args];
  // As `node program` does it: CommonJS sees itself as require.main, and ES modules work as well.
  (Module as unknown as { runMain(): void }).runMain();
}

function plan(config: Config): Plan {
  try {
    return planOf(config);
  } catch (error) {
    throw new StartError(error);
  }
}

function open(config: Config): RunningStack {
  try {
    return openStack(config);
  } catch (error) {
    throw new StartError(error);
  }
}

/** The full path of a program, found as Node finds it ('server' is server.js). */
function findProgram(file: string): string {
  const path = resolve(file);
  try {
    return createRequire(path).resolve(path);
  } catch {
    const hint = existsSync(path) ? 'it is a folder without a program' : 'there is no such file';
    throw new UsageError(`can not run ${file}: ${hint}`);
  }
}
