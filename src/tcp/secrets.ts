/**
 * What must not be guessed: initial sequence numbers and ephemeral ports.
 * @module
 */
import { sipHash24 } from '../base/siphash.ts';
import type { Path } from '../net/path.ts';

/** Keys and counters drawn once per stack. */
export class Secrets {
  readonly #isnKey: Int32Array;
  readonly #portKey: Int32Array;
  readonly #timestampKey: Int32Array;
  #portCounter = 0;
  readonly #words: Int32Array = new Int32Array(9);

  constructor(random: () => number) {
    const key = (): Int32Array => Int32Array.of(random(), random(), random(), random());
    this.#isnKey = key();
    this.#portKey = key();
    this.#timestampKey = key();
  }

  /** RFC 6528: ISN = M + F(addresses, ports, secret); M ticks every 4 microseconds. */
  isn(path: Path, localPort: number, remotePort: number, nowMs: number): number {
    const hash = this.hash(this.#isnKey, path, (localPort << 16) | remotePort);
    return (Math.imul(nowMs, 250) + hash) | 0;
  }

  /**
   * What is added to the clock in timestamps towards this peer: the same for all connections
   * between the two addresses, so that a new one is never behind an old one (RFC 7323 5.5), and
   * different for others, so that nobody learns how long we have been up.
   */
  timestampOffset(path: Path): number {
    return this.hash(this.#timestampKey, path, 0);
  }

  /** RFC 6056 algorithm 3: where the ports towards a destination begin. */
  portOffset(path: Path, remotePort: number): number {
    return this.hash(this.#portKey, path, remotePort);
  }

  /**
   * ... and how far to go from there: one further with each port that is tried, so that a block
   * of ports in use is passed once and not searched by every connect().
   */
  nextPort(): number {
    this.#portCounter = (this.#portCounter + 1) | 0;
    return this.#portCounter;
  }

  /** Of the addresses and a word; IPv4 addresses are a word each. The high half: sipHigh(). */
  hash(key: Int32Array, path: Path, last: number): number {
    const words = this.#words;
    words[0] = path.local3;
    words[1] = path.remote3;
    words[2] = last;
    if (path.version === 4) return sipHash24(key, words, 3);
    words[3] = path.local0;
    words[4] = path.local1;
    words[5] = path.local2;
    words[6] = path.remote0;
    words[7] = path.remote1;
    words[8] = path.remote2;
    return sipHash24(key, words, 9);
  }
}
