/**
 * The reading half of a TCP handle: what has arrived goes up, once per burst and socket.
 *
 * Two ways up. When nothing native listens, the bytes are copied out of the stack into one
 * Buffer and pushed into the socket, doing what lib's onStreamRead does. When TLS, the HTTP
 * parser or HTTP/2 has attached itself to the handle, they go through the JSStream, and the
 * native code copies them to where it wants them.
 * @module
 */
import type { TcpSocket } from '../tcp/socket.ts';
import type { Engine } from './engine.ts';
import { drainTicks, ownerOf, READ_BYTES } from './engine.ts';
import { errnoError, errnoOf } from './errno.ts';
import { type NativeStream, ONREAD, type SocketInternals } from './natives.ts';

/** Reads of one socket before others have their turn: libuv's number. */
const READS_PER_TURN = 32;
/** From here on a Buffer of its own; below, Node's shared pool. */
const POOLED_BYTES = 2048;

/** The handle as its inbox sees it. */
export interface InboxHandle extends NativeStream {
  /** lib/net.js's own note that it has called readStart(). */
  reading: boolean;
  /** True once native code has attached itself. */
  readonly isLent: boolean;
  readonly isClosed: boolean;
  changed(): void;
  tell(deliver: () => void): void;
  schedule(): void;
  readStop(): number;
}

export class Inbox {
  /** Bytes given to the program. */
  bytesRead = 0;
  /** Between readStart() and readStop(). */
  started = false;
  /** EOF or an error has been told: nothing more comes. */
  finished = false;
  readonly #engine: Engine;
  readonly #handle: InboxHandle;
  #socket: TcpSocket | null = null;
  #chunk: Buffer | null = null;
  #isEndDue = false;
  /** Nothing has been delivered since start(). */
  #isNew = true;

  constructor(engine: Engine, handle: InboxHandle) {
    this.#engine = engine;
    this.#handle = handle;
  }

  attach(socket: TcpSocket): void {
    this.#socket = socket;
  }

  start(): void {
    this.started = true;
    this.#isNew = true;
    const socket = this.#socket;
    if (socket === null || this.finished) return;
    if (socket.readable > 0 || socket.ended || socket.error !== '') this.#handle.schedule();
  }

  /** Gives the program what has arrived, a turn's share of it at most. */
  deliver(): void {
    const socket = this.#socket;
    if (socket === null || this.finished) return;
    for (let reads = 0; reads < READS_PER_TURN; reads++) {
      if (!this.started || this.#handle.isClosed) return;
      const readable = socket.readable;
      if (readable === 0) {
        this.#finish(socket, reads > 0);
        return;
      }
      this.#isNew = false;
      this.#deliverOnce(socket, readable);
      drainTicks();
    }
    if (this.started && !this.#handle.isClosed) this.#handle.schedule();
  }

  #deliverOnce(socket: TcpSocket, readable: number): void {
    const handle = this.#handle;
    const owner = ownerOf<SocketInternals>(handle);
    if (handle.isLent || owner === null || owner._handle !== handle) {
      const inbound = this.#engine.inbound;
      const length = socket.read(inbound, 0, Math.min(readable, READ_BYTES));
      this.bytesRead += length;
      handle.readBuffer(inbound.subarray(0, length));
    } else if (owner[ONREAD.buffer]) {
      this.#fillOwn(socket, owner);
    } else {
      const length = Math.min(readable, READ_BYTES);
      const chunk =
        length < POOLED_BYTES ? Buffer.allocUnsafe(length) : Buffer.allocUnsafeSlow(length);
      this.bytesRead += socket.read(chunk, 0, length);
      this.#chunk = chunk;
      handle.tell(this.#push);
    }
  }

  readonly #push = (): void => {
    const handle = this.#handle;
    const owner = ownerOf<SocketInternals>(handle)!;
    const chunk = this.#chunk!;
    this.#chunk = null;
    owner._unrefTimer();
    if (!owner.push(chunk)) this.#pause(owner);
  };

  /** The `onread` option of net.Socket: straight into the program's own buffer. */
  #fillOwn(socket: TcpSocket, owner: SocketInternals): void {
    const buffer = owner[ONREAD.buffer] as Uint8Array;
    const length = socket.read(buffer, 0, buffer.length);
    this.bytesRead += length;
    owner._unrefTimer();
    this.#handle.tell(() => {
      const callback = owner[ONREAD.callback] as (length: number, buffer: Uint8Array) => unknown;
      const goOn = callback.call(owner, length, buffer) !== false;
      const next = owner[ONREAD.next] as (() => unknown) | null;
      const nextBuffer = next === null ? null : next();
      if (nextBuffer instanceof Uint8Array) owner[ONREAD.buffer] = nextBuffer;
      if (!goOn) this.#pause(owner);
    });
  }

  #pause(owner: SocketInternals): void {
    this.#handle.reading = false;
    if (!owner.destroyed) this.#handle.readStop();
  }

  /** Nothing is left to read: perhaps nothing more will come. */
  #finish(socket: TcpSocket, hasRead: boolean): void {
    if (socket.ended) {
      // Also when a RST came behind the FIN: to the reader that is the end, as with the kernel.
      if (this.#isEndDue) return;
      this.#isEndDue = true;
      // Never in the round of the last bytes or of readStart(): libuv sees it with its next read.
      if (hasRead || this.#isNew) setImmediate(this.#tellEnd);
      else this.#tellEnd();
    } else if (socket.error !== '') {
      this.fail(errnoOf(socket.error));
    }
  }

  readonly #tellEnd = (): void => {
    this.#isEndDue = false;
    if (!this.started || this.finished || this.#handle.isClosed) return;
    this.finished = true;
    this.#handle.changed();
    this.#handle.emitEOF();
  };

  /** Tells a reading program that the connection failed. */
  fail(errno: number): void {
    if (!this.started || this.finished || this.#handle.isClosed) return;
    this.finished = true;
    this.#handle.changed();
    const socket = this.#errorTarget();
    this.#handle.tell(() => socket?.destroy(errnoError(errno, 'read')));
    drainTicks();
  }

  /** Whom native code would tell: a TLS socket around ours, else our own. */
  #errorTarget(): SocketInternals | null {
    const consumer = (this.#handle as { consumer?: SocketInternals | null }).consumer;
    return consumer ?? ownerOf<SocketInternals>(this.#handle);
  }
}
