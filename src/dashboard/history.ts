/**
 * What the queues did in the last minute: differences of counters, several times a second.
 * @module
 */
import type { StatsReport } from '../control/report.ts';
import type { Board } from './feed.ts';

/** Of one queue, since the look before. */
export interface Sample {
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bitsIn: number;
  readonly bitsOut: number;
  readonly drops: number;
  readonly connections: number;
  /** Frames that were moved from queue to queue. */
  readonly moved: number;
  /** Microseconds that 99 in 100 stayed below. */
  readonly lag: number;
  /** How often which bucket was hit. */
  readonly pollHits: readonly number[];
  readonly lagHits: readonly number[];
}

export interface Look {
  readonly time: number;
  /** By queue, in the order of the board. */
  readonly samples: readonly Sample[];
}

/** A minute of five looks a second, and one to begin with. */
const KEPT = 301;
const SECONDS = 60;

export class History {
  readonly looks: Look[] = [];
  #before: Board | null = null;

  /** Adds a look; what was before it is forgotten where the queues are not the same any more. */
  add(board: Board): void {
    const before = this.#before;
    this.#before = board;
    if (before === null || !isSame(before, board)) {
      this.looks.length = 0;
      return;
    }
    const seconds = (board.time - before.time) / 1000;
    if (seconds <= 0) return;
    const samples = board.stats.map((report, i) => sampleOf(before.stats[i]!, report, seconds));
    this.looks.push({ time: board.time, samples });
    while (this.looks.length > KEPT || board.time - this.looks[0]!.time > (SECONDS + 1) * 1000) {
      this.looks.shift();
    }
  }

  get last(): Look | null {
    return this.looks.at(-1) ?? null;
  }

  /** The mean of the last second of all queues together; 0: nothing is known. */
  recent(read: (sample: Sample) => number): number {
    const looks = this.looks.slice(-5);
    const sum = looks.reduce((total, { samples }) => total + sumOf(samples, read), 0);
    return looks.length === 0 ? 0 : sum / looks.length;
  }
}

export const sumOf = (samples: readonly Sample[], read: (sample: Sample) => number): number =>
  samples.reduce((total, sample) => total + read(sample), 0);

/** The bound that a share of the hits stays below, in microseconds; 0: there are none. */
export function quantile(hits: readonly number[], share: number): number {
  let left = hits.reduce((sum, each) => sum + each, 0) * share;
  if (left === 0) return 0;
  const bucket = hits.findIndex((each) => {
    left -= each;
    return left <= 0;
  });
  return 2 ** bucket;
}

const total = (values: Readonly<Record<string, number>>): number =>
  Object.values(values).reduce((sum, value) => sum + value, 0);

/** A process that was started again counts from zero. */
function isSame(before: Board, after: Board): boolean {
  if (before.stats.length !== after.stats.length) return false;
  return after.stats.every(({ port, queue, worker, times }, i) => {
    const old = before.stats[i]!;
    const isPlace = old.port === port && old.queue === queue && old.worker === worker;
    return isPlace && times.lag.count >= old.times.lag.count;
  });
}

function sampleOf(before: StatsReport, after: StatsReport, seconds: number): Sample {
  const rate = (read: (report: StatsReport) => number | undefined): number =>
    Math.max(0, ((read(after) ?? 0) - (read(before) ?? 0)) / seconds);
  const hits = (name: 'poll' | 'lag'): number[] =>
    after.times[name].buckets.map((value, i) => value - before.times[name].buckets[i]!);
  const lagHits = hits('lag');
  return {
    framesIn: rate(({ counters }) => counters.net['frames_in']),
    framesOut: rate(({ counters }) => counters.net['frames_out']),
    bitsIn: 8 * rate(({ counters }) => counters.net['bytes_in']),
    bitsOut: 8 * rate(({ counters }) => counters.net['bytes_out']),
    drops: rate(({ counters }) => total(counters.drops)),
    connections: after.counts.connections,
    moved: rate(({ link }) => link['rxHandedOver']),
    lag: quantile(lagHits, 0.99),
    pollHits: hits('poll'),
    lagHits,
  };
}
