/**
 * The send side of input: what an acknowledgment does (RFC 9293 3.10.7.4 fifth, RFC 5681).   hot path
 * @module
 */
import { WRITABLE } from '../base/events.ts';
import { FIN, SYN } from '../wire/tcp.ts';
import {
  type Connection,
  OPEN,
  TIMER_PERSIST,
  TIMER_RETRANSMIT,
  TIMER_USER,
} from './connection.ts';
import { duplicateAck, recoveryAck } from './recovery.ts';
import { sample } from './rtt.ts';
import type { Segment } from './segment.ts';
import type { Tcp } from './tcp.ts';
import { armRetransmit, armUserTimeout, disarm } from './timers.ts';

/** True when SEG.ACK may be looked at: neither too old (RFC 5961 5.2) nor from the future. */
export function ackIsAcceptable(c: Connection, ack: number): boolean {
  return ((ack - c.sndMax) | 0) <= 0 && ((ack - c.sndUna) | 0) >= -c.maxSndWnd;
}

/** Takes an acceptable acknowledgment and the window that came with it. */
export function acknowledge(tcp: Tcp, c: Connection, s: Segment): void {
  const advance = (s.ack - c.sndUna) | 0;
  const window = s.window << c.sndWndScale;
  if (advance > 0) {
    advanceUna(tcp, c, s.ack, advance);
  } else if (advance === 0 && isDuplicate(c, s, window)) {
    duplicateAck(tcp, c);
  }
  updateWindow(tcp, c, s, window);
  if (hasMore(c)) tcp.makeReady(c);
}

/** RFC 5681 2: the ACK that tells of a hole at the peer. */
function isDuplicate(c: Connection, s: Segment, window: number): boolean {
  return (
    s.dataLength === 0 &&
    (s.flags & (SYN | FIN)) === 0 &&
    c.sndUna !== c.sndMax &&
    window === c.sndWnd &&
    window !== 0
  );
}

/** `advance` sequence numbers are newly acknowledged. */
function advanceUna(tcp: Tcp, c: Connection, ack: number, advance: number): void {
  const flight = c.flight;
  if (c.timing === 1 && ((ack - c.timedSeq) | 0) >= 0) {
    c.timing = 0;
    sample(c, (tcp.clock.us - c.timedAt) | 0, tcp.options);
  }
  const data = (ack - c.sndBase) | 0;
  const bytes = data < c.snd.length ? data : c.snd.length;
  if (bytes > 0) {
    c.snd.drop(tcp.heap, bytes, false);
    c.sndBase = (c.sndBase + bytes) | 0;
  }
  c.sndUna = ack;
  if (((c.sndNxt - ack) | 0) < 0) c.sndNxt = ack;
  c.retries = 0;
  if (c.recovery === OPEN) {
    c.dupAcks = 0;
    tcp.congestion.acknowledged(c, advance, flight);
  } else {
    recoveryAck(tcp, c, advance, flight);
  }
  restartTimers(tcp, c);
  // The neighbor forwarded it both ways: forward progress (RFC 4861 7.3.1).
  const neighbor = c.path!.neighbor;
  if (neighbor !== null) neighbor.confirm(tcp.clock.ms);
  if (c.wantsRoom === 1) offerRoom(tcp, c);
}

/** RFC 6298 5.2 and 5.3. */
function restartTimers(tcp: Tcp, c: Connection): void {
  if (c.sndUna === c.sndMax) {
    disarm(c, TIMER_RETRANSMIT | TIMER_USER);
    return;
  }
  armRetransmit(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
  if (c.userTimeoutMs > 0) {
    armUserTimeout(tcp.wheel, c, (tcp.clock.ms + c.userTimeoutMs) | 0);
  }
}

/** A program that waits to write hears of it when half of the buffer is free again. */
function offerRoom(tcp: Tcp, c: Connection): void {
  if (c.snd.length > tcp.options.sendBufferBytes >> 1) return;
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
  }
}

function windowReopened(tcp: Tcp, c: Connection): void {
  disarm(c, TIMER_PERSIST);
  c.backoff = 0;
  if (c.sndUna !== c.sndMax) armRetransmit(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
}

/** Something to send that may now be possible to send. */
function hasMore(c: Connection): boolean {
  return (
    c.retransmitDue === 1 || c.unsent > 0 || (c.finQueued === 1 && ((c.sndNxt - c.finAt) | 0) <= 0)
  );
}
