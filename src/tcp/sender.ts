/**
 * The send side of input: what an acknowledgment does (RFC 9293 3.10.7.4 fifth, RFC 5681).   hot path
 * @module
 */
import { WRITABLE } from '../base/events.ts';
import { FIN, SYN } from '../wire/tcp.ts';
import { isBelowMark } from './choices.ts';
import { noteAck } from './congestion/pacing.ts';
import {
  type Connection,
  LOSS,
  OPEN,
  TIMER_PERSIST,
  TIMER_RETRANSMIT,
  TIMER_TLP,
  TIMER_USER,
} from './connection.ts';
import { sendLimit } from './memory.ts';
import { probeProgress } from './mtu-probe.ts';
import { afterAck, duplicateTold, probeAcknowledged, settle } from './recovery.ts';
import { sample, setRto } from './rtt.ts';
import { takeSackBlocks } from './sack.ts';
import type { Segment } from './segment.ts';
import type { Tcp } from './tcp.ts';
import { armProbe, armRetransmit, disarm, startUserTimeout } from './timers.ts';

/** RFC 8985 7.2: a lone segment's ACK may be delayed; the peer's timer is at most about this. */
const PEER_DELAYED_ACK_MS = 200;

/** True when SEG.ACK may be looked at: neither too old (RFC 5961 5.2) nor from the future. */
export function ackIsAcceptable(c: Connection, ack: number): boolean {
  const advance = (ack - c.sndUna) | 0;
  return ((ack - c.sndNxt) | 0) <= 0 && (advance >= 0 || advance >= -oldest(c));
}

/** How far behind SND.UNA an ACK may lie: a window, and no more than was ever acknowledged. */
function oldest(c: Connection): number {
  if (c.socket === null) return c.maxSndWnd;
  const fin = c.finQueued === 1 && ((c.sndUna - c.finAt) | 0) > 0 ? 1 : 0;
  const acked = c.socket.bytesWritten - c.snd.length + fin;
  return acked < c.maxSndWnd ? acked : c.maxSndWnd;
}

/** Takes an acceptable acknowledgment and the window that came with it. */
export function acknowledge(tcp: Tcp, c: Connection, s: Segment): void {
  const advance = (s.ack - c.sndUna) | 0;
  const window = s.window << c.sndWndScale;
  if (advance >= 0 && c.sndNxt !== c.sndUna) {
    const isPlain = c.board === null && tcp.optionValues.sackCount === 0;
    if (isPlain && s.ack === c.sndNxt) allArrived(tcp, c, advance);
    else if (advance > 0 || tellsOfHole(tcp, c, s, window)) news(tcp, c, s, advance);
  } else if (tcp.optionValues.sackCount > 0 && advance === 0 && c.sackOk === 1) {
    // With nothing in flight that can only be a duplicate, told late.
    news(tcp, c, s, 0);
  }
  if (c.tlpOut === 1 && advance >= 0 && ((c.sndUna - c.loss!.tlpEnd) | 0) >= 0) {
    probeAcknowledged(tcp, c, advance === 0 && isDuplicate(c, s, window));
  }
  updateWindow(tcp, c, s, window);
  if (hasMore(c)) tcp.makeReady(c);
}

/** The one transmission that was in flight has arrived: request and answer, at its plainest. */
function allArrived(tcp: Tcp, c: Connection, advance: number): void {
  const rtt = (tcp.clock.us - c.firstSentAt) | 0;
  const flight = c.flight;
  forget(tcp, c, c.sndNxt);
  c.dupAcks = 0;
  sample(c, rtt, tcp.clock.ms, tcp.options);
  c.congestion.acknowledged(c, advance, flight, tcp.clock.ms, rtt);
  if (c.pacer !== null) noteAck(tcp, c, c.pacer, advance, c.firstSentAt, flight, rtt);
  disarm(c, TIMER_RETRANSMIT | TIMER_USER | TIMER_TLP);
  progress(tcp, c);
}

/** An ACK that moves nothing forward and says something all the same. */
function tellsOfHole(tcp: Tcp, c: Connection, s: Segment, window: number): boolean {
  if (c.sackOk === 1) return tcp.optionValues.sackCount > 0;
  return isDuplicate(c, s, window);
}

/** Puts what the segment says about ours on the scoreboard, and acts on it. */
function news(tcp: Tcp, c: Connection, s: Segment, advance: number): void {
  const board = tcp.records.boardOf(c);
  const before = c.pipe;
  board.beginAck();
  if (advance > 0) {
    board.acknowledge(s.ack, tcp.clock.us, c.minRtt);
    forget(tcp, c, s.ack);
  } else if (c.sackOk === 0) {
    c.dupAcks++;
  }
  tcp.dsack = 0;
  if (c.sackOk === 1 && tcp.optionValues.sackCount > 0) takeSackBlocks(tcp, c, board);
  if (tcp.dsack === 1) duplicateTold(c);
  if (advance > 0 || board.delivered > 0 || c.sackOk === 0 || tcp.dsack === 1) {
    if (board.rtt >= 0) sample(c, board.rtt, tcp.clock.ms, tcp.options);
    else if (advance > 0) sampleByTimestamp(tcp, c);
    afterAck(tcp, c, board, advance, before);
    if (c.pacer !== null) {
      const delivered = c.sackOk === 1 ? board.delivered : advance;
      noteAck(tcp, c, c.pacer, delivered, board.newestSentAt, before, board.rtt);
    }
  }
  if (advance > 0) {
    if (board.isEmpty) disarm(c, TIMER_RETRANSMIT | TIMER_USER | TIMER_TLP);
    else restartTimers(tcp, c);
    progress(tcp, c);
  }
  if (board.isEmpty) {
    tcp.records.giveBoard(c);
    if (c.loss !== null) settle(tcp, c);
  }
}

/** Everything acknowledged was sent more than once: only the echoed timestamp knows (RFC 7323 4.1). */
function sampleByTimestamp(tcp: Tcp, c: Connection): void {
  const values = tcp.optionValues;
  if (c.tsOk === 0 || values.timestamps === 0) return;
  const ms = (tcp.clock.ms + c.tsOffset - values.tsEcr) | 0;
  // An older echo than that of the last transmission: the ACK of an earlier copy was lost, and the
  // time until the copies after it is not the path's. But it works again: no more backing off.
  if (c.recovery === LOSS && ((values.tsEcr - c.tsOffset - c.lastSentAt) | 0) < 0) {
    c.backoff = 0;
    setRto(c, tcp.options);
    return;
  }
  if (ms >= 0 && ms < 0x1fffff) sample(c, ms * 1000, tcp.clock.ms, tcp.options);
}

/** RFC 5681 2: the ACK that tells of a hole at the peer. */
function isDuplicate(c: Connection, s: Segment, window: number): boolean {
  return s.dataLength === 0 && (s.flags & (SYN | FIN)) === 0 && window === c.sndWnd && window !== 0;
}

/** Everything before `ack` has arrived: the send buffer lets go of it. */
export function forget(tcp: Tcp, c: Connection, ack: number): void {
  const data = (ack - c.sndBase) | 0;
  const bytes = data < c.snd.length ? data : c.snd.length;
  if (bytes > 0) {
    const before = c.snd.size;
    c.snd.drop(tcp.heap, bytes, false);
    tcp.memory.sending -= before - c.snd.size;
    c.sndBase = (c.sndBase + bytes) | 0;
  }
  c.sndUna = ack;
}

/** The connection moves forward: the neighbor is alive, a program that waits to write may. */
function progress(tcp: Tcp, c: Connection): void {
  c.retries = 0;
  // The neighbor forwarded it both ways: forward progress (RFC 4861 7.3.1).
  const neighbor = c.path!.neighbor;
  if (neighbor !== null) neighbor.confirm(tcp.clock.ms);
  if (c.wantsRoom === 1) offerRoom(tcp, c);
  if (c.probing !== null) probeProgress(tcp, c);
}

/** The retransmission timer starts anew (RFC 6298 5.3), before it the tail loss probe. */
function restartTimers(tcp: Tcp, c: Connection): void {
  armRetransmit(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
  scheduleTailProbe(tcp, c);
  if (c.patience !== null) startUserTimeout(tcp.wheel, c, tcp.clock.ms);
}

/**
 * RFC 8985 7.2: two round trips after the last news or the last new data. Where a timeout would
 * come before that, the probe takes its place.
 */
export function scheduleTailProbe(tcp: Tcp, c: Connection): void {
  disarm(c, TIMER_TLP);
  if (c.sackOk === 0 || c.recovery !== OPEN || c.tlpOut === 1 || c.srtt === 0) return;
  let wait = (((c.srtt >> 2) / 1000) | 0) + 2;
  if (c.flight <= c.mss) wait += PEER_DELAYED_ACK_MS;
  let at = (tcp.clock.ms + wait) | 0;
  if ((c.timers & TIMER_RETRANSMIT) !== 0 && ((at - c.retransmitAt) | 0) > 0) at = c.retransmitAt;
  armProbe(tcp.wheel, c, at);
}

/** A program that waits to write hears of it when half of the buffer is free again. */
export function offerRoom(tcp: Tcp, c: Connection): void {
  if (c.snd.length > sendLimit(tcp, c) >> 1) return;
  if (c.choices !== null && !isBelowMark(c)) return;
  c.wantsRoom = 0;
  if (c.socket !== null) tcp.events.raise(c.socket, WRITABLE);
}

/** RFC 9293 3.10.7.4: SND.WND moves only with segments newer than the last that moved it. */
function updateWindow(tcp: Tcp, c: Connection, s: Segment, window: number): void {
  const age = (s.seq - c.sndWl1) | 0;
  if (age < 0 || (age === 0 && ((s.ack - c.sndWl2) | 0) < 0)) return;
  c.sndWl1 = s.seq;
  c.sndWl2 = s.ack;
  if (window > c.maxSndWnd) c.maxSndWnd = window;
  const opened = c.sndWnd === 0 && window > 0;
  c.sndWnd = window;
  if ((c.timers & TIMER_PERSIST) !== 0) {
    c.retries = 0;
    if (opened) windowReopened(tcp, c);
  } else if (opened) {
    c.retries = 0;
  }
}

function windowReopened(tcp: Tcp, c: Connection): void {
  disarm(c, TIMER_PERSIST | TIMER_USER);
  c.backoff = 0;
  if (c.sndUna !== c.sndNxt) restartTimers(tcp, c);
}

/** Something to send that may now be possible to send. */
function hasMore(c: Connection): boolean {
  if (c.board !== null && c.board.lostBytes > 0) return true;
  return c.unsent > 0 || (c.finQueued === 1 && ((c.sndNxt - c.finAt) | 0) <= 0);
}
