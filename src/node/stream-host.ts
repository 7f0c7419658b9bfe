/**
 * What all streams over one stack share.
 * @module
 */
import type { PollLoop } from '../runtime/poll-loop.ts';
import type { Stack } from '../stack/stack.ts';
import { getCurrent, type Running } from './current.ts';

const SCRATCH_BYTES = 65536;

export class StreamHost {
  readonly stack: Stack;
  readonly loop: PollLoop;
  /** The whole arena: views of it are what is lent. */
  readonly memory: Buffer;
  /** Strings on their way into a send buffer. */
  readonly scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

  constructor({ stack, loop }: Running) {
    this.stack = stack;
    this.loop = loop;
    const { buffer } = stack.heap.arena;
    this.memory = Buffer.from(buffer, 0, buffer.byteLength);
  }
}

let current: StreamHost | null = null;

/** That of the stack that was opened last in this thread. Throws when none was. */
export function currentHost(): StreamHost {
  const running = getCurrent();
  if (current?.stack !== running.stack) current = new StreamHost(running);
  return current;
}
