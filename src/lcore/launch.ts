/**
 * A function on many lcores at once.
 * @module
 */
import { type LaunchHandle, LcoreError } from './handle.ts';
import { type LaunchTask, Lcore } from './lcore.ts';

/** Launches a task on each of the lcores. Throws LcoreError EBUSY before any has begun. */
export function launchOn<T = unknown>(
  lcores: readonly Lcore[],
  task: LaunchTask | ((lcore: Lcore, index: number) => LaunchTask),
): LaunchGroup<T> {
  const busy = lcores.find(({ state }) => state === 'running');
  if (busy !== undefined) throw new LcoreError('EBUSY', `lcore ${busy.id} runs a function already`);
  const taskOf = typeof task === 'function' ? task : () => task;
  return new LaunchGroup(lcores.map((lcore, index) => lcore.launch<T>(taskOf(lcore, index))));
}

/** Launches a task on every worker lcore. */
export function launchOnWorkers<T = unknown>(task: LaunchTask): LaunchGroup<T> {
  return launchOn<T>(Lcore.workers, task);
}

/** Waits for what was launched last on each worker lcore; rejects with the first error. */
export function waitAllWorkers(): Promise<unknown[]> {
  return Promise.all(Lcore.workers.map((lcore) => lcore.wait()));
}

/** What runs on several lcores. */
export class LaunchGroup<T = unknown> {
  readonly handles: readonly LaunchHandle<T>[];

  constructor(handles: readonly LaunchHandle<T>[]) {
    this.handles = handles;
  }

  get isDone(): boolean {
    return this.handles.every(({ isDone }) => isDone);
  }

  /** The results, in the order of the lcores; rejects with the first error. */
  wait(): Promise<T[]> {
    return Promise.all(this.handles);
  }

  abort(reason?: unknown): void {
    for (const handle of this.handles) handle.abort(reason);
  }
}

/**
 * Says step by step what is to run where:
 *
 *     const group = new LaunchBuilder(new URL('./work.js', import.meta.url), 'sum')
 *       .onSocket(0)
 *       .atMost(2)
 *       .argument((lcore) => ({ part: lcore.id }))
 *       .launch();
 *
 * Without a filter it runs on every worker lcore that waits.
 */
export class LaunchBuilder<T = unknown> {
  readonly #module: URL | string;
  readonly #name: string;
  readonly #filters: ((lcore: Lcore) => boolean)[] = [({ state }) => state === 'waiting'];
  #most = Number.POSITIVE_INFINITY;
  #argumentOf: (lcore: Lcore, index: number) => unknown = () => undefined;
  #signal: AbortSignal | null = null;

  constructor(module: URL | string, name = 'default') {
    this.#module = module;
    this.#name = name;
  }

  /** Only lcores of that NUMA node. */
  onSocket(socket: number): this {
    return this.where((lcore) => lcore.socket === socket);
  }

  /** Only these. */
  on(lcores: readonly Lcore[]): this {
    const ids = new Set(lcores.map(({ id }) => id));
    return this.where(({ id }) => ids.has(id));
  }

  /** Only lcores that serve a queue, or that serve none. */
  serving(isServing = true): this {
    return this.where(({ queue }) => queue >= 0 === isServing);
  }

  where(filter: (lcore: Lcore) => boolean): this {
    this.#filters.push(filter);
    return this;
  }

  /** The first so many of them. */
  atMost(count: number): this {
    this.#most = count;
    return this;
  }

  /** What each gets: a function of the lcore and its index among those chosen, or the same for all. */
  argument(value: unknown | ((lcore: Lcore, index: number) => unknown)): this {
    this.#argumentOf =
      typeof value === 'function' ? (value as (lcore: Lcore, i: number) => unknown) : () => value;
    return this;
  }

  signal(signal: AbortSignal): this {
    this.#signal = signal;
    return this;
  }

  /** Those it would run on now. */
  get lcores(): Lcore[] {
    const fits = (lcore: Lcore): boolean => this.#filters.every((filter) => filter(lcore));
    return Lcore.workers.filter(fits).slice(0, this.#most);
  }

  launch(): LaunchGroup<T> {
    return launchOn<T>(this.lcores, (lcore, index) => ({
      module: this.#module,
      name: this.#name,
      argument: this.#argumentOf(lcore, index),
      ...(this.#signal === null ? {} : { signal: this.#signal }),
    }));
  }
}
