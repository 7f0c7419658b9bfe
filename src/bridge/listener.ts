/**
 * A listener on the queues of all workers, as the thread that uses it sees it.
 * @module
 */
import type { Address } from '../base/address.ts';
import { ACCEPTABLE, CLOSED, EventSource } from '../base/events.ts';
import { SharedPipe } from '../shared/pipe.ts';
import { CLOSE, ROOM } from './channel.ts';
import { ACCEPTED_BYTES, acceptedAt } from './records.ts';
import { BridgeSocket } from './socket.ts';
import type { BridgePart, ThreadSide } from './thread-side.ts';

/** Connections of a worker that wait here for accept(); more wait in its stack's backlog. */
const WAITING = 64;

export interface BridgeListenOptions {
  /** Null: all addresses, both families. */
  readonly address?: Address | null;
  /** 0: a free one, the same on all queues. */
  readonly port: number;
  /** Of each queue. */
  readonly backlog?: number;
}

export class BridgeListener extends EventSource {
  readonly address: Address | null;
  closed = false;
  readonly #backlog: number;
  #port: number;
  readonly #legs = new Set<Leg>();
  readonly #waiting: { readonly leg: Leg; readonly socket: BridgeSocket }[] = [];

  /** Made by Bridge.listen(). */
  constructor({ address = null, port, backlog = 511 }: BridgeListenOptions) {
    super();
    this.address = address;
    this.#port = port;
    this.#backlog = backlog;
  }

  get port(): number {
    return this.#port;
  }

  /** Queues that it listens on. */
  get queues(): number[] {
    return [...this.#legs].map(({ side }) => side.queue);
  }

  /** The connection that waited longest, null when none does. */
  accept(): BridgeSocket | null {
    const first = this.#waiting.shift();
    if (first === undefined) return null;
    const { leg, socket } = first;
    leg.taken();
    // What happened to it before it had an owner.
    if (socket.events !== 0) setImmediate(() => leg.side.dispatch(socket, 0));
    return socket;
  }

  /** Stops listening; connections nobody has accepted are reset. CLOSED follows. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const leg of this.#legs) leg.side.tell(leg.slot, CLOSE);
    for (const { socket } of this.#waiting.splice(0)) socket.abort();
  }

  // ---- for the bridge ----

  /** Listens on one more queue. Rejects with StackError. */
  async join(side: ThreadSide): Promise<void> {
    const pipeBytes = WAITING * ACCEPTED_BYTES;
    const memory = SharedPipe.allocate(pipeBytes);
    const { slot, ends } = await side.open({
      type: 'listen',
      address: this.address === null ? null : String(this.address),
      port: this.#port,
      backlog: this.#backlog,
      memory,
      pipeBytes,
    });
    this.#port = ends.localPort;
    const leg = new Leg(this, side, slot, new SharedPipe(memory, 0, pipeBytes));
    this.#legs.add(leg);
    side.add(slot, leg);
    if (this.closed) side.tell(slot, CLOSE);
  }

  arrived(leg: Leg, socket: BridgeSocket): void {
    if (this.closed) socket.abort();
    else this.#waiting.push({ leg, socket });
  }

  /** A leg tells of something. */
  tell(leg: Leg, events: number): void {
    if ((events & ACCEPTABLE) !== 0) leg.side.dispatch(this, ACCEPTABLE);
    if ((events & CLOSED) === 0) return;
    this.#legs.delete(leg);
    // A worker that dies leaves the others' queues; the last one is the end.
    if (this.#legs.size === 0) {
      this.closed = true;
      leg.side.dispatch(this, CLOSED);
    }
  }
}

/** One queue's share of a listener. */
class Leg implements BridgePart {
  readonly side: ThreadSide;
  readonly slot: number;
  readonly #listener: BridgeListener;
  readonly #pipe: SharedPipe;
  /** Connections in the pipe that are known already. */
  #known = 0;

  constructor(listener: BridgeListener, side: ThreadSide, slot: number, pipe: SharedPipe) {
    this.side = side;
    this.slot = slot;
    this.#listener = listener;
    this.#pipe = pipe;
  }

  onNews(events: number): void {
    for (; this.#known * ACCEPTED_BYTES < this.#pipe.readable; this.#known++) {
      const { slot, ends } = acceptedAt(this.#pipe, this.#known);
      const socket = new BridgeSocket(this.side, slot, ends);
      this.side.add(slot, socket);
      this.#listener.arrived(this, socket);
    }
    if ((events & CLOSED) !== 0) this.side.release(this.slot);
    this.#listener.tell(this, events);
  }

  onWorkerDeath(): void {
    this.onNews(CLOSED);
  }

  /** The program has one of its connections: room for one more. */
  taken(): void {
    this.#known--;
    if (this.#pipe.consume(ACCEPTED_BYTES)) this.side.tell(this.slot, ROOM);
  }
}
