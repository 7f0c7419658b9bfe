/**
 * For tests: two lcores, each with a stack, and what waits for what happens on a bridge.
 * @module
 */
import assert from 'node:assert/strict';
import type { EventSource } from '../base/events.ts';
import { ACCEPTABLE, CLOSED } from '../base/events.ts';
import type { Bridge } from './bridge.ts';
import type { BridgeListener } from './listener.ts';
import type { BridgeSocket } from './socket.ts';

/** Remembers what happened to a socket, and waits for more of it. */
export class Watcher {
  /** All bits that were ever told. */
  seen = 0;
  #waiting: (() => void)[] = [];

  constructor(source: EventSource) {
    source.owner = this;
  }

  onEvents(events: number): void {
    assert.equal(this.seen & CLOSED, 0, 'CLOSED is the last event');
    this.seen |= events;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Resolves when it is true; looks whenever something happened. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  closed(): Promise<void> {
    return this.until(() => (this.seen & CLOSED) !== 0);
  }
}

/** The connections of a listener, one after the other. */
export class Acceptor {
  readonly #listener: BridgeListener;
  readonly #watcher: Watcher;

  constructor(listener: BridgeListener) {
    this.#listener = listener;
    this.#watcher = new Watcher(listener);
  }

  async next(): Promise<BridgeSocket> {
    let socket: BridgeSocket | null = null;
    await this.#watcher.until(() => {
      socket = this.#listener.accept();
      return socket !== null;
    });
    return socket!;
  }

  get isAcceptable(): boolean {
    return (this.#watcher.seen & ACCEPTABLE) !== 0;
  }

  /** Closes the listener, and waits for it. */
  async close(): Promise<void> {
    this.#listener.close();
    await this.#watcher.closed();
  }
}

/** Reads until the end. */
export async function readAll(socket: BridgeSocket, watcher: Watcher): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const into = new Uint8Array(40_000);
  await watcher.until(() => {
    for (let count = socket.read(into); count > 0; count = socket.read(into)) {
      chunks.push(Buffer.from(into.subarray(0, count)));
    }
    return socket.ended || socket.closed;
  });
  return Buffer.concat(chunks);
}

/** Writes all of it, as there is room. */
export async function writeAll(
  socket: BridgeSocket,
  watcher: Watcher,
  bytes: Uint8Array,
): Promise<void> {
  let written = 0;
  await watcher.until(() => {
    written += socket.write(bytes, written);
    return written === bytes.length;
  });
}

/** Waits until both sides have so many slots in use. */
export async function untilInUse(bridge: Bridge, count: number): Promise<void> {
  for (;;) {
    const { parts, slots } = await bridge.counts();
    if (parts === count && slots === count) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Bytes that are different everywhere. */
export function pattern(length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2654435761);
  return Buffer.from(words.buffer, 0, length);
}
