/**
 * An application made by its configuration: devices, stacks, listeners, and the program's worker
 * once for each of them.
 *
 *     const app = await DpdkApp.fromConfig('dpdk-net.toml');
 *     await app.run(({ listeners, signal }) => { ... });
 * @module
 */
import { type Config, configOfPort, loadConfig } from '../config/config.ts';
import { devicesOf, openControl, reporterOf } from '../control/process.ts';
import type { ControlServer } from '../control/server.ts';
import { setCurrent } from '../node/current.ts';
import { openStack, type RunningStack } from '../runtime/open-stack.ts';
import { atExit, exitOnSignals } from '../runtime/shutdown.ts';
import type { Stack, TcpListener } from '../stack/index.ts';
import { loggerOf } from './log.ts';
import type { Logger } from './logger.ts';
import { RunningSubsystems, type Subsystem } from './subsystems.ts';

/** What a worker gets: its stack, and all that belongs to it. */
export interface WorkerContext {
  /** The name of the port. */
  readonly port: string;
  readonly queueId: number;
  /** The core the worker is pinned to, -1: none. */
  readonly lcore: number;
  readonly stack: Stack;
  /** What drives the stack: hold(), release(), wake(). */
  readonly running: RunningStack;
  /** The [[listeners]] with service = "app", by name; they listen already. */
  readonly listeners: ReadonlyMap<string, TcpListener>;
  readonly logger: Logger;
  /** Aborted when the application stops. */
  readonly signal: AbortSignal;
}

/** What one worker does. It may return at once, or when it has ended. */
export type AppWorker = (context: WorkerContext) => void | Promise<void>;

/** What subsystems see of the application. */
export interface AppContext {
  readonly config: Config;
  readonly logger: Logger;
  /** One for each port; empty before 'stacks' has started. */
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
  readonly #stacks: RunningStack[] = [];
  readonly #listeners: Map<string, TcpListener>[] = [];
  readonly #own: Subsystem<AppContext>[] = [];
  readonly #running: RunningSubsystems<AppContext>;
  readonly #abort: AbortController = new AbortController();
  #control: ControlServer | null = null;
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
    return this.#stacks;
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
   * Starts all subsystems and then the worker, once for each stack: a function, or the URL of a
   * module whose default export is one. Resolves when stop() was called, or every worker has
   * returned and nothing holds a stack any more; rejects with what a worker or a subsystem threw.
   * Either way everything is closed by then.
   */
  async run(worker: AppWorker | URL): Promise<void> {
    if (this.#ran) throw new Error('this application has run; make another');
    this.#ran = true;
    this.#refuseQueues();
    const work = typeof worker === 'function' ? worker : await workerOf(worker);
    await this.#running.start([...this.#parts(), ...this.#own]);
    try {
      await Promise.race([Promise.all(this.#contexts().map(work)), this.#aborted()]);
      await this.#released();
    } finally {
      await this.stop();
    }
  }

  /**
   * Lets connections finish as long as `[shutdown] drain` says, ends the workers (by their signal),
   * then the subsystems. Idempotent.
   */
  async stop(): Promise<void> {
    if (this.config.shutdown.drainMs > 0 && !this.#abort.signal.aborted) await this.#finish();
    this.#abort.abort();
    const failures = await this.#running.stop();
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, 'several subsystems did not stop');
  }

  /** Its workers run in this thread, which serves one queue of each port. */
  #refuseQueues(): void {
    const port = this.config.ports.find(({ queues }) => queues.count > 1);
    if (port === undefined) return;
    const { count } = port.queues;
    throw new Error(
      `port ${port.name} has ${count} queues: a DpdkApp serves one queue of each port; ` +
        `'dpdk-net run --queues ${count}' runs a program once per queue`,
    );
  }

  #parts(): Subsystem<AppContext>[] {
    return [
      {
        name: 'stacks',
        start: () => this.#openStacks(),
        stop: () => this.#closeStacks(),
      },
      {
        name: 'listeners',
        needs: ['stacks'],
        start: () => this.#listen(),
      },
      {
        name: 'control',
        needs: ['stacks'],
        start: () => this.#openControl(),
        stop: () => this.#control?.close(),
      },
    ];
  }

  #openStacks(): void {
    try {
      for (const port of this.config.ports) {
        const running = openStack(configOfPort(this.config, port));
        this.#stacks.push(running);
        setCurrent(running);
        this.logger.info('open', { port: port.name, device: running.device?.name ?? 'loopback' });
        for (const notice of running.device?.notices ?? []) this.logger.warn('notice', { notice });
      }
    } catch (error) {
      this.#closeStacks();
      throw error;
    }
    atExit(() => this.#closeStacks());
    if (this.#options.signals !== false) exitOnSignals(() => this.#finish());
  }

  #closeStacks(): void {
    for (const running of this.#stacks.splice(0).reverse()) {
      const { open, reset, left, slots } = running.close();
      this.logger.info('closed', { connections: open, reset, left: left.connections, slots });
    }
  }

  #listen(): void {
    for (const [index, { stack }] of this.#stacks.entries()) {
      const port = this.config.ports[index]!;
      const own = new Map<string, TcpListener>();
      this.#listeners.push(own);
      for (const { name, service, on, address, ...listener } of this.config.listeners) {
        if (service !== 'app' || (on !== '' && on !== port.name)) continue;
        const options = { port: listener.port, backlog: listener.backlog };
        own.set(name, stack.tcp.listen({ ...options, ...(address === null ? {} : { address }) }));
      }
    }
  }

  #openControl(): void {
    const reporters = this.#stacks.map((running) => reporterOf(running));
    const devices = this.#stacks.flatMap((running) => devicesOf(running));
    this.#control = openControl({
      title: this.#options.title ?? 'app',
      reporters: () => reporters,
      devices: () => devices,
    });
  }

  #contexts(): WorkerContext[] {
    return this.#stacks.map((running, index) => {
      const port = this.config.ports[index]!.name;
      return {
        port,
        queueId: 0,
        lcore: -1,
        stack: running.stack,
        running,
        listeners: this.#listeners[index]!,
        logger: this.logger.with({ port, queue: 0 }),
        signal: this.#abort.signal,
      };
    });
  }

  async #finish(): Promise<void> {
    await Promise.all(this.#stacks.map((running) => running.finish()));
  }

  #aborted(): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Listeners of the configuration keep an application going until it is stopped. */
  async #released(): Promise<void> {
    const listening = this.#listeners.some((own) => own.size > 0);
    if (!listening || this.#abort.signal.aborted) return;
    for (const { loop } of this.#stacks) loop.hold();
    await this.#aborted();
    for (const { loop } of this.#stacks) loop.release();
  }
}

async function workerOf(url: URL): Promise<AppWorker> {
  const module = (await import(url.href)) as { default?: unknown };
  if (typeof module.default === 'function') return module.default as AppWorker;
  throw new Error(`${url.pathname} is no worker: its default export has to be a function`);
}
