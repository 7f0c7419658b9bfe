/**
 * The Toeplitz hash of receive side scaling (Microsoft, "Verifying the RSS Hash Calculation"),
 * and the symmetric kind of it: with a key that repeats 16 bits, both directions of a flow have
 * the same hash (Woo and Park, "Scalable TCP Session Monitoring with Symmetric RSS", 2012).
 *
 * The hash of each input bit is the key's 32 bits from that bit's place on. When the key repeats
 * every 16 bits, so do these, and the hash is that of the exclusive or of the input's 16-bit
 * words: the fold.   hot path
 * @module
 */

/** Bytes of a key for the longest tuple, 36 bytes; some devices have longer ones. */
export const KEY_BYTES = 40;

/** The hash of any input with any key of at least its length and four bytes, as int32. */
export function toeplitz(key: Uint8Array, input: Uint8Array): number {
  let window = (key[0]! << 24) | (key[1]! << 16) | (key[2]! << 8) | key[3]!;
  let hash = 0;
  for (let i = 0; i < input.length; i++) {
    for (let bit = 7; bit >= 0; bit--) {
      if (((input[i]! >> bit) & 1) !== 0) hash ^= window;
      window = (window << 1) | ((key[i + 4]! >> bit) & 1);
    }
  }
  return hash;
}

/** Fills `key` with the repeated 16 bits. */
export function fillSymmetricKey(key: Uint8Array, repeated: number): void {
  for (let i = 0; i < key.length; i++) key[i] = (i & 1) === 0 ? repeated >>> 8 : repeated;
}

/**
 * The nearest 16 bits that make a good key: an odd number of them set, else half of all flows
 * would have the same hashes as the other half, and enough of them that each input bit matters
 * to several of the hash. `random`: any 16 bits.
 */
export function goodKey(random: number): number {
  let key = random & 0xffff;
  while (bitCount(key) < 5 || bitCount(key) > 11) key = (key + 0x5a35) & 0xffff;
  return bitCount(key) % 2 === 1 ? key : key ^ 1;
}

/** The 32-bit hash of a fold with the key that repeats `repeated`. */
export function symmetricHash(repeated: number, fold: number): number {
  const twice = (repeated << 16) | repeated;
  let half = 0;
  for (let bit = 0; bit < 16; bit++) {
    if (((fold << bit) & 0x8000) !== 0) half ^= (twice << bit) >>> 16;
  }
  return (half << 16) | half;
}

function bitCount(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count++;
  return count;
}
