/**
 * The worker's side of bridged TCP: what moves bytes between a socket and its pipes, and connections
 * from a listener to its own.
 * @module
 */
import {
  ACCEPTABLE,
  CLOSED,
  CONNECTED,
  ENDED,
  type EventSource,
  FLUSHED,
  READABLE,
  WRITABLE,
} from '../base/events.ts';
import type { SharedPipe } from '../shared/pipe.ts';
import type { TcpListener } from '../tcp/listener.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { ABORT, CLOSE, DELAY, NO_DELAY, RELEASE, SHUTDOWN } from './channel.ts';
import { ACCEPTED_BYTES, putAccepted } from './records.ts';
import type { BridgeEnd, WorkerSide } from './worker-side.ts';

/** Bits that are passed on as they are. */
const PASSED = FLUSHED;
/** Told whether there is a connection, the first thing to know; false when there is none. */
export type OnConnected = () => boolean;

export class WorkerTcp implements BridgeEnd {
  readonly #side: WorkerSide;
  readonly #slot: number;
  readonly #socket: TcpSocket;
  readonly #in: SharedPipe;
  readonly #out: SharedPipe;
  /** Until it is connected: nobody else knows of it. */
  #onConnected: OnConnected | null;
  #toldEnd = false;
  #isClosed = false;
  /** SHUTDOWN or CLOSE, once what was written before has left the pipe. */
  #due = 0;

  constructor(side: WorkerSide, slot: number, socket: TcpSocket, onConnected: OnConnected | null) {
    this.#side = side;
    this.#slot = slot;
    this.#socket = socket;
    this.#in = side.channel.inPipe(slot);
    this.#out = side.channel.outPipe(slot);
    this.#onConnected = onConnected;
    socket.owner = this;
  }

  /** From the stack. */
  onEvents(events: number): void {
    if (this.#onConnected !== null) {
      if ((events & (CONNECTED | CLOSED)) === 0) return;
      const tell = this.#onConnected;
      this.#onConnected = null;
      if (!tell()) return;
    }
    let news = events & PASSED;
    // In this order: what is said to be all has to be in the pipe.
    news |= this.#receive() | this.#send();
    if ((events & CLOSED) !== 0) {
      this.#isClosed = true;
      this.#side.channel.setError(this.#slot, this.#socket.error);
      news |= CLOSED;
    }
    if (news !== 0) this.#side.tell(this.#slot, news);
  }

  /** From the thread. */
  onNews(news: number): void {
    if ((news & RELEASE) !== 0) {
      this.#side.free(this.#slot);
      return;
    }
    // It knows soon, and will release it.
    if (this.#isClosed) return;
    if ((news & (NO_DELAY | DELAY)) !== 0) this.#socket.setNoDelay((news & NO_DELAY) !== 0);
    if ((news & ABORT) !== 0) {
      this.#socket.abort();
      return;
    }
    this.#due |= news & (SHUTDOWN | CLOSE);
    const told = ((this.#due & CLOSE) === 0 ? this.#receive() : 0) | this.#send();
    if (told !== 0) this.#side.tell(this.#slot, told);
  }

  /** The thread has died. */
  abandon(): void {
    this.#socket.owner = null;
    this.#socket.abort();
  }

  #receive(): number {
    const socket = this.#socket;
    const pipe = this.#in;
    let news = 0;
    while (socket.readable > 0) {
      const room = pipe.writablePiece;
      if (room === 0 && pipe.awaitRoom()) break;
      const at = pipe.tailAt;
      const count = socket.read(pipe.bytes, at, at + room);
      pipe.commit(count);
      if (count > 0) news = READABLE;
    }
    if (!this.#toldEnd && socket.ended) {
      this.#toldEnd = true;
      news |= ENDED;
    }
    return news;
  }

  #send(): number {
    const socket = this.#socket;
    const pipe = this.#out;
    let news = 0;
    // With unread input close() resets, and what was written is lost with it.
    if ((this.#due & CLOSE) !== 0 && (this.#in.readable > 0 || socket.readable > 0)) socket.abort();
    while (pipe.readable > 0 && socket.connection !== null) {
      const at = pipe.headAt;
      const count = socket.write(pipe.bytes, at, at + pipe.readablePiece);
      // WRITABLE will follow.
      if (count === 0) return news;
      if (pipe.consume(count)) news = WRITABLE;
    }
    if ((this.#due & CLOSE) !== 0) socket.close();
    else if ((this.#due & SHUTDOWN) !== 0) socket.shutdown();
    this.#due = 0;
    return news;
  }
}

export class WorkerListener implements BridgeEnd {
  readonly #side: WorkerSide;
  readonly #slot: number;
  readonly #listener: TcpListener;
  readonly #pipe: SharedPipe;

  constructor(side: WorkerSide, slot: number, listener: TcpListener, pipe: SharedPipe) {
    this.#side = side;
    this.#slot = slot;
    this.#listener = listener;
    this.#pipe = pipe;
    listener.owner = this;
  }

  onEvents(_events: number, _source: EventSource): void {
    this.accept();
  }

  onNews(news: number): void {
    if ((news & RELEASE) !== 0) {
      this.#side.free(this.#slot);
    } else if ((news & (CLOSE | ABORT)) !== 0) {
      this.#listener.close();
      this.#side.tell(this.#slot, CLOSED);
    } else {
      this.accept();
    }
  }

  abandon(): void {
    this.#listener.owner = null;
    this.#listener.close();
  }

  /** Takes what waits, as far as there is room for it: in the pipe, and for its socket. */
  accept(): void {
    let news = 0;
    while (!this.#listener.closed && this.#listener.waiting > 0) {
      if (this.#pipe.writable < ACCEPTED_BYTES && this.#pipe.awaitRoom()) break;
      const slot = this.#side.take();
      if (slot < 0) {
        this.#side.awaitSlot(this);
        break;
      }
      const socket = this.#listener.accept();
      if (socket === null) {
        this.#side.free(slot);
        break;
      }
      this.#side.add(slot, new WorkerTcp(this.#side, slot, socket, null));
      putAccepted(this.#pipe, slot, socket);
      news = ACCEPTABLE;
    }
    if (news !== 0) this.#side.tell(this.#slot, news);
  }
}
