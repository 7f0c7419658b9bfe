/**
 * BBR's states: when it begins to probe for bandwidth or for the round-trip time, and when it
 * stops (draft-ietf-ccwg-bbr 5.3).   hot path
 *
 *     STARTUP -> DRAIN -> DOWN -> CRUISE -> REFILL -> UP -.
 *                          ^                              |
 *                          '------------------------------'     PROBE_RTT from any, every 5 s
 * @module
 */
import type { Tcp } from '../tcp.ts';
import type { BbrModel } from './bbr-model.ts';
import * as Bbr from './bbr-model.ts';
import { MOST_WINDOW } from './congestion.ts';

/** Startup: a rate that grows by less than a quarter, for three rounds, is the path's. */
const FULL_GROWTH_PERCENT = 125;
const FULL_ROUNDS = 3;
/** Startup ends also on this many losses in a round that come to LOSS_PERCENT. */
const FULL_LOSSES = 6;
const LOSS_PERCENT = 2;
/** Percent of the window that is kept when probing was too much. */
const BETA_PERCENT = 70;

/** Milliseconds: how often the round-trip time is probed and for how long; how long it is believed. */
const PROBE_RTT_EVERY_MS = 5_000;
const PROBE_RTT_MS = 200;
const MIN_RTT_MS = 10_000;
/** Between two probes for bandwidth: 2 to 3 s, or as many rounds as Reno would need. */
const PROBE_WAIT_MS = 2_000;
const PROBE_WAIT_RANDOM_MS = 1_000;
const MOST_RENO_ROUNDS = 63;

/** Startup's question: has the rate stopped growing? */
export function checkFullBw(m: BbrModel): void {
  const rate = m.rate;
  if (m.fullBwNow === 1 || m.roundStart === 0 || rate.appLimited === 1) return;
  if (rate.hasSample === 0 || rate.rate === 0) return;
  if (rate.rate >= (m.fullBw / 100) * FULL_GROWTH_PERCENT) {
    m.resetFullBw();
    m.fullBw = rate.rate;
    return;
  }
  m.fullBwCount++;
  if (m.fullBwCount < FULL_ROUNDS) return;
  m.fullBwNow = 1;
  m.fullBwReached = 1;
}

/** Startup is over when the pipe is full, or so many segments are lost that it must be. */
export function checkStartup(m: BbrModel): void {
  if (m.state !== Bbr.STARTUP) return;
  if (m.fullBwReached === 0 && m.lossRoundStart === 1 && m.roundLosses >= FULL_LOSSES) {
    if (m.roundLost * 100 > m.inflightLatest * LOSS_PERCENT) {
      m.fullBwReached = 1;
      const product = m.inflight(m.maxBw, 100);
      m.inflightLongterm = product > m.inflightLatest ? product : m.inflightLatest;
    }
  }
  if (m.fullBwReached === 1) m.state = Bbr.DRAIN;
}

/** The queue that Startup made is gone. */
export function checkDrain(tcp: Tcp, m: BbrModel, inFlight: number): void {
  if (m.state === Bbr.DRAIN && inFlight <= m.inflight(m.maxBw, 100)) startDown(tcp, m);
}

export function startDown(tcp: Tcp, m: BbrModel): void {
  m.resetSignals();
  m.upCount = MOST_WINDOW;
  m.roundsSinceProbe = tcp.random() & 1;
  m.probeWaitMs = PROBE_WAIT_MS + ((tcp.random() >>> 0) % PROBE_WAIT_RANDOM_MS);
  m.cycleAt = tcp.clock.ms;
  m.ackPhase = Bbr.ACKS_PROBE_STOPPING;
  m.startRound();
  m.state = Bbr.PROBE_DOWN;
}

function startRefill(m: BbrModel): void {
  m.resetShortterm();
  m.upRounds = 0;
  m.upAcked = 0;
  m.ackPhase = Bbr.ACKS_REFILLING;
  m.startRound();
  m.state = Bbr.PROBE_REFILL;
}

function startUp(tcp: Tcp, m: BbrModel): void {
  m.ackPhase = Bbr.ACKS_PROBE_STARTING;
  m.startRound();
  m.resetFullBw();
  m.fullBw = m.rate.rate;
  m.cycleAt = tcp.clock.ms;
  m.state = Bbr.PROBE_UP;
  raiseSlope(m);
}

/** Moves through the cycle, and learns from its probes how much the path holds. */
export function updateProbeBw(tcp: Tcp, m: BbrModel, acked: number, inFlight: number): void {
  if (m.fullBwReached === 0) return;
  adaptLongterm(tcp, m, acked);
  if (m.state === Bbr.PROBE_DOWN || m.state === Bbr.PROBE_CRUISE) {
    if (isTimeToProbe(tcp, m)) return startRefill(m);
    if (m.state === Bbr.PROBE_DOWN && isTimeToCruise(m, inFlight)) m.state = Bbr.PROBE_CRUISE;
  } else if (m.state === Bbr.PROBE_REFILL) {
    if (m.roundStart === 0) return;
    m.probeSamples = 1;
    startUp(tcp, m);
  } else if (m.state === Bbr.PROBE_UP && isTimeToGoDown(m)) {
    startDown(tcp, m);
  }
}

/** Seconds of our own, or the rounds after which Reno would have filled the pipe again. */
function isTimeToProbe(tcp: Tcp, m: BbrModel): boolean {
  if (((tcp.clock.ms - m.cycleAt) | 0) > m.probeWaitMs) return true;
  const rounds = (targetInflight(m) / m.mss) | 0;
  return m.roundsSinceProbe >= (rounds < MOST_RENO_ROUNDS ? rounds : MOST_RENO_ROUNDS);
}

function isTimeToCruise(m: BbrModel, inFlight: number): boolean {
  return inFlight <= m.inflightWithHeadroom() && inFlight <= m.inflight(m.maxBw, 100);
}

function isTimeToGoDown(m: BbrModel): boolean {
  if (m.windowLimited === 1 && m.window >= m.inflightLongterm) {
    // The bound holds the rate back, not the path.
    m.resetFullBw();
    m.fullBw = m.rate.rate;
    return false;
  }
  return m.fullBwNow === 1;
}

function targetInflight(m: BbrModel): number {
  const product = m.inflight(m.bw, 100);
  return product < m.window ? product : m.window;
}

function adaptLongterm(tcp: Tcp, m: BbrModel, acked: number): void {
  const rate = m.rate;
  if (m.roundStart === 1) {
    if (m.ackPhase === Bbr.ACKS_PROBE_STARTING) {
      m.ackPhase = Bbr.ACKS_PROBE_FEEDBACK;
    } else if (m.ackPhase === Bbr.ACKS_PROBE_STOPPING) {
      // What the probe brought has been heard of: its cycle is over.
      m.ackPhase = Bbr.ACKS_INIT;
      if (m.isInProbeBw && rate.appLimited === 0) m.advanceMaxBw();
    }
  }
  if (rate.hasSample === 0) return;
  if (isTooMuch(m)) {
    if (m.probeSamples === 1) tooMuch(tcp, m);
    return;
  }
  if (m.inflightLongterm === MOST_WINDOW) return;
  if (rate.inFlight > m.inflightLongterm) m.inflightLongterm = rate.inFlight;
  if (m.state === Bbr.PROBE_UP) probeUpward(m, acked);
}

/** More was lost of what was in flight than the path may lose by chance. */
export function isTooMuch(m: BbrModel): boolean {
  return m.rate.sampleLost * 100 > m.rate.inFlight * LOSS_PERCENT;
}

/** The probe has found how much the path holds. */
export function tooMuch(tcp: Tcp, m: BbrModel): void {
  m.probeSamples = 0;
  if (m.rate.appLimited === 0) {
    const least = ((targetInflight(m) / 100) * BETA_PERCENT) | 0;
    m.inflightLongterm = m.rate.inFlight > least ? m.rate.inFlight : least;
  }
  if (m.state === Bbr.PROBE_UP) startDown(tcp, m);
}

/** The bound rises by one, two, four ... segments per round. */
function probeUpward(m: BbrModel, acked: number): void {
  if (m.windowLimited === 0 || m.window < m.inflightLongterm) return;
  m.upAcked += acked;
  if (m.upAcked >= m.upCount) {
    const steps = (m.upAcked / m.upCount) | 0;
    m.upAcked -= steps * m.upCount;
    m.inflightLongterm += steps * m.mss;
  }
  if (m.roundStart === 1) raiseSlope(m);
}

function raiseSlope(m: BbrModel): void {
  const growth = m.mss * 2 ** m.upRounds;
  if (m.upRounds < 30) m.upRounds++;
  const bytes = (m.window / growth) * m.mss;
  m.upCount = bytes > m.mss ? bytes | 0 : m.mss;
}

/** The least round-trip time, which is only to be seen when no queue stands. */
export function updateMinRtt(m: BbrModel, rttUs: number, nowMs: number): number {
  const expired = ((nowMs - m.probeRttAt) | 0) > PROBE_RTT_EVERY_MS ? 1 : 0;
  if (rttUs >= 0 && (rttUs < m.probeRttMin || expired === 1)) {
    m.probeRttMin = rttUs;
    m.probeRttAt = nowMs;
  }
  const old = ((nowMs - m.minRttAt) | 0) > MIN_RTT_MS;
  if (m.probeRttMin < m.minRtt || old) {
    m.minRtt = m.probeRttMin < 1 ? 1 : m.probeRttMin;
    m.minRttAt = m.probeRttAt;
  }
  return expired;
}

/** Every five seconds the pipe is emptied to half for a moment. */
export function checkProbeRtt(tcp: Tcp, m: BbrModel, expired: number, inFlight: number): void {
  if (m.state !== Bbr.PROBE_RTT && expired === 1 && m.idleRestart === 0) {
    m.saveWindow();
    m.state = Bbr.PROBE_RTT;
    m.probeRttWaits = 1;
    m.ackPhase = Bbr.ACKS_PROBE_STOPPING;
    m.startRound();
  }
  if (m.state === Bbr.PROBE_RTT) {
    m.rate.limitedByProgram(inFlight);
    if (m.probeRttWaits === 1) {
      if (inFlight > m.probeRttWindow()) return;
      m.probeRttWaits = 0;
      m.probeRttDoneAt = (tcp.clock.ms + PROBE_RTT_MS) | 0;
      m.probeRttRoundDone = 0;
      m.startRound();
    } else {
      if (m.roundStart === 1) m.probeRttRoundDone = 1;
      if (m.probeRttRoundDone === 1) checkProbeRttDone(tcp, m);
    }
  }
}

export function checkProbeRttDone(tcp: Tcp, m: BbrModel): void {
  if (m.probeRttWaits === 1 || ((tcp.clock.ms - m.probeRttDoneAt) | 0) < 0) return;
  m.probeRttAt = tcp.clock.ms;
  m.resetShortterm();
  if (m.fullBwReached === 0) {
    m.state = Bbr.STARTUP;
    return;
  }
  startDown(tcp, m);
  m.state = Bbr.PROBE_CRUISE;
}
