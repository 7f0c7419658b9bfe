/**
 * A TCP connection for programs that want more speed than net.Socket has and less work than the
 * stack's own sockets are: `dpdk-net/stream`.
 *
 * What has arrived is shown where it lies in the memory of the stack, once per burst; what is written
 * goes into the send buffer inside write(), and only what that does not take is copied. There is
 * no queue of callbacks, no promise and no event object for each chunk.
 * @module
 */
import {
  CLOSED,
  CONNECTED,
  ENDED,
  FAILED,
  FLUSHED,
  READABLE,
  URGENT,
  WRITABLE,
} from '../base/events.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { addressError, errnoError, errnoOf } from './errno.ts';
import { Hold } from './hold.ts';
import type { StreamHost } from './stream-host.ts';

/**
 * What a connection tells its program. All are optional; none is called from inside a call of the
 * program. `this` is the object itself, so one object can serve all connections, or each its own:
 * `stream.handlers` can be set anew at any time.
 */
export interface StreamHandlers {
  /** The connection is established. */
  open?(stream: TcpStream): void;
  /** Bytes have arrived. `bytes` is lent: it is valid until this call returns, not after. */
  data?(stream: TcpStream, bytes: Buffer): void;
  /** In place of data(): bytes have arrived, to be taken with stream.read(). */
  readable?(stream: TcpStream): void;
  /** There is room again after write() said false. */
  drain?(stream: TcpStream): void;
  /** The peer sends no more (FIN). Without this handler our half is ended then, too. */
  end?(stream: TcpStream): void;
  /** Trouble that has not ended the connection, see TcpSocket.softError. */
  trouble?(stream: TcpStream, error: NodeJS.ErrnoException): void;
  /** The peer has marked `bytes` more as urgent; they come in line. */
  urgent?(stream: TcpStream, bytes: number): void;
  /** The last call: the connection is over; `error` says why, null: orderly. */
  close?(stream: TcpStream, error: NodeJS.ErrnoException | null): void;
}

/** An error of Node's streams: the program has made a mistake. */
function misuse(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

export class TcpStream {
  handlers: StreamHandlers;
  readonly #host: StreamHost;
  readonly #hold: Hold;
  /** Null while a name is looked up, or once nothing came of it. */
  #socket: TcpSocket | null = null;
  /** Bits of base/events.ts that were raised and are not told yet. */
  #due = 0;
  /** What the send buffer did not take, in order. */
  #rest: Uint8Array[] = [];
  #isRefused = false;
  #isOpen: boolean;
  #isPaused = false;
  #isEnding = false;
  #isEndTold = false;
  /** All that was written is acknowledged, the FIN included. */
  #isFlushed = false;
  #isOver = false;
  #isLending = false;
  /** What close() or reset() was called for while bytes were lent. */
  #letGo: 'close' | 'abort' | null = null;
  #isReferenced = true;
  #isScheduled = false;
  #failure: NodeJS.ErrnoException | null = null;

  /** Made by connect(), and by listen() when a connection has come: then it is open. */
  constructor(host: StreamHost, handlers: StreamHandlers, isOpen: boolean) {
    this.#host = host;
    this.handlers = handlers;
    this.#isOpen = isOpen;
    this.#hold = new Hold(host.loop);
    this.#hold.set(true);
  }

  /** The stack's: this is the connection, `first` is to be written before all else. */
  attach(socket: TcpSocket, first?: Uint8Array): void {
    this.#socket = socket;
    socket.owner = this;
    if (first !== undefined && first.length > 0) this.#rest.unshift(Buffer.from(first));
    if (this.#flushRest(socket) && this.#isEnding) socket.shutdown();
  }

  /** The stack's: there will be no connection. */
  fail(error: NodeJS.ErrnoException): void {
    if (this.#isOver) return;
    this.#failure = error;
    this.#schedule(CLOSED);
  }

  // Reading.

  /** Bytes that have arrived and were not read. */
  get readable(): number {
    return this.#socket?.readable ?? 0;
  }

  /**
   * Copies what has arrived to `into`; returns how many bytes, 0: none. For paused streams and
   * readable(), which is called again when more has come; within data() there is nothing to read.
   */
  read(into: Uint8Array, start = 0, end: number = into.length): number {
    const socket = this.#socket;
    if (socket === null || this.#isOver || this.#isLending) return 0;
    const length = socket.read(into, start, end);
    if (length > 0) this.#host.loop.wake();
    if (!this.#isEndTold && socket.ended) this.#schedule(ENDED);
    return length;
  }

  /** No more data() until resume(). What still comes is held, and in the end the peer is. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#schedule(READABLE);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  // Writing.

  /**
   * Sends all of `chunk`, which is the program's again when this returns. False: the send buffer is
   * full; drain() follows, and who writes on meanwhile has it copied. On a connection that is
   * over nothing happens. Throws ERR_STREAM_WRITE_AFTER_END after end().
   */
  write(chunk: Uint8Array | string, encoding: BufferEncoding = 'utf8'): boolean {
    if (this.#isEnding) throw misuse('ERR_STREAM_WRITE_AFTER_END', 'write after end');
    if (typeof chunk === 'string') return this.#writeText(chunk, encoding);
    return this.#write(chunk, chunk.length);
  }

  /** Bytes that write() would pass on at once. */
  get writable(): number {
    return this.#rest.length > 0 ? 0 : (this.#socket?.writable ?? 0);
  }

  /** Bytes written that have not left this machine's send buffer for good: unacknowledged ones, too. */
  get unacknowledged(): number {
    return this.#rest.reduce((sum, { length }) => sum + length, this.#socket?.unacknowledged ?? 0);
  }

  /** FIN after what was written, and after `chunk`. Reading goes on. */
  end(chunk?: Uint8Array | string, encoding?: BufferEncoding): void {
    if (this.#isEnding) return;
    if (chunk !== undefined) this.write(chunk, encoding);
    this.#isEnding = true;
    if (this.#rest.length === 0) this.#finish();
  }

  // The end, and liveness.

  /** Lets go: FIN after what was written, or RST when there is unread input. close() follows. */
  close(): void {
    this.#end('close');
  }

  /** RST at once. The handler close() follows. */
  reset(): void {
    this.#end('abort');
  }

  /** True once it is over, or let go. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** An open connection keeps the process alive, unless unref() was called. */
  ref(): this {
    this.#isReferenced = true;
    this.#hold.set(!this.#isOver);
    return this;
  }

  unref(): this {
    this.#isReferenced = false;
    this.#hold.set(this.#isScheduled);
    return this;
  }

  // What it is.

  /** The stack's socket: options, info(), counts, addresses (docs/stack-api.md). Null: none yet. */
  get socket(): TcpSocket | null {
    return this.#socket;
  }

  get remoteAddress(): string | undefined {
    return this.#socket?.remoteAddress.toString();
  }

  get remotePort(): number | undefined {
    return this.#socket?.remotePort;
  }

  get localAddress(): string | undefined {
    return this.#socket?.localAddress.toString();
  }

  get localPort(): number | undefined {
    return this.#socket?.localPort;
  }

  // What the stack tells.

  onEvents(events: number): void {
    this.#due |= events;
    let isDone = false;
    try {
      this.#tell();
      isDone = true;
    } finally {
      // A handler threw; a program that catches it as an uncaught exception goes on from here.
      if (!isDone && this.#due !== 0) this.#schedule(0);
    }
  }

  /** Forgets each bit before it tells of it. */
  #tell(): void {
    if ((this.#due & CONNECTED) !== 0) {
      this.#due &= ~CONNECTED;
      this.#isOpen = true;
      if (!this.#isOver) this.handlers.open?.(this);
    }
    // Before the bytes themselves: what is urgent is counted from here.
    if ((this.#due & (FAILED | URGENT)) !== 0) this.#tellUnusual();
    if ((this.#due & (READABLE | ENDED)) !== 0) this.#deliver();
    if ((this.#due & WRITABLE) !== 0) {
      this.#due &= ~WRITABLE;
      this.#drain();
    }
    if ((this.#due & FLUSHED) !== 0) this.#isFlushed = true;
    // Both halves are over; the time that TCP still waits is the stack's.
    if (this.#isFlushed && this.#isEndTold) this.#end('close');
    if ((this.#due & CLOSED) !== 0) {
      this.#due = 0;
      this.#tellClosed();
    }
  }

  /** Shows what is there: one view, or two where the buffer begins anew. */
  #deliver(): void {
    const socket = this.#socket;
    while (!this.#isPaused && !this.#isOver && socket !== null && socket.readable > 0) {
      if (this.handlers.data === undefined) {
        this.#due &= ~READABLE;
        this.handlers.readable?.(this);
        break;
      }
      this.#lend(socket);
    }
    this.#due &= ~(READABLE | ENDED);
    if (this.#isPaused || this.#isOver || this.#isEndTold || !socket?.ended) return;
    this.#isEndTold = true;
    if (this.handlers.end === undefined) this.end();
    else this.handlers.end(this);
  }

  #lend(socket: TcpSocket): void {
    const bytes = socket.peek(this.#host.memory) as Buffer;
    this.#isLending = true;
    try {
      this.handlers.data!(this, bytes);
    } finally {
      this.#isLending = false;
      socket.consume(bytes.length);
      if (this.#letGo !== null) this.#release(this.#letGo);
    }
  }

  #drain(): void {
    const socket = this.#socket;
    if (socket === null || this.#isOver || !this.#flushRest(socket)) return;
    const wasRefused = this.#isRefused;
    this.#isRefused = false;
    if (this.#isEnding) this.#finish();
    else if (wasRefused) this.handlers.drain?.(this);
  }

  #tellUnusual(): void {
    const events = this.#due;
    this.#due &= ~(FAILED | URGENT);
    const socket = this.#socket;
    if (socket === null || this.#isOver) return;
    const { softError, urgent } = socket;
    if ((events & FAILED) !== 0 && softError !== '') {
      this.handlers.trouble?.(this, errnoError(errnoOf(softError), 'read'));
    }
    if ((events & URGENT) !== 0 && urgent > 0 && !this.#isOver)
      this.handlers.urgent?.(this, urgent);
  }

  /** The connection is over, or was let go. */
  #tellClosed(): void {
    if (this.#isOver && this.#letGo === null) return;
    this.#letGo = null;
    this.#isOver = true;
    this.#hold.set(false);
    this.#rest = [];
    const socket = this.#socket;
    if (socket !== null) socket.owner = null;
    this.handlers.close?.(this, this.#failure ?? this.#errorOf(socket));
  }

  #errorOf(socket: TcpSocket | null): NodeJS.ErrnoException | null {
    if (socket === null || socket.error === '') return null;
    const errno = errnoOf(socket.error);
    if (this.#isOpen) return errnoError(errno, 'read');
    return addressError(errno, 'connect', `${socket.remoteAddress}`, socket.remotePort);
  }

  // How it is done.

  #writeText(text: string, encoding: BufferEncoding): boolean {
    const scratch = this.#host.scratch;
    // No encoding makes more than three bytes of a UTF-16 unit.
    if (text.length * 3 <= scratch.length) {
      return this.#write(scratch, scratch.write(text, encoding));
    }
    const bytes = Buffer.from(text, encoding);
    return this.#write(bytes, bytes.length);
  }

  #write(chunk: Uint8Array, length: number): boolean {
    const socket = this.#socket;
    let taken = 0;
    if (this.#isOver || socket?.error) return false;
    if (socket !== null && this.#rest.length === 0) {
      if (socket.connection === null) return false;
      taken = socket.write(chunk, 0, length);
      this.#host.loop.wake();
      if (taken === length) return true;
    }
    this.#rest.push(Buffer.from(chunk.subarray(taken, length)));
    this.#isRefused = true;
    return false;
  }

  /** True when the send buffer has everything. */
  #flushRest(socket: TcpSocket): boolean {
    while (this.#rest.length > 0) {
      if (socket.connection === null) return false;
      const chunk = this.#rest[0]!;
      const taken = socket.write(chunk, 0, chunk.length);
      this.#host.loop.wake();
      if (taken < chunk.length) {
        this.#rest[0] = chunk.subarray(taken);
        return false;
      }
      this.#rest.shift();
    }
    return true;
  }

  #finish(): void {
    this.#socket?.shutdown();
    this.#host.loop.wake();
  }

  #end(how: 'close' | 'abort'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#letGo = how;
    if (!this.#isLending) this.#release(how);
  }

  #release(how: 'close' | 'abort'): void {
    this.#socket?.[how]();
    this.#host.loop.wake();
    this.#schedule(CLOSED);
  }

  #schedule(events: number): void {
    this.#due |= events;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#hold.set(true);
    setImmediate(() => {
      this.#isScheduled = false;
      this.#hold.set(this.#isReferenced && !this.#isOver);
      this.onEvents(0);
    });
  }
}
