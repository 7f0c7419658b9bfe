/**
 * What every part of the network layer works with, and its one timer.
 * @module
 */
import type { Clock } from '../base/clock.ts';
import type { Arena } from '../storage/arena.ts';
import * as Stats from './stats.ts';
import type { Transport } from './transport.ts';

export class Core {
  readonly arena: Arena;
  readonly view: DataView;
  readonly clock: Clock;
  /** A random int32, from a source nobody outside can predict. */
  readonly random: () => number;
  readonly drops: Float64Array;
  readonly stats: Float64Array = Stats.family.values();
  /** Who gets echo replies, and errors about echo requests; null: nobody. */
  echo: Transport | null = null;
  /** 1 when something is due at `tickAt` (int32 milliseconds). */
  hasTick: 0 | 1 = 0;
  tickAt = 0;

  constructor(arena: Arena, clock: Clock, random: () => number, drops: Float64Array) {
    this.arena = arena;
    this.view = arena.view;
    this.clock = clock;
    this.random = random;
    this.drops = drops;
  }

  /** Asks for a tick at `at` (int32 ms) or earlier. */
  tickBy(at: number): void {
    if (this.hasTick === 1 && ((at - this.tickAt) | 0) >= 0) return;
    this.hasTick = 1;
    this.tickAt = at | 0;
  }
}
