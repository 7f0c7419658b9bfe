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

/**
 * Sees a frame at `at`, valid during the call. `flags` and `headers` are its descriptor's: sums that
 * somebody else fills in or trusts are not there yet; seal() makes them.
 */
export type Observer = (
  direction: Direction,
  at: number,
  length: number,
  flags: number,
  headers: number,
) => void;

/** Gives a frame the sums that it would have on the wire. */
export function seal(
  memory: SummedArena,
  direction: Direction,
  at: number,
  length: number,
  flags: number,
  headers: number,
): void {
  if (direction === 'out') return fill(memory, at, flags, headers);
  // Of those that came, the ones that are good by trust only.
  if ((flags & RX_L4_GOOD) === 0 || (verify(memory, at, length) & RX_L4_GOOD) !== 0) return;
  const sums = sumsOf(locate(memory.view, at, length), at);
  fill(memory, at, sums.flags, sums.headers);
}

/** Shows an observer frames with their sums. */
export function sealing(arena: Arena, observer: Observer): Observer {
  const memory = new SummedArena(arena);
  return (direction, at, length, flags, headers) => {
    seal(memory, direction, at, length, flags, headers);
    observer(direction, at, length, flags, headers);
  };
}

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
  }

  exchange(): number {
    const ring = this.ring;
    const sent = ring[TX_COUNT]!;
    for (let i = 0, at = TX_BASE; i < sent; i++, at += DESCRIPTOR_WORDS) {
      const length = ring[at + TX_LENGTH]!;
      this.#observer(
        'out',
        ring[at + TX_AT]!,
        length,
        ring[at + TX_FLAGS]!,
        ring[at + TX_HEADERS]!,
      );
    }
    const count = this.#link.exchange();
    for (let i = 0, at = RX_BASE; i < count; i++, at += DESCRIPTOR_WORDS) {
      this.#observer('in', ring[at + RX_AT]!, ring[at + RX_LENGTH]!, ring[at + RX_FLAGS]!, 0);
    }
    return count;
  }

  close(): void {
    this.#link.close();
  }
}
