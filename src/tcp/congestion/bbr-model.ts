/**
 * What BBR believes of a path: the state of draft-ietf-ccwg-bbr 2, and what follows from it.   hot path
 *
 * Rates as in pacer.ts, volumes in bytes, round trips in microseconds, stamps in milliseconds.
 * Gains are percent. The names are the draft's: `inflightLongterm` is what v2 called inflight_hi.
 * @module
 */
import { MOST_WINDOW } from './congestion.ts';
import { DeliveryRate } from './delivery-rate.ts';
import { bytesIn, MOST_RATE } from './pacer.ts';

/** Values of `state`. */
export const STARTUP = 0;
export const DRAIN = 1;
export const PROBE_DOWN = 2;
export const PROBE_CRUISE = 3;
export const PROBE_REFILL = 4;
export const PROBE_UP = 5;
export const PROBE_RTT = 6;

/** Values of `ackPhase`: what the ACKs that come in tell about our probing. */
export const ACKS_INIT = 0;
export const ACKS_REFILLING = 1;
export const ACKS_PROBE_STARTING = 2;
export const ACKS_PROBE_FEEDBACK = 3;
export const ACKS_PROBE_STOPPING = 4;

/** Percent of the rate, and of the bandwidth-delay product as window, in each state. */
const PACING_GAINS = new Int32Array([277, 50, 90, 100, 100, 125, 100]);
const WINDOW_GAINS = new Int32Array([200, 200, 200, 200, 200, 225, 50]);

/** A path that was not measured yet. */
export const NO_RTT = 0x7fffffff;
/** The least window, in segments. */
export const LEAST_PIPE = 4;
/** Percent of inflightLongterm that is left to others while cruising. */
const HEADROOM_PERCENT = 15;
/** Rounds after which the filter of extra ACKs moves on. */
const EXTRA_ROUNDS = 5;

export class BbrModel {
  readonly rate: DeliveryRate = new DeliveryRate();
  mss = 0;
  state = STARTUP;
  ackPhase = ACKS_INIT;
  /** The window it wants; recovery.ts may hold c.cwnd below for a moment. */
  window = 0;
  initialWindow = 0;
  /** The window before a timeout or PROBE_RTT, which comes back after it; 0: none. */
  savedWindow = 0;

  /** The largest rates of this and the last probing cycle; the bound of this one. */
  bwNow = 0;
  bwBefore = 0;
  bwShortterm = MOST_RATE;
  inflightShortterm = MOST_WINDOW;
  inflightLongterm = MOST_WINDOW;
  /** The largest sample, and most bytes delivered, of this round of losses. */
  bwLatest = 0;
  inflightLatest = 0;

  minRtt = NO_RTT;
  minRttAt = 0;
  probeRttMin = NO_RTT;
  probeRttAt = 0;
  probeRttDoneAt = 0;
  probeRttWaits = 0;
  probeRttRoundDone = 0;

  /** Round trips: where this one ends (in bytes delivered), 1 when one has just begun. */
  roundEnd = 0;
  roundStart = 0;
  rounds = 0;
  lossRoundEnd = 0;
  lossRoundStart = 0;
  lossInRound = 0;
  /** Bytes and events lost in this round. */
  roundLost = 0;
  roundLosses = 0;

  /** How Startup knows that the pipe is full. */
  fullBw = 0;
  fullBwCount = 0;
  fullBwNow = 0;
  fullBwReached = 0;

  /** The cycle of ProbeBW. */
  cycleAt = 0;
  probeWaitMs = 0;
  roundsSinceProbe = 0;
  probeSamples = 0;
  upRounds = 0;
  upAcked = 0;
  upCount = 0;
  windowLimited = 0;
  idleRestart = 0;

  /** ACKs that come in lumps: what arrived beyond the rate, the most of the last rounds. */
  extraAt = 0;
  extraDelivered = 0;
  extraNow = 0;
  extraBefore = 0;
  extraRounds = 0;

  /** As good as new, for segments of `mss` bytes and a first window of `window`. */
  reset(mss: number, window: number, nowMs: number, nowUs: number): void {
    this.rate.reset();
    this.mss = mss;
    this.state = STARTUP;
    this.ackPhase = ACKS_INIT;
    this.window = window;
    this.initialWindow = window;
    this.savedWindow = 0;
    this.bwNow = 0;
    this.bwBefore = 0;
    this.inflightLongterm = MOST_WINDOW;
    this.minRtt = NO_RTT;
    this.probeRttMin = NO_RTT;
    this.minRttAt = nowMs;
    this.probeRttAt = nowMs;
    this.probeRttWaits = 0;
    this.roundEnd = 0;
    this.rounds = 0;
    this.lossRoundEnd = 0;
    this.roundLost = 0;
    this.roundLosses = 0;
    this.fullBwReached = 0;
    this.cycleAt = nowMs;
    this.probeSamples = 0;
    this.idleRestart = 0;
    this.extraAt = nowUs;
    this.extraDelivered = 0;
    this.extraNow = 0;
    this.extraBefore = 0;
    this.extraRounds = 0;
    this.resetFullBw();
    this.resetShortterm();
    this.resetSignals();
  }

  saveWindow(): void {
    if (this.window > this.savedWindow) this.savedWindow = this.window;
  }

  resetFullBw(): void {
    this.fullBw = 0;
    this.fullBwCount = 0;
    this.fullBwNow = 0;
  }

  resetShortterm(): void {
    this.bwShortterm = MOST_RATE;
    this.inflightShortterm = MOST_WINDOW;
  }

  resetSignals(): void {
    this.lossInRound = 0;
    this.bwLatest = 0;
    this.inflightLatest = 0;
  }

  startRound(): void {
    this.roundEnd = this.rate.delivered;
  }

  get pacingGain(): number {
    return PACING_GAINS[this.state]!;
  }

  get maxBw(): number {
    return this.bwNow > this.bwBefore ? this.bwNow : this.bwBefore;
  }

  /** The rate that is thought to be safe. */
  get bw(): number {
    const max = this.maxBw;
    return max < this.bwShortterm ? max : this.bwShortterm;
  }

  /** A cycle of probing is over: the filter holds two. */
  advanceMaxBw(): void {
    if (this.bwNow === 0) return;
    this.bwBefore = this.bwNow;
    this.bwNow = 0;
  }

  get isProbing(): boolean {
    return this.state === STARTUP || this.state === PROBE_REFILL || this.state === PROBE_UP;
  }

  get isInProbeBw(): boolean {
    return this.state >= PROBE_DOWN && this.state <= PROBE_UP;
  }

  get leastPipe(): number {
    return LEAST_PIPE * this.mss;
  }

  /** `percent` of the bandwidth-delay product at `bw`, at least what keeps the ACKs coming. */
  inflight(bw: number, percent: number): number {
    if (this.minRtt === NO_RTT) return this.initialWindow;
    const product = bytesIn(bw, this.minRtt) * (percent / 100);
    let bytes = product < MOST_WINDOW ? product | 0 : MOST_WINDOW;
    if (bytes < this.leastPipe) bytes = this.leastPipe;
    return this.state === PROBE_UP ? bytes + 2 * this.mss : bytes;
  }

  /** What the window may be: the product with its gain, and what lumps of ACKs hold back. */
  maxInflight(quantum: number): number {
    const extra = this.extraNow > this.extraBefore ? this.extraNow : this.extraBefore;
    const most = this.inflight(this.bw, WINDOW_GAINS[this.state]!) + extra;
    const least = 3 * quantum;
    return most > least ? most : least;
  }

  inflightWithHeadroom(): number {
    if (this.inflightLongterm === MOST_WINDOW) return MOST_WINDOW;
    let headroom = ((this.inflightLongterm / 100) * HEADROOM_PERCENT) | 0;
    if (headroom < this.mss) headroom = this.mss;
    const left = this.inflightLongterm - headroom;
    return left > this.leastPipe ? left : this.leastPipe;
  }

  probeRttWindow(): number {
    const half = this.inflight(this.bw, WINDOW_GAINS[PROBE_RTT]!);
    return half > this.leastPipe ? half : this.leastPipe;
  }

  /** ACK aggregation: what arrived beyond `bw` since the interval began. */
  noteExtra(acked: number, nowUs: number): void {
    if (this.roundStart === 1) {
      this.extraRounds++;
      if (this.extraRounds >= EXTRA_ROUNDS || this.fullBwReached === 0) {
        this.extraRounds = 0;
        this.extraBefore = this.extraNow;
        this.extraNow = 0;
      }
    }
    let expected = bytesIn(this.bw, (nowUs - this.extraAt) | 0);
    if (this.extraDelivered <= expected) {
      this.extraDelivered = 0;
      this.extraAt = nowUs;
      expected = 0;
    }
    this.extraDelivered += acked;
    let extra = this.extraDelivered - expected;
    if (extra > this.window) extra = this.window;
    if (extra > this.extraNow) this.extraNow = extra;
  }
}
