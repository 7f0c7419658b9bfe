/**
 * The Internet checksum's sum (RFC 1071) over an arena, as a link computes it.   hot path
 *
 * Sums are kept in little-endian order and swapped once at the end (RFC 1071 2 B), so 32 bits
 * are read at a time. Per word one shift and two additions: `total` holds the sum of the words
 * modulo 2^32 and `high` the exact sum of their upper halves, from which the sum of the lower
 * halves follows. Measured on Node 20 and 26, 1,480 bytes: 345 and 280 ns aligned, 405 and
 * 280 ns through the DataView; 61 and 62 ns where the arena allows SIMD (storage/simd.ts).
 * @module
 */
import type { Arena } from '../storage/arena.ts';
import type { Simd } from '../storage/simd.ts';

const LITTLE_ENDIAN = new Uint8Array(Int32Array.of(1).buffer)[0] === 1;

/** An arena, and how its bytes are summed. */
export class SummedArena {
  readonly arena: Arena;
  readonly view: DataView;
  readonly simd: Simd | null;

  constructor(arena: Arena) {
    this.arena = arena;
    this.view = arena.view;
    this.simd = arena.simd;
  }
}

/** The sum of `length` bytes (at most 64 KiB), below 2^20; partial sums add with `+`. */
export function sum(memory: SummedArena, at: number, length: number): number {
  const simd = memory.simd;
  if (simd !== null) return simd.sum(at, length);
  const arena = memory.arena;
  if (LITTLE_ENDIAN && (at & 3) === 0) return sumAligned(arena, at, length);
  return sumUnaligned(arena.view, at, length);
}

function sumAligned(arena: Arena, at: number, length: number): number {
  const words = arena.words;
  let high = 0;
  let total = 0;
  // Unsigned, so that the compiler needs neither overflow checks nor sign extension.
  let i = at >>> 2;
  const end = (at + length) >>> 2;
  const lastFour = end - 3;
  for (; i < lastFour; i += 4) {
    const a = words[i]!;
    const b = words[i + 1]!;
    const c = words[i + 2]!;
    const d = words[i + 3]!;
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    total = (total + a + b + c + d) | 0;
  }
  for (; i < end; i++) {
    const word = words[i]!;
    high = (high + (word >>> 16)) | 0;
    total = (total + word) | 0;
  }
  const left = length & 3;
  return foldHalves(total, high) + (left === 0 ? 0 : lastBytes(arena.view, end << 2, left));
}

function sumUnaligned(view: DataView, at: number, length: number): number {
  let high = 0;
  let total = 0;
  let i = at >>> 0;
  const end = (i + (length & ~3)) >>> 0;
  const lastFour = end - 15;
  for (; i < lastFour; i += 16) {
    const a = view.getInt32(i, true);
    const b = view.getInt32(i + 4, true);
    const c = view.getInt32(i + 8, true);
    const d = view.getInt32(i + 12, true);
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    total = (total + a + b + c + d) | 0;
  }
  for (; i < end; i += 4) {
    const word = view.getInt32(i, true);
    high = (high + (word >>> 16)) | 0;
    total = (total + word) | 0;
  }
  const left = length & 3;
  return foldHalves(total, high) + (left === 0 ? 0 : lastBytes(view, end, left));
}

/** The sum of the words from the sum of their upper halves and the sum modulo 2^32. */
function foldHalves(total: number, high: number): number {
  const low = (total - (high << 16)) | 0;
  return (low & 0xffff) + (low >>> 16) + (high & 0xffff) + (high >>> 16);
}

/** The last one to three bytes as a word, zeros behind them. */
function lastBytes(view: DataView, at: number, count: number): number {
  if (count === 1) return view.getUint8(at);
  const word = view.getUint16(at, true);
  return count === 2 ? word : word + view.getUint8(at + 2);
}

/**
 * The sum of a transport's pseudo header (both addresses, protocol, length) and of the `length`
 * bytes at `at`: in one go where nothing lies between the addresses and the transport header.
 */
export function transportSum(
  memory: SummedArena,
  ipAt: number,
  isV6: number,
  protocol: number,
  at: number,
  length: number,
): number {
  const rest = (protocol << 8) + ((length & 0xff) << 8) + (length >>> 8);
  const addressesAt = isV6 === 1 ? ipAt + 8 : ipAt + 12;
  const addressesEnd = isV6 === 1 ? ipAt + 40 : ipAt + 20;
  if (at === addressesEnd) return rest + sum(memory, addressesAt, at - addressesAt + length);
  return rest + sum(memory, addressesAt, addressesEnd - addressesAt) + sum(memory, at, length);
}

/** The sum of a word's halves. */
export function halves(word: number): number {
  return (word & 0xffff) + (word >>> 16);
}
