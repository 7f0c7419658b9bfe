/**
 * A link that puts frames of your own among those received, and remembers the last it saw.
 * @module
 */
import {
  DESCRIPTOR_WORDS,
  RX_AT,
  RX_BASE,
  RX_COUNT,
  RX_FLAGS,
  RX_LENGTH,
  RX_MAX,
} from '../link/layout.gen.ts';
import type { Link, LinkFeatures } from '../link/link.ts';
import { SummedArena } from '../link/ones-sum.ts';
import { verify } from '../link/verdict.ts';
import type { Arena } from '../storage/arena.ts';

/** Room for one injected frame; what is longer is cut off. */
const FRAME_BYTES = 2048;
/** Where in its room a frame begins: the IP header is then aligned to 4 bytes. */
const FRONT = 30;
const REMEMBERED = 64;

/** Shares the ring of the link it wraps. */
export class Injector implements Link {
  readonly name: string;
  readonly arena: Arena;
  readonly ring: Int32Array;
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly segmentBytes: number;
  readonly features: LinkFeatures;
  /** Frames to be received, first the first. */
  readonly queue: Uint8Array[] = [];
  /** The last frames that came from the wrapped link, in no order. */
  readonly seen: Uint8Array[] = [];
  #seen = 0;
  readonly #link: Link;
  readonly #memory: SummedArena;
  readonly #room: number;

  /** Throws StackError ENOMEM when the arena is too small. */
  constructor(link: Link) {
    this.name = link.name;
    this.arena = link.arena;
    this.ring = link.ring;
    this.mac = link.mac;
    this.mtu = link.mtu;
    this.segmentBytes = link.segmentBytes;
    this.features = link.features;
    this.#link = link;
    this.#memory = new SummedArena(link.arena);
    this.#room = link.arena.reserve(RX_MAX * FRAME_BYTES);
  }

  exchange(): number {
    const received = this.#link.exchange();
    if (received < 0) return received;
    if (received > 0) this.#remember();
    const injected = this.queue.splice(0, RX_MAX - received);
    for (const [i, frame] of injected.entries()) this.#put(received + i, frame);
    this.ring[RX_COUNT] = received + injected.length;
    return this.ring[RX_COUNT]!;
  }

  close(): void {
    this.#link.close();
  }

  /** One frame per exchange is enough to have some of every kind. */
  #remember(): void {
    const at = this.ring[RX_BASE + RX_AT]!;
    const frame = this.arena.bytes.slice(at, at + this.ring[RX_BASE + RX_LENGTH]!);
    this.seen[this.#seen++ % REMEMBERED] = frame;
  }

  #put(index: number, frame: Uint8Array): void {
    const at = this.#room + index * FRAME_BYTES + FRONT;
    const length = Math.min(frame.length, FRAME_BYTES - FRONT);
    this.arena.bytes.set(frame.subarray(0, length), at);
    const to = RX_BASE + index * DESCRIPTOR_WORDS;
    this.ring.fill(0, to, to + DESCRIPTOR_WORDS);
    this.ring[to + RX_AT] = at;
    this.ring[to + RX_LENGTH] = length;
    this.ring[to + RX_FLAGS] = verify(this.#memory, at, length);
  }
}
