/**
 * An application made by its configuration: devices, stacks, listeners, and the program's worker
 * once for each queue.
 *
 *     const app = await DpdkApp.fromConfig('dpdk-net.toml');
 *     await app.run(new URL('./worker.js', import.meta.url));
 * @module
 */
import { type Config, loadConfig, sourceOf } from '../config/config.ts';
import { openControl, type ProcessOptions } from '../control/process.ts';
import type { ControlServer } from '../control/server.ts';
import type { RunningStack } from '../runtime/open-stack.ts';
import { exitOnSignals } from '../runtime/shutdown.ts';
import { LcoreStage } from './lcore-stage.ts';
import { loggerOf } from './log.ts';
import type { Logger } from './logger.ts';
import { OwnStacks } from './own-stacks.ts';
import type { Stage } from './stage.ts';
import { RunningSubsystems, type Subsystem } from './subsystems.ts';
import { openSurfaces, type Surfaces } from './surfaces.ts';
import { type AppWorker, aborted, workerOf } from './worker-context.ts';

/** What subsystems see of the application. */
export interface AppContext {
  readonly config: Config;
  readonly logger: Logger;
  /**
   * One for each port; empty before 'stacks' has started, and with several queues: their stacks are
   * in the workers' threads.
   */
  readonly stacks: readonly RunningStack[];
}

export interface AppOptions {
  readonly logger?: Logger;
  /** What `dpdk-net queues` and its like call the process. */
  readonly title?: string;
  /** End in order on SIGINT, SIGTERM and SIGHUP; true when not given. */
  readonly signals?: boolean;
}

export class DpdkApp implements AppContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly #options: AppOptions;
  readonly #own: Subsystem<AppContext>[] = [];
  readonly #running: RunningSubsystems<AppContext>;
  readonly #abort: AbortController = new AbortController();
  #stage: Stage | null = null;
  #control: ControlServer | null = null;
  #surfaces: Surfaces | null = null;
  #ran = false;

  /** From a configuration made or read by the program. */
  constructor(config: Config, options: AppOptions = {}) {
    this.config = config;
    this.#options = options;
    const log = config.log ?? { level: 'info', format: 'text', file: '' };
    this.logger = options.logger ?? loggerOf(log);
    this.#running = new RunningSubsystems<AppContext>(this);
  }

  /** Reads a file; rejects with ConfigError, that names everything that is wrong in it. */
  static async fromConfig(file: string, options: AppOptions = {}): Promise<DpdkApp> {
    return new DpdkApp(loadConfig(file), { title: `app ${file}`, ...options });
  }

  get stacks(): readonly RunningStack[] {
    return this.#stage?.stacks ?? [];
  }

  /**
   * Adds a part of the program's own. Those of ours that it may need are 'stacks', 'listeners' and
   * 'control'.
   */
  use(subsystem: Subsystem<AppContext>): this {
    this.#own.push(subsystem);
    return this;
  }

  /**
   * Starts all subsystems and then the worker, once for each queue: the URL of a module whose default
   * export is one, or a function where there is but one queue. Several queues have a thread each
   * (docs/threads.md). Resolves when stop() was called, or every worker has returned and no listener
   * of the configuration needs it; rejects with what a worker or a subsystem threw. Either way
   * everything is closed by then.
   */
  async run(worker: AppWorker | URL): Promise<void> {
    if (this.#ran) throw new Error('this application has run; make another');
    this.#ran = true;
    const stage = await this.#stageOf(worker);
    this.#stage = stage;
    await this.#running.start([...this.#parts(stage), ...this.#own]);
    try {
      await Promise.race([stage.work(), aborted(this.#abort.signal)]);
    } finally {
      await this.stop();
    }
  }

  /**
   * Lets connections finish as long as `[shutdown] drain` says, ends the workers (by their signal),
   * then the subsystems. Idempotent.
   */
  async stop(): Promise<void> {
    if (this.config.shutdown.drainMs > 0 && !this.#abort.signal.aborted) {
      await this.#stage?.finish();
    }
    this.#abort.abort();
    const failures = await this.#running.stop();
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, 'several subsystems did not stop');
  }

  /** Throws what prevents the worker from running, before anything is opened. */
  async #stageOf(worker: AppWorker | URL): Promise<Stage> {
    const { config, logger } = this;
    const { signal } = this.#abort;
    const port = config.ports.find(({ queues }) => queues.count > 1);
    if (port === undefined) {
      const work = typeof worker === 'function' ? worker : await workerOf(worker);
      return new OwnStacks(config, logger, signal, work);
    }
    const has = `port ${port.name} has ${port.queues.count} queues`;
    if (config.ports.length > 1) {
      throw new Error(`${has}, and is one of ${config.ports.length}: each can have one queue only`);
    }
    if (typeof worker === 'function') {
      throw new Error(
        `${has}, and a function can not cross threads: give a module whose default export it is, ` +
          "app.run(new URL('./worker.js', import.meta.url))",
      );
    }
    const source = sourceOf(config);
    if (source !== null) return new LcoreStage(config, source, logger, signal, worker);
    throw new Error(
      `${has}, and their threads read the configuration themselves: ` +
        'it has to be one of loadConfig() or parseConfig(), as it is',
    );
  }

  #parts(stage: Stage): Subsystem<AppContext>[] {
    return [
      {
        name: 'stacks',
        start: async () => {
          await stage.open();
          if (this.#options.signals !== false) exitOnSignals(() => stage.finish());
        },
        stop: () => stage.close(),
      },
      {
        name: 'listeners',
        needs: ['stacks'],
        start: () => stage.listen(),
      },
      {
        name: 'control',
        needs: ['stacks'],
        start: () => this.#openControl(stage),
        stop: () => this.#closeControl(),
      },
    ];
  }

  async #openControl(stage: Stage): Promise<void> {
    const options: ProcessOptions = {
      title: this.#options.title ?? 'app',
      reporters: () => stage.reporters(),
      devices: () => stage.devices(),
    };
    this.#control = openControl(options);
    try {
      this.#surfaces = await openSurfaces(this.config, options);
    } catch (error) {
      this.#control?.close();
      throw error;
    }
  }

  async #closeControl(): Promise<void> {
    this.#control?.close();
    await this.#surfaces?.close();
  }
}
