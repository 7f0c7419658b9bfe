/**
 * The handle that lib/net.js, TLS, HTTP and HTTP/2 take for a kernel TCP socket: where it is, how it
 * begins and ends, what keeps it alive, and what the stack tells it. Its bytes are the class's above.
 * @module
 */
import { ACCEPTABLE, CLOSED, CONNECTED, ENDED, READABLE, WRITABLE } from '../base/events.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { drainTicks, type Engine } from './engine.ts';
import {
  EALREADY,
  EBADF,
  ECANCELED,
  EINVAL,
  EISCONN,
  ENOTCONN,
  EPIPE,
  errnoFrom,
  errnoOf,
} from './errno.ts';
import { Hold } from './hold.ts';
import { connectThroughKernel } from './kernel.ts';
import { parseAddress } from './names.ts';
import type { Request, SocketName } from './natives.ts';
import { StreamHandle } from './stream-handle.ts';
import { TcpEndpoint } from './tcp-endpoint.ts';

export class TcpHandle extends StreamHandle {
  /** Set by lib/net.js on a listener. */
  onconnection: ((status: number, client: TcpHandle) => void) | null = null;
  readonly #endpoint: TcpEndpoint;
  readonly #hold: Hold;
  #connecting: Request | null = null;
  #isReferenced = true;
  #isClosed = false;

  constructor(engine: Engine) {
    super(engine);
    this.#endpoint = new TcpEndpoint(engine);
    this.#hold = new Hold(engine.loop);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  // Addresses.

  bind(address: string, port: number, flags = 0): number {
    return this.#endpoint.bind(address, port, flags, false);
  }

  bind6(address: string, port: number, flags = 0): number {
    return this.#endpoint.bind(address, port, flags, true);
  }

  getsockname(out: SocketName): number {
    return this.#endpoint.sockname(out);
  }

  getpeername(out: SocketName): number {
    return this.#connecting === null ? this.#endpoint.peername(out) : ENOTCONN;
  }

  // The beginning and the end.

  connect(request: Request, address: string, port: number): number {
    return this.#connect(request, address, port, false);
  }

  connect6(request: Request, address: string, port: number): number {
    return this.#connect(request, address, port, true);
  }

  #connect(request: Request, text: string, port: number, v6: boolean): number {
    const address = parseAddress(text);
    if (address === null) return EINVAL;
    if (this.#connecting !== null) return EALREADY;
    if (this.#endpoint.socket !== null) return EISCONN;
    if (this.engine.isKernel(address)) {
      return connectThroughKernel(this, request, text, port, v6, this.#endpoint.local);
    }
    try {
      this.#attach(this.#endpoint.connect(address, port, v6));
    } catch (error) {
      return errnoFrom(error);
    }
    this.#connecting = request;
    this.changed();
    this.engine.loop.wake();
    return 0;
  }

  listen(backlog: number): number {
    try {
      this.#endpoint.listen(backlog).owner = this;
    } catch (error) {
      return errnoFrom(error);
    }
    this.changed();
    return 0;
  }

  /** Lets go of the connection; `callback` follows after the requests that were still waiting. */
  close(callback?: () => void): void {
    if (this.#isClosed) return;
    this.#end(callback, () => this.#endpoint.socket?.close());
  }

  /** Like close(), with a RST. */
  reset(callback?: () => void): number {
    if (this.#isClosed) return EBADF;
    this.#end(callback, () => this.#endpoint.socket?.abort());
    return 0;
  }

  #end(callback: (() => void) | undefined, letGo: () => void): void {
    this.#isClosed = true;
    this.inbox.started = false;
    this.#endpoint.listener?.close();
    letGo();
    this.changed();
    this.engine.loop.wake();
    this.engine.loop.hold();
    this.engine.afterImmediates(() => {
      this.engine.loop.release();
      const connecting = this.#connecting;
      this.#connecting = null;
      connecting?.oncomplete?.(ECANCELED, this, connecting, false, false);
      this.outbox.fail(ECANCELED);
      if (callback !== undefined) this.tell(callback);
    });
  }

  // Liveness.

  ref(): void {
    this.#isReferenced = true;
    this.changed();
  }

  unref(): void {
    this.#isReferenced = false;
    this.changed();
  }

  hasRef(): boolean {
    return this.#isReferenced && !this.#isClosed;
  }

  /** Counts this handle as a reason to keep the process alive, or no longer. */
  changed(): void {
    this.#hold.set(!this.#isClosed && this.#isActive());
  }

  /** Requests hold even an unreferenced handle; an idle connection that is not read does not. */
  #isActive(): boolean {
    if (this.#connecting !== null || !this.outbox.isIdle) return true;
    if (!this.#isReferenced) return false;
    if (this.#endpoint.listener !== null) return true;
    return this.#endpoint.socket !== null && this.inbox.started && !this.inbox.finished;
  }

  // What the stack tells.

  onEvents(events: number): void {
    let isDone = false;
    try {
      if ((events & ACCEPTABLE) !== 0) this.#acceptAll();
      if ((events & CONNECTED) !== 0) this.#connected();
      if ((events & (READABLE | ENDED)) !== 0) this.inbox.deliver();
      if ((events & WRITABLE) !== 0) this.outbox.pump();
      if ((events & CLOSED) !== 0) this.#onClosed();
      isDone = true;
    } finally {
      // A listener threw; a program that catches it as an uncaught exception goes on from here.
      if (!isDone) this.schedule();
    }
    this.engine.endOfEvents();
  }

  protected turn(): void {
    if (this.#isClosed) return;
    let isDone = false;
    try {
      this.#acceptAll();
      this.outbox.pump();
      this.outbox.turn();
      this.inbox.deliver();
      if ((this.#endpoint.socket?.error ?? '') !== '') this.#onClosed();
      isDone = true;
    } finally {
      if (!isDone) this.schedule();
    }
  }

  #acceptAll(): void {
    const { listener } = this.#endpoint;
    while (listener !== null && !this.#isClosed) {
      const socket = listener.accept();
      if (socket === null) return;
      this.tell(() => {
        const client = new TcpHandle(this.engine);
        client.#endpoint.socket = socket;
        client.#endpoint.v6 = this.#endpoint.v6;
        client.#attach(socket);
        this.onconnection?.(0, client);
      });
      drainTicks();
    }
  }

  #attach(socket: TcpSocket): void {
    socket.owner = this;
    this.inbox.attach(socket);
    this.outbox.attach(socket);
    this.settings.attach(socket);
  }

  /**
   * A connection to ourselves: on the kernel the listener's program hears of it before the client's,
   * which may close the listener at once. The end of our handshake arrives with the next poll.
   */
  #connected(): void {
    if (!this.#endpoint.isToOurselves) return this.#finishConnect(0);
    setImmediate(() => setImmediate(() => this.#finishConnect(0)));
  }

  #finishConnect(status: number): void {
    const request = this.#connecting;
    if (request === null || this.#isClosed) return;
    this.#connecting = null;
    this.changed();
    this.tell(() => request.oncomplete?.(status, this, request, true, true));
    drainTicks();
  }

  #onClosed(): void {
    const { socket } = this.#endpoint;
    if (socket === null || this.#isClosed) return;
    const errno = errnoOf(socket.error);
    if (this.#connecting !== null) {
      this.#finishConnect(errno === 0 ? ECANCELED : errno);
    } else if (errno !== 0) {
      if (this.inbox.started) this.outbox.errorTold();
      this.inbox.deliver();
      if (!this.outbox.isIdle) this.outbox.fail(socket.ended ? EPIPE : errno);
    }
  }
}
