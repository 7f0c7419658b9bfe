/**
 * The records TCP works with, made when they are first needed and then used again: connections,
 * scoreboards, sets of intervals. So the steady state makes no garbage, however connections come
 * and go. cold: what is made here is made once.
 * @module
 */
import { IndexQueue } from '../storage/index-queue.ts';
import { IntervalSet } from '../storage/interval-set.ts';
import { BbrModel } from './congestion/bbr-model.ts';
import { ownControl, settleControl } from './congestion/control.ts';
import { Pacer } from './congestion/pacer.ts';
import { Connection, TIMER_PACE } from './connection.ts';
import { Scoreboard } from './scoreboard.ts';
import { Tally } from './tally.ts';

export class Records {
  /** All connection records, free ones (state CLOSED) included, by index. */
  readonly connections: Connection[] = [];
  /** Connections in use. */
  inUse = 0;
  readonly #maxConnections: number;
  readonly #maxRanges: number;
  readonly #free: IndexQueue = new IndexQueue();
  readonly #boards: Scoreboard[] = [];
  readonly #intervals: IntervalSet[] = [];
  readonly #pacers: Pacer[] = [];
  readonly #models: BbrModel[] = [];
  readonly #tallies: Tally[] = [];

  constructor(maxConnections: number, maxRanges: number) {
    this.#maxConnections = maxConnections;
    this.#maxRanges = maxRanges;
  }

  /** A free connection record, null at the bound. */
  takeConnection(): Connection | null {
    const index = this.#free.shift();
    if (index >= 0) {
      this.inUse++;
      return this.connections[index]!;
    }
    if (this.connections.length >= this.#maxConnections) return null;
    const c = new Connection(this.connections.length);
    this.connections.push(c);
    this.inUse++;
    return c;
  }

  giveConnection(c: Connection): void {
    this.inUse--;
    this.#free.push(c.index);
  }

  /**
   * The connection's scoreboard, begun with what is in flight where it had none: a request that
   * waits for its answer does without, which at 10,000 connections is five cache lines each.
   */
  boardOf(c: Connection): Scoreboard {
    if (c.board !== null) return c.board;
    const board = this.#boards.pop() ?? new Scoreboard();
    board.reset(c.sndUna);
    if (c.sndNxt !== c.sndUna) board.sent(c.sndNxt, c.firstSentAt);
    c.board = board;
    return board;
  }

  /** Nothing is in flight any more. */
  giveBoard(c: Connection): void {
    this.#boards.push(c.board!);
    c.board = null;
  }

  /** A pacer for `c`, as its last user left it. */
  takePacer(c: Connection): Pacer {
    const pacer = this.#pacers.pop() ?? new Pacer();
    ownControl(c).pacer = pacer;
    return pacer;
  }

  /** A model of a path, as its last user left it. */
  takeModel(): BbrModel {
    return this.#models.pop() ?? new BbrModel();
  }

  /** The connection is not paced any more. */
  givePacer(c: Connection): void {
    const pacer = c.pacer!;
    if (pacer.model !== null) this.#models.push(pacer.model);
    pacer.model = null;
    c.timers &= ~TIMER_PACE;
    c.control.pacer = null;
    settleControl(c);
    this.#pacers.push(pacer);
  }

  /** An empty set for what arrives out of order. */
  takeIntervals(): IntervalSet {
    const set = this.#intervals.pop() ?? new IntervalSet(this.#maxRanges);
    set.clear();
    return set;
  }

  giveIntervals(set: IntervalSet): void {
    this.#intervals.push(set);
  }

  /** The connection's counts of the unusual, at zero where it had none. */
  tallyOf(c: Connection): Tally {
    if (c.tally !== null) return c.tally;
    const tally = this.#tallies.pop() ?? new Tally();
    tally.clear();
    c.tally = tally;
    return tally;
  }

  giveTally(c: Connection): void {
    this.#tallies.push(c.tally!);
    c.tally = null;
  }
}
