/**
 * The one door between the stack and the world: the Link contract.
 *
 * A link is a full network card as seen by the stack. Whatever its hardware, it fills checksums,
 * cuts large segments, and gives a checksum verdict for each frame it hands up; the stack above
 * has one path and no `if (offload)`. Stack and link share an arena (storage/arena.ts) and a ring
 * of int32 words (native/src/layout.h); the only call is `exchange()`, once per burst.
 * @module
 */
import type { Arena } from '../storage/arena.ts';
import { RING_WORDS, SLOT_COUNT, TX_COUNT, TX_MAX } from './layout.gen.ts';

export interface Link {
  /** For people: 'net_tap dtap0 queue 0', 'pair a'. */
  readonly name: string;
  /** The memory in which frames lie; the stack that attaches the link must use the same. */
  readonly arena: Arena;
  /** RING_WORDS int32 words, laid out as in layout.gen.ts. */
  readonly ring: Int32Array;
  /** The station's address, 6 bytes. */
  readonly mac: Uint8Array;
  /** Largest IP packet, header included, in bytes. At least 1280 when IPv6 is used. */
  readonly mtu: number;
  /** Most TCP payload bytes one TX_SEGMENT descriptor may carry; 0: the link does not segment. */
  readonly segmentBytes: number;
  /** Who does the work: for `dpdk-net devices`, the banner and tests. */
  readonly features: LinkFeatures;

  /**
   * One burst: takes over ring[TX_COUNT] transmit descriptors (setting it to 0), fills up the
   * free transmit slots, and receives up to RX_MAX frames.
   *
   * Received frames stay valid until the next exchange(). A descriptor that the link cannot
   * send yet stays with the link, which then offers fewer free slots: that is back-pressure,
   * never loss. Returns ring[RX_COUNT]; negative when the link is gone for good.
   */
  exchange(): number;

  /** Frees what the link holds. Idempotent. */
  close(): void;
}

export type Feature = 'hardware' | 'software' | 'none';

export interface LinkFeatures {
  readonly txChecksum: Feature;
  readonly rxChecksum: Feature;
  readonly segmentation: Feature;
  /** Joining of received segments of a flow (GRO, LRO). What is left out is none. */
  readonly joining?: Feature;
  /** Each flow has its queue (RSS). */
  readonly steering?: Feature;
  /** Waking whoever sleeps until a frame arrives: an interrupt, or only other queues' frames. */
  readonly waking?: Feature;
  /** Rules for received frames. */
  readonly flowRules?: Feature;
  /** Taking VLAN tags out and putting them in; in software the stack does it. */
  readonly vlan?: Feature;
  /** The time of arrival in RX_TIME. */
  readonly timestamps?: Feature;
}

/** A fresh ring. */
export function createRing(): Int32Array {
  return new Int32Array(RING_WORDS);
}

/** True when the stack may put one more frame on the ring. */
export function hasRoom(ring: Int32Array): boolean {
  return ring[SLOT_COUNT]! > 0 && ring[TX_COUNT]! < TX_MAX;
}
