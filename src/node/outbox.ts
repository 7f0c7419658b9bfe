/**
 * The writing half of a TCP handle: what Node writes goes straight into the send buffer.
 *
 * A write is finished when the send buffer has it, as with the kernel, not when the peer does.
 * What does not fit waits here and is told later; Node sends one write at a time per socket, TLS
 * and HTTP/2 may add a shutdown behind it.
 * @module
 */
import type { TcpSocket } from '../tcp/socket.ts';
import { drainTicks, type Engine, ownerOf } from './engine.ts';
import { EBADF, ENOTCONN, EPIPE, errnoError, errnoFrom, errnoOf } from './errno.ts';
import {
  LAST_WRITE_QUEUE_SIZE,
  type NativeStream,
  type Request,
  type SocketInternals,
} from './natives.ts';
import { PendingShutdown, PendingWrite, type WriteCallback } from './pending.ts';

/** The handle as its outbox sees it. */
export interface OutboxHandle extends NativeStream {
  readonly isClosed: boolean;
  /** The TLS socket whose native half writes, null for any other. */
  readonly consumer: SocketInternals | null;
  /** Something began or ceased to be a reason to keep the process alive. */
  changed(): void;
  /** Runs `complete` in the asynchronous context of the handle. */
  tell(complete: () => void): void;
  /** Calls turn() in a macrotask of its own. */
  schedule(): void;
}

export class Outbox {
  /** Bytes that were written, also those that still wait. */
  bytesWritten = 0;
  readonly #engine: Engine;
  readonly #handle: OutboxHandle;
  #socket: TcpSocket | null = null;
  /** Not all in the send buffer yet, in order. */
  #waiting: PendingWrite[] = [];
  /** From TLS, all in the send buffer, not yet told. Others are told at once. */
  #written: PendingWrite[] = [];
  #shutdown: PendingShutdown | null = null;
  #toldError = false;

  constructor(engine: Engine, handle: OutboxHandle) {
    this.#engine = engine;
    this.#handle = handle;
  }

  attach(socket: TcpSocket): void {
    this.#socket = socket;
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#written.length === 0 && this.#shutdown === null;
  }

  get bytesWaiting(): number {
    let bytes = 0;
    for (const write of this.#waiting) bytes += write.bytesLeft;
    return bytes;
  }

  /** A string from a net.Socket: encoded into scratch, so that a short one costs no Buffer. */
  writeText(text: string, encoding: BufferEncoding, callback: WriteCallback): void {
    const scratch = this.#engine.outbound;
    // No encoding makes more than three bytes of a UTF-16 unit.
    if (text.length * 3 > scratch.length || !this.#canTake(text.length * 3)) {
      this.write([Buffer.from(text, encoding)], callback);
      return;
    }
    this.#take(scratch, scratch.write(text, encoding));
    callback();
  }

  /**
   * Buffers from a net.Socket. Calls back at once when the send buffer takes all of them, which
   * the stream above knows how to put off; else when it has.
   */
  write(chunks: readonly Uint8Array[], callback: WriteCallback): void {
    const chunk = chunks[0]!;
    if (chunks.length === 1 && this.#canTake(chunk.length)) {
      this.#take(chunk, chunk.length);
      callback();
      return;
    }
    const write = new PendingWrite(chunks, null, callback);
    const length = write.bytesLeft;
    const errno = this.#submit(write);
    if (errno < 0) callback(errnoError(errno, 'write'));
    else if (this.#waiting.includes(write)) this.#noteQueue(length);
    else callback();
  }

  /**
   * A write from native code. Returns 0 or an errno. What the send buffer takes is told at once, as
   * HTTP/2 has it from libuv; TLS can not be told within its own call, and puts that off itself.
   */
  writeNative(request: Request, chunks: readonly Uint8Array[]): number {
    const write = new PendingWrite(chunks, request, null);
    const errno = this.#submit(write);
    if (errno !== 0 || this.#waiting.includes(write)) return errno;
    if (this.#handle.consumer === null) {
      this.#handle.finishWrite(request, 0);
      // It goes on in an immediate of Node's own.
      this.#engine.loop.endTurn();
      return 0;
    }
    this.#written.push(write);
    this.#handle.schedule();
    this.#handle.changed();
    return 0;
  }

  shutdown(request: Request, isNative: boolean): number {
    if (this.#socket === null || this.#socket.error !== '') return ENOTCONN;
    this.#shutdown = new PendingShutdown(request, isNative);
    this.#handle.changed();
    this.#handle.schedule();
    return 0;
  }

  /** There is room again, unless the connection has ended meanwhile: then fail() follows. */
  pump(): void {
    if (this.#socket !== null && this.#socket.connection === null) return;
    while (this.#waiting.length > 0) {
      const write = this.#waiting[0]!;
      if (!this.#fill(write)) return;
      this.#waiting.shift();
      this.#handle.changed();
      this.#tell(write, 0);
    }
    if (this.#shutdown !== null) this.#handle.schedule();
  }

  /** Tells native writers what is written, then sends the FIN that was asked for. */
  turn(): void {
    while (this.#written.length > 0) {
      const write = this.#written.shift()!;
      this.#handle.changed();
      this.#tell(write, 0);
    }
    const shutdown = this.#shutdown;
    if (shutdown === null || this.#waiting.length > 0 || this.#socket === null) return;
    this.#shutdown = null;
    // Told before the next poll, so before the peer can see the FIN.
    this.#socket.shutdown();
    this.#engine.loop.wake();
    this.#handle.changed();
    this.#handle.tell(() => shutdown.complete(this.#handle, 0));
    drainTicks();
  }

  /** Ends everything that waits with `errno`: the connection failed or the handle was closed. */
  fail(errno: number): void {
    if (this.isIdle) return;
    const writes = [...this.#written, ...this.#waiting];
    const shutdown = this.#shutdown;
    this.#written = [];
    this.#waiting = [];
    this.#shutdown = null;
    this.#handle.changed();
    for (const write of writes) this.#tell(write, errno);
    if (shutdown === null) return;
    this.#handle.tell(() => shutdown.complete(this.#handle, errno));
    drainTicks();
  }

  /** The reader has been told why the connection failed: writers get EPIPE. */
  errorTold(): void {
    this.#toldError = true;
  }

  /** True when `bytes` bytes fit now and nobody waits in front of them. */
  #canTake(bytes: number): boolean {
    const socket = this.#socket;
    if (socket === null || this.#waiting.length > 0 || this.#handle.isClosed) return false;
    return socket.error === '' && socket.writable >= bytes;
  }

  #take(bytes: Uint8Array, length: number): void {
    this.bytesWritten += this.#socket!.write(bytes, 0, length);
    this.#engine.loop.wake();
  }

  /** Writes what fits, queues the rest; returns an errno when the connection cannot be written. */
  #submit(write: PendingWrite): number {
    const socket = this.#socket;
    if (this.#handle.isClosed) return EBADF;
    if (socket === null) return ENOTCONN;
    if (socket.error !== '') {
      const errno = this.#toldError ? EPIPE : errnoOf(socket.error);
      this.#toldError = true;
      return errno;
    }
    const length = write.bytesLeft;
    try {
      const isTaken = this.#waiting.length === 0 && this.#fill(write);
      this.bytesWritten += length;
      if (isTaken) return 0;
    } catch (error) {
      return errnoFrom(error);
    }
    this.#waiting.push(write);
    this.#handle.changed();
    return 0;
  }

  #fill(write: PendingWrite): boolean {
    const socket = this.#socket!;
    const finished = write.pump((bytes, start) => socket.write(bytes, start, bytes.length));
    this.#engine.loop.wake();
    return finished;
  }

  #tell(write: PendingWrite, status: number): void {
    if (write.request !== null) this.#handle.finishWrite(write.request, status);
    else this.#handle.tell(() => this.#tellSocket(write.callback!, status));
    drainTicks();
  }

  /** What lib's onWriteComplete does. */
  #tellSocket(callback: WriteCallback, status: number): void {
    const owner = ownerOf<SocketInternals>(this.#handle);
    this.#noteQueue(0);
    if (owner === null || owner.destroyed) {
      callback(null);
    } else if (status < 0) {
      callback(errnoError(status, 'write'));
    } else {
      owner._unrefTimer();
      callback(null);
    }
  }

  /** From this and writeQueueSize a timeout of the socket sees whether a long write moves. */
  #noteQueue(bytes: number): void {
    const owner = ownerOf<SocketInternals>(this.#handle);
    if (owner !== null) owner[LAST_WRITE_QUEUE_SIZE] = bytes;
  }
}
