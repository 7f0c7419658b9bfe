/**
 * Numbers that wrap: TCP sequence numbers (RFC 9293 3.4) and the stack's clocks.   hot path
 *
 * Both are int32 (`| 0`) and compared by the sign of their difference, so the wrap needs no
 * special case as long as two numbers are less than 2^31 apart. Measured: uint32 costs 1.2
 * times, BigInt 7 times as much (docs/decisions/0001).
 * @module
 */

/** a + n, wrapped. */
export function add(a: number, n: number): number {
  return (a + n) | 0;
}

/** How far `a` is behind `b`: b - a, negative when `a` is ahead. */
export function distance(a: number, b: number): number {
  return (b - a) | 0;
}

/** a < b on the circle. */
export function lessThan(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** a <= b on the circle. */
export function atMost(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

/** The later of the two. */
export function max(a: number, b: number): number {
  return ((a - b) | 0) < 0 ? b : a;
}

/** The earlier of the two. */
export function min(a: number, b: number): number {
  return ((a - b) | 0) < 0 ? a : b;
}

/** first <= a < first + size on the circle; an empty range holds nothing. */
export function inRange(a: number, first: number, size: number): boolean {
  const offset = (a - first) | 0;
  return offset >= 0 && offset < size;
}

/** The number as RFCs and humans print it: 0 to 2^32 - 1. */
export function print(a: number): number {
  return a >>> 0;
}
