/**
 * Many datagrams of a socket at once, lent where they lie.   hot path
 *
 * Nothing is copied and nothing allocated: the batch knows where each datagram is. They stay the
 * socket's until release().
 * @module
 */
import { Address } from '../base/address.ts';
import { FROM_AT, HOPS_AT, LABEL_AT, LENGTH_AT, PAYLOAD_AT } from '../net/datagram-queue.ts';
import type { UdpSocket } from './socket.ts';

export class DatagramBatch {
  /** Datagrams in it. */
  count = 0;
  readonly #view: DataView;
  readonly #blocks: Int32Array;
  #socket: UdpSocket | null = null;
  #address = Address.ANY_V6;

  /** For sockets whose memory is in `arena`; `most` datagrams at a time. */
  constructor(arena: { readonly view: DataView }, most: number) {
    this.#view = arena.view;
    this.#blocks = new Int32Array(most);
  }

  /** Lists what waits, as many as fit; returns how many. */
  fill(socket: UdpSocket): number {
    this.#socket = socket;
    this.count = socket.queue.list(this.#blocks);
    return this.count;
  }

  /** They have been read. Not needed where the socket was closed meanwhile. */
  release(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null && !socket.closed) {
      for (let i = 0; i < this.count; i++) socket.queue.shift();
    }
    this.count = 0;
  }

  /** Bytes of datagram `i`, and where they begin in the arena. */
  length(i: number): number {
    return this.#word(i, LENGTH_AT);
  }
  offset(i: number): number {
    return this.#blocks[i]! + PAYLOAD_AT;
  }

  /** Its sender's port, and the hop limit with which it came. */
  port(i: number): number {
    return this.#word(i, LABEL_AT);
  }
  hops(i: number): number {
    return this.#word(i, HOPS_AT);
  }

  /** Its sender: the same object for as long as it is the same sender. */
  address(i: number): Address {
    const last = this.#address;
    const isSame =
      last.w3 === this.#word(i, FROM_AT + 12) &&
      last.w2 === this.#word(i, FROM_AT + 8) &&
      last.w1 === this.#word(i, FROM_AT + 4) &&
      last.w0 === this.#word(i, FROM_AT);
    return isSame ? last : this.#remember(i);
  }

  /** cold: an object for another sender than the last one. */
  #remember(i: number): Address {
    this.#address = new Address(
      this.#word(i, FROM_AT),
      this.#word(i, FROM_AT + 4),
      this.#word(i, FROM_AT + 8),
      this.#word(i, FROM_AT + 12),
    );
    return this.#address;
  }

  #word(i: number, at: number): number {
    if (i < 0 || i >= this.count) return 0;
    return this.#view.getInt32(this.#blocks[i]! + at, true);
  }
}
