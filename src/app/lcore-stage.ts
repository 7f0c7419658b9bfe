/**
 * The workers of an application in threads of their own: an lcore for each queue of its port.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Config, ConfigSource } from '../config/config.ts';
import type { Device } from '../control/flows.ts';
import { type Reporter, remoteReporter } from '../control/reporter.ts';
import { LcoreError } from '../lcore/handle.ts';
import type { Lcore } from '../lcore/lcore.ts';
import { type Lcores, openLcores } from '../lcore/lcores.ts';
import type { RunningStack } from '../runtime/open-stack.ts';
import { RestartDelay } from '../runtime/restart-delay.ts';
import type { Logger } from './logger.ts';
import type { AppFinished, AppLogLine, Attachment, ToQueueWorker } from './queue-worker.ts';
import type { Stage } from './stage.ts';

/** From here and from a chunk of lib/ alike. */
const SCRIPT = new URL(`../app/queue-worker${import.meta.url.slice(-3)}`, import.meta.url);

/** This thread's end of a worker. */
interface Seat {
  readonly port: MessagePort;
  readonly reporter: Reporter;
}

export class LcoreStage implements Stage {
  /** They are the lcores'. */
  readonly stacks: readonly RunningStack[] = [];
  readonly #config: Config;
  readonly #source: ConfigSource;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #module: URL;
  /** By queue. */
  readonly #seats: Seat[] = [];
  /** Who waits for a queue to be served again. */
  readonly #waiting: Map<number, (lcore: Lcore) => void> = new Map();
  #lcores: Lcores | null = null;

  constructor(
    config: Config,
    source: ConfigSource,
    logger: Logger,
    signal: AbortSignal,
    module: URL,
  ) {
    this.#config = config;
    this.#source = source;
    this.#logger = logger;
    this.#signal = signal;
    this.#module = module;
  }

  async open(): Promise<void> {
    const { restart } = this.#config.workers;
    const onRestart = (lcore: Lcore): void => this.#waiting.get(lcore.queue)?.(lcore);
    this.#lcores = await openLcores({ config: this.#source, restart, onRestart });
    const { all, device } = this.#lcores;
    const { name } = this.#config.ports[0]!;
    this.#logger.info('open', {
      port: name,
      device: device?.name ?? 'loopback',
      queues: all.length,
    });
    for (const notice of device?.notices ?? []) this.#logger.warn('notice', { notice });
    try {
      await Promise.all(all.map((lcore) => this.#attach(lcore)));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async listen(): Promise<void> {
    await Promise.all(this.#lcores!.all.map((lcore) => this.#listenOn(lcore)));
  }

  async work(): Promise<void> {
    await Promise.all(this.#lcores!.all.map((lcore) => this.#workOn(lcore)));
  }

  async finish(): Promise<void> {
    await Promise.all(this.#seats.map(({ port }) => finishOver(port)));
  }

  async close(): Promise<void> {
    const lcores = this.#lcores;
    this.#lcores = null;
    if (lcores === null) return;
    const { reports, slots } = await lcores.close();
    for (const { port } of this.#seats.splice(0)) port.close();
    for (const { open, reset, left } of reports) {
      this.#logger.info('closed', { connections: open, reset, left: left.connections });
    }
    this.#logger.info('closed', { queues: reports.length, slots });
  }

  reporters(): Reporter[] {
    return this.#seats.map(({ reporter }) => reporter);
  }

  devices(): readonly Device[] {
    return this.#lcores?.devices ?? [];
  }

  async #attach(lcore: Lcore): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    const argument: Attachment = { port: port2, logger: this.#logger.settings };
    const seat = { port: port1, reporter: remoteReporter(port1) };
    this.#seats[lcore.queue]?.port.close();
    this.#seats[lcore.queue] = seat;
    port1.on('message', (message: Partial<AppLogLine>) => {
      if (message.appLog !== undefined) this.#logger.pass(message.appLog);
    });
    // It is the function that runs which keeps the process.
    port1.unref();
    await lcore.run({ module: SCRIPT, name: 'attach', argument, transfer: [port2] });
  }

  async #listenOn(lcore: Lcore): Promise<void> {
    await lcore.run({ module: SCRIPT, name: 'listen' });
  }

  /** With `[workers] restart`, again when it has died. */
  async #workOn(first: Lcore): Promise<void> {
    const restarts = new RestartDelay();
    for (let lcore = first; ; ) {
      const since = Date.now();
      try {
        await this.#launch(lcore);
        return;
      } catch (error) {
        if (this.#signal.aborted) return;
        if (!isDeath(error) || !this.#config.workers.restart) throw error;
        this.#logger.error('worker-restarts', { queue: lcore.queue, error });
        lcore = await this.#successorOf(lcore);
      }
      await delay(restarts.next(Date.now() - since));
      if (this.#signal.aborted) return;
      await this.#attach(lcore);
      await this.#listenOn(lcore);
    }
  }

  async #launch(lcore: Lcore): Promise<void> {
    const argument = this.#module.href;
    const handle = lcore.launch({ module: SCRIPT, name: 'work', argument });
    // An AbortSignal's own reason can not be posted everywhere.
    const abort = (): void => handle.abort(new LcoreError('ECANCELED', 'the application ends'));
    if (this.#signal.aborted) abort();
    this.#signal.addEventListener('abort', abort, { once: true });
    try {
      await handle;
    } finally {
      this.#signal.removeEventListener('abort', abort);
    }
  }

  /** Who serves its queue next. */
  async #successorOf({ queue }: Lcore): Promise<Lcore> {
    return await new Promise((resolve) => this.#waiting.set(queue, resolve));
  }
}

/** Not an error of the program's own worker, which its thread has survived. */
function isDeath(error: unknown): boolean {
  return error instanceof LcoreError && error.code === 'ECANCELED';
}

/** Resolves when the other end has, or is gone. */
function finishOver(port: MessagePort): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      port.unref();
      resolve();
    };
    port.once('close', end);
    port.on('message', (message: Partial<AppFinished>) => {
      if (message.appFinished === true) end();
    });
    port.ref();
    port.postMessage({ appFinish: true } satisfies ToQueueWorker);
  });
}
