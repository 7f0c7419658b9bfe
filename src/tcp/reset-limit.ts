/**
 * How many RSTs strangers get: a budget a second for each of 256 groups of peers.   hot path
 *
 * One budget for all would be a side channel (CVE-2016-5696): whoever uses it up with forged
 * addresses learns from the RSTs that are missing for himself whether others got some. Here a
 * keyed hash of the address puts peers into groups, and each budget has a random size, drawn anew
 * every second (as Linux does with its challenge ACKs since then).
 * @module
 */
import { halfSip3 } from '../base/siphash.ts';
import type { Packet } from '../net/packet.ts';

const GROUPS = 256;
const SECOND_MS = 1000;

export class ResetLimit {
  readonly #perSecond: number;
  readonly #random: () => number;
  readonly #key0: number;
  readonly #key1: number;
  readonly #left: Int32Array = new Int32Array(GROUPS);
  readonly #since: Int32Array = new Int32Array(GROUPS);

  constructor(perSecond: number, random: () => number) {
    this.#perSecond = perSecond;
    this.#random = random;
    this.#key0 = random() | 0;
    this.#key1 = random() | 0;
    for (let i = 0; i < GROUPS; i++) this.#left[i] = this.#budget();
  }

  /** Between three quarters and five quarters of the rate. */
  #budget(): number {
    const rate = this.#perSecond;
    const half = (rate >> 1) + 1;
    return rate === 0 ? 0 : rate - (half >> 1) + ((this.#random() >>> 0) % half);
  }

  /** Takes one RST for this packet's source out of the budget; false when there is none left. */
  take(p: Packet, nowMs: number): boolean {
    const source =
      p.version === 4 ? p.src3 : halfSip3(this.#key1, this.#key0, p.src0, p.src1, p.src2);
    const group = halfSip3(this.#key0, this.#key1, source, p.src3, 0) & (GROUPS - 1);
    if ((nowMs - this.#since[group]!) >>> 0 >= SECOND_MS) {
      this.#since[group] = nowMs;
      this.#left[group] = this.#budget();
    }
    const left = this.#left[group]!;
    if (left <= 0) return false;
    this.#left[group] = left - 1;
    return true;
  }
}
