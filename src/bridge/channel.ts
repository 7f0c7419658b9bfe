/**
 * The memory that a worker and another thread share: slots for sockets, and what happened to them.
 *
 *     | slots | bytes of a pipe | events for the worker | events for the thread | slot 0 | slot 1 ...
 *     slot: | error | pipe to the thread | pipe to the worker |
 *
 * The worker gives slots out and takes them back. A slot is one socket's from the time that the
 * worker tells of it until the thread says RELEASE, which it says after CLOSED, as its last word.
 * @module
 */
import { CLOSED, ENDED } from '../base/events.ts';
import { SharedEvents } from '../shared/events.ts';
import { PIPE_HEADER_BYTES, SharedPipe } from '../shared/pipe.ts';

// What the thread tells the worker of a slot. What the worker tells are the bits of base/events.ts.
/** There is something in the pipe to the worker. */
export const DATA = 1;
/** There is room again in the pipe to the thread, or for one more connection. */
export const ROOM = 2;
/** No more data will come: FIN. */
export const SHUTDOWN = 4;
/** The program has let go. */
export const CLOSE = 8;
/** RST at once. */
export const ABORT = 16;
/** The thread does not use the slot any more. */
export const RELEASE = 32;
/** Nagle off, and on again. */
export const NO_DELAY = 64;
export const DELAY = 128;

/** After these nothing more comes from the peer. */
export const FINAL: number = ENDED | CLOSED;

export interface ChannelShape {
  /** Sockets at once. */
  readonly slots: number;
  /** Of each pipe; a power of two. */
  readonly pipeBytes: number;
}

const SLOTS = 0;
const PIPE_BYTES = 1;
const HEADER_BYTES = 64;
const ERROR_BYTES = 64;

/** What a slot's error word says. */
const ERRORS = [
  '',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'EMSGSIZE',
  'ENETUNREACH',
  'ENOBUFS',
  'ENOMEM',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EACCES',
  'EINVAL',
] as const;
export type BridgeErrorCode = (typeof ERRORS)[number];
/** Of an error that has no number: it happened, that much is sure. */
const OTHER_ERROR = ERRORS.indexOf('EPROTO');

export class Channel {
  readonly memory: SharedArrayBuffer;
  readonly shape: ChannelShape;
  readonly toWorker: SharedEvents;
  readonly toThread: SharedEvents;
  readonly #slotsAt: number;

  /** A view of a channel that allocate() made. */
  constructor(memory: SharedArrayBuffer) {
    const [slots, pipeBytes] = new Int32Array(memory, 0, 2) as unknown as [number, number];
    this.memory = memory;
    this.shape = { slots, pipeBytes };
    const eventBytes = SharedEvents.bytesFor(slots);
    this.toWorker = new SharedEvents(memory, HEADER_BYTES, slots);
    this.toThread = new SharedEvents(memory, HEADER_BYTES + eventBytes, slots);
    this.#slotsAt = slotsAt(slots);
  }

  /** A new channel. Throws StackError EINVAL for pipes of an impossible size. */
  static allocate({ slots, pipeBytes }: ChannelShape): Channel {
    const bytes = slotsAt(slots) + slots * slotBytes(pipeBytes);
    // Only what is touched takes memory.
    const memory = new SharedArrayBuffer(bytes);
    const words = new Int32Array(memory);
    words[SLOTS] = slots;
    words[PIPE_BYTES] = pipeBytes;
    return new Channel(memory);
  }

  /** The pipe of a slot's socket to the thread: what was received. */
  inPipe(slot: number): SharedPipe {
    return this.#pipe(slot, 0);
  }

  /** The pipe to the worker: what is to be sent. */
  outPipe(slot: number): SharedPipe {
    return this.#pipe(slot, 1);
  }

  #pipe(slot: number, index: number): SharedPipe {
    const { pipeBytes } = this.shape;
    const at = this.#slotAt(slot) + ERROR_BYTES + index * (PIPE_HEADER_BYTES + pipeBytes);
    return new SharedPipe(this.memory, at, pipeBytes);
  }

  /** Why the slot's socket failed; the worker writes it before it says CLOSED or FAILED. */
  errorOf(slot: number): BridgeErrorCode {
    return ERRORS[Atomics.load(this.#errorWord(slot), 0)]!;
  }

  setError(slot: number, code: string): void {
    const index = (ERRORS as readonly string[]).indexOf(code);
    Atomics.store(this.#errorWord(slot), 0, index < 0 ? OTHER_ERROR : index);
  }

  #errorWord(slot: number): Int32Array {
    return new Int32Array(this.memory, this.#slotAt(slot), 1);
  }

  #slotAt(slot: number): number {
    return this.#slotsAt + slot * slotBytes(this.shape.pipeBytes);
  }
}

/** At a cache line's beginning. */
function slotsAt(slots: number): number {
  return HEADER_BYTES + Math.ceil((2 * SharedEvents.bytesFor(slots)) / 64) * 64;
}

function slotBytes(pipeBytes: number): number {
  return ERROR_BYTES + 2 * (PIPE_HEADER_BYTES + pipeBytes);
}
