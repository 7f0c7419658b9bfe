/**
 * How long polls take and how late they begin: two histograms that the poll loop keeps.   hot path
 *
 * They lie in shared memory with one writer, so that another thread can read them while this one is
 * stuck, and cost an addition each: the loop knows the times anyway. Bucket 0 counts what took
 * less than a microsecond, bucket i what took less than 2^i, the last one all that took longer.
 * @module
 */

/** Up to a second, and longer. */
export const BUCKETS = 22;

const SUM = 0;
const FIRST = 1;
/** Values of one histogram: the sum of what was recorded, and the buckets. */
const VALUES = FIRST + BUCKETS;

/** Upper bounds of all buckets but the last, in microseconds. */
export const BOUNDS: readonly number[] = Array.from({ length: BUCKETS - 1 }, (_, i) => 2 ** i);

export interface Histogram {
  /** How often each bucket was hit. */
  readonly buckets: readonly number[];
  /** Microseconds together. */
  readonly sum: number;
  readonly count: number;
}

export interface LoopTimes {
  /** One poll of the stack with work to do, and the program's answers to its events. */
  readonly poll: Histogram;
  /** From the moment a turn could have begun to its beginning: what Node and the program took. */
  readonly lag: Histogram;
}

export class LoopMeter {
  /** Can be posted: the other thread makes a LoopMeter of it. */
  readonly values: Float64Array;

  constructor(values?: Float64Array) {
    this.values = values ?? new Float64Array(new SharedArrayBuffer(16 * VALUES));
  }

  /** A poll took so many microseconds. */
  polled(us: number): void {
    record(this.values, 0, us);
  }

  /** A turn began so many microseconds late. */
  began(us: number): void {
    record(this.values, VALUES, us);
  }

  /** A copy; cold: when somebody asks. */
  read(): LoopTimes {
    return { poll: histogramAt(this.values, 0), lag: histogramAt(this.values, VALUES) };
  }
}

/** The bound that a share of what was recorded stays below; 0: nothing was; cold: for reports. */
export function quantileOf({ buckets, count }: Histogram, share: number): number {
  let left = count * share;
  if (left <= 0) return 0;
  const index = buckets.findIndex((hits) => {
    left -= hits;
    return left <= 0;
  });
  return 2 ** index;
}

function record(values: Float64Array, at: number, us: number): void {
  const index = 32 - Math.clz32(us);
  const bucket = at + FIRST + (index < BUCKETS ? index : BUCKETS - 1);
  values[at + SUM] = values[at + SUM]! + us;
  values[bucket] = values[bucket]! + 1;
}

/** One of the two; cold: when somebody asks. */
function histogramAt(values: Float64Array, at: number): Histogram {
  const buckets = Array.from(values.slice(at + FIRST, at + VALUES));
  return {
    buckets,
    sum: values[at + SUM]!,
    count: buckets.reduce((total, hits) => total + hits, 0),
  };
}
