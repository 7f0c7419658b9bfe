/**
 * What drives stacks and their programs as fast as they go: polls without a pause, and lets Node's
 * event loop run (signals, memif's reconnecting) once in a while.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setImmediate as eventLoop } from 'node:timers/promises';
import { tuneCompiler } from 'dpdk-net/compiler';
import { createStack, Prefix } from 'dpdk-net/stack';
import { CHUNK_BYTES } from '../programs.mjs';

tuneCompiler();

/** Turns between two looks at the clock, which costs 90 ns: the stack counts in milliseconds. */
const TURNS = 16;
/** Looks at the clock between two of Node's own rounds. */
const LOOKS = 8;

/** Polled again while its program has just acted, so that this leaves at once. */
export function turn(stack, now) {
  stack.poll(now);
  let s = stack.nextEvent();
  while (s !== null) {
    for (; s !== null; s = stack.nextEvent()) s.owner.onEvents(s.takeEvents(), s);
    stack.poll(now);
    s = stack.nextEvent();
  }
}

export class Machine {
  #stacks;

  /** Drives one stack, or several in turn. The owner of each socket has onEvents(events, socket). */
  constructor(...stacks) {
    this.#stacks = stacks;
  }

  #turn(now) {
    for (let i = 0; i < this.#stacks.length; i++) turn(this.#stacks[i], now);
  }

  /** Polls until `done()`. */
  async until(done) {
    for (;;) {
      for (let look = 0; look < LOOKS; look++) {
        const now = performance.now() * 1000;
        for (let i = 0; i < TURNS; i++) this.#turn(now);
        if (done()) return;
      }
      await eventLoop();
    }
  }

  /** Polls for some time. */
  wait(ms) {
    const end = performance.now() + ms;
    return this.until(() => performance.now() >= end);
  }
}

/** A stack on a link; `heapBytes` are for socket buffers. */
export function makeStack(link, address, { arena = link.arena, heapBytes, tcp = {} }) {
  const stack = createStack({
    arena,
    heapBytes,
    random: () => randomBytes(4).readInt32LE(),
    tcp: {
      noDelay: true,
      maxHalfOpen: 1 << 20,
      firstEphemeralPort: 1024,
      lastEphemeralPort: 65535,
      ...tcp,
    },
  });
  stack.attach(link, { addresses: [Prefix.parse(address)] });
  return stack;
}

/** Memory of the arena for a program to copy through: there and back without a view. */
export function makeScratch(stack) {
  const { arena } = stack.heap;
  return Buffer.from(arena.buffer, arena.reserve(CHUNK_BYTES), CHUNK_BYTES).fill('x');
}
