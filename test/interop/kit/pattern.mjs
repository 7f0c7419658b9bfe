/**
 * Bytes that both ends can make, in which nothing repeats: a transfer that loses, doubles or
 * shifts anything changes their SHA-256.
 * @module
 */
import { createHash } from 'node:crypto';

const BLOCK = 1 << 16;

export class Pattern {
  #block = new Uint8Array(BLOCK);
  #count = 0;

  constructor(seed = 1) {
    const words = new Uint32Array(this.#block.buffer);
    let state = seed >>> 0 || 1;
    for (let i = 0; i < words.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[i] = state;
    }
  }

  /** The next bytes, at most `limit` of them. The array is the caller's. */
  next(limit = BLOCK) {
    const block = this.#block.slice(0, Math.min(limit, BLOCK));
    new DataView(block.buffer).setUint32(0, this.#count++);
    return block;
  }

  /** SHA-256 of the first `bytes` bytes when they are taken in pieces as large as can be. */
  static digest(bytes, seed = 1) {
    const pattern = new Pattern(seed);
    const hash = createHash('sha256');
    for (let left = bytes; left > 0; left -= BLOCK) hash.update(pattern.next(left));
    return hash.digest('hex');
  }
}
