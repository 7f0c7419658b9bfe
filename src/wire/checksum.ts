/**
 * The Internet checksum (RFC 1071, RFC 1624).   hot path
 *
 * A partial sum is an int32 in network order; partial sums add with `+`. Memory is summed as
 * little-endian 32-bit words in two halves and folded once at the end (RFC 1071 2(B): the sum
 * does not depend on the byte order), measured twice as fast as 16 bits at a time.
 * @module
 */

/** Adds `length` bytes to the partial sum `initial`. At most 65,535 bytes + 64 KiB of others. */
export function sum(view: DataView, at: number, length: number, initial: number): number {
  let low = 0;
  let high = 0;
  let i = at;
  const end = at + length;
  const end16 = end - 15;
  while (i < end16) {
    const a = view.getInt32(i, true);
    const b = view.getInt32(i + 4, true);
    const c = view.getInt32(i + 8, true);
    const d = view.getInt32(i + 12, true);
    low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0;
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    i += 16;
  }
  while (i + 1 < end) {
    low = (low + view.getUint16(i, true)) | 0;
    i += 2;
  }
  if (i < end) low = (low + view.getUint8(i)) | 0;
  const folded = fold(fold(low) + fold(high));
  return initial + (((folded & 0xff) << 8) | (folded >>> 8));
}

/** Folds a partial sum to 16 bits. A whole packet summed with its checksum gives 0xffff. */
export function fold(partial: number): number {
  const once = (partial & 0xffff) + (partial >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** The checksum field for a partial sum. */
export function finish(partial: number): number {
  return ~fold(partial) & 0xffff;
}

/**
 * The pseudo header's partial sum, of either family: the ::ffff prefix of an IPv4 address adds
 * 0xffff, which is zero in one's complement.
 */
export function pseudo(
  src0: number,
  src1: number,
  src2: number,
  src3: number,
  dst0: number,
  dst1: number,
  dst2: number,
  dst3: number,
  protocol: number,
  length: number,
): number {
  return (
    halves(src0) +
    halves(src1) +
    halves(src2) +
    halves(src3) +
    halves(dst0) +
    halves(dst1) +
    halves(dst2) +
    halves(dst3) +
    halves(length) +
    protocol
  );
}

/** The checksum after one 16-bit word changed from `before` to `after` (RFC 1624, equation 3). */
export function update(checksum: number, before: number, after: number): number {
  return finish((~checksum & 0xffff) + (~before & 0xffff) + after);
}

function halves(word: number): number {
  return (word >>> 16) + (word & 0xffff);
}
