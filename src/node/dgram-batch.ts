/**
 * Many datagrams at once, which Node's dgram has no call for: for any dgram.Socket on the stack.
 * @module
 */
import type dgram from 'node:dgram';
import type { Address } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import { DatagramBatch } from '../udp/batch.ts';
import type { UdpSocket } from '../udp/socket.ts';
import type { Datagrams } from './datagrams.ts';
import { addressError, errnoOf } from './errno.ts';
import { destination, parseAddress } from './names.ts';
import { DGRAM_STATE } from './natives.ts';
import { datagramsOf } from './udp-handle.ts';

/** Datagrams in one batch, at most: what one burst brings. */
const MOST = 64;

/** Where datagrams go: an address that is parsed once. */
export class Peer {
  readonly address: Address;
  readonly port: number;

  /** Throws EINVAL for what is not an address. */
  constructor(address: string, port: number) {
    const parsed = parseAddress(address);
    if (parsed === null) throw addressError(errnoOf('EINVAL'), 'send', address, port);
    this.address = destination(parsed);
    this.port = port;
  }
}

/** Datagrams that have arrived, lent: the batch is valid until the handler that got it returns. */
export class Batch {
  readonly #batch: DatagramBatch;
  readonly #memory: Buffer;
  #socket: UdpSocket | null = null;
  #wake: () => void = () => {};

  constructor(datagrams: Datagrams) {
    const { arena } = datagrams.engine.stack.heap;
    this.#batch = new DatagramBatch(arena, MOST);
    this.#memory = Buffer.from(arena.buffer, 0, arena.buffer.byteLength);
  }

  get count(): number {
    return this.#batch.count;
  }

  /** Bytes of datagram `i`. */
  length(i: number): number {
    return this.#batch.length(i);
  }

  /** A view of its bytes: the one object that is made for a datagram, if you ask for it. */
  bytes(i: number): Buffer {
    const at = this.#batch.offset(i);
    return this.#memory.subarray(at, at + this.#batch.length(i));
  }

  /** Its sender. The text is made anew each time; the stack's Address is not. */
  address(i: number): string {
    return `${this.#batch.address(i)}`;
  }
  port(i: number): number {
    return this.#batch.port(i);
  }

  /** Sends `message`, or datagram `i` itself, back to its sender; false: no room now. */
  reply(i: number, message?: Uint8Array): boolean {
    const socket = this.#socket!;
    if (socket.blocked === 1) return false;
    const start = message === undefined ? this.#batch.offset(i) : 0;
    const end = message === undefined ? start + this.#batch.length(i) : message.length;
    const from = message ?? this.#memory;
    if (socket.remotePort !== 0) socket.send(from, start, end);
    else socket.send(from, start, end, this.#batch.address(i), this.#batch.port(i));
    this.#wake();
    return socket.blocked === 0;
  }

  /** The layer's: lends what waits to `handler`, and takes it back. */
  lend(socket: UdpSocket, wake: () => void, handler: (batch: Batch) => void): void {
    this.#socket = socket;
    this.#wake = wake;
    this.#batch.fill(socket);
    try {
      handler(this);
    } finally {
      this.#batch.release();
    }
  }
}

export interface BatchHandlers {
  /** In place of 'message' events: up to 64 datagrams that have arrived, lent until this returns. */
  messages?(batch: Batch): void;
  /** There is room again after sendMany() or reply() did not take everything. */
  drain?(): void;
}

/** The stack's part of a socket. Throws EBADF for one that is not bound, or is the kernel's. */
function partOf(socket: dgram.Socket): Datagrams & { readonly socket: UdpSocket } {
  const state = (socket as unknown as Record<symbol, { handle: object | null }>)[DGRAM_STATE];
  const datagrams = state?.handle ? datagramsOf(state.handle) : null;
  if (datagrams === null || datagrams.isKernel || datagrams.socket === null) {
    const text = 'batches are for sockets of the stack that are bound or connected';
    throw Object.assign(new Error(`EBADF: ${text}`), { code: 'EBADF', errno: errnoOf('EBADF') });
  }
  return datagrams as Datagrams & { readonly socket: UdpSocket };
}

/** From now on `socket` tells of batches; null: of 'message' events again. Throws EBADF. */
export function onBatches(socket: dgram.Socket, handlers: BatchHandlers | null): void {
  const datagrams = partOf(socket);
  const { messages } = handlers ?? {};
  const batch = messages === undefined ? null : new Batch(datagrams);
  datagrams.drain = handlers?.drain?.bind(handlers) ?? null;
  datagrams.takeBatch =
    batch === null
      ? null
      : (udp) => batch.lend(udp, datagrams.wake, (lent) => handlers!.messages!(lent));
}

/**
 * Sends each of `messages` as a datagram to `to`, or to the one of the same index, or, connected,
 * without `to`. Returns how many the link had room for: the others are still yours, and drain() of
 * onBatches() tells when to go on. Nothing is allocated for a datagram. Throws errors with
 * Node's codes (EMSGSIZE, ENETUNREACH, EBADF ...), their `sent` saying how many went before.
 */
export function sendMany(
  socket: dgram.Socket,
  messages: readonly Uint8Array[],
  to?: Peer | readonly Peer[],
): number {
  const datagrams = partOf(socket);
  // What was sent before waits: it goes first.
  if (datagrams.sendsWaiting > 0) return 0;
  let sent = 0;
  try {
    for (; sent < messages.length; sent++) {
      if (!sendOne(datagrams.socket, messages[sent]!, Array.isArray(to) ? to[sent] : to)) break;
    }
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    const peer = Array.isArray(to) ? to[sent] : to;
    const where = peer ?? { address: datagrams.socket.remoteAddress, port: 0 };
    const failure = addressError(errnoOf(error.code), 'send', `${where.address}`, where.port);
    throw Object.assign(failure, { sent });
  } finally {
    datagrams.wake();
  }
  return sent;
}

function sendOne(socket: UdpSocket, message: Uint8Array, to: Peer | undefined): boolean {
  if (socket.blocked === 1) return false;
  if (to === undefined) socket.send(message, 0, message.length);
  else socket.send(message, 0, message.length, to.address, to.port);
  return socket.blocked === 0;
}
