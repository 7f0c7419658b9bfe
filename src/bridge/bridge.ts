/**
 * A bridge: TCP and UDP sockets on the queues of other threads' stacks, for the thread that has none.
 *
 * It looks for news in a turn of the event loop as long as there was some lately; then it sleeps,
 * and the workers post a message when there is more.
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import type { Address } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import { nowMicros } from '../runtime/now.ts';
import { BridgeListener, type BridgeListenOptions } from './listener.ts';
import { BridgeSocket } from './socket.ts';
import { type SideOwner, ThreadSide } from './thread-side.ts';
import { type BridgeBindOptions, BridgeUdp } from './udp.ts';

/** What a thread needs to have a bridge to all queues: to be posted, with its ports transferred. */
export interface BridgeTicket {
  readonly queues: readonly { readonly queue: number; readonly port: MessagePort }[];
}

export interface BridgeOptions {
  /** Sockets at once on each queue; default 1024. Listeners and UDP sockets count. */
  readonly sockets?: number;
  /** Bytes that each TCP socket may have on its way, each way; a power of two, default 64 KiB. */
  readonly bufferBytes?: number;
  /**
   * How long to look for news before sleeping, in microseconds; default 0. More where there are
   * processors to spare: it takes one from whoever needs it.
   */
  readonly lookMicros?: number;
}

export interface BridgeConnectOptions {
  readonly address: Address;
  readonly port: number;
  readonly localAddress?: Address;
  readonly localPort?: number;
  /** The queue it is to live on; default: each has its turn. */
  readonly queue?: number;
}

export interface BridgeCounts {
  /** Sockets and the like that this thread has. */
  readonly parts: number;
  /** Slots that the workers have given out. Equal when nothing is under way, 0 when all is closed. */
  readonly slots: number;
}

/** Ports that another queue turned out to have in use: tried again with another. */
const MOST_TRIES = 16;

interface Joining {
  readonly closed: boolean;
  join(side: ThreadSide): Promise<void>;
  close(): void;
}

export class Bridge implements SideOwner {
  readonly #options: Required<BridgeOptions>;
  readonly #sides: ThreadSide[] = [];
  readonly #joined = new Set<Joining>();
  #immediate: NodeJS.Immediate | null = null;
  #isAsleep = true;
  #isClosed = false;
  #lastNews = 0;
  #turns = 0;

  /** Throws StackError EINVAL. */
  constructor(ticket: BridgeTicket, options: BridgeOptions = {}) {
    const { sockets = 1024, bufferBytes = 1 << 16, lookMicros = 0 } = options;
    this.#options = { sockets, bufferBytes, lookMicros };
    for (const { queue, port } of ticket.queues) this.#attach(queue, port);
    this.#sleepOrLook();
  }

  /** Queues whose workers live. */
  get queues(): number[] {
    return this.#sides.map(({ queue }) => queue);
  }

  /** A worker more, or one in place of another that died: open listeners listen there, too. */
  async add({ queues }: BridgeTicket): Promise<void> {
    const sides = queues.map(({ queue, port }) => this.#attach(queue, port));
    this.woken();
    for (const joining of this.#joined) {
      if (joining.closed) this.#joined.delete(joining);
      else for (const side of sides) await joining.join(side);
    }
  }

  /** Opens a connection. Rejects with StackError: ECONNREFUSED, ETIMEDOUT, ENOBUFS, ... */
  async connect(options: BridgeConnectOptions): Promise<BridgeSocket> {
    const side = this.#sideFor(options.queue);
    const { slot, ends } = await side.open({
      type: 'connect',
      address: String(options.address),
      port: options.port,
      localAddress: options.localAddress === undefined ? null : String(options.localAddress),
      localPort: options.localPort ?? 0,
    });
    const socket = new BridgeSocket(side, slot, ends);
    side.add(slot, socket);
    return socket;
  }

  /** Listens on all queues. Rejects with StackError: EADDRINUSE, ... */
  listen(options: BridgeListenOptions): Promise<BridgeListener> {
    return this.#onAll(options.port, () => new BridgeListener(options));
  }

  /** A UDP socket, bound on all queues. Rejects with StackError: EADDRINUSE, ... */
  bind(options: BridgeBindOptions = {}): Promise<BridgeUdp> {
    return this.#onAll(options.port ?? 0, () => new BridgeUdp(options));
  }

  /** For leak checks. */
  async counts(): Promise<BridgeCounts> {
    const slots = await Promise.all(this.#sides.map((side) => side.count()));
    return {
      parts: this.#sides.reduce((sum, side) => sum + side.parts, 0),
      slots: slots.reduce((sum, count) => sum + count, 0),
    };
  }

  /** Lets go of everything: the workers reset what is open, and here it fails with ECONNABORTED. */
  close(): void {
    this.#isClosed = true;
    for (const side of this.#sides) side.close();
  }

  #attach(queue: number, port: MessagePort): ThreadSide {
    const { sockets: slots, bufferBytes: pipeBytes } = this.#options;
    const side = new ThreadSide(this, queue, port, { slots, pipeBytes });
    this.#sides.push(side);
    return side;
  }

  #sideFor(queue: number | undefined): ThreadSide {
    if (queue === undefined) return this.#living(this.#sides[this.#turns++ % this.#sides.length]);
    return this.#living(this.#sides.find((side) => side.queue === queue));
  }

  #living(side: ThreadSide | undefined): ThreadSide {
    if (side !== undefined && !this.#isClosed) return side;
    throw new StackError('ECONNABORTED', 'the bridge has no worker for this');
  }

  /** With port 0 the first queue chooses, and the others may have that one in use. */
  async #onAll<T extends Joining>(port: number, make: () => T): Promise<T> {
    this.#living(this.#sides[0]);
    for (let tries = 1; ; tries++) {
      const joining = make();
      try {
        for (const side of this.#sides) await joining.join(side);
        this.#joined.add(joining);
        return joining;
      } catch (error) {
        joining.close();
        const isTaken = (error as { code?: string }).code === 'EADDRINUSE';
        if (!isTaken || port !== 0 || tries === MOST_TRIES) throw error;
      }
    }
  }

  // ---- for its ends ----

  look(): void {
    this.#lastNews = nowMicros();
    this.#schedule();
  }

  woken(): void {
    this.#lastNews = nowMicros();
    if (this.#immediate === null) this.#turn();
  }

  died(side: ThreadSide): void {
    this.#sides.splice(this.#sides.indexOf(side), 1);
  }

  #schedule(): void {
    if (this.#isAsleep) for (const side of this.#sides) side.wake();
    this.#isAsleep = false;
    this.#immediate ??= setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#immediate = null;
    let done = 0;
    // An owner that throws is the program's affair; the others' news wait for the next turn.
    try {
      for (const side of this.#sides) done += side.poll();
    } finally {
      if (done > 0) this.#lastNews = nowMicros();
      this.#sleepOrLook();
    }
  };

  #sleepOrLook(): void {
    const isQuiet = nowMicros() - this.#lastNews >= this.#options.lookMicros;
    this.#isAsleep = isQuiet;
    if (!isQuiet || !this.#sides.every((side) => side.sleep())) this.#schedule();
  }
}
