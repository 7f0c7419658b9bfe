/**
 * How fast the path delivers: the rate samples of draft-ietf-ccwg-bbr 4.1 (before it
 * draft-cheng-iccrg-delivery-rate-estimation).   hot path
 *
 * When something leaves, what had been delivered by then is remembered; when it arrives, what was
 * delivered in between, over the time that took, is a sample. One snapshot stands for all that
 * left at the same time, so segments need nothing of their own: the scoreboard's time of sending
 * finds the snapshot.
 *
 * Counts are int32 that wrap, times are microseconds (base/clock.ts).
 * @module
 */
import { rateOf } from './pacer.ts';

/** Words of a snapshot. */
const WORDS = 8;
const SENT_AT = 0;
const DELIVERED = 1;
const DELIVERED_AT = 2;
const FIRST_SENT_AT = 3;
const IN_FLIGHT = 4;
const LOST = 5;
const APP_LIMITED = 6;

/** Snapshots at first, and at most; what leaves within MERGE_US of one shares it. */
const FEWEST = 64;
const MOST = 4096;
const MERGE_US = 128;

export class DeliveryRate {
  /** Bytes delivered, and bytes taken to be lost, since the beginning. */
  delivered = 0;
  lost = 0;

  // The sample of the last ACK; hasSample 0: it had none, and the rest is not meant.
  hasSample = 0;
  rate = 0;
  /** Bytes delivered while the sampled segment was under way. */
  sampleDelivered = 0;
  /** Bytes delivered, and bytes in flight with it, when it left. */
  priorDelivered = 0;
  inFlight = 0;
  /** Bytes lost since it left. */
  sampleLost = 0;
  /** 1 when the program had not enough to send, so that the rate says little. */
  appLimited = 0;

  #deliveredAt = 0;
  #firstSentAt = 0;
  /** While what is limited by the program has not arrived: `delivered` at which it has. */
  #limited = 0;
  #limitedUntil = 0;
  #ring: Int32Array = new Int32Array(FEWEST * WORDS);
  #head = 0;
  #count = 0;

  reset(): void {
    this.delivered = 0;
    this.lost = 0;
    this.hasSample = 0;
    this.rate = 0;
    this.#limited = 0;
    this.#head = 0;
    this.#count = 0;
  }

  /** Something left; `inFlight` bytes are under way with it, `wasIdle` 1 when none were before. */
  sent(inFlight: number, wasIdle: number, nowUs: number): void {
    if (wasIdle === 1) {
      this.#firstSentAt = nowUs;
      this.#deliveredAt = nowUs;
    } else if (this.#count > 0) {
      const last = this.#at(this.#count - 1);
      if (((nowUs - this.#ring[last + SENT_AT]!) | 0) < MERGE_US) {
        this.#ring[last + IN_FLIGHT] = inFlight;
        return;
      }
    }
    if (this.#count * WORDS === this.#ring.length) this.#makeRoom();
    const ring = this.#ring;
    const at = this.#at(this.#count++);
    ring[at + SENT_AT] = nowUs;
    ring[at + DELIVERED] = this.delivered;
    ring[at + DELIVERED_AT] = this.#deliveredAt;
    ring[at + FIRST_SENT_AT] = this.#firstSentAt;
    ring[at + IN_FLIGHT] = inFlight;
    ring[at + LOST] = this.lost;
    ring[at + APP_LIMITED] = this.#limited;
  }

  /** The program has nothing more to send, although `inFlight` leaves room. */
  limitedByProgram(inFlight: number): void {
    this.#limited = 1;
    this.#limitedUntil = (this.delivered + inFlight) | 0;
  }

  /** An ACK delivered `bytes`; the newest of them left at `sentAt`. Makes the sample. */
  arrived(bytes: number, sentAt: number, nowUs: number, minRttUs: number): void {
    this.hasSample = 0;
    if (bytes <= 0) return;
    this.delivered = (this.delivered + bytes) | 0;
    this.#deliveredAt = nowUs;
    if (this.#limited === 1 && ((this.delivered - this.#limitedUntil) | 0) > 0) this.#limited = 0;
    const at = this.#find(sentAt);
    if (at < 0) return;
    const ring = this.#ring;
    const sendUs = (sentAt - ring[at + FIRST_SENT_AT]!) | 0;
    const ackUs = (nowUs - ring[at + DELIVERED_AT]!) | 0;
    const interval = sendUs > ackUs ? sendUs : ackUs;
    this.priorDelivered = ring[at + DELIVERED]!;
    this.sampleDelivered = (this.delivered - this.priorDelivered) | 0;
    this.sampleLost = (this.lost - ring[at + LOST]!) | 0;
    this.inFlight = ring[at + IN_FLIGHT]!;
    this.appLimited = ring[at + APP_LIMITED]!;
    this.#firstSentAt = sentAt;
    this.hasSample = 1;
    // Faster than the path can answer: an ACK of something sent before, or a clock too coarse.
    this.rate = interval < minRttUs || interval <= 0 ? 0 : rateOf(this.sampleDelivered, interval);
  }

  /** Nothing is under way: the snapshots have served. */
  forget(): void {
    this.#head = 0;
    this.#count = 0;
  }

  /** The newest snapshot that is not younger than `sentAt`; forgets those before it. -1: none. */
  #find(sentAt: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (((this.#ring[this.#at(middle) + SENT_AT]! - sentAt) | 0) <= 0) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return -1;
    this.#head = this.#at(low - 1);
    this.#count -= low - 1;
    return this.#head;
  }

  #at(index: number): number {
    const at = this.#head + index * WORDS;
    return at < this.#ring.length ? at : at - this.#ring.length;
  }

  /** Twice the room, up to the bound; there the oldest one goes. cold: a few times a connection. */
  #makeRoom(): void {
    if (this.#count >= MOST) {
      this.#head = this.#at(1);
      this.#count--;
      return;
    }
    const ring = new Int32Array(2 * this.#ring.length);
    const first = this.#ring.length - this.#head;
    ring.set(this.#ring.subarray(this.#head), 0);
    ring.set(this.#ring.subarray(0, this.#head), first);
    this.#ring = ring;
    this.#head = 0;
  }
}
