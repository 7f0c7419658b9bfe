/**
 * What a network layer is made with, and what its interfaces are.
 * @module
 */
import type { Prefix } from '../base/address.ts';
import type { Clock } from '../base/clock.ts';
import type { Arena } from '../storage/arena.ts';
import type { Homing } from './homing.ts';
import type { NeighborBoard } from './neighbor/board.ts';
import type { NeighborLimits } from './neighbor/cache.ts';
import type { Relay } from './relay.ts';

export interface NetOptions {
  /** Shared with every link that is attached; the network layer reserves about 3.5 MB of it. */
  arena: Arena;
  clock: Clock;
  /** A random int32 that nobody outside can predict. */
  random: () => number;
  /** Drop.family.values() */
  drops: Float64Array;
  limits?: NetLimits;
  /** What the stacks over one device tell each other; null or not given: this one is alone. */
  board?: NeighborBoard | null;
  /** Whose queue a packet comes to; null or not given: there is one queue. */
  homing?: Homing | null;
  /** The way of datagrams that are another queue's; with a board. */
  relay?: Relay | null;
}

export interface NetLimits {
  /** Neighbors remembered; as many on-link peers can have connections at once (16,384). */
  neighbors?: number;
  /** Packets that wait for one unresolved neighbor (16). */
  waiting?: number;
  /** Blocks of 2,048 bytes for all waiting packets (512). */
  waitingBlocks?: number;
  /** Blocks of 2,048 bytes for fragments (1024). */
  fragmentBlocks?: number;
  /** Paths kept after their last user has gone (1024). */
  cachedPaths?: number;
}

export interface AttachOptions {
  /** Our addresses on the link, each with the prefix that is on the link. */
  addresses?: Prefix[];
  /** 802.1Q identifier, 1 to 4094; 0 for untagged. */
  vlan?: number;
  /** True: packets to our own addresses go here. 127.0.0.1 and ::1 are added. */
  loopback?: boolean;
}

export function neighborLimits(limits: NetLimits): NeighborLimits {
  return {
    neighbors: limits.neighbors ?? 16_384,
    waiting: limits.waiting ?? 16,
    waitingBlocks: limits.waitingBlocks ?? 512,
  };
}
