/**
 * What stands behind one of Node's UDP handles: a socket of the stack.
 *
 * The handle object itself stays Node's native one, which opens no descriptor until it is bound.
 * So a socket that is bound to everything can also talk to kernel routes (a resolver or a
 * metrics agent on 127.0.0.1): the native side is bound, to a port of its own, when it first does.
 * @module
 */
import { AsyncResource } from 'node:async_hooks';
import type { Address } from '../base/address.ts';
import { FAILED, READABLE, WRITABLE } from '../base/events.ts';
import type { UdpSocket } from '../udp/socket.ts';
import { drainTicks, type Engine } from './engine.ts';
import { EBADF, EINVAL, ENOTCONN, errnoFrom, errnoOf } from './errno.ts';
import { Hold } from './hold.ts';
import { destination, fillName, parseAddress } from './names.ts';
import type { Request, SocketName } from './natives.ts';

const FLAG_V6_ONLY = 1;
const FLAG_REUSE = 4 | 8;
/** Datagrams of one socket before others have their turn: libuv's number. */
const DATAGRAMS_PER_TURN = 32;
const LARGEST_PAYLOAD = 65507;

/** A native UDP handle as lib/dgram.js has set it up. */
export interface UdpHandle {
  onmessage?: (length: number, handle: UdpHandle, message?: Buffer, from?: SocketName) => void;
}

interface PendingSend {
  readonly request: Request;
  readonly bytes: Buffer;
  readonly address: Address | undefined;
  readonly port: number | undefined;
  readonly isTold: boolean;
}

export class Datagrams {
  /** True when the program has bound or connected the native handle: everything is the kernel's. */
  isKernel = false;
  /** The native side has been bound beside ours, for kernel routes. */
  hasKernelSide = false;
  isReceiving = false;
  /** Takes what waits, in place of onmessage; null: one message at a time. See dgram-batch.ts. */
  takeBatch: ((socket: UdpSocket) => void) | null = null;
  /** There is room again after a batch found none. */
  drain: (() => void) | null = null;
  readonly #engine: Engine;
  readonly #handle: UdpHandle;
  readonly #resource = new AsyncResource('UDPWRAP');
  #socket: UdpSocket | null = null;
  #v6 = false;
  #isConnected = false;
  #isReferenced = true;
  readonly #hold: Hold;
  #isScheduled = false;
  #waiting: PendingSend[] = [];
  #sendBufferBytes = 212992;

  constructor(engine: Engine, handle: UdpHandle) {
    this.#engine = engine;
    this.#handle = handle;
    this.#hold = new Hold(engine.loop);
  }

  get socket(): UdpSocket | null {
    return this.#socket;
  }

  get engine(): Engine {
    return this.#engine;
  }

  /** Something was sent: it leaves in the next turn. */
  readonly wake = (): void => this.#engine.loop.wake();

  get isV6(): boolean {
    return this.#v6;
  }

  bind(text: string, port: number, flags: number, v6: boolean): number {
    const address = parseAddress(text);
    if (address === null || this.#socket !== null) return EINVAL;
    const socket = this.#engine.stack.udp.open();
    try {
      // lib/dgram.js hands down what it was given, a callback in place of the port too.
      socket.bind(address, port & 0xffff, {
        reuseAddress: (flags & FLAG_REUSE) !== 0,
        v6Only: (flags & FLAG_V6_ONLY) !== 0,
      });
    } catch (error) {
      socket.close();
      return errnoFrom(error);
    }
    socket.owner = this;
    this.#socket = socket;
    this.#v6 = v6;
    return 0;
  }

  connect(text: string, port: number): number {
    const address = parseAddress(text);
    if (address === null) return EINVAL;
    if (this.#socket === null) return EBADF;
    try {
      this.#socket.connect(destination(address), port);
    } catch (error) {
      return errnoFrom(error);
    }
    this.#isConnected = true;
    return 0;
  }

  disconnect(): number {
    if (this.#socket === null || !this.#isConnected) return ENOTCONN;
    this.#socket.disconnect();
    this.#isConnected = false;
    return 0;
  }

  /** Returns bytes + 1 when sent now, 0 when the request will be told, else an errno. */
  send(request: Request, chunks: Uint8Array[], to: SocketName | null, isTold: boolean): number {
    const socket = this.#socket;
    if (socket === null) return EBADF;
    let length = 0;
    for (const chunk of chunks) length += chunk.byteLength;
    if (length > LARGEST_PAYLOAD) return errnoOf('EMSGSIZE');
    const parsed = to === null ? undefined : parseAddress(to.address!);
    if (parsed === null) return EINVAL;
    const address = parsed === undefined ? undefined : destination(parsed);
    const bytes = gather(chunks);
    const sending = { request, bytes, address, port: to?.port, isTold };
    if (this.#waiting.length === 0) {
      try {
        if (this.#transmit(socket, sending)) return length + 1;
      } catch (error) {
        return errnoFrom(error);
      }
    }
    this.#waiting.push(sending);
    this.changed();
    return 0;
  }

  #transmit(socket: UdpSocket, sending: PendingSend): boolean {
    const { bytes, address, port } = sending;
    const sent =
      address === undefined
        ? socket.send(bytes, 0, bytes.length)
        : socket.send(bytes, 0, bytes.length, address, port);
    this.#engine.loop.wake();
    return sent > 0 || !socket.blocked;
  }

  get bytesWaiting(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  get sendsWaiting(): number {
    return this.#waiting.length;
  }

  receive(on: boolean): number {
    if (this.#socket === null) return EBADF;
    this.isReceiving = on;
    if (on) this.#schedule();
    this.changed();
    return 0;
  }

  sockname(out: SocketName): number {
    if (this.#socket === null) return EBADF;
    fillName(out, this.#socket.localAddress, this.#socket.localPort, this.#v6);
    // Bound to both families it is '::' to Node, whatever the stack calls it.
    if (this.#v6 && this.#socket.localAddress.isAny) out.address = '::';
    return 0;
  }

  peername(out: SocketName): number {
    if (this.#socket === null) return EBADF;
    const { remoteAddress } = this.#socket;
    if (remoteAddress === null) return ENOTCONN;
    fillName(out, remoteAddress, this.#socket.remotePort, this.#v6);
    return 0;
  }

  /** Reads (size 0) or sets a buffer's size; Linux shows twice what was set, so programs expect it. */
  bufferSize(size: number, isReceive: boolean): number {
    if (!isReceive) {
      if (size > 0) this.#sendBufferBytes = size * 2;
      return this.#sendBufferBytes;
    }
    if (size > 0) this.#socket!.receiveBufferBytes = size * 2;
    return this.#socket!.receiveBufferBytes;
  }

  setReferenced(on: boolean): void {
    this.#isReferenced = on;
    this.changed();
  }

  close(): void {
    this.isReceiving = false;
    this.#waiting = [];
    this.#socket?.close();
    this.#socket = null;
    this.changed();
    this.#engine.loop.wake();
  }

  /** Counts this socket as a reason to keep the process alive, or no longer. */
  changed(): void {
    const isActive = this.#socket !== null && this.isReceiving && this.#isReferenced;
    this.#hold.set(isActive || this.#waiting.length > 0);
  }

  onEvents(events: number): void {
    let isDone = false;
    try {
      if ((events & READABLE) !== 0) this.#receiveAll();
      if ((events & WRITABLE) !== 0) this.#writable();
      if ((events & FAILED) !== 0) this.#tellFailure();
      isDone = true;
    } finally {
      // A listener threw; a program that catches it as an uncaught exception goes on from here.
      if (!isDone) this.#schedule();
    }
    this.#engine.endOfEvents();
  }

  /** The work that was put off to a macrotask of its own. */
  onTurn(): void {
    this.#isScheduled = false;
    let isDone = false;
    try {
      this.#receiveAll();
      isDone = true;
    } finally {
      if (!isDone) this.#schedule();
    }
  }

  #receiveAll(): void {
    for (let count = 0; count < DATAGRAMS_PER_TURN; count++) {
      const socket = this.#socket;
      if (socket === null || !this.isReceiving || socket.receiveSize < 0) return;
      if (this.takeBatch !== null) this.#resource.runInAsyncScope(this.takeBatch, null, socket);
      else this.#deliver(socket);
      drainTicks();
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#engine.later(this);
  }

  #deliver(socket: UdpSocket): void {
    const message = Buffer.allocUnsafe(socket.receiveSize);
    socket.receive(message);
    const from: SocketName = {};
    fillName(from, socket.fromAddress(), socket.fromPort, this.#v6);
    const handle = this.#handle;
    this.#resource.runInAsyncScope(() => handle.onmessage?.(message.length, handle, message, from));
  }

  #writable(): void {
    this.#sendWaiting();
    if (this.#waiting.length > 0 || this.drain === null) return;
    this.#resource.runInAsyncScope(this.drain);
    drainTicks();
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0 && this.#socket !== null) {
      const sending = this.#waiting[0]!;
      let errno = 0;
      try {
        if (!this.#transmit(this.#socket, sending)) return;
      } catch (error) {
        errno = errnoFrom(error);
      }
      this.#waiting.shift();
      this.changed();
      if (!sending.isTold) continue;
      const { request, bytes } = sending;
      this.#resource.runInAsyncScope(() => request.oncomplete?.(errno, bytes.length));
      drainTicks();
    }
  }

  /** An unreachable peer is told to connected sockets only, as by the kernel. */
  #tellFailure(): void {
    const errno = errnoOf(this.#socket?.error ?? '');
    if (errno === 0 || !this.#isConnected) return;
    const handle = this.#handle;
    this.#resource.runInAsyncScope(() => handle.onmessage?.(errno, handle));
    drainTicks();
  }
}

/** One Buffer of what a datagram is made of; a view of its own counts as bytes. */
function gather(chunks: Uint8Array[]): Buffer {
  const buffers = chunks.map((chunk) =>
    Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength),
  );
  return buffers.length === 1 ? buffers[0]! : Buffer.concat(buffers);
}
