/**
 * A link that shows every frame to an observer and changes nothing: the base of capture and trace.
 *
 * It shares the ring of the link it wraps, so frames are neither copied nor held.
 * @module
 */
import type { Arena } from '../storage/arena.ts';
import {
  DESCRIPTOR_WORDS,
  RX_AT,
  RX_BASE,
  RX_FLAGS,
  RX_L4_GOOD,
  RX_LENGTH,
  TX_AT,
  TX_BASE,
  TX_COUNT,
  TX_FLAGS,
  TX_HEADERS,
  TX_LENGTH,
} from './layout.gen.ts';
import type { Link, LinkFeatures } from './link.ts';
import { locate, sumsOf } from './locate.ts';
import { SummedArena } from './ones-sum.ts';
import { fill } from './software-nic.ts';
import { verify } from './verdict.ts';

export type Direction = 'in' | 'out';

/** Sees a frame at `at`, its sums as on the wire; valid during the call. */
export type Observer = (direction: Direction, at: number, length: number) => void;

export class TapLink implements Link {
  readonly name: string;
  readonly arena: Arena;
  readonly ring: Int32Array;
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly segmentBytes: number;
  readonly features: LinkFeatures;
  readonly #link: Link;
  readonly #observer: Observer;
  readonly #memory: SummedArena;

  constructor(link: Link, observer: Observer) {
    this.name = link.name;
    this.arena = link.arena;
    this.ring = link.ring;
    this.mac = link.mac;
    this.mtu = link.mtu;
    this.segmentBytes = link.segmentBytes;
    this.features = link.features;
    this.#link = link;
    this.#observer = observer;
    this.#memory = new SummedArena(link.arena);
  }

  exchange(): number {
    const ring = this.ring;
    for (let i = 0, at = TX_BASE; i < ring[TX_COUNT]!; i++, at += DESCRIPTOR_WORDS) {
      // The wrapped link would fill the sums later, or trust its peer and not at all.
      fill(this.#memory, ring[at + TX_AT]!, ring[at + TX_FLAGS]!, ring[at + TX_HEADERS]!);
      this.#observer('out', ring[at + TX_AT]!, ring[at + TX_LENGTH]!);
    }
    const count = this.#link.exchange();
    for (let i = 0, at = RX_BASE; i < count; i++, at += DESCRIPTOR_WORDS) {
      this.#repair(ring[at + RX_AT]!, ring[at + RX_LENGTH]!, ring[at + RX_FLAGS]!);
      this.#observer('in', ring[at + RX_AT]!, ring[at + RX_LENGTH]!);
    }
    return count;
  }

  close(): void {
    this.#link.close();
  }

  /** Fills in the sums of a frame that is good by trust only. */
  #repair(at: number, length: number, flags: number): void {
    if ((flags & RX_L4_GOOD) === 0 || (verify(this.#memory, at, length) & RX_L4_GOOD) !== 0) return;
    const sums = sumsOf(locate(this.arena.view, at, length), at);
    fill(this.#memory, at, sums.flags, sums.headers);
  }
}
