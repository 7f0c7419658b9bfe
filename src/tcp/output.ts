/**
 * What a connection sends: pulled once per poll, as long as the link has room.   hot path
 *
 * Everything a segment carries is decided at the moment it is written: the newest ACK, the
 * newest window. So an ACK rides on data whenever there is some, and a burst of arrivals is
 * acknowledged once.
 * @module
 */
import { TX_SEGMENT, TX_TCP_SUM } from '../link/layout.gen.ts';
import { hasRoom } from '../link/link.ts';
import { NO_SLOT } from '../net/egress.ts';
import * as Wire from '../wire/tcp.ts';
import * as Options from '../wire/tcp-options.ts';
import {
  ACK_NONE,
  ACK_NOW,
  type Connection,
  FAST_RECOVERY,
  TIMER_DELAYED_ACK,
  TIMER_RETRANSMIT,
} from './connection.ts';
import { newWindow } from './receiver.ts';
import { startTiming } from './rtt.ts';
import { SYN_RECEIVED, SYN_SENT, sends } from './state.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';
import { armPersist, armRetransmit, armUserTimeout, disarm } from './timers.ts';

/** Segments one connection may send before the others get their turn. */
const QUANTUM = 16;
/** MSS and window scale, padded. */
const SYN_OPTIONS_LENGTH = 8;

/** Sends what there is to send; true when there is more but no room or no turn left. */
export function output(tcp: Tcp, c: Connection): boolean {
  if (c.synDue === 1) return !sendSyn(tcp, c);
  if (c.retransmitDue === 1 && !retransmitOne(tcp, c)) return true;
  if (c.probeDue === 1 && !sendProbe(tcp, c)) return true;
  if (sends(c.state) && c.state !== SYN_RECEIVED) {
    if (c.unsent > 0 || finIsUnsent(c)) {
      if (sendNew(tcp, c)) return true;
    }
  }
  if (c.ackDue === ACK_NOW) return !emit(tcp, c, c.sndNxt, 0, Wire.ACK);
  return false;
}

/** New data, and data after a timeout, from sndNxt on; true when it was cut short. */
function sendNew(tcp: Tcp, c: Connection): boolean {
  if (c.flight === 0) restartAfterIdle(tcp, c);
  for (let turn = 0; turn < QUANTUM; turn++) {
    const unsent = c.unsent;
    const length = nextLength(tcp, c, unsent);
    const fin = finIsUnsent(c) && length === (unsent > 0 ? unsent : 0);
    if (length === 0 && !fin) return false;
    if (!hasRoom(c.path!.nic.ring)) return true;
    let flags = Wire.ACK;
    if (length === unsent && length > 0) flags |= Wire.PSH;
    if (fin) flags |= Wire.FIN;
    if (!emit(tcp, c, c.sndNxt, length, flags)) return true;
    if (c.unsent <= 0 && !finIsUnsent(c)) return false;
  }
  return true;
}

/** How many payload bytes may go now: windows, MSS, Nagle, silly window avoidance. */
function nextLength(tcp: Tcp, c: Connection, unsent: number): number {
  if (unsent <= 0) return 0;
  const flight = (c.sndNxt - c.sndUna) | 0;
  const cwnd = congestionWindow(c);
  const window = c.sndWnd < cwnd ? c.sndWnd : cwnd;
  const usable = window - flight;
  const most = segmentLimit(c);
  let length = unsent < most ? unsent : most;
  if (length > usable) length = usable;
  if (length <= 0) {
    if (flight === 0 && c.sndWnd === 0) waitForWindow(tcp, c);
    return 0;
  }
  if (length >= c.mss) return length === unsent ? length : length - (length % c.mss);
  // RFC 9293 3.8.6.2.1: less than a full segment goes only when it is all there is and Nagle
  // agrees, or when the peer's window has always been that small.
  if (length === unsent) {
    if (c.noDelay === 1 || flight === 0 || c.finQueued === 1) return length;
  } else if (length >= c.maxSndWnd >> 1) {
    return length;
  } else if (flight === 0) {
    waitForWindow(tcp, c);
  }
  return 0;
}

/** cwnd, and for the first two duplicate ACKs a segment each (limited transmit, RFC 3042). */
function congestionWindow(c: Connection): number {
  if (c.recovery === FAST_RECOVERY || c.dupAcks === 0) return c.cwnd;
  return c.cwnd + (c.dupAcks < 2 ? c.dupAcks : 2) * c.mss;
}

/** Bytes of one transmit descriptor: a segment, or many when the link cuts them. */
function segmentLimit(c: Connection): number {
  const segmentBytes = c.path!.nic.link.segmentBytes;
  return segmentBytes > c.mss ? segmentBytes - (segmentBytes % c.mss) : c.mss;
}

function finIsUnsent(c: Connection): boolean {
  return c.finQueued === 1 && ((c.sndNxt - c.finAt) | 0) <= 0;
}

/** RFC 5681 4.1: after an idle time of an RTO the old cwnd says nothing. */
function restartAfterIdle(tcp: Tcp, c: Connection): void {
  if (((tcp.clock.ms - c.lastSentAt) | 0) > c.rtoMs && c.backoff === 0) {
    tcp.congestion.idled(c, tcp.options.initialWindowSegments);
  }
}

/** The window is closed and nothing is in flight that would open it: probe (RFC 9293 3.8.6.1). */
function waitForWindow(tcp: Tcp, c: Connection): void {
  if ((c.timers & TIMER_RETRANSMIT) !== 0) disarm(c, TIMER_RETRANSMIT);
  armPersist(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
}

/** The segment at sndUna once more; false when there was no room. */
function retransmitOne(tcp: Tcp, c: Connection): boolean {
  const buffered = (c.finAt - c.sndUna) | 0;
  const sent = (c.sndMax - c.sndUna) | 0;
  let length = buffered < c.mss ? buffered : c.mss;
  if (length > sent) length = sent;
  if (length < 0) length = 0;
  // A FIN goes along when the segment reaches it and it was sent before.
  const withFin = c.finQueued === 1 && length === buffered && ((c.sndMax - c.finAt) | 0) > 0;
  const flags = withFin ? Wire.ACK | Wire.FIN : Wire.ACK;
  if (!emit(tcp, c, c.sndUna, length, flags)) return false;
  c.retransmitDue = 0;
  return true;
}

/** A probe that any peer must answer: the byte before sndUna, empty. */
function sendProbe(tcp: Tcp, c: Connection): boolean {
  if (!emit(tcp, c, (c.sndUna - 1) | 0, 0, Wire.ACK)) return false;
  c.probeDue = 0;
  tcp.stats[Stats.PROBES]! += 1;
  return true;
}

/** One segment of the synchronized states; false when there was no room. */
export function emit(tcp: Tcp, c: Connection, seq: number, length: number, flags: number): boolean {
  const path = c.path!;
  const at = tcp.egress.begin(path);
  if (at === NO_SLOT) return false;
  const window = newWindow(c, tcp.options.receiveBufferBytes) >> c.rcvWndScale;
  Wire.write(
    tcp.view,
    at,
    c.localPort,
    c.remotePort,
    seq,
    c.rcvNxt,
    Wire.HEADER_LENGTH,
    flags,
    window,
  );
  if (length > 0) {
    c.snd.copyTo(tcp.heap, (seq - c.sndBase) | 0, at + Wire.HEADER_LENGTH, length);
  }
  const segmentFlags = length > c.mss ? TX_TCP_SUM | TX_SEGMENT : TX_TCP_SUM;
  tcp.egress.commit(
    path,
    at,
    Wire.HEADER_LENGTH + length,
    segmentFlags,
    Wire.HEADER_LENGTH,
    c.mss,
    0,
  );
  tcp.stats[Stats.SEGMENTS_OUT]! += 1;
  c.lastAckSent = c.rcvNxt;
  c.ackDue = ACK_NONE;
  disarm(c, TIMER_DELAYED_ACK);
  const end = (seq + length + (flags & Wire.FIN)) | 0;
  if (end !== seq) sent(tcp, c, seq, end);
  return true;
}

/** Accounts for sequence numbers that went out: sndNxt, timing, the retransmission timer. */
function sent(tcp: Tcp, c: Connection, seq: number, end: number): void {
  if (((seq - c.sndMax) | 0) < 0) {
    tcp.stats[Stats.RETRANSMITS]! += 1;
    // Karn: an ACK now says nothing about when its segment was sent.
    if (c.timing === 1 && ((seq - c.timedSeq) | 0) < 0) c.timing = 0;
  } else if (c.timing === 0) {
    startTiming(c, end, tcp.clock.us);
  }
  if (((end - c.sndMax) | 0) > 0) c.sndMax = end;
  if (((end - c.sndNxt) | 0) > 0) c.sndNxt = end;
  c.lastSentAt = tcp.clock.ms;
  if ((c.timers & TIMER_RETRANSMIT) === 0) {
    armRetransmit(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
    if (c.userTimeoutMs > 0) armUserTimeout(tcp.wheel, c, (tcp.clock.ms + c.userTimeoutMs) | 0);
  }
}

/** SYN or SYN-ACK; false when there was no room. */
function sendSyn(tcp: Tcp, c: Connection): boolean {
  const path = c.path!;
  const at = tcp.egress.begin(path);
  if (at === NO_SLOT) return false;
  const isReply = c.state !== SYN_SENT;
  const withScale = !isReply || c.sndWndScale >= 0;
  const headerLength =
    Wire.HEADER_LENGTH + (withScale ? SYN_OPTIONS_LENGTH : SYN_OPTIONS_LENGTH - 4);
  const flags = isReply ? Wire.SYN | Wire.ACK : Wire.SYN;
  const window = tcp.options.receiveBufferBytes < 65535 ? tcp.options.receiveBufferBytes : 65535;
  const ack = isReply ? c.rcvNxt : 0;
  Wire.write(tcp.view, at, c.localPort, c.remotePort, c.iss, ack, headerLength, flags, window);
  Options.writeMss(tcp.view, at + Wire.HEADER_LENGTH, tcp.offeredMss(path));
  if (withScale) Options.writeWindowScale(tcp.view, at + Wire.HEADER_LENGTH + 4, tcp.windowScale);
  tcp.egress.commit(path, at, headerLength, TX_TCP_SUM, headerLength, 0, 0);
  tcp.stats[Stats.SEGMENTS_OUT]! += 1;
  c.rcvAdv = (c.rcvNxt + window) | 0;
  c.lastAckSent = c.rcvNxt;
  c.synDue = 0;
  c.ackDue = ACK_NONE;
  sent(tcp, c, c.iss, (c.iss + 1) | 0);
  return true;
}
