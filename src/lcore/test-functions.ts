/**
 * For tests: functions that are launched on lcores.
 * @module
 */
import { parentPort } from 'node:worker_threads';
import { Lcore, type LcoreContext } from './lcore.ts';

/** Who runs it, and what it sees. */
export function whoAmI(argument: unknown, { lcore, stack }: LcoreContext): object {
  const { id, queue, role, state } = lcore;
  return {
    argument,
    id,
    queue,
    role,
    state,
    isCurrent: Lcore.current?.id === id,
    hasStack: stack !== null,
    all: Lcore.all.map((other) => other.id),
    hasParent: parentPort !== null,
  };
}

export function sum(numbers: Float64Array): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Gives a buffer back, moved. */
export function fill(buffer: ArrayBuffer, { transfer }: LcoreContext): ArrayBuffer {
  new Uint8Array(buffer).fill(7);
  transfer(buffer);
  return buffer;
}

export function fail(): never {
  throw Object.assign(new RangeError('as told'), { code: 'EXAMPLE' });
}

export function failWithText(): never {
  throw 'just a text';
}

export function answerFunction(): unknown {
  return () => 1;
}

/** Runs until it is aborted. */
export async function untilAborted(_: unknown, { signal }: LcoreContext): Promise<unknown> {
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
  return signal.reason;
}

export function exit(code: number): void {
  process.exit(code);
}

/** Dies of an error outside of any function. */
export function crashLater(): Promise<never> {
  setImmediate(() => {
    throw new Error('crashed as told');
  });
  return new Promise(() => {});
}

/** What the stack of the queue has in use. */
export function counts(_: unknown, { stack }: LcoreContext): object {
  const { connections, listeners, udpSockets } = stack!.counts();
  return { connections, listeners, udpSockets };
}
