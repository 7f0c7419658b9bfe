/**
 * A keyed hash over address words, HalfSipHash-1-3 (Aumasson and Bernstein): table keys come from
 * the network, and without the key nobody can choose addresses that collide.
 * @module
 */

export class AddressHash {
  readonly #k0: number;
  readonly #k1: number;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;

  constructor(random: () => number) {
    this.#k0 = random() | 0;
    this.#k1 = random() | 0;
  }

  /** Hash of five words: an address and one more (0 when there is none). */
  one(w0: number, w1: number, w2: number, w3: number, extra: number): number {
    this.#begin();
    this.#word(w0);
    this.#word(w1);
    this.#word(w2);
    this.#word(w3);
    this.#word(extra);
    return this.#end();
  }

  /** Hash of two addresses. */
  two(
    a0: number,
    a1: number,
    a2: number,
    a3: number,
    b0: number,
    b1: number,
    b2: number,
    b3: number,
  ): number {
    this.#begin();
    this.#word(a0);
    this.#word(a1);
    this.#word(a2);
    this.#word(a3);
    this.#word(b0);
    this.#word(b1);
    this.#word(b2);
    this.#word(b3);
    return this.#end();
  }

  #begin(): void {
    this.#v0 = this.#k0;
    this.#v1 = this.#k1;
    this.#v2 = 0x6c796765 ^ this.#k0;
    this.#v3 = 0x74656462 ^ this.#k1;
  }

  #word(word: number): void {
    this.#v3 ^= word;
    this.#round();
    this.#v0 ^= word;
  }

  #end(): number {
    this.#v2 ^= 0xff;
    this.#round();
    this.#round();
    this.#round();
    return this.#v1 ^ this.#v3;
  }

  #round(): void {
    let v0 = (this.#v0 + this.#v1) | 0;
    let v1 = rotate(this.#v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    let v2 = (this.#v2 + this.#v3) | 0;
    let v3 = rotate(this.#v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = rotate(v2, 16);
    this.#v3 = v3;
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
