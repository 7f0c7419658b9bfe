/**
 * BBR version 3 (draft-ietf-ccwg-bbr): a model of the path - its rate, its round-trip time, what
 * it holds without loss - from which follow the pacing rate and the window.   hot path
 *
 * It differs from the draft where docs/decisions/0010 says so. The states are bbr-phases.ts', the
 * model bbr-model.ts', the samples delivery-rate.ts'.
 * @module
 */
import type { Connection } from '../connection.ts';
import { LOSS } from '../connection.ts';
import type { Tcp } from '../tcp.ts';
import type { BbrModel } from './bbr-model.ts';
import * as Bbr from './bbr-model.ts';
import * as Phases from './bbr-phases.ts';
import { type CongestionControl, MOST_WINDOW } from './congestion.ts';
import { Control } from './control.ts';
import { type Kept, keepWindow, restoreWindow } from './kept.ts';
import { MOST_RATE, type Pacer, rateOf } from './pacer.ts';

/** Percent of the bounds that a round with losses leaves. */
const BETA_PERCENT = 70;
/** Percent below the rate at which it is paced, so that queues shrink. */
const MARGIN_PERCENT = 99;
/** Without a round-trip time: one is supposed. */
const SUPPOSED_RTT_US = 1_000;

class BbrControl implements CongestionControl {
  readonly name = 'bbr';
  readonly shared: Control = new Control(this);
  readonly hasModel = 1;

  start(c: Connection, segments: number): void {
    c.cwnd = segments * c.mss;
    c.ssthresh = MOST_WINDOW;
  }

  /** Each ACK comes to update(), those in recovery too. */
  acknowledged(_c: Connection): void {}

  /** The model decides what a loss means; recovery.ts finds the window as it was. */
  lost(c: Connection): void {
    c.ssthresh = notBelowTwo(c);
  }

  timedOut(c: Connection): void {
    c.ssthresh = notBelowTwo(c);
    c.cwnd = c.mss;
    if (c.pacer === null) return;
    const m = c.pacer.model!;
    m.saveWindow();
    m.window = c.mss;
  }

  congested(c: Connection): void {
    if (c.pacer !== null) noteMark(c.pacer.model!);
  }

  keep(c: Connection, kept: Kept): void {
    keepWindow(c, kept);
  }

  /** What the model believes of the path it keeps; only its window had been cut. */
  restore(c: Connection, kept: Kept): void {
    restoreWindow(c, kept);
    if (c.pacer !== null && c.pacer.model!.window < c.cwnd) c.pacer.model!.window = c.cwnd;
  }

  /** The model is older than the idle time, and still the best there is; pacing prevents bursts. */
  idled(_c: Connection): void {}
}

export const bbr: CongestionControl = new BbrControl();

/** A connection begins, or is taken over: its pacer and model are fresh. */
export function startModel(tcp: Tcp, c: Connection, pacer: Pacer, m: BbrModel): void {
  m.reset(c.mss, c.cwnd, tcp.clock.ms, tcp.clock.us);
  const rtt = c.srtt === 0 ? SUPPOSED_RTT_US : c.srtt >> 3;
  pacer.rate = percentOf(rateOf(c.cwnd, rtt), m.pacingGain);
}

/** Something is about to be sent and nothing is in flight. */
export function restarted(tcp: Tcp, pacer: Pacer, m: BbrModel): void {
  if (m.rate.delivered === 0) return;
  m.idleRestart = 1;
  m.extraAt = tcp.clock.us;
  if (m.isInProbeBw) pacer.rate = percentOf(m.bw, MARGIN_PERCENT);
  else if (m.state === Bbr.PROBE_RTT) Phases.checkProbeRttDone(tcp, m);
}

/**
 * An ACK delivered `acked` bytes, `lost` more were found to be lost; `before` was in flight.
 * The sample is in m.rate.
 */
export function update(
  tcp: Tcp,
  c: Connection,
  pacer: Pacer,
  m: BbrModel,
  acked: number,
  lost: number,
  before: number,
  rttUs: number,
): void {
  const inFlight = c.pipe;
  m.mss = c.mss;
  m.windowLimited = before + 2 * c.mss > m.window ? 1 : 0;
  if (lost > 0) noteLoss(m, lost);
  updateSignals(m);
  if (acked > 0) m.noteExtra(acked, tcp.clock.us);
  Phases.checkFullBw(m);
  Phases.checkStartup(m);
  Phases.checkDrain(tcp, m, inFlight);
  Phases.updateProbeBw(tcp, m, acked, inFlight);
  const expired = Phases.updateMinRtt(m, rttUs, tcp.clock.ms);
  Phases.checkProbeRtt(tcp, m, expired, inFlight);
  if (acked > 0) m.idleRestart = 0;
  advanceSignals(m);
  setRate(pacer, m);
  setWindow(c, pacer, m, acked);
}

function noteLoss(m: BbrModel, lost: number): void {
  if (m.lossInRound === 0) m.lossRoundEnd = m.rate.delivered;
  m.lossInRound = 1;
  m.roundLost += lost;
  m.roundLosses++;
}

/** An ECN mark says what a loss says, before one happens. */
function noteMark(m: BbrModel): void {
  if (m.lossInRound === 0) m.lossRoundEnd = m.rate.delivered;
  m.lossInRound = 1;
}

/** Rounds, the largest rate, and what the losses of a round say about the bounds. */
function updateSignals(m: BbrModel): void {
  const rate = m.rate;
  m.lossRoundStart = 0;
  m.roundStart = 0;
  if (rate.hasSample === 0) return;
  if (rate.rate > m.bwLatest) m.bwLatest = rate.rate;
  if (rate.sampleDelivered > m.inflightLatest) m.inflightLatest = rate.sampleDelivered;
  if (((rate.priorDelivered - m.lossRoundEnd) | 0) >= 0) {
    m.lossRoundEnd = rate.delivered;
    m.lossRoundStart = 1;
  }
  if (((rate.priorDelivered - m.roundEnd) | 0) >= 0) {
    m.startRound();
    m.rounds++;
    m.roundsSinceProbe++;
    m.roundStart = 1;
  }
  if (rate.rate >= m.maxBw || rate.appLimited === 0) {
    if (rate.rate > m.bwNow) m.bwNow = rate.rate;
  }
  if (m.lossRoundStart === 1 && m.lossInRound === 1) adaptShortterm(m);
}

/** Others share the path: while not probing, the bounds follow what arrives. */
function adaptShortterm(m: BbrModel): void {
  if (m.isProbing) return;
  const bw = m.bwShortterm === MOST_RATE ? m.maxBw : m.bwShortterm;
  const inflight = m.inflightShortterm === MOST_WINDOW ? m.window : m.inflightShortterm;
  const lessBw = percentOf(bw, BETA_PERCENT);
  const lessInflight = percentOf(inflight, BETA_PERCENT);
  m.bwShortterm = m.bwLatest > lessBw ? m.bwLatest : lessBw;
  m.inflightShortterm = m.inflightLatest > lessInflight ? m.inflightLatest : lessInflight;
}

/** A round of losses is over: the next one counts from here. */
function advanceSignals(m: BbrModel): void {
  if (m.lossRoundStart === 0) return;
  m.bwLatest = m.rate.rate;
  m.inflightLatest = m.rate.sampleDelivered;
  m.lossInRound = 0;
  m.roundLost = 0;
  m.roundLosses = 0;
}

/** Until the pipe was full once the rate only grows. */
function setRate(pacer: Pacer, m: BbrModel): void {
  const bw = m.bw;
  if (bw === 0) return;
  const rate = percentOf(percentOf(bw, m.pacingGain), MARGIN_PERCENT);
  if (m.fullBwReached === 1 || rate > pacer.rate) pacer.rate = rate;
}

function setWindow(c: Connection, pacer: Pacer, m: BbrModel, acked: number): void {
  const most = m.maxInflight(pacer.quantum(m.mss));
  let window = m.window;
  if (m.fullBwReached === 1) {
    window = window + acked < most ? window + acked : most;
  } else if (window < most || m.rate.delivered < m.initialWindow) {
    window += acked;
  }
  if (m.savedWindow > 0 && c.recovery !== LOSS && m.state !== Bbr.PROBE_RTT) {
    if (m.savedWindow > window) window = m.savedWindow;
    m.savedWindow = 0;
  }
  // After a timeout what is delivered opens it again, from one segment on.
  const least = c.recovery === LOSS ? m.mss : m.leastPipe;
  window = bounded(m, window);
  if (window < least) window = least;
  if (window > MOST_WINDOW) window = MOST_WINDOW;
  m.window = window;
  c.cwnd = window;
}

function bounded(m: BbrModel, window: number): number {
  let most = m.inflightShortterm;
  if (m.state === Bbr.PROBE_CRUISE || m.state === Bbr.PROBE_RTT) {
    const headroom = m.inflightWithHeadroom();
    if (headroom < most) most = headroom;
  } else if (m.isInProbeBw && m.inflightLongterm < most) {
    most = m.inflightLongterm;
  }
  if (m.state === Bbr.PROBE_RTT) {
    const probing = m.probeRttWindow();
    if (probing < most) most = probing;
  }
  return window < most ? window : most;
}

function notBelowTwo(c: Connection): number {
  return c.cwnd > 2 * c.mss ? c.cwnd : 2 * c.mss;
}

function percentOf(value: number, percent: number): number {
  const scaled = (value / 100) * percent;
  return scaled < MOST_RATE ? scaled | 0 : MOST_RATE;
}
