/**
 * What the script's descriptors stand for: sockets with the manners of Linux's, over the
 * stack's own.
 * @module
 */
import type { Address } from '../../base/address.ts';
import { StackError } from '../../base/errors.ts';
import type { Stack } from '../../stack/stack.ts';
import type { TcpListener } from '../../tcp/listener.ts';
import type { TcpSocket } from '../../tcp/socket.ts';
import { CLOSED, SYN_RECEIVED, SYN_SENT } from '../../tcp/state.ts';
import type { UdpSocket } from '../../udp/socket.ts';
import { patternByte } from './flows.ts';
import { CONSTANTS } from './values.ts';

/** What a call came to. `wrong`: it returned this, and handed out something unexpected. */
export interface Outcome {
  readonly result: number;
  readonly errno: string;
  readonly wrong?: string;
}

export const done = (result: number): Outcome => ({ result, errno: '' });
export const failed = (errno: string): Outcome => ({ result: -1, errno });

/** Runs what may throw a StackError, whose code then is the errno. */
export function attempt(action: () => Outcome | null): Outcome | null {
  try {
    return action();
  } catch (error) {
    if (error instanceof StackError) return failed(error.code);
    throw error;
  }
}

export interface Bound {
  readonly address: Address | null;
  readonly port: number;
}

const { POLLIN, POLLOUT, POLLERR, POLLHUP, POLLRDHUP } = CONSTANTS as Record<string, number>;

export abstract class File {
  nonBlocking = false;
  /** POLL* bits that hold now. */
  abstract get ready(): number;
  abstract close(): void;
}

const NOTHING: Uint8Array = new Uint8Array(0);

export class StreamFile extends File {
  readonly stack: Stack;
  bound: Bound | null = null;
  listener: TcpListener | null = null;
  socket: TcpSocket | null = null;
  /** Options that were set before there was a connection; accepted sockets inherit them. */
  readonly settings: ((socket: TcpSocket) => void)[] = [];
  reusePort = false;
  v6Only = false;
  /** True until connect() has told how it went. */
  connecting = false;
  #written = 0;
  #read = 0;
  #errorTold = false;

  constructor(stack: Stack, socket: TcpSocket | null = null) {
    super();
    this.stack = stack;
    this.socket = socket;
  }

  /** The pending error, once; '' when there is none. */
  takeError(): string {
    const error = this.socket?.error ?? '';
    if (error === '' || this.#errorTold) return '';
    this.#errorTold = true;
    return error;
  }

  get hasError(): boolean {
    return !this.#errorTold && (this.socket?.error ?? '') !== '';
  }

  get isOpening(): boolean {
    const state = this.socket?.state;
    return state === SYN_SENT || (state === SYN_RECEIVED && this.connecting);
  }

  /** listen() again only changes the backlog. */
  listen(backlog: number): Outcome {
    if (this.listener !== null) {
      this.listener.backlog = backlog;
      return done(0);
    }
    const { reusePort, v6Only } = this;
    const { address = null, port = 0 } = this.bound ?? {};
    const options = { address, port, backlog, reusePort, v6Only };
    this.listener = this.stack.tcp.listen(options);
    return done(0);
  }

  accept(): StreamFile | null {
    const socket = this.listener?.accept() ?? null;
    if (socket === null) return null;
    const file = new StreamFile(this.stack, socket);
    for (const apply of this.settings) apply(socket);
    return file;
  }

  /** The first connect(): the SYN goes out, with Fast Open where asked for. */
  connect(address: Address, port: number, fast = false): void {
    const { bound } = this;
    const local = bound?.address ?? null;
    this.socket = this.stack.tcp.connect({
      address,
      port,
      ...(local === null || local.isAny ? {} : { localAddress: local }),
      ...(bound === null || bound.port === 0 ? {} : { localPort: bound.port }),
      ...(fast ? { fastOpen: NOTHING } : {}),
    });
    this.connecting = true;
    for (const apply of this.settings) apply(this.socket);
  }

  /** Whether what is written now goes with the SYN: the peer's cookie is known (RFC 7413). */
  get hasCookie(): boolean {
    return (this.socket?.connection?.opening?.fast?.peer.cookie.length ?? 0) > 0;
  }

  /** How connect() goes on; null: it is not decided yet. */
  connected(): Outcome | null {
    const error = this.takeError();
    if (error !== '') {
      this.connecting = false;
      return failed(error);
    }
    if (this.isOpening) return null;
    this.connecting = false;
    return done(0);
  }

  /** null: nothing to read yet. */
  read(most: number, peek: boolean): Outcome | null {
    const { socket } = this;
    if (socket === null) return failed('ENOTCONN');
    if (socket.readable > 0) return this.#take(socket, Math.min(most, socket.readable), peek);
    const error = this.takeError();
    if (error !== '') return failed(error);
    if (socket.ended || socket.state === CLOSED) return done(0);
    return null;
  }

  #take(socket: TcpSocket, count: number, peek: boolean): Outcome {
    const bytes = new Uint8Array(count);
    const got = peek ? Math.min(count, socket.peek().length) : socket.read(bytes);
    if (peek) return done(got);
    const wrong = wrongByte(bytes, this.#read);
    this.#read += got;
    return wrong === '' ? done(got) : { ...done(got), wrong };
  }

  /** Takes what there is room for; null: nothing now. `count` 0 is done at once. */
  write(count: number, urgent: boolean): Outcome | null {
    const { socket } = this;
    if (socket === null) return failed('EPIPE');
    const error = this.takeError();
    if (error !== '') return failed(error);
    if (this.isOpening && socket.writable === 0) return null;
    const offset = this.#written;
    const bytes = Uint8Array.from({ length: count }, (_, i) => patternByte(offset + i));
    const taken = urgent ? socket.writeUrgent(bytes) : socket.write(bytes);
    this.#written += taken;
    return taken === 0 && count > 0 ? null : done(taken);
  }

  override get ready(): number {
    const { socket, listener } = this;
    if (listener !== null) return listener.waiting > 0 ? POLLIN! : 0;
    if (socket === null) return POLLOUT! | POLLHUP!;
    const over = socket.state === CLOSED;
    let bits = this.hasError ? POLLERR! : 0;
    if (over) bits |= POLLHUP!;
    if (over || socket.ended) bits |= POLLRDHUP!;
    if (socket.readable > 0 || socket.ended || over) bits |= POLLIN!;
    if (over || (!this.isOpening && socket.writable > 0)) bits |= POLLOUT!;
    return bits;
  }

  override close(): void {
    this.listener?.close();
    this.socket?.close();
  }
}

/** '' when the bytes are those of the stream at `offset`. */
function wrongByte(bytes: Uint8Array, offset: number): string {
  const at = bytes.findIndex((byte, i) => byte !== patternByte(offset + i));
  if (at < 0) return '';
  return `byte ${offset + at} of the stream is ${bytes[at]}, not ${patternByte(offset + at)}`;
}

export class DatagramFile extends File {
  readonly socket: UdpSocket;

  constructor(stack: Stack) {
    super();
    this.socket = stack.udp.open();
  }

  takeError(): string {
    const error = this.socket.error;
    this.socket.error = '';
    return error;
  }

  read(most: number): Outcome | null {
    const error = this.takeError();
    if (error !== '') return failed(error);
    const bytes = new Uint8Array(most);
    const count = this.socket.receive(bytes);
    if (count < 0) return null;
    const wrong = wrongByte(bytes.subarray(0, count), 0);
    return wrong === '' ? done(count) : { ...done(count), wrong };
  }

  /** `to` null: where connect() said. */
  write(count: number, to: Bound | null): Outcome | null {
    const error = this.takeError();
    if (error !== '') return failed(error);
    const bytes = Uint8Array.from({ length: count }, (_, i) => patternByte(i));
    const sent =
      to === null
        ? this.socket.send(bytes, 0, count)
        : this.socket.send(bytes, 0, count, to.address!, to.port);
    return this.socket.blocked === 1 ? null : done(sent);
  }

  override get ready(): number {
    let bits = this.socket.blocked === 1 ? 0 : POLLOUT!;
    if (this.socket.receiveSize >= 0) bits |= POLLIN!;
    if (this.socket.error !== '') bits |= POLLERR!;
    return bits;
  }

  override close(): void {
    this.socket.close();
  }
}

/** Level-triggered epoll. */
export class EpollFile extends File {
  /** By descriptor: the events asked for. */
  readonly interests: Map<number, number> = new Map();

  override get ready(): number {
    return 0;
  }

  override close(): void {
    this.interests.clear();
  }
}
