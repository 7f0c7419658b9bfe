/**
 * The clock that drives stacks: microseconds, monotonic, with one origin for all threads that
 * share something with times in it (a neighbor board).
 * @module
 */
import { performance } from 'node:perf_hooks';

/** Where this thread's performance.now() begins, on the machine's monotonic clock. */
const BEGINNING = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000;

let origin = BEGINNING;
let shift = 0;

/** Microseconds since the origin. */
export function nowMicros(): number {
  return performance.now() * 1000 + shift;
}

/** What another thread calls useOrigin() with to have the same clock as this one. */
export function clockOrigin(): number {
  return origin;
}

/** From now on this thread counts from another's origin. Before it polls for the first time. */
export function useOrigin(other: number): void {
  origin = other;
  shift = BEGINNING - other;
}
