/**
 * A function that was launched on an lcore, as whoever launched it sees it.
 * @module
 */
import type { Lcore } from './lcore.ts';

/** Why a launch is refused, or a function has no result. */
export type LcoreErrorCode =
  /** The lcore runs a function already. */
  | 'EBUSY'
  /** It is not this thread that opened the lcore. */
  | 'EPERM'
  /** The lcore has ended, or did while the function ran. */
  | 'ECANCELED'
  | 'EINVAL';

export class LcoreError extends Error {
  override readonly name: string = 'LcoreError';
  readonly code: LcoreErrorCode;

  constructor(code: LcoreErrorCode, message: string, cause?: unknown) {
    super(`${code}: ${message}`, { cause });
    this.code = code;
  }
}

export type LaunchState = 'running' | 'returned' | 'threw';

/** What the lcore's end does with a handle. */
export interface Launched {
  abort(reason: unknown): void;
  kill(): Promise<void>;
}

/**
 * Await it, or ask it: `if (handle.isDone) use(handle.poll())`. One that fails and is never asked
 * is no unhandled rejection.
 */
export class LaunchHandle<T = unknown> implements PromiseLike<T> {
  readonly lcore: Lcore;
  readonly #launched: Launched;
  readonly #promise: Promise<T>;
  #state: LaunchState = 'running';
  #value: T | undefined = undefined;
  #error: unknown = undefined;
  #resolve: (value: T) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  /** Made by Lcore.launch(). */
  constructor(lcore: Lcore, launched: Launched) {
    this.lcore = lcore;
    this.#launched = launched;
    this.#promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#promise.catch(() => {});
  }

  get state(): LaunchState {
    return this.#state;
  }

  get isDone(): boolean {
    return this.#state !== 'running';
  }

  /** What it returned, undefined as long as it runs; throws what it threw. Never waits. */
  poll(): T | undefined {
    if (this.#state === 'threw') throw this.#error;
    return this.#value;
  }

  /** Resolves to what it returns, rejects with what it throws, or with LcoreError ECANCELED. */
  wait(): Promise<T> {
    return this.#promise;
  }

  // biome-ignore lint/suspicious/noThenProperty: a handle can be awaited, that is its purpose.
  then<A = T, B = never>(
    onReturned?: ((value: T) => A | PromiseLike<A>) | null,
    onThrew?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise.then(onReturned, onThrew);
  }

  /** Asks it to end: aborts the signal in its context. It decides what it does then. */
  abort(reason?: unknown): void {
    if (!this.isDone) this.#launched.abort(reason);
  }

  /**
   * Ends the lcore with it, whatever it does; its connections are reset. Where lcores are started
   * again (`restart`) another takes its place.
   */
  async kill(): Promise<void> {
    if (!this.isDone) await this.#launched.kill();
  }

  // ---- for the lcore's end ----

  returned(value: T): void {
    this.#state = 'returned';
    this.#value = value;
    this.#resolve(value);
  }

  threw(error: unknown): void {
    this.#state = 'threw';
    this.#error = error;
    this.#reject(error);
  }
}
