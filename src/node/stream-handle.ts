/**
 * A handle as far as bytes go through it: what native code and lib/net.js call to read and to write.
 *
 * It extends Node's own JSStream, so native code can attach itself to it: that calls onreadstart,
 * onreadstop, onwrite and onshutdown. lib/net.js calls the rest directly. Errors are libuv's:
 * negative numbers, never exceptions.
 * @module
 */
import { AsyncResource } from 'node:async_hooks';
import { type Engine, ownerOf } from './engine.ts';
import { EBADF } from './errno.ts';
import { Inbox } from './inbox.ts';
import { JSStream, type Request, type SocketInternals } from './natives.ts';
import { Outbox } from './outbox.ts';
import type { WriteCallback } from './pending.ts';
import { TcpSettings } from './tcp-settings.ts';

export abstract class StreamHandle extends JSStream {
  /** lib/net.js's own note that it has called readStart(). */
  reading = false;
  /** The TLS socket around this handle, if any. */
  consumer: SocketInternals | null = null;
  protected readonly engine: Engine;
  protected readonly inbox: Inbox;
  protected readonly outbox: Outbox;
  protected readonly settings: TcpSettings = new TcpSettings();
  readonly #resource = new AsyncResource('TCPWRAP');
  #isScheduled = false;
  #isLent = false;
  #isLentToParser = false;
  #isConsumed = false;

  constructor(engine: Engine) {
    super();
    this.engine = engine;
    this.inbox = new Inbox(engine, this);
    this.outbox = new Outbox(engine, this);
  }

  abstract get isClosed(): boolean;

  /** Something began or ceased to be a reason to keep the process alive. */
  abstract changed(): void;

  /** The work that was put off to a macrotask of its own. */
  protected abstract turn(): void;

  // What native code asks and does.

  /** Asked by everything that attaches itself natively, and by nothing else. */
  get isStreamBase(): boolean {
    this.#isLent = true;
    this.#isLentToParser = false;
    return true;
  }

  /** lib/_http_server.js notes here that it has attached its parser. */
  get _consumed(): boolean {
    return this.#isConsumed;
  }

  set _consumed(isConsumed: boolean) {
    this.#isConsumed = isConsumed;
    this.#isLentToParser = isConsumed;
  }

  /** True while native code listens; the HTTP parser lets go when a connection is upgraded. */
  get isLent(): boolean {
    if (this.#isLentToParser && ownerOf<{ parser?: unknown }>(this)?.parser === null) {
      this.#isLentToParser = false;
      this.#isLent = false;
    }
    return this.#isLent;
  }

  isClosing(): boolean {
    return this.isClosed;
  }

  onreadstart(): number {
    return this.readStart();
  }

  onreadstop(): number {
    return this.readStop();
  }

  onwrite(request: Request, chunks: Uint8Array[]): number {
    return this.outbox.writeNative(request, chunks);
  }

  onshutdown(request: Request): number {
    return this.outbox.shutdown(request, true);
  }

  // What lib/net.js calls on a connection.

  readStart(): number {
    if (this.isClosed) return EBADF;
    this.inbox.start();
    this.changed();
    return 0;
  }

  readStop(): number {
    this.inbox.started = false;
    this.changed();
    return 0;
  }

  /** The inbox looks at the socket's own fields for the buffer. */
  useUserBuffer(): void {}

  /** All that a net.Socket writes; Node's own write methods lead to onwrite(). */
  write(data: WriteData, encoding: string, isVector: boolean, callback: WriteCallback): void {
    if (isVector) this.outbox.write(chunksOf(data as WriteVector), callback);
    else if (typeof data !== 'string') this.outbox.write([data as Uint8Array], callback);
    else this.outbox.writeText(data, encoding as BufferEncoding, callback);
  }

  shutdown(request: Request): number {
    return this.outbox.shutdown(request, false);
  }

  get bytesRead(): number {
    return this.inbox.bytesRead;
  }

  get bytesWritten(): number {
    return this.outbox.bytesWritten;
  }

  /** Bytes that writes still wait to get rid of. */
  get writeQueueSize(): number {
    return this.outbox.bytesWaiting;
  }

  setNoDelay(on: boolean): number {
    this.settings.setNoDelay(on);
    return 0;
  }

  setKeepAlive(on: boolean, delay = 0, interval?: number, count?: number): number {
    this.settings.setKeepAlive(on, delay, interval, count);
    return 0;
  }

  setTypeOfService(value: number): number {
    this.settings.typeOfService = value;
    return 0;
  }

  getTypeOfService(): number {
    return this.settings.typeOfService;
  }

  setBlocking(): number {
    return 0;
  }

  setSimultaneousAccepts(): number {
    return 0;
  }

  // Its turns.

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.engine.later(this);
  }

  onTurn(): void {
    this.#isScheduled = false;
    this.turn();
  }

  /** Runs `callback` in the asynchronous context of the handle. */
  tell(callback: () => void): void {
    this.#resource.runInAsyncScope(callback);
  }
}

/** The chunks of a vector, as lib/net.js hands it over. */
type WriteVector = { chunk: Uint8Array | string; encoding: BufferEncoding }[];
export type WriteData = Uint8Array | string | WriteVector;

function chunksOf(vector: WriteVector): Uint8Array[] {
  return vector.map(({ chunk, encoding }) =>
    typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk,
  );
}
