/**
 * Two SipHash keys that take turns, each drawn anew: what is made with one is good for one to two
 * rotations. SYN cookies and Fast Open's cookies are made with them.   hot path
 * @module
 */
export class KeyTurns {
  /** Index of the key that is used for what is made now. */
  current = 0;
  /** 1 once there is a key: they are drawn when the first is needed. */
  begun = 0;
  readonly #random: () => number;
  readonly #rotationMs: number;
  /** Two keys of four words. */
  readonly #keys: readonly Int32Array[] = [new Int32Array(4), new Int32Array(4)];
  #rotatedAt = 0;

  /** @param rotationMs how long a key is used; it is good for checking as long again */
  constructor(random: () => number, rotationMs: number) {
    this.#random = random;
    this.#rotationMs = rotationMs;
  }

  /** The key for what is made now. */
  take(nowMs: number): Int32Array {
    if (!this.isFresh(nowMs)) this.#rotate(nowMs);
    return this.#keys[this.current]!;
  }

  /** Key 0 or 1. */
  key(which: number): Int32Array {
    return this.#keys[which]!;
  }

  /** True while the current key is used for what is made. */
  isFresh(nowMs: number): boolean {
    return this.begun === 1 && (nowMs - this.#rotatedAt) >>> 0 < this.#rotationMs;
  }

  /** True while what was made with key `which` is good: the one before ends with the rotation. */
  isGood(which: number, nowMs: number): boolean {
    const age = (nowMs - this.#rotatedAt) >>> 0;
    return this.begun === 1 && age < (which === this.current ? 2 : 1) * this.#rotationMs;
  }

  /** The other key's turn; both are new when the last turn was long ago. */
  #rotate(nowMs: number): void {
    if (!this.isGood(this.current, nowMs)) this.#draw(this.current);
    this.current ^= 1;
    this.#draw(this.current);
    this.begun = 1;
    this.#rotatedAt = nowMs;
  }

  #draw(which: number): void {
    const key = this.#keys[which]!;
    for (let i = 0; i < key.length; i++) key[i] = this.#random();
  }
}
