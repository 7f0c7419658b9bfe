/**
 * Writes that the send buffer had no room for, and requests that wait to be told.
 *
 * They come from a net.Socket, which waits for a callback, or from native code (TLS, HTTP/2)
 * through the JSStream, which has to be answered through the JSStream again.
 * @module
 */
import type { NativeStream, Request } from './natives.ts';

export type WriteCallback = (error?: Error | null) => void;

export class PendingWrite {
  readonly chunks: readonly Uint8Array[];
  /** The first chunk that is not all in the send buffer, and how much of it is. */
  index = 0;
  offset = 0;
  /** One of the two is there. */
  readonly request: Request | null;
  readonly callback: WriteCallback | null;

  constructor(
    chunks: readonly Uint8Array[],
    request: Request | null,
    callback: WriteCallback | null,
  ) {
    this.chunks = chunks;
    this.request = request;
    this.callback = callback;
  }

  /** Gives what it has to `write`, which returns what it took; true when all is taken. */
  pump(write: (bytes: Uint8Array, start: number) => number): boolean {
    while (this.index < this.chunks.length) {
      const chunk = this.chunks[this.index]!;
      this.offset += write(chunk, this.offset);
      if (this.offset < chunk.length) return false;
      this.index++;
      this.offset = 0;
    }
    return true;
  }

  get bytesLeft(): number {
    let bytes = -this.offset;
    for (const chunk of this.chunks.slice(this.index)) bytes += chunk.length;
    return bytes;
  }
}

export class PendingShutdown {
  readonly request: Request;
  readonly isNative: boolean;

  constructor(request: Request, isNative: boolean) {
    this.request = request;
    this.isNative = isNative;
  }

  complete(handle: NativeStream, status: number): void {
    if (this.isNative) handle.finishShutdown(this.request, status);
    else this.request.oncomplete?.(status);
  }
}
