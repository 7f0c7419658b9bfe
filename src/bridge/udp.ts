/**
 * A UDP socket on the queues of all workers, as the thread that uses it sees it.
 *
 * Whichever queue a datagram comes to, it is heard. What is sent to one destination leaves by one
 * queue, in order.
 * @module
 */
import { Address } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import { CLOSED, EventSource, FAILED } from '../base/events.ts';
import { SharedPipe } from '../shared/pipe.ts';
import { type BridgeErrorCode, CLOSE, DATA, ROOM } from './channel.ts';
import {
  DATAGRAM_PIPE_BYTES,
  datagramRoom,
  dropDatagram,
  firstDatagram,
  LARGEST_DATAGRAM,
  putDatagram,
} from './records.ts';
import type { BridgePart, ThreadSide } from './thread-side.ts';

export interface BridgeBindOptions {
  /** Null: any of both families. */
  readonly address?: Address | null;
  /** 0: a free one, the same on all queues. */
  readonly port?: number;
}

/** What receive() says when there is nothing. */
const EMPTY = -1;

export class BridgeUdp extends EventSource {
  readonly localAddress: Address;
  closed = false;
  /** Why FAILED was raised last, '' for nothing: what was sent and could not leave. */
  error: BridgeErrorCode = '';
  /** Of the datagram that receive() read last. */
  fromPort = 0;
  truncated = false;
  #from: Address = Address.ANY_V6;
  #port: number;
  readonly #legs: UdpLeg[] = [];
  /** The leg to read from next, so that each has its turn. */
  #next = 0;

  /** Made by Bridge.bind(). */
  constructor({ address = null, port = 0 }: BridgeBindOptions) {
    super();
    this.localAddress = address ?? Address.ANY_V6;
    this.#port = port;
  }

  get localPort(): number {
    return this.#port;
  }

  /** Who sent the datagram that receive() read last. */
  fromAddress(): Address {
    return this.#from;
  }

  /** Takes a datagram: copies what fits into `into` and returns how many bytes; -1: there is none. */
  receive(into: Uint8Array): number {
    for (let tries = 0; tries < this.#legs.length; tries++) {
      this.#next = (this.#next + 1) % this.#legs.length;
      const leg = this.#legs[this.#next]!;
      const datagram = firstDatagram(leg.in);
      if (datagram === null) continue;
      const { at, length, address, port } = datagram;
      const count = Math.min(length, into.length);
      into.set(leg.in.bytes.subarray(at, at + count));
      this.#from = address;
      this.fromPort = port;
      this.truncated = count < length;
      if (dropDatagram(leg.in, datagram)) leg.side.tell(leg.slot, ROOM);
      return count;
    }
    return EMPTY;
  }

  /**
   * Sends from[start, end) as one datagram; returns its bytes, 0 when there is no room now: WRITABLE
   * follows. What the worker refuses is told as FAILED. Throws StackError EBADF, EMSGSIZE.
   */
  send(from: Uint8Array, start: number, end: number, address: Address, port: number): number {
    if (this.closed) throw new StackError('EBADF', 'the socket is closed');
    const length = end - start;
    if (length > LARGEST_DATAGRAM) throw new StackError('EMSGSIZE', `send: ${length} bytes`);
    const leg = this.#legs[Math.abs(address.w3 ^ port) % this.#legs.length]!;
    let at = datagramRoom(leg.out, length);
    while (at < 0) {
      if (leg.out.awaitRoom()) return 0;
      at = datagramRoom(leg.out, length);
    }
    leg.out.bytes.set(from.subarray(start, end), at);
    putDatagram(leg.out, length, address, port);
    leg.side.tell(leg.slot, DATA);
    return length;
  }

  /** Sends what was given to send() as far as there is room now, then gives all back. CLOSED follows. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const leg of this.#legs) leg.side.tell(leg.slot, CLOSE);
  }

  // ---- for the bridge ----

  /** Binds on one more queue. Rejects with StackError. */
  async join(side: ThreadSide): Promise<void> {
    const memory = [
      SharedPipe.allocate(DATAGRAM_PIPE_BYTES),
      SharedPipe.allocate(DATAGRAM_PIPE_BYTES),
    ] as const;
    const { slot, ends } = await side.open({
      type: 'bind',
      address: this.localAddress === Address.ANY_V6 ? null : String(this.localAddress),
      port: this.#port,
      memory,
    });
    this.#port = ends.localPort;
    const leg = new UdpLeg(this, side, slot, memory);
    this.#legs.push(leg);
    side.add(slot, leg);
    if (this.closed) side.tell(slot, CLOSE);
  }

  tell(leg: UdpLeg, events: number): void {
    if ((events & FAILED) !== 0) this.error = leg.side.channel.errorOf(leg.slot);
    const index = this.#legs.indexOf(leg);
    if ((events & CLOSED) !== 0) this.#legs.splice(index, 1);
    if (this.#legs.length === 0) this.closed = true;
    const others = this.#legs.length === 0 ? events : events & ~CLOSED;
    if (others !== 0) leg.side.dispatch(this, others);
  }
}

/** One queue's share of a socket. */
class UdpLeg implements BridgePart {
  readonly side: ThreadSide;
  readonly slot: number;
  readonly in: SharedPipe;
  readonly out: SharedPipe;
  readonly #socket: BridgeUdp;

  constructor(
    socket: BridgeUdp,
    side: ThreadSide,
    slot: number,
    [toThread, toWorker]: readonly [SharedArrayBuffer, SharedArrayBuffer],
  ) {
    this.#socket = socket;
    this.side = side;
    this.slot = slot;
    this.in = new SharedPipe(toThread, 0, DATAGRAM_PIPE_BYTES);
    this.out = new SharedPipe(toWorker, 0, DATAGRAM_PIPE_BYTES);
  }

  onNews(events: number): void {
    if ((events & CLOSED) !== 0) this.side.release(this.slot);
    this.#socket.tell(this, events);
  }

  onWorkerDeath(): void {
    this.onNews(CLOSED);
  }
}
