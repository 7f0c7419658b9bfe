/**
 * Node's Duplex over a bridged socket, for whatever takes a stream: pipelines, parsers, TLS.
 * @module
 */
import { Duplex } from 'node:stream';
import { CLOSED, type EventSource } from '../base/events.ts';
import type { BridgeSocket } from './socket.ts';

/** Most bytes of a chunk. */
const CHUNK_BYTES = 65536;

type WriteCallback = (error?: Error | null) => void;

export class BridgeStream extends Duplex {
  readonly #socket: BridgeSocket;
  #isReading = false;
  /** What write() has not taken yet. */
  #rest: Uint8Array | null = null;
  #written: WriteCallback | null = null;
  #onClosed: (() => void) | null = null;

  constructor(socket: BridgeSocket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.owner = this;
  }

  /** From the socket. */
  onEvents(events: number, _source: EventSource): void {
    this.#pump();
    this.#drain();
    if ((events & CLOSED) === 0) return;
    this.#onClosed?.();
    if (this.#socket.error !== '') this.destroy(errorOf(this.#socket, 'read'));
  }

  override _read(): void {
    this.#isReading = true;
    this.#pump();
  }

  #pump(): void {
    const socket = this.#socket;
    while (this.#isReading && socket.readable > 0) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(socket.readable, CHUNK_BYTES));
      socket.read(chunk);
      this.#isReading = this.push(chunk);
    }
    if (this.#isReading && socket.ended) {
      this.#isReading = false;
      this.push(null);
    }
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#rest = chunk;
    this.#written = callback;
    this.#drain();
  }

  /** A write is finished when the pipe to the worker has all of it. */
  #drain(): void {
    const callback = this.#written;
    if (callback === null) return;
    const socket = this.#socket;
    if (socket.closed) {
      this.#written = null;
      callback(errorOf(socket, 'write'));
      return;
    }
    this.#rest = this.#rest!.subarray(socket.write(this.#rest!));
    if (this.#rest.length > 0) return;
    this.#written = null;
    callback();
  }

  override _final(callback: WriteCallback): void {
    this.#socket.shutdown();
    callback();
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    const socket = this.#socket;
    if (socket.closed) {
      socket.close();
      callback(error);
      return;
    }
    // 'close' is told when there is no connection any more.
    this.#onClosed = () => {
      this.#onClosed = null;
      callback(error);
    };
    if (error === null) socket.close();
    else socket.abort();
  }
}

function errorOf({ error, remoteAddress, remotePort }: BridgeSocket, syscall: string): Error {
  const code = error === '' ? 'EPIPE' : error;
  const message = `${syscall} ${code} ${remoteAddress}:${remotePort}`;
  return Object.assign(new Error(message), { code, syscall });
}
