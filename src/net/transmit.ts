/**
 * The transmit side of a ring: free slots and descriptors.   hot path
 *
 * A slot is taken, filled and pushed (or given back) before the link's next exchange, which
 * fills the table of free slots up again.
 * @module
 */
import {
  DESCRIPTOR_WORDS,
  SLOT_BASE,
  SLOT_COUNT,
  TX_AT,
  TX_BASE,
  TX_COUNT,
  TX_FLAGS,
  TX_HEADERS,
  TX_LENGTH,
  TX_MAX,
  TX_MSS,
  TX_SLOT,
} from '../link/layout.gen.ts';
import type { Nic } from './nic.ts';
import * as Stats from './stats.ts';

/** No free slot: the link is busy, try after its next exchange. */
export const NO_SLOT = -1;

/** Takes a free slot: its byte offset in the arena, or NO_SLOT. */
export function take(ring: Int32Array): number {
  const left = (ring[SLOT_COUNT]! - 1) | 0;
  if (left < 0 || ring[TX_COUNT]! >= TX_MAX) return NO_SLOT;
  ring[SLOT_COUNT] = left;
  return ring[SLOT_BASE + left]!;
}

/** Gives an unused slot back. */
export function give(ring: Int32Array, slot: number): void {
  const count = ring[SLOT_COUNT]!;
  ring[SLOT_BASE + count] = slot;
  ring[SLOT_COUNT] = count + 1;
}

/** How many frames can be pushed now. */
export function room(ring: Int32Array): number {
  const slots = ring[SLOT_COUNT]!;
  const descriptors = TX_MAX - ring[TX_COUNT]!;
  return Math.min(slots, descriptors);
}

/**
 * Hands the frame at `at` to the link. False, and the slot given back, when more slots were
 * taken than there are descriptors.
 * @param headers lengths l2 | l3 << 8 | l4 << 16
 */
export function push(
  nic: Nic,
  slot: number,
  at: number,
  length: number,
  flags: number,
  headers: number,
  mss: number,
): boolean {
  const ring = nic.ring;
  const index = ring[TX_COUNT]!;
  if (index >= TX_MAX) {
    give(ring, slot);
    return false;
  }
  const descriptor = TX_BASE + index * DESCRIPTOR_WORDS;
  ring[descriptor + TX_SLOT] = slot;
  ring[descriptor + TX_AT] = at;
  ring[descriptor + TX_LENGTH] = length;
  ring[descriptor + TX_FLAGS] = flags;
  ring[descriptor + TX_HEADERS] = headers;
  ring[descriptor + TX_MSS] = mss;
  ring[TX_COUNT] = index + 1;
  nic.counters[Stats.NIC_FRAMES_OUT]!++;
  nic.counters[Stats.NIC_BYTES_OUT]! += length;
  return true;
}
