/**
 * An lcore: a thread that DPDK knows, with a processor of its own where there are enough, which
 * waits for functions (docs/decisions/0029).
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import type { RunningStack } from '../runtime/open-stack.ts';
import type { Stack } from '../stack/stack.ts';
import { type Launched, type LaunchHandle, LcoreError } from './handle.ts';
import { type LcoreState, MAIN, Roster } from './roster.ts';

export type LcoreRole = 'main' | 'worker';

/** What a function that runs on an lcore gets beside its argument. */
export interface LcoreContext {
  readonly lcore: Lcore;
  /** Of the queue that the lcore serves; null: it serves none. */
  readonly stack: Stack | null;
  /** What drives the stack. */
  readonly running: RunningStack | null;
  /** Aborted by handle.abort(). */
  readonly signal: AbortSignal;
  /** What is to be moved, not cloned, with the result. */
  transfer(...objects: (ArrayBuffer | MessagePort)[]): void;
}

/** What can be launched: an export of a module. */
export type LcoreFunction<A = unknown, R = unknown> = (
  argument: A,
  context: LcoreContext,
) => R | Promise<R>;

export interface LaunchTask {
  /** A module that the lcore imports. */
  readonly module: URL | string;
  /** The name of the export; default 'default'. */
  readonly name?: string;
  /** Cloned, as postMessage() does. */
  readonly argument?: unknown;
  /** Parts of the argument that are moved. */
  readonly transfer?: readonly (ArrayBuffer | MessagePort)[];
  /** Aborts the function, as handle.abort() does. */
  readonly signal?: AbortSignal;
}

/** The end of an lcore that the thread which opened it holds. */
export interface LcoreDriver extends Launched {
  launch<T>(lcore: Lcore, task: LaunchTask): LaunchHandle<T>;
}

/** Of the lcores that this thread opened, by place. */
export const drivers: Map<number, LcoreDriver> = new Map();
/** What was launched last on each, by place. */
const lastHandles = new Map<number, LaunchHandle>();

export class Lcore {
  /** DPDK's number of it; a number of ours where DPDK does not run. */
  readonly id: number;
  /** NUMA node; -1: none, or unknown. */
  readonly socket: number;
  readonly role: LcoreRole;
  /** The processor it is pinned to, -1: none. */
  readonly cpu: number;
  /** The queue that it serves, -1: none. */
  readonly queue: number;
  readonly #place: number;

  /** Use the static members. */
  constructor(place: number) {
    const { id, socket, cpu, queue } = Roster.shared.at(place);
    this.#place = place;
    this.id = id;
    this.socket = socket;
    this.cpu = cpu;
    this.queue = queue;
    this.role = place === MAIN ? 'main' : 'worker';
  }

  /** The lcore of this number, null when there is none. */
  static fromId(id: number): Lcore | null {
    return Lcore.all.find((lcore) => lcore.id === id) ?? null;
  }

  /** This thread's; null: it is no lcore. */
  static get current(): Lcore | null {
    const place = Roster.shared.own;
    return place < 0 ? null : new Lcore(place);
  }

  /** The process's main thread. */
  static get main(): Lcore {
    return new Lcore(MAIN);
  }

  /** All of the process, by number. */
  static get all(): Lcore[] {
    return Roster.shared.places.map((place) => new Lcore(place));
  }

  /** All but the main one. */
  static get workers(): Lcore[] {
    return Lcore.all.filter(({ role }) => role === 'worker');
  }

  /** As it is now. */
  get state(): LcoreState {
    return Roster.shared.state(this.#place);
  }

  /**
   * Starts a function here. Throws LcoreError: EBUSY when one runs, EPERM in a thread that did not
   * open the lcore, ECANCELED when it has ended; DataCloneError when the argument can not be posted.
   */
  launch<T = unknown>(task: LaunchTask): LaunchHandle<T> {
    const driver = drivers.get(this.#place);
    if (driver === undefined) {
      throw new LcoreError('EPERM', `lcore ${this.id} was not opened by this thread`);
    }
    const handle = driver.launch<T>(this, task);
    lastHandles.set(this.#place, handle as LaunchHandle<unknown>);
    return handle;
  }

  /** launch(), and its result. */
  run<T = unknown>(task: LaunchTask): Promise<T> {
    return this.launch<T>(task).wait();
  }

  /** The result of what was launched last by this thread; undefined when nothing was. */
  async wait(): Promise<unknown> {
    return await lastHandles.get(this.#place);
  }
}
