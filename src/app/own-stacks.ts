/**
 * The workers of an application in this thread: one queue of each port.
 * @module
 */
import { type Config, configOfPort } from '../config/config.ts';
import type { Device } from '../control/flows.ts';
import { devicesOf } from '../control/process.ts';
import { StackReporter } from '../control/report.ts';
import { localReporter, type Reporter } from '../control/reporter.ts';
import { setCurrent } from '../node/current.ts';
import { openStack, type RunningStack } from '../runtime/open-stack.ts';
import { atExit } from '../runtime/shutdown.ts';
import type { TcpListener } from '../stack/index.ts';
import type { Logger } from './logger.ts';
import type { Stage } from './stage.ts';
import { type AppWorker, aborted, listenFor, type WorkerContext } from './worker-context.ts';

export class OwnStacks implements Stage {
  readonly stacks: RunningStack[] = [];
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #worker: AppWorker;
  readonly #listeners: Map<string, TcpListener>[] = [];
  readonly #reporters: StackReporter[] = [];

  constructor(config: Config, logger: Logger, signal: AbortSignal, worker: AppWorker) {
    this.#config = config;
    this.#logger = logger;
    this.#signal = signal;
    this.#worker = worker;
  }

  open(): void {
    try {
      for (const port of this.#config.ports) {
        const running = openStack(configOfPort(this.#config, port));
        this.stacks.push(running);
        const place = { port: port.name, queue: 0, worker: 0, core: -1, numa: -1 };
        this.#reporters.push(new StackReporter(running, place));
        setCurrent(running);
        this.#logger.info('open', { port: port.name, device: running.device?.name ?? 'loopback' });
        for (const notice of running.device?.notices ?? []) this.#logger.warn('notice', { notice });
      }
    } catch (error) {
      this.close();
      throw error;
    }
    atExit(() => this.close());
  }

  listen(): void {
    for (const [index, { stack }] of this.stacks.entries()) {
      this.#listeners.push(listenFor(this.#config, this.#config.ports[index]!.name, stack));
    }
  }

  /** Listeners of the configuration keep an application going until it is stopped. */
  async work(): Promise<void> {
    await Promise.all(this.#contexts().map(this.#worker));
    if (this.#signal.aborted || this.#listeners.every((own) => own.size === 0)) return;
    const loops = this.stacks.map(({ loop }) => loop);
    for (const loop of loops) loop.hold();
    await aborted(this.#signal);
    for (const loop of loops) loop.release();
  }

  async finish(): Promise<void> {
    await Promise.all(this.stacks.map((running) => running.finish()));
  }

  close(): void {
    for (const running of this.stacks.splice(0).reverse()) {
      const { open, reset, left, slots } = running.close();
      this.#logger.info('closed', { connections: open, reset, left: left.connections, slots });
    }
  }

  reporters(): Reporter[] {
    return this.#reporters.map((reporter) => localReporter(reporter));
  }

  devices(): Device[] {
    return this.stacks.flatMap((running) => devicesOf(running));
  }

  #contexts(): WorkerContext[] {
    return this.stacks.map((running, index) => {
      const port = this.#config.ports[index]!.name;
      return {
        port,
        queueId: 0,
        lcore: -1,
        stack: running.stack,
        running,
        listeners: this.#listeners[index]!,
        logger: this.#logger.with({ port, queue: 0 }),
        metrics: () => this.#reporters[index]!.stats({}),
        signal: this.#signal,
      };
    });
  }
}
