/**
 * One direction of a faulty link: frames enter, and leave late, twice, out of order or not at all.
 * @module
 */
import { withMark } from './congestion-mark.ts';
import { TX_IP_SUM } from './layout.gen.ts';
import type { Random } from './random.ts';

export interface Faults {
  /** Probabilities, 0 to 1. */
  readonly loss?: number;
  /** Longest frame without its Ethernet header; a longer one is dropped and nobody hears of it. */
  readonly mtu?: number;
  readonly duplicate?: number;
  readonly corrupt?: number;
  /** Probability that a frame lets up to `reorderDepth` (default 3) later ones pass. */
  readonly reorder?: number;
  readonly reorderDepth?: number;
  /** Microseconds on the way, and how much more it may be. Jitter reorders. */
  readonly delay?: number;
  readonly jitter?: number;
  /** A bottleneck, and the bytes that may wait before it (default 1 MiB); more is dropped. */
  readonly bitsPerSecond?: number;
  readonly queueBytes?: number;
  /** Bytes waiting there above which a packet whose sender knows ECN is marked (CE). */
  readonly markBytes?: number;
}

export interface FaultCounts {
  entered: number;
  left: number;
  lost: number;
  /** Dropped for their length. */
  tooLong: number;
  duplicated: number;
  corrupted: number;
  reordered: number;
  /** Dropped at the bottleneck. */
  overflowed: number;
  /** Marked there: congestion experienced. */
  marked: number;
}

/** A frame on its way: its bytes with flags and headers of its descriptor. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly flags: number;
  readonly headers: number;
  /** The receive descriptor, for frames on their way to the stack. */
  readonly descriptor?: Int32Array;
}

interface Traveller {
  readonly frame: Frame;
  readonly dueAt: number;
  /** How many later frames, or calls, may still pass it. */
  patience: number;
}

const ETHERNET = 14;
const DEFAULT_QUEUE_BYTES = 1 << 20;
const DEFAULT_DEPTH = 3;

export class FaultyPath {
  readonly counts: FaultCounts = {
    entered: 0,
    left: 0,
    lost: 0,
    tooLong: 0,
    duplicated: 0,
    corrupted: 0,
    reordered: 0,
    overflowed: 0,
    marked: 0,
  };
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #corrupt: (frame: Frame) => Frame;
  /** By due time; those before #first have left. */
  #line: Traveller[] = [];
  #first = 0;
  readonly #aside: Traveller[] = [];
  /** When the bottleneck has sent all it has. */
  #freeAt = 0;
  /** Bytes that waited there before the last frame. */
  #waiting = 0;

  /** `corrupt` makes a damaged copy of a frame. */
  constructor(faults: Faults, random: Random, corrupt: (frame: Frame) => Frame) {
    this.#faults = faults;
    this.#random = random;
    this.#corrupt = corrupt;
  }

  /** When the first frame here is due, Infinity when there is none. */
  get dueAt(): number {
    const first = this.#line[this.#first]?.dueAt ?? Number.POSITIVE_INFINITY;
    return this.#aside.reduce((earliest, { dueAt }) => Math.min(earliest, dueAt), first);
  }

  /** True when a frame waits that could leave. */
  hasDue(now: number): boolean {
    return this.#first < this.#line.length && this.#line[this.#first]!.dueAt <= now;
  }

  enter(frame: Frame, now: number): void {
    const { loss = 0, mtu = 0, duplicate = 0, corrupt = 0 } = this.#faults;
    const random = this.#random;
    this.counts.entered++;
    if (mtu > 0 && frame.bytes.length > mtu + ETHERNET) {
      this.counts.tooLong++;
      return;
    }
    if (random.chance(loss)) {
      this.counts.lost++;
      return;
    }
    let traveller = frame;
    if (random.chance(corrupt)) {
      this.counts.corrupted++;
      traveller = this.#corrupt(frame);
    }
    this.#queue(traveller, now);
    if (random.chance(duplicate)) {
      this.counts.duplicated++;
      this.#queue(traveller, now);
    }
  }

  /** The next frame that is due, null when there is none. */
  leave(now: number): Frame | null {
    const waited = this.#aside.findIndex(({ patience }) => patience <= 0);
    if (waited >= 0) return this.#pass(this.#aside.splice(waited, 1)[0]!);
    while (this.hasDue(now)) {
      const traveller = this.#shift();
      if (traveller.patience === 0) return this.#pass(traveller);
      this.counts.reordered++;
      this.#aside.push(traveller);
    }
    // Nothing came to pass it: a call counts as well, so that no frame waits for ever.
    for (const traveller of this.#aside) traveller.patience--;
    return null;
  }

  #pass(traveller: Traveller): Frame {
    for (const other of this.#aside) other.patience--;
    this.counts.left++;
    return traveller.frame;
  }

  #queue(frame: Frame, now: number): void {
    const { delay = 0, jitter = 0, reorder = 0, reorderDepth = DEFAULT_DEPTH } = this.#faults;
    const { markBytes = Number.POSITIVE_INFINITY } = this.#faults;
    const sentAt = this.#bottleneck(frame.bytes.length, now);
    if (sentAt < 0) {
      this.counts.overflowed++;
      return;
    }
    const passed = this.#waiting > markBytes ? this.#mark(frame) : frame;
    const patience = this.#random.chance(reorder) ? this.#random.between(1, reorderDepth) : 0;
    const late = jitter > 0 ? this.#random.unit() * jitter : 0;
    const traveller = { frame: passed, dueAt: sentAt + delay + late, patience };
    let at = this.#line.length;
    while (at > this.#first && this.#line[at - 1]!.dueAt > traveller.dueAt) at--;
    if (at === this.#line.length) this.#line.push(traveller);
    else this.#line.splice(at, 0, traveller);
  }

  /** When the last bit is through, -1 when the queue is full. */
  #bottleneck(bytes: number, now: number): number {
    const { bitsPerSecond = 0, queueBytes = DEFAULT_QUEUE_BYTES } = this.#faults;
    if (bitsPerSecond === 0) return now;
    const startAt = Math.max(now, this.#freeAt);
    const waitingBytes = ((startAt - now) * bitsPerSecond) / 8e6;
    if (waitingBytes + bytes > queueBytes) return -1;
    this.#waiting = waitingBytes;
    this.#freeAt = startAt + (bytes * 8e6) / bitsPerSecond;
    return this.#freeAt;
  }

  #mark(frame: Frame): Frame {
    const isReceived = frame.descriptor !== undefined;
    const bytes = withMark(frame.bytes, isReceived || (frame.flags & TX_IP_SUM) === 0);
    if (bytes === null) return frame;
    this.counts.marked++;
    return { ...frame, bytes };
  }

  #shift(): Traveller {
    const traveller = this.#line[this.#first]!;
    this.#first++;
    // Taken from the front of the array once in a while: shift() costs its length.
    if (this.#first === 1024 || this.#first === this.#line.length) {
      this.#line = this.#line.slice(this.#first);
      this.#first = 0;
    }
    return traveller;
  }
}
