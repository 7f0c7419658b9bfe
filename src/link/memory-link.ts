/**
 * A link in memory: frames move to the other end by handing their slots over.   hot path
 *
 * Two of these make a pair (pair.ts), one joined to itself a loopback (loopback.ts). A slot
 * belongs to the end that transmits from it; the receiver gives it back with its next
 * exchange(). So the slots bound what is on the wire, and an end whose frames are not taken runs
 * out of slots: back-pressure without a further rule.
 *
 *   stack a  --ring-->  waiting  --cut, filled-->  wire  --verified--> ring of b --> held
 *      ^                                                                              |
 *      +------------------------------- slots of a <----------------------------------+
 * @module
 */
import type { Arena } from '../storage/arena.ts';
import { FrameQueue } from './frame-queue.ts';
import {
  DESCRIPTOR_WORDS,
  RX_AT,
  RX_BASE,
  RX_COALESCED,
  RX_COUNT,
  RX_FLAGS,
  RX_IP_GOOD,
  RX_L4_GOOD,
  RX_LENGTH,
  RX_MAX,
  SLOT_BYTES,
  SLOT_TRANSPORT,
  TX_AT,
  TX_BASE,
  TX_COUNT,
  TX_FLAGS,
  TX_HEADERS,
  TX_IP_SUM,
  TX_LENGTH,
  TX_MSS,
  TX_SEGMENT,
  TX_SLOT,
  TX_TCP_SUM,
  TX_UDP_SUM,
} from './layout.gen.ts';
import { createRing, type Link, type LinkFeatures } from './link.ts';
import { SummedArena } from './ones-sum.ts';
import { NO_SLOT, SlotPool } from './slots.ts';
import { cutSegment, fill, headerBytes } from './software-nic.ts';
import { verify } from './verdict.ts';

/** Ethernet header with a VLAN tag: what a frame may have beyond the MTU. */
const MAX_L2 = 18;
/** The longest TCP header. */
const MAX_L4 = 60;
/** Where in a descriptor on the waiting queue the payload bytes already cut are counted. */
const CUT = 6;

export interface MemoryLinkOptions {
  readonly name: string;
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly segmentBytes: number;
  readonly slots: number;
  readonly checksummed: boolean;
}

export class MemoryLink implements Link {
  readonly name: string;
  readonly arena: Arena;
  readonly ring: Int32Array = createRing();
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly segmentBytes: number;
  readonly features: LinkFeatures;
  /** Frames larger than the MTU allows, which a wire does not carry. */
  oversized = 0;

  readonly #memory: SummedArena;
  readonly #checksummed: boolean;
  readonly #cuts: boolean;
  readonly #slots: SlotPool;
  /** Slots for the frames cut from a large one; the same pool where nothing is cut. */
  readonly #wireSlots: SlotPool;
  readonly #waiting: FrameQueue;
  /** Frames on their way to this end. */
  readonly #inbound: FrameQueue;
  readonly #held: Int32Array = new Int32Array(RX_MAX);
  #heldCount = 0;
  #closed = false;
  #peer: MemoryLink = this;

  constructor(arena: Arena, options: MemoryLinkOptions) {
    this.name = options.name;
    this.arena = arena;
    this.mac = options.mac;
    this.mtu = options.mtu;
    this.segmentBytes = options.segmentBytes;
    this.#memory = new SummedArena(arena);
    this.#checksummed = options.checksummed;
    this.#cuts = options.checksummed && options.segmentBytes > 0;
    const work = options.checksummed ? 'software' : 'none';
    this.features = {
      txChecksum: work,
      rxChecksum: work,
      segmentation: this.#cuts ? 'software' : 'none',
    };
    const frameBytes = SLOT_TRANSPORT + Math.max(options.mtu, MAX_L4 + options.segmentBytes);
    this.#slots = new SlotPool(arena, options.slots, Math.max(SLOT_BYTES, frameBytes));
    this.#wireSlots = this.#cuts
      ? new SlotPool(arena, options.slots, Math.max(SLOT_BYTES, SLOT_TRANSPORT + options.mtu))
      : this.#slots;
    this.#waiting = new FrameQueue(options.slots);
    this.#inbound = new FrameQueue(2 * options.slots);
    this.#slots.fill(this.ring);
  }

  /** Joins two ends of the same arena and size; an end may be joined to itself. */
  static join(a: MemoryLink, b: MemoryLink): void {
    a.#peer = b;
    b.#peer = a;
  }

  /** Slots nobody uses; equals `totalSlots` when no frame is under way. */
  get idleSlots(): number {
    return this.#slots.idle(this.ring) + (this.#cuts ? this.#wireSlots.free : 0);
  }

  get totalSlots(): number {
    return this.#slots.total + (this.#cuts ? this.#wireSlots.total : 0);
  }

  /** Frames that the next calls of exchange() will hand up or send on. */
  get pending(): number {
    return this.#inbound.count + this.#waiting.count;
  }

  exchange(): number {
    if (this.#closed) return -1;
    if (this.#heldCount > 0) this.#releaseHeld();
    if (this.ring[TX_COUNT]! > 0) {
      if (this.#cuts) this.#waitAll();
      else this.#sendAll();
    }
    if (!this.#waiting.isEmpty) this.#sendWaiting();
    this.#slots.fill(this.ring);
    return this.#receive();
  }

  /** What is on its way to the peer still arrives; what comes later is lost. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#releaseHeld();
    const { words } = this.#inbound;
    for (; !this.#inbound.isEmpty; this.#inbound.first = this.#inbound.next(this.#inbound.first)) {
      this.#peer.#giveBack(words[this.#inbound.first + TX_SLOT]!);
    }
    this.ring[RX_COUNT] = 0;
  }

  #sendAll(): void {
    const ring = this.ring;
    const end = TX_BASE + ring[TX_COUNT]! * DESCRIPTOR_WORDS;
    for (let at = TX_BASE; at < end; at += DESCRIPTOR_WORDS) this.#send(ring, at);
    ring[TX_COUNT] = 0;
  }

  #waitAll(): void {
    const ring = this.ring;
    const waiting = this.#waiting;
    const end = TX_BASE + ring[TX_COUNT]! * DESCRIPTOR_WORDS;
    for (let at = TX_BASE; at < end; at += DESCRIPTOR_WORDS) {
      const to = waiting.last;
      for (let i = 0; i < CUT; i++) waiting.words[to + i] = ring[at + i]!;
      waiting.words[to + CUT] = 0;
      waiting.last = waiting.next(to);
    }
    ring[TX_COUNT] = 0;
  }

  #sendWaiting(): void {
    const waiting = this.#waiting;
    for (; !waiting.isEmpty; waiting.first = waiting.next(waiting.first)) {
      const words = waiting.words;
      const at = waiting.first;
      const large = (words[at + TX_FLAGS]! & TX_SEGMENT) !== 0 && words[at + TX_MSS]! > 0;
      if (!large) this.#send(words, at);
      else if (!this.#cut(words, at)) return;
    }
  }

  /** Cuts as many frames as there are slots for; true when the descriptor is done. */
  #cut(words: Int32Array, at: number): boolean {
    const headers = words[at + TX_HEADERS]!;
    const front = SLOT_TRANSPORT - (headers & 0xff) - ((headers >>> 8) & 0xff);
    const length = words[at + TX_LENGTH]!;
    const flags = words[at + TX_FLAGS]!;
    const mss = words[at + TX_MSS]!;
    const payload = length - headerBytes(headers);
    do {
      const slot = this.#wireSlots.take();
      if (slot === NO_SLOT) return false;
      const offset = words[at + CUT]!;
      const to = slot + front;
      const from = words[at + TX_AT]!;
      const cut = cutSegment(this.#memory, to, from, length, flags, headers, mss, offset);
      this.#deliver(slot, to, cut, flags);
      words[at + CUT] = offset + mss;
    } while (words[at + CUT]! < payload);
    this.#slots.give(words[at + TX_SLOT]!);
    return true;
  }

  #send(words: Int32Array, at: number): void {
    const slot = words[at + TX_SLOT]!;
    const frameAt = words[at + TX_AT]!;
    const length = words[at + TX_LENGTH]!;
    const flags = words[at + TX_FLAGS]!;
    if (length > this.mtu + MAX_L2 && (flags & TX_SEGMENT) === 0) {
      this.oversized++;
      this.#slots.give(slot);
      return;
    }
    if (this.#checksummed) fill(this.#memory, frameAt, flags, words[at + TX_HEADERS]!);
    this.#deliver(slot, frameAt, length, flags);
  }

  #deliver(slot: number, at: number, length: number, flags: number): void {
    const peer = this.#peer;
    if (peer.#closed) {
      this.#giveBack(slot);
      return;
    }
    const inbound = peer.#inbound;
    const words = inbound.words;
    const to = inbound.last;
    words[to + TX_SLOT] = slot;
    words[to + TX_AT] = at;
    words[to + TX_LENGTH] = length;
    words[to + TX_FLAGS] = flags;
    inbound.last = inbound.next(to);
  }

  #receive(): number {
    const ring = this.ring;
    const inbound = this.#inbound;
    const words = inbound.words;
    const held = this.#held;
    const last = inbound.last;
    let from = inbound.first;
    let count = 0;
    let to = RX_BASE;
    while (from !== last && count < RX_MAX) {
      const at = words[from + TX_AT]!;
      const length = words[from + TX_LENGTH]!;
      held[count] = words[from + TX_SLOT]!;
      ring[to + RX_AT] = at;
      ring[to + RX_LENGTH] = length;
      ring[to + RX_FLAGS] = this.#checksummed
        ? verify(this.#memory, at, length)
        : trustedVerdict(words[from + TX_FLAGS]!);
      from = inbound.next(from);
      to += DESCRIPTOR_WORDS;
      count++;
    }
    inbound.first = from;
    this.#heldCount = count;
    ring[RX_COUNT] = count;
    return count;
  }

  #releaseHeld(): void {
    const peer = this.#peer;
    const count = this.#heldCount;
    for (let i = 0; i < count; i++) peer.#giveBack(this.#held[i]!);
    this.#heldCount = 0;
  }

  #giveBack(slot: number): void {
    if (this.#cuts && this.#wireSlots.owns(slot)) this.#wireSlots.give(slot);
    else this.#slots.give(slot);
  }
}

/** Nothing is computed on a trusted wire: what the sender asked to be filled in counts as good. */
function trustedVerdict(flags: number): number {
  return (
    ((flags & TX_IP_SUM) !== 0 ? RX_IP_GOOD : 0) |
    ((flags & (TX_TCP_SUM | TX_UDP_SUM)) !== 0 ? RX_L4_GOOD : 0) |
    ((flags & TX_SEGMENT) !== 0 ? RX_COALESCED : 0)
  );
}
