/**
 * The stack that `dpdk-net/net` and `dpdk-net/dgram` use in this thread: the one opened last.
 *
 * Apart from engine.ts, so that opening a stack for its own sockets touches nothing of Node's.
 * @module
 */
import type { PollLoop } from '../runtime/poll-loop.ts';
import type { Stack } from '../stack/stack.ts';

/** A stack and what drives it; what openStack() returns is one. */
export interface Running {
  readonly stack: Stack;
  readonly loop: PollLoop;
}

let current: Running | null = null;

export function setCurrent(running: Running): void {
  current = running;
}

/** Throws when no stack has been opened. */
export function getCurrent(): Running {
  if (current === null) {
    throw new Error('no stack is open in this thread: call openStack() first');
  }
  return current;
}
