/**
 * One lcore, as the thread that opened it drives it: its Worker, what it runs, its death.
 * @module
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { CloseReport } from '../runtime/open-stack.ts';
import type { QueueTicket } from '../runtime/queues.ts';
import { LaunchHandle, LcoreError } from './handle.ts';
import { drivers, type LaunchTask, type Lcore, type LcoreDriver } from './lcore.ts';
import { errorFrom, type FromLcore, type LcoreTask, type ToLcore } from './messages.ts';
import { Roster } from './roster.ts';

/** From here and from a chunk of lib/ alike. */
const SCRIPT = new URL(`../lcore/worker${import.meta.url.slice(-3)}`, import.meta.url);

export interface DriverOptions {
  readonly place: number;
  readonly ticket: QueueTicket | null;
  readonly cpu: number;
  readonly register: boolean;
  /** It ended without being told to. */
  readonly onDeath: (driver: Driver, error: unknown) => void;
}

interface Running {
  readonly id: number;
  readonly handle: LaunchHandle<unknown>;
  readonly forget: () => void;
}

export class Driver implements LcoreDriver {
  readonly options: DriverOptions;
  /** How its connections ended, once it was told to end. */
  report: CloseReport | null = null;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #roster = Roster.shared;
  readonly #up: Promise<void>;
  readonly #exited: Promise<void>;
  #running: Running | null = null;
  #launches = 0;
  #isEnding = false;
  #error: unknown = null;

  /** Starts it. */
  constructor(options: DriverOptions) {
    const { place, ticket, cpu, register } = options;
    const { port1, port2 } = new MessageChannel();
    const task: LcoreTask = { place, ticket, cpu, register, port: port2 };
    this.options = options;
    this.#port = port1;
    this.#roster.setState(place, 'starting');
    this.#worker = new Worker(SCRIPT, {
      workerData: task,
      transferList: [port2],
      name: ticket === null ? `lcore ${place}` : `lcore of queue ${ticket.queue}`,
    });
    drivers.set(place, this);
    this.#up = new Promise((resolve, reject) => {
      port1.once('message', () => resolve());
      this.#worker.once('error', reject);
      this.#worker.once('exit', () => reject(new LcoreError('ECANCELED', 'the lcore has ended')));
    });
    this.#up.then(
      () => this.#isUp(),
      () => {},
    );
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => resolve(this.#ended(code)));
    });
    this.#worker.on('error', (error) => {
      this.#error = error;
    });
    port1.on('message', (message: FromLcore) => this.#receive(message));
  }

  /** Rejects with what prevents it from starting. */
  get up(): Promise<void> {
    return this.#up;
  }

  /** It waits; nothing keeps the process going but what it runs. */
  #isUp(): void {
    this.#roster.setState(this.options.place, 'waiting');
    this.#worker.unref();
    this.#port.unref();
  }

  launch<T>(lcore: Lcore, task: LaunchTask): LaunchHandle<T> {
    const { place } = this.options;
    const state = this.#roster.state(place);
    if (state === 'running') throw new LcoreError('EBUSY', `lcore ${lcore.id} runs a function`);
    if (state !== 'waiting') throw new LcoreError('ECANCELED', `lcore ${lcore.id} has ended`);
    const { module, name = 'default', argument, transfer = [], signal } = task;
    const id = this.#launches++;
    const message: ToLcore = { type: 'launch', id, module: String(module), name, argument };
    // First of all: the function may ask.
    this.#roster.setState(place, 'running');
    try {
      this.#port.postMessage(message, transfer as ArrayBuffer[]);
    } catch (error) {
      this.#roster.setState(place, 'waiting');
      throw error;
    }
    const handle = new LaunchHandle<T>(lcore, {
      abort: (reason) => this.#post({ type: 'abort', id, reason }),
      kill: () => this.kill(),
    });
    const abort = (): void => handle.abort(signal?.reason);
    const forget = (): void => signal?.removeEventListener('abort', abort);
    this.#running = { id, handle: handle as LaunchHandle<unknown>, forget };
    this.#worker.ref();
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    return handle;
  }

  /** Gives it the other end of a bridge's port. */
  bridge(port: MessagePort): void {
    const message: ToLcore = { type: 'bridge', port };
    this.#port.postMessage(message, [port]);
  }

  abort(reason: unknown): void {
    this.#running?.handle.abort(reason);
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#worker.ref();
    await this.#worker.terminate();
    await this.#exited;
  }

  /** Ends it in order, its connections within `deadlineMs`. */
  async end(deadlineMs: number | undefined): Promise<void> {
    this.startEnd(deadlineMs);
    await this.#exited;
  }

  startEnd(deadlineMs: number | undefined): void {
    this.#isEnding = true;
    this.#worker.ref();
    this.#post({ type: 'end', deadlineMs });
  }

  #post(message: ToLcore): void {
    this.#port.postMessage(message);
  }

  #receive(message: FromLcore): void {
    if (message.type === 'closed') this.report = message.report;
    if (message.type === 'returned') this.#done(message.id)?.returned(message.value);
    if (message.type === 'threw') this.#done(message.id)?.threw(errorFrom(message.error));
  }

  /** It waits again. */
  #done(id: number): LaunchHandle<unknown> | null {
    const running = this.#running;
    if (running?.id !== id) return null;
    this.#running = null;
    running.forget();
    this.#roster.setState(this.options.place, 'waiting');
    if (!this.#isEnding) this.#worker.unref();
    return running.handle;
  }

  #ended(code: number): void {
    const { place } = this.options;
    this.#roster.setState(place, 'ended');
    drivers.delete(place);
    this.#port.close();
    const running = this.#running;
    this.#running = null;
    running?.forget();
    const error = this.#error ?? new Error(`its Worker ended with exit code ${code}`);
    running?.handle.threw(
      new LcoreError('ECANCELED', `lcore ${running.handle.lcore.id} has ended: ${error}`, error),
    );
    if (!this.#isEnding) this.options.onDeath(this, error);
  }
}
