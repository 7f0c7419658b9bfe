/**
 * SYN cookies (RFC 4987 3.6): the initial sequence number that needs no memory, since the ACK
 * brings it back.   hot path
 *
 *     31                             4   3         2        0
 *     | keyed hash of addresses, ports, the peer's ISN | which key | MSS |
 *                                            `-- hidden by bits of the hash --'
 *
 * Two keys take turns (key-turns.ts). What the peer's
 * SYN offered besides the MSS lies in the low bits of our timestamp, which it echoes:
 *
 *     5     4      3          0
 *     | ECN | SACK | window scale, 15: none |
 * @module
 */
import { sipHash24, sipHigh } from '../base/siphash.ts';
import type { Path } from '../net/path.ts';
import type { TcpOptionValues } from '../wire/tcp-options.ts';
import { KeyTurns } from './key-turns.ts';

/** How long a key is used for new cookies; it is good for checking as long again. */
const ROTATION_MS = 60_000;
/** What a cookie can say of the peer's MSS: the largest entry that is not above it. */
const MSS = Int32Array.of(88, 536, 1220, 1360, 1400, 1440, 1460, 8940);
const MSS_BITS = 7;
const KEY_BIT = 8;

const NO_SCALE = 15;
const SACK = 16;
const ECN = 32;
const OPTION_BITS = 63;

export class SynCookies {
  readonly #keys: KeyTurns;
  readonly #words: Int32Array = new Int32Array(10);
  #sentAt = 0;

  constructor(random: () => number) {
    this.#keys = new KeyTurns(random, ROTATION_MS);
  }

  /** A cookie went out within the time that the oldest good one can have. */
  isLive(nowMs: number): boolean {
    return this.#keys.begun === 1 && (nowMs - this.#sentAt) >>> 0 < 2 * ROTATION_MS;
  }

  /** The ISN that answers a SYN with sequence number `irs` and this MSS. */
  make(
    path: Path,
    localPort: number,
    remotePort: number,
    irs: number,
    mss: number,
    nowMs: number,
  ): number {
    const key = this.#keys.take(nowMs);
    this.#sentAt = nowMs;
    let index = MSS.length - 1;
    while (index > 0 && MSS[index]! > mss) index--;
    const hash = this.#hash(key, path, localPort, remotePort, irs);
    const low = (index ^ sipHigh()) & MSS_BITS;
    return (hash & ~(KEY_BIT | MSS_BITS)) | (this.#keys.current === 1 ? KEY_BIT : 0) | low;
  }

  /** The MSS that the cookie was made with, -1 when it is none of ours or too old. */
  check(
    path: Path,
    localPort: number,
    remotePort: number,
    irs: number,
    cookie: number,
    nowMs: number,
  ): number {
    const which = (cookie & KEY_BIT) !== 0 ? 1 : 0;
    if (!this.#keys.isGood(which, nowMs)) return -1;
    const hash = this.#hash(this.#keys.key(which), path, localPort, remotePort, irs);
    if (((hash ^ cookie) & ~(KEY_BIT | MSS_BITS)) !== 0) return -1;
    return MSS[(cookie ^ sipHigh()) & MSS_BITS]!;
  }

  /** The low half; sipHigh() has the other one. */
  #hash(key: Int32Array, path: Path, localPort: number, remotePort: number, irs: number): number {
    const words = this.#words;
    let count = 0;
    if (path.version === 6) {
      words[0] = path.local0;
      words[1] = path.local1;
      words[2] = path.local2;
      words[3] = path.remote0;
      words[4] = path.remote1;
      words[5] = path.remote2;
      count = 6;
    }
    words[count] = path.local3;
    words[count + 1] = path.remote3;
    words[count + 2] = (localPort << 16) | remotePort;
    words[count + 3] = irs;
    return sipHash24(key, words, count + 4);
  }
}

/** `tsVal` with what the SYN offered in its low bits: never later than it was. */
export function hideOptions(tsVal: number, peer: TcpOptionValues, ecn: boolean): number {
  const scale = peer.windowScale < 0 ? NO_SCALE : peer.windowScale;
  const bits = scale | (peer.sackPermitted === 1 ? SACK : 0) | (ecn ? ECN : 0);
  const marked = (tsVal & ~OPTION_BITS) | bits;
  return ((marked - tsVal) | 0) > 0 ? (marked - OPTION_BITS - 1) | 0 : marked;
}

/**
 * Takes the SYN's options out of the timestamp that came back; without one there are none. True
 * when ECN was agreed on.
 */
export function recallOptions(values: TcpOptionValues): boolean {
  const bits = values.timestamps === 1 ? values.tsEcr & OPTION_BITS : NO_SCALE;
  const scale = bits & NO_SCALE;
  values.windowScale = scale === NO_SCALE ? -1 : scale;
  values.sackPermitted = (bits & SACK) === 0 ? 0 : 1;
  return (bits & ECN) !== 0;
}
