/**
 * `dpdk-net run` with several queues: the program runs once for each, in a worker with a stack
 * of its own; this thread opens the device, and is what the outside sees of them all.
 * @module
 */
import { writeSync } from 'node:fs';
import { basename } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { openLog } from '../app/log.ts';
import { openSurfaces } from '../app/surfaces.ts';
import type { Config, ConfigSource } from '../config/config.ts';
import { openControl } from '../control/process.ts';
import { type Reporter, remoteReporter } from '../control/reporter.ts';
import type { CloseReport } from '../runtime/open-stack.ts';
import { Queues } from '../runtime/queues.ts';
import { Workers } from '../runtime/workers.ts';
import { banner, farewell } from './banner.ts';
import { StartError } from './errors.ts';
import { reloadingOf } from './reloading.ts';

const STDERR = 2;
/** From here and from a chunk of lib/ alike. */
const SCRIPT = new URL(`../cli/worker${import.meta.url.slice(-3)}`, import.meta.url);

export interface RunWorkersSettings {
  /** Print neither banner nor farewell. */
  readonly quiet: boolean;
  readonly version: string;
  /** What the process is called among others; 'run FILE' when not given. */
  readonly title?: string;
}

/** Runs the program to its end, and ends the process. Throws StartError. */
export async function runWorkers(
  config: Config,
  source: ConfigSource,
  program: string,
  args: readonly string[],
  { quiet, version, title = `run ${basename(program)}` }: RunWorkersSettings,
): Promise<never> {
  const queues = open(config, source);
  const log = openLog(config.log, queues.device, queues.count);
  if (!quiet) writeSync(STDERR, banner(version, queues));
  const { devices } = queues;
  const reloading = reloadingOf(source, config, devices, async (now, latest) => {
    queues.reload(now, latest);
    workers.reload(latest);
    // Each has taken it over when it answers what it was asked afterwards.
    await Promise.allSettled(reporters().map((reporter) => reporter.ask('queue', {})));
  });
  const options = { script: SCRIPT, program, args, onHangUp: reloading.onSignal };
  const workers = new Workers(queues, options);
  const reporters = reportersOf(workers);
  const { reload } = reloading;
  const questions = { title, reporters, devices: () => devices, reload };
  const control = openControl(questions);
  await openSurfaces(config, questions);
  const { code, reports } = await workers.ended;
  control?.close();
  const slots = queues.close();
  const report = sumOf(reports, slots);
  log?.close(report);
  if (!quiet) writeSync(STDERR, farewell(report));
  process.exit(code);
}

/** One for each worker that runs, kept as long as its port. */
function reportersOf(workers: Workers): () => Reporter[] {
  const known = new WeakMap<MessagePort, Reporter>();
  return () =>
    workers.ports.map((port) => {
      const reporter = known.get(port) ?? remoteReporter(port);
      known.set(port, reporter);
      return reporter;
    });
}

function open(config: Config, source: ConfigSource): Queues {
  try {
    return new Queues(config, source);
  } catch (error) {
    throw new StartError(error);
  }
}

/** One report of several: what they took at the longest, and what they left together. */
function sumOf(reports: readonly CloseReport[], slots: number): CloseReport {
  const sum = (of: (report: CloseReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  return {
    open: sum(({ open }) => open),
    reset: sum(({ reset }) => reset),
    ms: Math.max(0, ...reports.map(({ ms }) => ms)),
    left: {
      connections: sum(({ left }) => left.connections),
      timers: sum(({ left }) => left.timers),
      heapBytes: sum(({ left }) => left.heapBytes),
    },
    slots,
  };
}
