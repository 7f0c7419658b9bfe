/**
 * The addresses we answer to: our own, the groups we joined, the broadcast addresses.   hot path
 *
 * Open addressing, at most a quarter full, so a miss costs about one probe: ingress asks twice
 * per packet. Its keys are ours, not the network's, so the hash needs no secret.
 * @module
 */

/** Kinds of address. */
export const NONE = 0;
export const UNICAST = 1;
export const GROUP = 2;
export const BROADCAST = 3;

/** Words of an entry: the address, kind, interface, references, one spare. */
const ENTRY = 8;
const KIND = 4;
const NIC = 5;
const REFERENCES = 6;

/** Not in the table. */
export const NO_ENTRY = -1;

export class AddressTable {
  #words: Int32Array = new Int32Array(16 * ENTRY);
  #mask = 15;
  #count = 0;
  /** What find() last found: mostly it is asked for the one address we have. */
  #found = NO_ENTRY;
  /** A bit for each address, by bitOf(): most others are told apart without a probe. */
  #filter = 0;

  /** The entry of an address, or NO_ENTRY. Valid until the table changes. */
  find(w0: number, w1: number, w2: number, w3: number): number {
    if (((this.#filter >>> bitOf(w3)) & 1) === 0) return NO_ENTRY;
    const found = this.#found;
    if (found !== NO_ENTRY && this.#is(found, w0, w1, w2, w3)) return found;
    return this.#search(w0, w1, w2, w3);
  }

  #search(w0: number, w1: number, w2: number, w3: number): number {
    const words = this.#words;
    const mask = this.#mask;
    for (let i = slot(w0, w1, w2, w3) & mask; ; i = (i + 1) & mask) {
      const at = i * ENTRY;
      if (words[at + KIND] === NONE) return NO_ENTRY;
      if (this.#is(at, w0, w1, w2, w3)) {
        this.#found = at;
        return at;
      }
    }
  }

  #is(at: number, w0: number, w1: number, w2: number, w3: number): boolean {
    const words = this.#words;
    return words[at + 3] === w3 && words[at + 2] === w2 && words[at + 1] === w1 && words[at] === w0;
  }

  /** NONE, UNICAST, GROUP or BROADCAST. */
  kind(w0: number, w1: number, w2: number, w3: number): number {
    const entry = this.find(w0, w1, w2, w3);
    return entry === NO_ENTRY ? NONE : this.#words[entry + KIND]!;
  }

  kindOf(entry: number): number {
    return this.#words[entry + KIND]!;
  }

  /** Index of the interface an entry belongs to. */
  nicOf(entry: number): number {
    return this.#words[entry + NIC]!;
  }

  /** Adds an address, or one more reference to it. */
  add(w0: number, w1: number, w2: number, w3: number, kind: number, nic: number): void {
    const entry = this.find(w0, w1, w2, w3);
    if (entry !== NO_ENTRY) {
      this.#words[entry + REFERENCES]!++;
      return;
    }
    if ((this.#count + 1) * 4 > this.#mask + 1) this.#rebuild((this.#mask + 1) * 2);
    this.#insert(w0, w1, w2, w3, kind, nic, 1);
  }

  /** Takes a reference away; with the last one the address goes. */
  remove(w0: number, w1: number, w2: number, w3: number): void {
    const entry = this.find(w0, w1, w2, w3);
    if (entry === NO_ENTRY) return;
    this.#words[entry + REFERENCES]!--;
    if (this.#words[entry + REFERENCES] === 0) this.#rebuild(this.#mask + 1);
  }

  #insert(
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    kind: number,
    nic: number,
    references: number,
  ): void {
    const words = this.#words;
    let i = slot(w0, w1, w2, w3) & this.#mask;
    while (words[i * ENTRY + KIND] !== NONE) i = (i + 1) & this.#mask;
    const at = i * ENTRY;
    words[at] = w0;
    words[at + 1] = w1;
    words[at + 2] = w2;
    words[at + 3] = w3;
    words[at + KIND] = kind;
    words[at + NIC] = nic;
    words[at + REFERENCES] = references;
    this.#filter |= 1 << bitOf(w3);
    this.#count++;
  }

  /** Makes the table anew with `size` entries, without those nobody refers to. */
  #rebuild(size: number): void {
    const old = this.#words;
    this.#words = zeros(size * ENTRY);
    this.#mask = size - 1;
    this.#count = 0;
    this.#found = NO_ENTRY;
    this.#filter = 0;
    for (let at = 0; at < old.length; at += ENTRY) {
      if (old[at + KIND] === NONE || old[at + REFERENCES] === 0) continue;
      this.#insert(
        old[at]!,
        old[at + 1]!,
        old[at + 2]!,
        old[at + 3]!,
        old[at + KIND]!,
        old[at + NIC]!,
        old[at + REFERENCES]!,
      );
    }
  }
}

/** 0 to 31: the last byte, and the first, which tells a group from a host. */
function bitOf(w3: number): number {
  return (w3 ^ (w3 >>> 24)) & 31;
}

/** cold: when an address of ours comes or goes. */
const zeros = (words: number): Int32Array => new Int32Array(words);

function slot(w0: number, w1: number, w2: number, w3: number): number {
  let hash = Math.imul(w3 ^ Math.imul(w2 ^ Math.imul(w1 ^ w0, 0x85ebca6b), 0xc2b2ae35), 0x9e3779b1);
  hash ^= hash >>> 15;
  return hash;
}
