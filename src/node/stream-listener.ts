/**
 * A listener whose connections are TcpStreams.
 * @module
 */
import { ACCEPTABLE } from '../base/events.ts';
import type { TcpListener } from '../tcp/listener.ts';
import { Hold } from './hold.ts';
import type { StreamHost } from './stream-host.ts';
import { type StreamHandlers, TcpStream } from './tcp-stream.ts';

export class TcpStreamListener {
  /** What the connections that come from now on are given. */
  handlers: StreamHandlers;
  /** The stack's listener: its backlog, and how many wait. */
  readonly listener: TcpListener;
  readonly #host: StreamHost;
  readonly #hold: Hold;

  /** Made by listen(). */
  constructor(host: StreamHost, listener: TcpListener, handlers: StreamHandlers) {
    this.#host = host;
    this.listener = listener;
    this.handlers = handlers;
    listener.owner = this;
    this.#hold = new Hold(host.loop);
    this.#hold.set(true);
  }

  get port(): number {
    return this.listener.port;
  }

  /** '::' when it listens on every address of both families. */
  get address(): string {
    return `${this.listener.address ?? '::'}`;
  }

  /** No new connections; those there are go on. */
  close(): void {
    this.listener.close();
    this.listener.owner = null;
    this.#hold.set(false);
    this.#host.loop.wake();
  }

  /** A listener keeps the process alive, unless unref() was called. */
  ref(): this {
    this.#hold.set(this.listener.owner === this);
    return this;
  }

  unref(): this {
    this.#hold.set(false);
    return this;
  }

  onEvents(events: number): void {
    if ((events & ACCEPTABLE) === 0) return;
    let isDone = false;
    try {
      this.#acceptAll();
      isDone = true;
    } finally {
      // open() threw; a program that catches it as an uncaught exception gets the others, too.
      if (!isDone) setImmediate(() => this.onEvents(ACCEPTABLE));
    }
  }

  #acceptAll(): void {
    for (let next = this.listener.accept(); next !== null; next = this.listener.accept()) {
      const stream = new TcpStream(this.#host, this.handlers, true);
      stream.attach(next);
      stream.handlers.open?.(stream);
    }
  }
}
