/**
 * What happened to a socket: bits on the socket, and one queue of the sockets that have any.
 *
 * A socket is queued at most once however much happened to it, so a program is told once per
 * burst. The queue is a list through the sockets themselves: raising an event allocates nothing.
 * @module
 */

/** A connection is established (connect() succeeded). */
export const CONNECTED = 1;
/** There is something to read. */
export const READABLE = 2;
/** There is room to write again, after a write was cut short. */
export const WRITABLE = 4;
/** The peer will send no more (FIN received and in order). */
export const ENDED = 8;
/** The socket is finished; its `error` says why, '' for an orderly end. The last event. */
export const CLOSED = 16;
/** A listener has a connection to accept. */
export const ACCEPTABLE = 32;
/** All that was written has been acknowledged, the FIN included. */
export const FLUSHED = 64;
/**
 * An error that did not end the socket: UDP's ICMP port unreachable, see its `error`; TCP's trouble
 * on the way, see its `softError`.
 */
export const FAILED = 128;
/** The peer marked data as urgent, or more of it; see the socket's `urgent`. */
export const URGENT = 256;

export abstract class EventSource {
  /** Bits above that were raised and not yet taken. */
  events = 0;
  /** 1 while in the queue. */
  queued = 0;
  nextQueued: EventSource | null = null;
  /** Yours: the stack never looks at it. */
  owner: unknown = null;

  /** Reads and clears the event bits. */
  takeEvents(): number {
    const events = this.events;
    this.events = 0;
    return events;
  }
}

export class EventQueue {
  #first: EventSource | null = null;
  #last: EventSource | null = null;

  /** Adds `bits` to the source and queues it unless it is queued already. */
  raise(source: EventSource, bits: number): void {
    source.events |= bits;
    if (source.queued === 1) return;
    source.queued = 1;
    if (this.#last === null) this.#first = source;
    else this.#last.nextQueued = source;
    this.#last = source;
  }

  /** The next source with events, null when there is none. */
  next(): EventSource | null {
    const source = this.#first;
    if (source === null) return null;
    this.#first = source.nextQueued;
    if (this.#first === null) this.#last = null;
    source.nextQueued = null;
    source.queued = 0;
    return source;
  }

  get isEmpty(): boolean {
    return this.#first === null;
  }
}
