/**
 * A TCP socket of another thread's stack, as the thread that uses it sees it: the stack's own lean
 * interface (docs/stack-api.md), over two pipes.
 *
 * It never calls back from inside a call. What happened is told to `owner`, an object with
 * onEvents(events, socket), in a turn of its own.
 * @module
 */
import type { Duplex } from 'node:stream';
import type { Address } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import { CLOSED, ENDED, EventSource } from '../base/events.ts';
import type { SharedPipe } from '../shared/pipe.ts';
import {
  ABORT,
  type BridgeErrorCode,
  CLOSE,
  DATA,
  DELAY,
  NO_DELAY,
  ROOM,
  SHUTDOWN,
} from './channel.ts';
import type { Ends } from './records.ts';
import { BridgeStream } from './stream.ts';
import type { BridgePart, ThreadSide } from './thread-side.ts';

const NO_BYTES = new Uint8Array(0);

export class BridgeSocket extends EventSource implements BridgePart {
  /** Why it failed; '' while it has not. ECONNABORTED: the worker it lived in has died. */
  error: BridgeErrorCode = '';
  bytesRead = 0;
  bytesWritten = 0;
  readonly localAddress: Address;
  readonly localPort: number;
  readonly remoteAddress: Address;
  readonly remotePort: number;
  readonly #side: ThreadSide;
  readonly #slot: number;
  readonly #in: SharedPipe;
  readonly #out: SharedPipe;
  #hasEnd = false;
  #isClosed = false;
  /** shutdown(), close() or abort() was called. */
  #isShut = false;
  #isLetGo = false;
  #isReleased = false;

  /** Made by Bridge.connect() and BridgeListener.accept(). */
  constructor(side: ThreadSide, slot: number, ends: Ends) {
    super();
    this.#side = side;
    this.#slot = slot;
    this.#in = side.channel.inPipe(slot);
    this.#out = side.channel.outPipe(slot);
    this.localAddress = ends.localAddress;
    this.localPort = ends.localPort;
    this.remoteAddress = ends.remoteAddress;
    this.remotePort = ends.remotePort;
  }

  /** The queue whose worker it lives in. */
  get queue(): number {
    return this.#side.queue;
  }

  /** Bytes ready to be read. */
  get readable(): number {
    return this.#isReleased || this.#isLetGo ? 0 : this.#in.readable;
  }

  /** FIN received, and everything before it read. */
  get ended(): boolean {
    return this.#hasEnd && this.readable === 0;
  }

  /** Nothing is left of it but what it remembers. */
  get closed(): boolean {
    return this.#isClosed;
  }

  /** Copies up to `end - start` bytes to `into`; returns how many, 0 when there are none. */
  read(into: Uint8Array, start = 0, end: number = into.length): number {
    if (this.readable === 0) return 0;
    const count = this.#in.copyOut(into, start, end);
    this.consume(count);
    return count;
  }

  /** A lent view of the first bytes, as far as they lie in one piece: until consume() or close(). */
  peek(): Uint8Array {
    if (this.readable === 0) return NO_BYTES;
    const at = this.#in.headAt;
    return this.#in.bytes.subarray(at, at + this.#in.readablePiece);
  }

  /** Drops `bytes` that were peeked at. Throws StackError EINVAL when there are fewer. */
  consume(bytes: number): void {
    if (bytes < 0 || bytes > this.readable) {
      throw new StackError('EINVAL', `cannot consume ${bytes} of ${this.readable} bytes`);
    }
    if (bytes === 0) return;
    this.bytesRead += bytes;
    const isAwaited = this.#in.consume(bytes);
    if (this.#isClosed) this.#releaseWhenRead();
    else if (isAwaited) this.#side.tell(this.#slot, ROOM);
  }

  /** Bytes that write() would take now. */
  get writable(): number {
    return this.#isShut || this.#isClosed ? 0 : this.#out.writable;
  }

  /**
   * Takes bytes to send; returns how many. Fewer than asked: wait for WRITABLE. Throws StackError
   * EPIPE after shutdown() and on an ended socket.
   */
  write(from: Uint8Array, start = 0, end: number = from.length): number {
    this.#assertWritable();
    const pipe = this.#out;
    let written = pipe.write(from, start, end);
    // Not told that there is room: perhaps there is, by now.
    while (start + written < end && !pipe.awaitRoom()) {
      written += pipe.write(from, start + written, end);
    }
    this.#wrote(written);
    return written;
  }

  /**
   * A lent view to write into, the longest that is in one piece now (it may be empty: wait for
   * WRITABLE); then commit(). No copy is made. Throws as write() does.
   */
  reserve(): Uint8Array {
    this.#assertWritable();
    const pipe = this.#out;
    if (pipe.writable === 0) pipe.awaitRoom();
    const at = pipe.tailAt;
    return pipe.bytes.subarray(at, at + pipe.writablePiece);
  }

  /** Sends the first `bytes` of what reserve() lent. Throws StackError EINVAL for more than that. */
  commit(bytes: number): void {
    this.#assertWritable();
    if (bytes < 0 || bytes > this.#out.writablePiece) {
      throw new StackError('EINVAL', `cannot commit ${bytes} bytes`);
    }
    this.#out.commit(bytes);
    this.#wrote(bytes);
  }

  #wrote(bytes: number): void {
    this.bytesWritten += bytes;
    if (bytes > 0) this.#side.tell(this.#slot, DATA);
  }

  #assertWritable(): void {
    if (!this.#isShut && !this.#isClosed) return;
    throw new StackError('EPIPE', 'write on a socket that is shut down or closed');
  }

  setNoDelay(on: boolean): void {
    if (!this.#isClosed) this.#side.tell(this.#slot, on ? NO_DELAY : DELAY);
  }

  /** FIN after what was written; reading goes on. */
  shutdown(): void {
    if (this.#isShut || this.#isClosed) return;
    this.#isShut = true;
    this.#side.tell(this.#slot, SHUTDOWN);
  }

  /** Lets go: FIN after what was written, or RST when there is unread input. CLOSED follows. */
  close(): void {
    this.#letGo(CLOSE);
  }

  /** RST at once. CLOSED follows. */
  abort(): void {
    this.#letGo(ABORT);
  }

  #letGo(news: number): void {
    if (this.#isLetGo && news === CLOSE) return;
    this.#isShut = true;
    this.#isLetGo = true;
    if (!this.#isClosed) this.#side.tell(this.#slot, news);
    else this.#release();
  }

  /** Node's stream over it, which becomes its owner. */
  stream(): Duplex {
    return new BridgeStream(this);
  }

  // ---- for the thread's side ----

  onNews(events: number): void {
    if ((events & ENDED) !== 0) this.#hasEnd = true;
    if ((events & CLOSED) !== 0) {
      this.error = this.#side.channel.errorOf(this.#slot);
      this.#isClosed = true;
      this.#releaseWhenRead();
    }
    this.#side.dispatch(this, events);
  }

  onWorkerDeath(): void {
    if (this.#isClosed) return;
    this.error = 'ECONNABORTED';
    this.#isClosed = true;
    this.#releaseWhenRead();
    this.#side.dispatch(this, CLOSED);
  }

  /** Unread input outlives the connection, and with it the slot. */
  #releaseWhenRead(): void {
    if (this.#isLetGo || this.#in.readable === 0) this.#release();
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#side.release(this.#slot);
  }
}
