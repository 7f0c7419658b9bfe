/**
 * Two links joined back to back in one arena, as by a cable: for tests, simulation, benchmarks
 * and for two stacks in one process. Over an arena of allocateSimdArena() (storage/simd.ts) the
 * checksums cost a quarter.
 * @module
 */
import { StackError } from '../base/errors.ts';
import type { Arena } from '../storage/arena.ts';
import { MemoryLink } from './memory-link.ts';

export interface PairOptions {
  /** Largest IP packet in bytes; 1500 when not given. */
  readonly mtu?: number;
  /** Most payload bytes in one TX_SEGMENT frame, at most MAX_SEGMENT_BYTES; 0, the default: none. */
  readonly segmentBytes?: number;
  /**
   * 'checksummed', the default: the sender fills every sum, the receiver verifies it, and large
   * segments are cut to the MTU, all in software. 'trusted', as between two ports of one host:
   * no sum is computed, large segments pass whole.
   */
  readonly wire?: 'checksummed' | 'trusted';
  /** Frames each end can have under way; 256, or 128 with segmentation. */
  readonly slots?: number;
  /** The stations' addresses; 02:00:00:00:00:01 and :02 when not given. */
  readonly macs?: readonly [Uint8Array, Uint8Array];
}

/** An IP packet has at most 65,535 bytes, headers of up to 40 and 60 bytes included. */
export const MAX_SEGMENT_BYTES = 65_435;

/** Two joined links on `arena`. Throws StackError EINVAL, and ENOMEM when the arena is too small. */
export function createPair(arena: Arena, options: PairOptions = {}): [MemoryLink, MemoryLink] {
  const mtu = options.mtu ?? 1500;
  const segmentBytes = options.segmentBytes ?? 0;
  checkSizes(mtu, segmentBytes);
  const end = (name: string, mac: Uint8Array): MemoryLink =>
    new MemoryLink(arena, {
      name,
      mac,
      mtu,
      segmentBytes,
      slots: options.slots ?? (segmentBytes > 0 ? 128 : 256),
      checksummed: options.wire !== 'trusted',
    });
  const a = end('pair a', options.macs?.[0] ?? Uint8Array.of(2, 0, 0, 0, 0, 1));
  const b = end('pair b', options.macs?.[1] ?? Uint8Array.of(2, 0, 0, 0, 0, 2));
  MemoryLink.join(a, b);
  return [a, b];
}

/** Throws StackError EINVAL when the sizes fit no IP packet. */
export function checkSizes(mtu: number, segmentBytes: number): void {
  if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65_535) {
    throw new StackError('EINVAL', `an mtu of ${mtu} bytes is not in 68-65535`);
  }
  if (!Number.isInteger(segmentBytes) || segmentBytes < 0 || segmentBytes > MAX_SEGMENT_BYTES) {
    throw new StackError('EINVAL', `segmentBytes ${segmentBytes} is not in 0-${MAX_SEGMENT_BYTES}`);
  }
}
