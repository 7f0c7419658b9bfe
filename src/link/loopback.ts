/**
 * A link whose transmits come back as receives: 127.0.0.1 and ::1 inside one stack.
 *
 * Trusted: the bytes never leave the process, so no sum is computed and every verdict is good.
 * @module
 */
import type { Arena } from '../storage/arena.ts';
import { MemoryLink } from './memory-link.ts';
import { checkSizes } from './pair.ts';

export interface LoopbackOptions {
  /** Largest IP packet in bytes, up to 65,535; 16,384 when not given. */
  readonly mtu?: number;
  /** Frames that can be under way; 128 when not given. */
  readonly slots?: number;
}

/** A loopback link on `arena`. Throws StackError EINVAL, and ENOMEM when the arena is too small. */
export function createLoopback(arena: Arena, options: LoopbackOptions = {}): MemoryLink {
  const mtu = options.mtu ?? 16_384;
  checkSizes(mtu, 0);
  const link = new MemoryLink(arena, {
    name: 'loopback',
    mac: new Uint8Array(6),
    mtu,
    segmentBytes: 0,
    slots: options.slots ?? 128,
    checksummed: false,
  });
  MemoryLink.join(link, link);
  return link;
}
