/**
 * The worker's side of a bridged UDP socket.
 * @module
 */

import { StackError } from '../base/errors.ts';
import { CLOSED, FAILED, READABLE, WRITABLE } from '../base/events.ts';
import type { SharedPipe } from '../shared/pipe.ts';
import { EMPTY, type UdpSocket } from '../udp/socket.ts';
import { ABORT, CLOSE, RELEASE } from './channel.ts';
import { datagramRoom, dropDatagram, firstDatagram, putDatagram } from './records.ts';
import type { BridgeEnd, WorkerSide } from './worker-side.ts';

export class WorkerUdp implements BridgeEnd {
  readonly #side: WorkerSide;
  readonly #slot: number;
  readonly #socket: UdpSocket;
  readonly #in: SharedPipe;
  readonly #out: SharedPipe;

  constructor(
    side: WorkerSide,
    slot: number,
    socket: UdpSocket,
    [toThread, toWorker]: readonly [SharedPipe, SharedPipe],
  ) {
    this.#side = side;
    this.#slot = slot;
    this.#socket = socket;
    this.#in = toThread;
    this.#out = toWorker;
    socket.owner = this;
  }

  onEvents(events: number): void {
    let news = 0;
    if ((events & FAILED) !== 0) news |= this.#fail(this.#socket.error);
    news |= this.#receive() | this.#send();
    if (news !== 0) this.#side.tell(this.#slot, news);
  }

  onNews(news: number): void {
    if ((news & RELEASE) !== 0) {
      this.#side.free(this.#slot);
      return;
    }
    let told = this.#receive();
    if ((news & ABORT) === 0) told |= this.#send();
    if ((news & (CLOSE | ABORT)) !== 0) {
      this.#socket.close();
      told |= CLOSED;
    }
    if (told !== 0) this.#side.tell(this.#slot, told);
  }

  abandon(): void {
    this.#socket.owner = null;
    this.#socket.close();
  }

  /** What finds no room waits in the socket, and what finds none there is dropped and counted. */
  #receive(): number {
    const socket = this.#socket;
    const pipe = this.#in;
    let news = 0;
    for (;;) {
      const length = socket.receiveSize;
      if (length === EMPTY) return news;
      const at = datagramRoom(pipe, length);
      if (at < 0) {
        if (pipe.awaitRoom()) return news;
        continue;
      }
      socket.receive(pipe.bytes.subarray(at, at + length));
      putDatagram(pipe, length, socket.fromAddress(), socket.fromPort);
      news = READABLE;
    }
  }

  #send(): number {
    const pipe = this.#out;
    let news = 0;
    for (let next = firstDatagram(pipe); next !== null; next = firstDatagram(pipe)) {
      const { at, length, address, port } = next;
      try {
        this.#socket.send(pipe.bytes, at, at + length, address, port);
        // WRITABLE will follow.
        if (this.#socket.blocked === 1) return news;
      } catch (error) {
        if (!(error instanceof StackError)) throw error;
        news |= this.#fail(error.code);
      }
      if (dropDatagram(pipe, next)) news |= WRITABLE;
    }
    return news;
  }

  #fail(code: string): number {
    this.#side.channel.setError(this.#slot, code);
    return FAILED;
  }
}
