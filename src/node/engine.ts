/**
 * One stack bound to this thread's event loop: when what happened below is told above.
 *
 * Programs rely on libuv's order more than on anything written down, so it is kept here: nothing
 * calls back from inside a call, promises and nextTicks run between two events as they do
 * between two macrotasks, and 'close' comes after the immediates of its round.
 * @module
 */
import type { Address, Prefix } from '../base/address.ts';
import type { PollLoop } from '../runtime/poll-loop.ts';
import type { Stack } from '../stack/stack.ts';
import { getCurrent } from './current.ts';
import { OWNER, TCP, TCP_SOCKET } from './natives.ts';

/** Something with work to do in a macrotask of its own. */
export interface Task {
  onTurn(): void;
}

/** Most bytes given to a program at once: what libuv reads with one call. */
export const READ_BYTES = 65536;

/** Runs nextTicks, promise reactions and rejections, as Node does between two macrotasks. */
export const drainTicks: () => void = findDrainTicks();

function findDrainTicks(): () => void {
  const drain = (process as unknown as { _tickCallback?: () => void })._tickCallback;
  if (typeof drain !== 'function') {
    throw new Error(`dpdk-net cannot drain the tick queue of Node ${process.version}`);
  }
  return drain;
}

export class Engine {
  readonly stack: Stack;
  readonly loop: PollLoop;
  /** Destinations and listening addresses that stay with the kernel. */
  kernelRoutes: readonly Prefix[];
  /** What is read for a native consumer (TLS, the HTTP parser), which copies it at once. */
  readonly inbound: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  /** Strings on their way into a send buffer. */
  readonly outbound: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #due: Task[] = [];
  #spare: Task[] = [];
  #armed = false;
  #closing: (() => void)[] = [];

  constructor(stack: Stack, loop: PollLoop, kernelRoutes: readonly Prefix[] = []) {
    this.stack = stack;
    this.loop = loop;
    this.kernelRoutes = kernelRoutes;
  }

  /** True when traffic to (or a listener on) `address` is the kernel's. */
  isKernel(address: Address): boolean {
    if (address.isAny) return false;
    return this.kernelRoutes.some((prefix) =>
      prefix.contains(address.w0, address.w1, address.w2, address.w3),
    );
  }

  /**
   * Calls task.onTurn() as a macrotask of its own, before the stack is polled again when this is
   * asked for while events are told. The caller queues a task only once.
   */
  later(task: Task): void {
    this.#due.push(task);
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(this.#turn);
  }

  /**
   * Calls back after the immediates that this round has or gets: where libuv closes handles, and
   * the only way there is closing one.
   */
  afterImmediates(callback: () => void): void {
    this.#closing.push(callback);
    if (this.#closing.length === 1) setImmediate(() => new TCP(TCP_SOCKET).close(this.#closeAll));
  }

  /** The end of what a socket was told: what is due now need not wait for an immediate. */
  endOfEvents(): void {
    if (this.#due.length > 0) this.#runDue();
  }

  readonly #turn = (): void => {
    this.#armed = false;
    this.#runDue();
  };

  #runDue(): void {
    const due = this.#due;
    this.#due = this.#spare;
    let done = 0;
    try {
      while (done < due.length) {
        due[done++]!.onTurn();
        drainTicks();
      }
    } finally {
      // A program that threw and caught it as an uncaught exception loses no event.
      if (done < due.length) for (const task of due.slice(done)) this.later(task);
      due.length = 0;
      this.#spare = due;
    }
  }

  readonly #closeAll = (): void => {
    const closing = this.#closing;
    this.#closing = [];
    let done = 0;
    try {
      while (done < closing.length) {
        closing[done++]!();
        drainTicks();
      }
    } finally {
      for (const callback of closing.slice(done)) this.afterImmediates(callback);
    }
  };
}

/** The socket or server that a handle belongs to, null when it has none. */
export function ownerOf<T>(handle: object): T | null {
  return ((handle as Record<symbol, unknown>)[OWNER] as T | undefined) ?? null;
}

let current: Engine | null = null;

/** The engine that `dpdk-net/net` and `dpdk-net/dgram` use: whoever imports them wants the stack. */
export function currentEngine(): Engine {
  const { stack, loop } = getCurrent();
  if (current?.stack !== stack) current = new Engine(stack, loop);
  return current;
}
