/**
 * Where the connections that are paced leave the common way: before sending, after sending, after
 * an ACK. All others have no pacer, which is one test at each of these places.   hot path
 *
 * Those that go by windows are paced as Linux paces them: at 2 windows per round trip in slow
 * start, at 1.2 windows later. A model (BBR) says its rate itself.
 * @module
 */
import type { Connection } from '../connection.ts';
import type { Tcp } from '../tcp.ts';
import { armPace } from '../timers.ts';
import { restarted, startModel, update } from './bbr.ts';
import { NO_RTT } from './bbr-model.ts';
import { none } from './none.ts';
import { MOST_RATE, type Pacer, rateOf } from './pacer.ts';

/** Percent of a window per round trip. */
const SLOW_START_PERCENT = 200;
const AVOIDANCE_PERCENT = 120;

/** Gives `c` the pacer and the model that its algorithm needs, or takes away what it does not. */
export function attachPacer(tcp: Tcp, c: Connection): void {
  const records = tcp.records;
  const hasModel = c.congestion.hasModel === 1;
  if (c.pacer !== null) records.givePacer(c);
  if (!hasModel && (!tcp.options.pacing || c.congestion === none)) return;
  const pacer = records.takePacer(c);
  pacer.reset(tcp.clock.us);
  if (!hasModel) {
    pacer.rate = windowRate(c);
    return;
  }
  pacer.model = records.takeModel();
  startModel(tcp, c, pacer, pacer.model);
}

/** True when the connection has to wait; then the timer wakes it. */
export function mustWait(tcp: Tcp, c: Connection, pacer: Pacer): boolean {
  if (pacer.allowance(c.mss, tcp.clock.us) > 0) return false;
  pacer.wakeAt = (tcp.clock.ms + pacer.waitMs(tcp.clock.us)) | 0;
  armPace(tcp.wheel, c, pacer.wakeAt);
  return true;
}

/** The most bytes of one transmission, whole segments. */
export function releaseLimit(tcp: Tcp, c: Connection, pacer: Pacer, most: number): number {
  const allowed = pacer.allowance(c.mss, tcp.clock.us);
  if (allowed >= most) return most;
  return allowed > c.mss ? allowed - (allowed % c.mss) : c.mss;
}

/** `bytes` of sequence space left, for the first time or again; they are part of the flight. */
export function noteSent(tcp: Tcp, c: Connection, pacer: Pacer, bytes: number): void {
  pacer.sent(bytes);
  const model = pacer.model;
  if (model === null) return;
  const pipe = c.pipe;
  if (pipe <= bytes) restarted(tcp, pacer, model);
  model.rate.sent(pipe, pipe <= bytes ? 1 : 0, tcp.clock.us);
  if (c.unsent <= 0 && pipe + c.mss <= c.cwnd) model.rate.limitedByProgram(pipe);
}

/**
 * An ACK was dealt with, the window may have moved.
 * @param acked bytes that it delivered, the newest of them sent at `sentAt` (us)
 * @param before bytes that were in flight before it
 */
export function noteAck(
  tcp: Tcp,
  c: Connection,
  pacer: Pacer,
  acked: number,
  sentAt: number,
  before: number,
  rttUs: number,
): void {
  const model = pacer.model;
  if (model === null) {
    pacer.rate = windowRate(c);
    return;
  }
  const lost = c.board === null ? 0 : c.board.takeNewlyLost();
  model.rate.lost = (model.rate.lost + lost) | 0;
  const least = model.minRtt === NO_RTT ? 0 : model.minRtt;
  model.rate.arrived(acked, sentAt, tcp.clock.us, least);
  update(tcp, c, pacer, model, acked, lost, before, rttUs);
  if (c.sndNxt === c.sndUna) model.rate.forget();
}

function windowRate(c: Connection): number {
  if (c.srtt === 0) return 0;
  const pipe = c.pipe;
  const window = c.cwnd > pipe ? c.cwnd : pipe;
  const percent = c.cwnd < c.ssthresh >> 1 ? SLOW_START_PERCENT : AVOIDANCE_PERCENT;
  const rate = (rateOf(window, c.srtt >> 3) / 100) * percent;
  return rate < MOST_RATE ? rate | 0 : MOST_RATE;
}
