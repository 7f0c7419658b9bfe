/**
 * A link with faults: loss, duplication, reordering, corruption, delay, a bottleneck.
 *
 * It wraps any link and stands below its checksums, where real faults happen: a frame is first
 * made as it would go over the wire (sums filled, large segments cut), then mistreated. A frame
 * is lost only where a fault or the bottleneck's queue says so; a wrapped link without room holds
 * the stack back instead. Copies each frame: for tests and simulation.
 * @module
 */
import type { Arena } from '../storage/arena.ts';
import { type FaultCounts, type Faults, FaultyPath, type Frame } from './faulty-path.ts';
import {
  DESCRIPTOR_WORDS,
  RX_AT,
  RX_BASE,
  RX_COUNT,
  RX_FLAGS,
  RX_IP_BAD,
  RX_IP_GOOD,
  RX_L4_BAD,
  RX_L4_GOOD,
  RX_LENGTH,
  RX_MAX,
  SLOT_BASE,
  SLOT_BYTES,
  SLOT_COUNT,
  SLOT_TRANSPORT,
  TX_AT,
  TX_BASE,
  TX_COUNT,
  TX_FLAGS,
  TX_HEADERS,
  TX_LENGTH,
  TX_MSS,
  TX_SEGMENT,
  TX_SLOT,
} from './layout.gen.ts';
import { createRing, hasRoom, type Link, type LinkFeatures } from './link.ts';
import { SummedArena } from './ones-sum.ts';
import { Random } from './random.ts';
import { SlotPool } from './slots.ts';
import { cutSegment, fill, headerBytes } from './software-nic.ts';
import { verify } from './verdict.ts';

export interface FaultOptions {
  /** The same seed gives the same faults. */
  readonly seed: number;
  /** Microseconds, the clock of delays and of the bottleneck. */
  readonly now: () => number;
  /** What happens to frames that the stack sends. */
  readonly out?: Faults;
  /** What happens to frames on their way to the stack. */
  readonly in?: Faults;
}

const VERDICTS = RX_IP_GOOD | RX_IP_BAD | RX_L4_GOOD | RX_L4_BAD;
/** Ethernet and IPv4 headers, for frames whose descriptor does not tell. */
const COMMON_HEADERS = 34;
const SLOTS = 256;
/** Room for the largest frame a link may hand up, a coalesced one. */
const LARGEST_FRAME = 65_535 + 18;

export class FaultLink implements Link {
  readonly name: string;
  readonly arena: Arena;
  readonly ring: Int32Array = createRing();
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly segmentBytes: number;
  readonly features: LinkFeatures;
  readonly #link: Link;
  readonly #memory: SummedArena;
  readonly #now: () => number;
  readonly #out: FaultyPath;
  readonly #in: FaultyPath;
  readonly #slots: SlotPool;
  readonly #scratch: number;
  readonly #received: number;
  readonly #receivedEnd: number;

  /** Throws StackError ENOMEM when the arena has no room for the frames under way. */
  constructor(link: Link, options: FaultOptions) {
    this.name = link.name;
    this.arena = link.arena;
    this.mac = link.mac;
    this.mtu = link.mtu;
    this.segmentBytes = link.segmentBytes;
    this.features = link.features;
    this.#link = link;
    this.#memory = new SummedArena(link.arena);
    this.#now = options.now;
    const random = new Random(options.seed);
    const corruptIn = (frame: Frame) => this.#corruptReceived(frame, random);
    const corruptOut = (frame: Frame) => this.#corruptSent(frame, random);
    this.#out = new FaultyPath(options.out ?? {}, random, corruptOut);
    this.#in = new FaultyPath(options.in ?? {}, random, corruptIn);
    const frameBytes = SLOT_TRANSPORT + Math.max(link.mtu, link.segmentBytes + 60);
    this.#slots = new SlotPool(link.arena, SLOTS, Math.max(SLOT_BYTES, frameBytes));
    this.#scratch = link.arena.reserve(SLOT_TRANSPORT + LARGEST_FRAME);
    const receiveBytes = RX_MAX * (64 + link.mtu + 18) + LARGEST_FRAME;
    this.#received = link.arena.reserve(receiveBytes);
    this.#receivedEnd = this.#received + receiveBytes;
    this.#slots.fill(this.ring);
  }

  /** What happened to frames that the stack sent. */
  get sent(): FaultCounts {
    return this.#out.counts;
  }

  /** What happened to frames on their way to the stack. */
  get received(): FaultCounts {
    return this.#in.counts;
  }

  /** When the next frame held here is due, in microseconds; Infinity when there is none. */
  get pendingAt(): number {
    return Math.min(this.#out.dueAt, this.#in.dueAt);
  }

  /** Slots nobody uses; equals `totalSlots` when the stack holds none. */
  get idleSlots(): number {
    return this.#slots.idle(this.ring);
  }

  get totalSlots(): number {
    return this.#slots.total;
  }

  exchange(): number {
    const now = this.#now();
    this.#takeFromStack(now);
    this.#giveToLink(now);
    const count = this.#link.exchange();
    if (count < 0) return count;
    this.#takeFromLink(count, now);
    // A stack that sends faster than the link does runs out of slots, and nothing is lost.
    if (!this.#out.hasDue(now)) this.#slots.fill(this.ring);
    return this.#giveToStack(now);
  }

  close(): void {
    this.#link.close();
  }

  #takeFromStack(now: number): void {
    const ring = this.ring;
    for (let i = 0, at = TX_BASE; i < ring[TX_COUNT]!; i++, at += DESCRIPTOR_WORDS) {
      const descriptor = ring.slice(at, at + DESCRIPTOR_WORDS);
      for (const frame of this.#wireFrames(descriptor)) this.#out.enter(frame, now);
      this.#slots.give(descriptor[TX_SLOT]!);
    }
    ring[TX_COUNT] = 0;
  }

  /** The frame of a descriptor, or those cut from it. */
  #wireFrames(descriptor: Int32Array): Frame[] {
    const at = descriptor[TX_AT]!;
    const length = descriptor[TX_LENGTH]!;
    const flags = descriptor[TX_FLAGS]!;
    const headers = descriptor[TX_HEADERS]!;
    const mss = descriptor[TX_MSS]!;
    const plain = flags & ~TX_SEGMENT;
    if ((flags & TX_SEGMENT) === 0 || mss === 0) {
      return [{ bytes: this.arena.bytes.slice(at, at + length), flags: plain, headers }];
    }
    const frames: Frame[] = [];
    for (let offset = 0; offset < length - headerBytes(headers); offset += mss) {
      const to = this.#scratch + SLOT_TRANSPORT - headersBefore(headers);
      const cut = cutSegment(this.#memory, to, at, length, flags, headers, mss, offset);
      frames.push({ bytes: this.arena.bytes.slice(to, to + cut), flags: plain, headers });
    }
    return frames;
  }

  #giveToLink(now: number): void {
    const ring = this.#link.ring;
    while (hasRoom(ring)) {
      const frame = this.#out.leave(now);
      if (frame === null) return;
      ring[SLOT_COUNT]!--;
      const slot = ring[SLOT_BASE + ring[SLOT_COUNT]!]!;
      const at = slot + SLOT_TRANSPORT - headersBefore(frame.headers);
      this.arena.bytes.set(frame.bytes, at);
      const to = TX_BASE + ring[TX_COUNT]! * DESCRIPTOR_WORDS;
      ring[to + TX_SLOT] = slot;
      ring[to + TX_AT] = at;
      ring[to + TX_LENGTH] = frame.bytes.length;
      ring[to + TX_FLAGS] = frame.flags;
      ring[to + TX_HEADERS] = frame.headers;
      ring[to + TX_MSS] = 0;
      ring[TX_COUNT]!++;
    }
  }

  #takeFromLink(count: number, now: number): void {
    const ring = this.#link.ring;
    for (let i = 0, at = RX_BASE; i < count; i++, at += DESCRIPTOR_WORDS) {
      const frameAt = ring[at + RX_AT]!;
      const bytes = this.arena.bytes.slice(frameAt, frameAt + ring[at + RX_LENGTH]!);
      const descriptor = ring.slice(at, at + DESCRIPTOR_WORDS);
      this.#in.enter({ bytes, flags: ring[at + RX_FLAGS]!, headers: 0, descriptor }, now);
    }
  }

  #giveToStack(now: number): number {
    const ring = this.ring;
    let at = this.#received;
    let count = 0;
    while (count < RX_MAX && at + 64 + LARGEST_FRAME <= this.#receivedEnd) {
      const frame = this.#in.leave(now);
      if (frame === null) break;
      const frameAt = at + 64 - COMMON_HEADERS;
      this.arena.bytes.set(frame.bytes, frameAt);
      const to = RX_BASE + count * DESCRIPTOR_WORDS;
      ring.set(frame.descriptor!, to);
      ring[to + RX_AT] = frameAt;
      ring[to + RX_FLAGS] = frame.flags;
      at = (frameAt + frame.bytes.length + 63) & ~63;
      count++;
    }
    ring[RX_COUNT] = count;
    return count;
  }

  /** Flips a bit below the sums: nobody fills them in afterwards. */
  #corruptSent(frame: Frame, random: Random): Frame {
    const at = this.#scratch + SLOT_TRANSPORT - headersBefore(frame.headers);
    this.arena.bytes.set(frame.bytes, at);
    fill(this.#memory, at, frame.flags, frame.headers);
    const bytes = this.arena.bytes.slice(at, at + frame.bytes.length);
    flipBit(bytes, random);
    return { ...frame, bytes, flags: 0 };
  }

  /** Flips a bit and gives the verdict a card would give; without sums to look at it is bad. */
  #corruptReceived(frame: Frame, random: Random): Frame {
    const had = this.#verdict(frame.bytes);
    const bytes = frame.bytes.slice();
    flipBit(bytes, random);
    const others = frame.flags & ~VERDICTS;
    const trusted = (frame.flags & RX_L4_GOOD) !== 0 && (had & RX_L4_GOOD) === 0;
    if (trusted) return { ...frame, bytes, flags: others | (frame.flags & RX_IP_GOOD) | RX_L4_BAD };
    return { ...frame, bytes, flags: others | this.#verdict(bytes) };
  }

  #verdict(bytes: Uint8Array): number {
    const at = this.#scratch + SLOT_TRANSPORT - COMMON_HEADERS;
    this.arena.bytes.set(bytes, at);
    return verify(this.#memory, at, bytes.length);
  }
}

/** Bytes in front of the transport header, so that it comes to lie at SLOT_TRANSPORT. */
function headersBefore(headers: number): number {
  const bytes = (headers & 0xff) + ((headers >>> 8) & 0xff);
  return bytes === 0 ? COMMON_HEADERS : bytes;
}

/** One bit: the Internet checksum sees that always, of two it may miss one in thirty-two. */
function flipBit(bytes: Uint8Array, random: Random): void {
  bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
}
