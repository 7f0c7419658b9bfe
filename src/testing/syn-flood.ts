/**
 * A link that nothing but SYNs come in on, each from a random address and port: a SYN flood at
 * any rate. What the stack answers is counted and thrown away. Nothing is allocated per frame, and
 * checksums are said to be good, as a card would say: what is measured is the stack.
 * @module
 */
import {
  DESCRIPTOR_WORDS,
  RX_AT,
  RX_BASE,
  RX_COUNT,
  RX_FLAGS,
  RX_IP_GOOD,
  RX_L4_GOOD,
  RX_LENGTH,
  RX_MAX,
  SLOT_BASE,
  SLOT_BYTES,
  SLOT_COUNT,
  TX_BASE,
  TX_COUNT,
  TX_SLOT,
} from '../link/layout.gen.ts';
import { createRing, type Link, type LinkFeatures } from '../link/link.ts';
import type { Arena } from '../storage/arena.ts';
import * as Build from './packet.ts';
import { Random } from './random.ts';

/** Bytes of room for each frame, and where in it the frame begins (its IP header is aligned). */
const ROOM = 128;
const FRONT = 2;
/** Offsets in the frame. */
const SRC = 26;
const SRC_PORT = 34;
const SEQ = 38;
const SLOTS = 256;
const MAC = '02:00:00:00:0f:01';
const ATTACKER_MAC = '02:00:00:00:0f:02';
/** Prefixes no SYN may come from: 0/8, 127/8, ours (10/8), groups. */
const LOWEST = 11;
const HIGHEST = 223;
const LOOPBACK = 127;

export interface SynFloodOptions {
  /** The attacked address (IPv4) and port. */
  readonly dst: string;
  readonly dstPort: number;
  readonly seed: number;
}

export class SynFlood implements Link {
  readonly name = 'syn flood';
  readonly arena: Arena;
  readonly ring: Int32Array = createRing();
  readonly mac: Uint8Array = Uint8Array.of(2, 0, 0, 0, 0x0f, 1);
  readonly mtu = 1500;
  readonly segmentBytes = 0;
  readonly features: LinkFeatures = {
    txChecksum: 'none',
    rxChecksum: 'none',
    segmentation: 'none',
  };
  /** SYNs that the next exchange brings, at most RX_MAX. */
  burst = 0;
  /** SYNs brought and frames answered so far. */
  sent = 0;
  answered = 0;
  readonly #random: Random;
  readonly #frames: number;
  readonly #length: number;

  /** Throws StackError ENOMEM when the arena is too small. */
  constructor(arena: Arena, options: SynFloodOptions) {
    this.arena = arena;
    this.#random = new Random(options.seed);
    this.#frames = arena.reserve(RX_MAX * ROOM);
    const slots = arena.reserve(SLOTS * SLOT_BYTES);
    for (let i = 0; i < SLOTS; i++) this.ring[SLOT_BASE + i] = slots + i * SLOT_BYTES;
    this.ring[SLOT_COUNT] = SLOTS;
    const frame = Build.tcp({
      srcMac: ATTACKER_MAC,
      dstMac: MAC,
      src: '11.0.0.1',
      dst: options.dst,
      srcPort: 1,
      dstPort: options.dstPort,
      flags: 'SYN',
      seq: 1,
      options: { mss: 1460, windowScale: 7, sackPermitted: true, timestamps: [1, 0] },
    });
    this.#length = frame.length;
    for (let i = 0; i < RX_MAX; i++) arena.bytes.set(frame, this.#frames + i * ROOM + FRONT);
  }

  exchange(): number {
    this.#swallow();
    const count = this.burst < RX_MAX ? this.burst : RX_MAX;
    for (let i = 0; i < count; i++) this.#forge(i);
    this.ring[RX_COUNT] = count;
    this.sent += count;
    return count;
  }

  close(): void {}

  /** What the stack sent is gone. */
  #swallow(): void {
    const ring = this.ring;
    const count = ring[TX_COUNT]!;
    let free = ring[SLOT_COUNT]!;
    for (let i = 0; i < count; i++) {
      ring[SLOT_BASE + free] = ring[TX_BASE + i * DESCRIPTOR_WORDS + TX_SLOT]!;
      free++;
    }
    ring[SLOT_COUNT] = free;
    ring[TX_COUNT] = 0;
    this.answered += count;
  }

  #forge(index: number): void {
    const { view } = this.arena;
    const at = this.#frames + index * ROOM + FRONT;
    const first = LOWEST + ((this.#random.next() >>> 8) % (HIGHEST - LOWEST));
    const safe = first === LOOPBACK ? LOWEST : first;
    view.setInt32(at + SRC, (safe << 24) | (this.#random.next() & 0xffffff));
    view.setUint16(at + SRC_PORT, this.#random.next() & 0xffff);
    view.setInt32(at + SEQ, this.#random.next());
    const to = RX_BASE + index * DESCRIPTOR_WORDS;
    this.ring[to + RX_AT] = at;
    this.ring[to + RX_LENGTH] = this.#length;
    this.ring[to + RX_FLAGS] = RX_IP_GOOD | RX_L4_GOOD;
  }
}
