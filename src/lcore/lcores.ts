/**
 * Lcores opened by a program: one for each queue of a configuration, or as many as it wants.
 * @module
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Bridge, type BridgeOptions, type BridgeTicket } from '../bridge/bridge.ts';
import { type ConfigSource, configFrom, readSource } from '../config/config.ts';
import { Eal } from '../dpdk/index.ts';
import { allowedCpus } from '../runtime/cpus.ts';
import type { DeviceSummary } from '../runtime/open-device.ts';
import type { CloseReport } from '../runtime/open-stack.ts';
import { Queues } from '../runtime/queues.ts';
import { atExit } from '../runtime/shutdown.ts';
import { Driver } from './driver.ts';
import { LcoreError } from './handle.ts';
import { Lcore } from './lcore.ts';
import { Roster } from './roster.ts';

export interface LcoresOptions {
  /**
   * A configuration file, or its text: an lcore for each queue of its device, with its stack.
   * Without one they have no stack.
   */
  readonly config?: string | ConfigSource;
  /** Without a configuration: how many; default one for each processor of `cpus`. */
  readonly count?: number;
  /** Without a configuration: the processors to pin them to, where EAL runs; default: any. */
  readonly cpus?: readonly number[];
  /** An lcore that dies is started again; default: it stays away, and others get its flows. */
  readonly restart?: boolean;
  /** Another has the place of one that died, and waits for functions. */
  readonly onRestart?: (lcore: Lcore) => void;
}

export interface LcoresReport {
  /** How the connections of each lcore with a queue ended, as far as it could tell. */
  readonly reports: readonly CloseReport[];
  /** Packet slots of the device that did not come back; 0, or something leaks. */
  readonly slots: number;
}

/** What is waited for an lcore that ends, beyond its connections' deadline, and that deadline. */
const PATIENCE_MS = 1000;
const DRAIN_MS = 2000;

/** Starts lcores; resolves when all are up. Rejects with what prevents one, and leaves none. */
export async function openLcores(options: LcoresOptions = {}): Promise<Lcores> {
  const lcores = new Lcores(options);
  try {
    await lcores.up;
  } catch (error) {
    await lcores.close(0);
    throw error;
  }
  return lcores;
}

export class Lcores {
  /** Those that had to be started again. */
  restarts = 0;
  readonly #queues: Queues | null;
  readonly #restart: boolean;
  readonly #onRestart: (lcore: Lcore) => void;
  readonly #drivers: Driver[] = [];
  readonly #bridges: Bridge[] = [];
  #closed: Promise<LcoresReport> | null = null;

  /** Use openLcores(). */
  constructor({ config, count, cpus, restart = false, onRestart = () => {} }: LcoresOptions) {
    this.#restart = restart;
    this.#onRestart = onRestart;
    const source = typeof config === 'string' ? readSource(config) : config;
    this.#queues = source === undefined ? null : new Queues(configFrom(source), source);
    const places = this.#queues?.count ?? count ?? (cpus ?? allowedCpus()).length;
    try {
      for (let i = 0; i < places; i++) this.#start(i, this.#takePlace(i), cpus?.[i] ?? -1);
    } catch (error) {
      this.#queues?.close();
      throw error;
    }
    atExit(this.#endAtExit);
  }

  get up(): Promise<unknown> {
    return Promise.all(this.#drivers.map(({ up }) => up));
  }

  /** The device whose queues they serve, and its name in the configuration; none without one. */
  get devices(): Queues['devices'] {
    return this.#queues?.devices ?? [];
  }

  /** The device in short; null for none but a loopback. */
  get device(): DeviceSummary | null {
    return this.#queues?.device ?? null;
  }

  /** In the order of their queues. */
  get all(): Lcore[] {
    return this.#drivers.map(({ options }) => new Lcore(options.place));
  }

  /** Sockets on the queues of these lcores, for this thread. */
  bridge(options: BridgeOptions = {}): Bridge {
    const bridge = new Bridge(this.bridgeTicket(), options);
    this.#bridges.push(bridge);
    return bridge;
  }

  /**
   * For another thread: `new Worker(file, { workerData: ticket, transferList: portsOf(ticket) })`,
   * and there `new Bridge(workerData)`. Good for one bridge.
   */
  bridgeTicket(): BridgeTicket {
    const living = this.#drivers.filter(({ options }) => isServing(options.place));
    return { queues: living.map(bridgeTo) };
  }

  /**
   * Ends them all: what runs is aborted, connections get FIN, and RST when `deadlineMs` is over.
   * Idempotent.
   */
  close(deadlineMs?: number): Promise<LcoresReport> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  async #close(deadlineMs: number | undefined): Promise<LcoresReport> {
    process.removeListener('exit', this.#endAtExit);
    for (const bridge of this.#bridges) bridge.close();
    const living = this.#drivers.filter(isAlive);
    for (const driver of living) driver.abort(new LcoreError('ECANCELED', 'the lcores are closed'));
    const patience = setTimeout(
      () => living.forEach((driver) => void driver.kill()),
      (deadlineMs ?? DRAIN_MS) + PATIENCE_MS,
    );
    await Promise.all(living.map((driver) => driver.end(deadlineMs)));
    clearTimeout(patience);
    return this.#closeQueues();
  }

  #closeQueues(): LcoresReport {
    for (const { options } of this.#drivers) Roster.shared.free(options.place);
    const reports = this.#drivers.flatMap(({ report }) => report ?? []);
    return { reports, slots: this.#queues?.close() ?? 0 };
  }

  /** The process ends, and its Workers would be cut off: their peers are told first. */
  readonly #endAtExit = (): void => {
    const living = this.#drivers.filter(isAlive);
    for (const driver of living) driver.startEnd(DRAIN_MS);
    for (const { options } of living) {
      Roster.shared.waitForEnd(options.place, DRAIN_MS + PATIENCE_MS);
    }
  };

  #takePlace(queue: number): number {
    const roster = Roster.shared;
    const place = roster.take();
    if (place < 0) throw new LcoreError('EINVAL', 'the process has as many lcores as there can be');
    const serves = this.#queues === null ? -1 : queue;
    roster.describe(place, { id: place, socket: -1, cpu: -1, thread: -1, queue: serves });
    return place;
  }

  #start(index: number, place: number, wanted: number): Driver {
    const ticket = this.#queues?.ticket(index) ?? null;
    const register = Eal.current !== null;
    const cpu = register ? (ticket?.cpu ?? wanted) : -1;
    const roster = Roster.shared;
    roster.describe(place, { ...roster.at(place), cpu });
    const onDeath = (driver: Driver): void => this.#died(index, driver, wanted);
    this.#drivers[index] = new Driver({ place, ticket, cpu, register, onDeath });
    return this.#drivers[index];
  }

  #died(queue: number, { options }: Driver, wanted: number): void {
    if (this.#closed !== null) return;
    this.#queues?.renew(queue);
    if (this.#restart) {
      this.restarts++;
      const driver = this.#start(queue, options.place, wanted);
      driver.up.then(
        () => this.#rejoin(driver),
        () => {},
      );
      return;
    }
    const left = this.#drivers.flatMap((driver, index) => (isAlive(driver) ? index : []));
    this.#queues?.retire(queue, left);
  }

  /** The bridges of this thread have the new one's sockets as they had the old one's. */
  #rejoin(driver: Driver): void {
    this.#onRestart(new Lcore(driver.options.place));
    if (driver.options.ticket === null) return;
    for (const bridge of this.#bridges) void bridge.add({ queues: [bridgeTo(driver)] });
  }
}

/** The ports of a ticket: they have to be transferred with it. */
export function portsOf({ queues }: BridgeTicket): MessagePort[] {
  return queues.map(({ port }) => port);
}

function bridgeTo(driver: Driver): BridgeTicket['queues'][number] {
  const { port1, port2 } = new MessageChannel();
  driver.bridge(port2);
  return { queue: driver.options.ticket!.queue, port: port1 };
}

function isAlive({ options }: Driver): boolean {
  return Roster.shared.state(options.place) !== 'ended';
}

function isServing(place: number): boolean {
  return Roster.shared.at(place).queue >= 0 && Roster.shared.state(place) !== 'ended';
}
