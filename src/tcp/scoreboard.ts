/**
 * The sender's memory for SACK (RFC 2018, RFC 6675), RACK (RFC 8985) and round-trip times: what
 * ACKs tell of what is in flight.   hot path
 *
 * A connection has a scoreboard only while something is in flight.
 * @module
 */
import {
  END,
  LOST,
  NONE,
  RETRANSMITTED,
  SACKED,
  SENT_AT,
  STATE,
  Transmissions,
  WORDS,
} from './transmissions.ts';

/** Entries at most: beyond, SACK blocks that would split one are ignored (CVE-2019-11477, 11478). */
const MOST = 8192;

export class Scoreboard extends Transmissions {
  /** Bytes the receiver has out of order, and bytes that are LOST. */
  sackedBytes = 0;
  lostBytes = 0;
  /** The newest transmission known to have arrived (RACK.xmit_ts, RACK.end_seq, RACK.rtt). */
  rackSentAt = 0;
  rackEnd = 0;
  rackRtt = -1;
  /** Round-trip time of the last ACK's newest segment that was sent once; -1: none. */
  rtt = -1;
  /** When the newest of what the last ACK delivered had left (us). */
  newestSentAt = 0;
  /** Bytes that the last ACK delivered, cumulatively or by SACK. */
  delivered = 0;
  /** Highest sequence number the receiver is known to have. */
  highest = 0;
  /** 1 when the last ACK delivered something below what earlier ones had told of: reordering. */
  reordered = 0;
  /** 1 when the last ACK delivered something that was taken to be lost and never sent again. */
  wronglyLost = 0;
  /** Repairs that were lost in their turn, since somebody last looked. */
  repairsLost = 0;
  /** 1 when the last ACK covered something sent twice: then its timing says nothing (Karn). */
  #ambiguous = 0;
  /** `highest` before the last ACK: its blocks do not come in the order of what they tell. */
  #highestBefore = 0;
  #newlyLost = 0;
  /** Entries that nextLost() has looked at, ever: what a test of its cost counts. */
  looked = 0;

  /** Starts empty, before `first`. */
  reset(first: number): void {
    this.sackedBytes = 0;
    this.lostBytes = 0;
    this.rackRtt = -1;
    this.highest = first;
    this.#highestBefore = first;
    this.repairsLost = 0;
    this.#newlyLost = 0;
    this.clear(first);
  }

  /** Before the ACKs and SACK blocks of a segment: clears what the last one told. */
  beginAck(): void {
    this.rtt = -1;
    this.#ambiguous = 0;
    this.delivered = 0;
    this.reordered = 0;
    this.wronglyLost = 0;
    this.#highestBefore = this.highest;
  }

  /** Bytes found to be lost since it was last asked. */
  takeNewlyLost(): number {
    const lost = this.#newlyLost;
    this.#newlyLost = 0;
    return lost;
  }

  /** Everything before `una` has arrived. */
  acknowledge(una: number, nowUs: number, minRtt: number): void {
    this.#take(una, nowUs, minRtt);
    // What filled a hole was sent again; what lay behind the hole arrived long before.
    if (this.#ambiguous === 1) this.rtt = -1;
  }

  #take(una: number, nowUs: number, minRtt: number): void {
    const entries = this.entries;
    while (this.head < this.tail) {
      const at = this.head;
      const end = entries[at + END]!;
      const whole = ((end - una) | 0) <= 0;
      const bytes = ((whole ? end : una) - this.first) | 0;
      if (bytes <= 0) return;
      const state = entries[at + STATE]!;
      if (state & SACKED) {
        this.sackedBytes -= bytes;
      } else {
        this.#arrived(at, bytes, state, whole ? end : una, nowUs, minRtt);
      }
      this.first = (this.first + bytes) | 0;
      if (!whole) return;
      this.head += WORDS;
    }
  }

  /** The receiver has [first, end). Bytes that are not in flight are ignored. */
  sack(first: number, end: number, nowUs: number, minRtt: number): void {
    let at = this.find(first);
    if (at === NONE) return;
    const start = this.startOf(at);
    if (((first - start) | 0) > 0) {
      if (this.count >= MOST) return;
      at = this.split(at, first) + WORDS;
    }
    for (; at < this.tail; at += WORDS) {
      const begins = this.startOf(at);
      if (((end - begins) | 0) <= 0) return;
      if (((this.entries[at + END]! - end) | 0) > 0) {
        if (this.count >= MOST) return;
        at = this.split(at, end);
      }
      const state = this.entries[at + STATE]!;
      if (state & SACKED) continue;
      const ends = this.entries[at + END]!;
      const bytes = (ends - begins) | 0;
      this.#arrived(at, bytes, state, ends, nowUs, minRtt);
      this.entries[at + STATE] = (state | SACKED) & ~LOST;
      this.sackedBytes += bytes;
    }
  }

  /** Part of an entry arrived: for RACK (RFC 8985 6.2 steps 1 to 3) and the round-trip time. */
  #arrived(
    at: number,
    bytes: number,
    state: number,
    end: number,
    nowUs: number,
    minRtt: number,
  ): void {
    const first = this.delivered === 0;
    this.delivered += bytes;
    if (state & LOST) {
      this.lostBytes -= bytes;
      if ((state & RETRANSMITTED) === 0) this.wronglyLost = 1;
    }
    const sentAt = this.entries[at + SENT_AT]!;
    const rtt = (nowUs - sentAt) | 0;
    if (first || ((sentAt - this.newestSentAt) | 0) > 0) this.newestSentAt = sentAt;
    if (((end - this.highest) | 0) > 0) this.highest = end;
    if (((end - this.#highestBefore) | 0) <= 0 && (state & RETRANSMITTED) === 0) this.reordered = 1;
    if (state & RETRANSMITTED) {
      this.#ambiguous = 1;
      // The ACK may be that of the first transmission: too early to be for the second.
      if (rtt < minRtt) return;
    } else {
      this.rtt = rtt;
    }
    if (this.rackRtt < 0 || sentAfter(sentAt, end, this.rackSentAt, this.rackEnd)) {
      this.rackSentAt = sentAt;
      this.rackEnd = end;
    }
    this.rackRtt = rtt;
  }

  /**
   * Marks as lost what was sent sufficiently long before the newest arrival (RFC 8985 6.2 step
   * 5). Returns the microseconds until the next entry may have to be, 0: none waits.
   */
  detectLoss(reorderWindow: number, nowUs: number): number {
    if (this.rackRtt < 0) return 0;
    let wait = 0;
    const entries = this.entries;
    for (let at = this.head; at < this.tail; at += WORDS) {
      const state = entries[at + STATE]!;
      if (state & (SACKED | LOST)) continue;
      const sentAt = entries[at + SENT_AT]!;
      if (!sentAfter(this.rackSentAt, this.rackEnd, sentAt, entries[at + END]!)) {
        // First transmissions are in order of time: what follows is younger still.
        if ((state & RETRANSMITTED) === 0) return wait;
        continue;
      }
      const left = (sentAt + this.rackRtt + reorderWindow - nowUs) | 0;
      if (left <= 0) this.#lose(at);
      else if (left > wait) wait = left;
    }
    return wait;
  }

  /** Marks the first entry as lost unless it was sacked. */
  loseFirst(mss: number): void {
    if (this.isEmpty) return;
    if ((this.entries[this.head + STATE]! & (SACKED | LOST)) !== 0) return;
    const length = (this.entries[this.head + END]! - this.first) | 0;
    if (length > mss) this.split(this.head, (this.first + mss) | 0);
    this.#lose(this.head);
  }

  /** A timeout: everything that was not sacked is lost. */
  loseAll(): void {
    for (let at = this.head; at < this.tail; at += WORDS) {
      if ((this.entries[at + STATE]! & (SACKED | LOST)) === 0) this.#lose(at);
    }
  }

  /** Nothing is lost after all: it is in flight again. */
  loseNothing(): void {
    for (let at = this.head; at < this.tail; at += WORDS) this.entries[at + STATE]! &= ~LOST;
    this.lostBytes = 0;
  }

  /** The receiver has thrown away what it had sacked (RFC 2018 8): it is in doubt again. */
  forgetSacks(): void {
    for (let at = this.head; at < this.tail; at += WORDS) this.entries[at + STATE]! &= ~SACKED;
    this.sackedBytes = 0;
  }

  #lose(at: number): void {
    if ((this.entries[at + STATE]! & RETRANSMITTED) !== 0) this.repairsLost++;
    const bytes = (this.entries[at + END]! - this.startOf(at)) | 0;
    this.entries[at + STATE]! |= LOST;
    if (at < this.lostFrom) this.lostFrom = at;
    this.lostBytes += bytes;
    this.#newlyLost = (this.#newlyLost + bytes) | 0;
  }

  /** The first lost entry, cut to `mss` bytes; NONE when nothing is lost. */
  nextLost(mss: number): number {
    if (this.lostBytes === 0) return NONE;
    const from = this.lostFrom > this.head ? this.lostFrom : this.head;
    for (let at = from; at < this.tail; at += WORDS) {
      this.looked++;
      if ((this.entries[at + STATE]! & LOST) === 0) continue;
      this.lostFrom = at;
      const start = this.startOf(at);
      const whole = ((this.entries[at + END]! - start) | 0) <= mss;
      return whole ? at : this.split(at, (start + mss) | 0);
    }
    return NONE;
  }

  /** The last entry, cut to the last `mss` bytes; NONE when nothing is in flight. */
  last(mss: number): number {
    if (this.isEmpty) return NONE;
    const at = this.tail - WORDS;
    const end = this.entries[at + END]!;
    if (((end - this.startOf(at)) | 0) <= mss) return at;
    return this.split(at, (end - mss) | 0) + WORDS;
  }

  /** An entry goes out again. */
  retransmitted(at: number, nowUs: number): void {
    const state = this.entries[at + STATE]!;
    if (state & LOST) this.lostBytes -= (this.entries[at + END]! - this.startOf(at)) | 0;
    this.entries[at + STATE] = (state & ~LOST) | RETRANSMITTED;
    this.entries[at + SENT_AT] = nowUs;
  }
}

/** RFC 8985 6.2: the first transmission was sent after the second. */
function sentAfter(time1: number, end1: number, time2: number, end2: number): boolean {
  const later = (time1 - time2) | 0;
  return later > 0 || (later === 0 && ((end1 - end2) | 0) > 0);
}
