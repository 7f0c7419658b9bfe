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
import { boundedMss, corkLets } from './choices.ts';
import { mustWait, noteSent, releaseLimit } from './congestion/pacing.ts';
import {
  ACK_NONE,
  ACK_NOW,
  type Connection,
  FAST_RECOVERY,
  LOSS,
  OPEN,
  TIMER_DELAYED_ACK,
  TIMER_RETRANSMIT,
  TIMER_USER,
} from './connection.ts';
import { isEarly } from './early.ts';
import { ACCURATE, fieldOf, flagsOf, goesAlone, NOT_ECT, writeCounters } from './ecn.ts';
import { synAckFlags, synFlags } from './ecn-handshake.ts';
import { writeFastOpen } from './fast-open.ts';
import { writeCookie } from './fast-open-server.ts';
import { receiveLimit } from './memory.ts';
import { probeLeft, probeSize } from './mtu-probe.ts';
import { disorderOf, lossOf } from './parts.ts';
import { newWindow } from './receiver.ts';
import { sackLength, writeSack } from './sack.ts';
import type { Scoreboard } from './scoreboard.ts';
import { offerRoom, scheduleTailProbe } from './sender.ts';
import { offeredMss } from './sizes.ts';
import { SYN_SENT, sends } from './state.ts';
import * as Stats from './stats.ts';
import { noteRetransmission } from './tally.ts';
import type { Tcp } from './tcp.ts';
import { armPersist, armRetransmit, disarm, startUserTimeout } from './timers.ts';
import { note, noteRepeat } from './trace.ts';
import { NONE } from './transmissions.ts';
import { FRTO_SECOND } from './undo-record.ts';
import { writeUrgent } from './urgent.ts';

/** Segments one connection may send before the others get their turn. */
const QUANTUM = 16;
/** Bytes that options may take. */
const OPTIONS_ROOM = 40;
const OPTIONS_END = Wire.HEADER_LENGTH + OPTIONS_ROOM;

/** Sends what there is to send; true when there is more but no room or no turn left. */
export function output(tcp: Tcp, c: Connection): boolean {
  if (c.synDue === 1) return !sendSyn(tcp, c) || (isEarly(c) && c.unsent > 0);
  if (c.probeDue === 1 && !sendProbe(tcp, c)) return true;
  // News about holes goes on an ACK of its own: beside a full segment's data there is no room.
  if (c.ackDue === ACK_NOW && (c.outOfOrder !== null || c.dsackDue === 1)) {
    if (!tellOfHoles(tcp, c)) return true;
  }
  if (sends(c.state) || isEarly(c)) {
    if (c.tlpDue === 1 && !sendTailProbe(tcp, c)) return true;
    if (c.board !== null && c.board.lostBytes > 0 && repair(tcp, c, c.board)) return true;
    if (c.unsent > 0 || finIsUnsent(c)) {
      const before = c.sndNxt;
      const cutShort = sendNew(tcp, c);
      if (c.sndNxt !== before) scheduleTailProbe(tcp, c);
      if (c.choices !== null) settleChoices(tcp, c);
      if (cutShort) return true;
    }
  }
  if (c.ackDue === ACK_NOW) return !emit(tcp, c, c.sndNxt, 0, Wire.ACK);
  return false;
}

/** Less is unsent now: a push may be over, the program may write more. */
function settleChoices(tcp: Tcp, c: Connection): void {
  if (c.unsent <= 0) c.choices!.pushing = 0;
  if (c.wantsRoom === 1) offerRoom(tcp, c);
}

/**
 * An ACK for each segment that came out of order (RFC 5681 4.2): a sender without SACK counts
 * them, and one that is lost on its way is not the only one. False when there was no room.
 */
function tellOfHoles(tcp: Tcp, c: Connection): boolean {
  const disorder = disorderOf(c);
  do {
    if (!emit(tcp, c, c.sndNxt, 0, Wire.ACK)) {
      c.ackDue = ACK_NOW;
      return false;
    }
    disorder.duplicatesOwed--;
  } while (disorder.duplicatesOwed > 0);
  disorder.duplicatesOwed = 0;
  return true;
}

/** Sends again what is lost, as far as the window allows; true when it was cut short by room. */
function repair(tcp: Tcp, c: Connection, board: Scoreboard): boolean {
  for (let turn = 0; turn < QUANTUM; turn++) {
    if (c.pacer !== null && mustWait(tcp, c, c.pacer)) return false;
    const entry = board.nextLost(c.mss);
    if (entry === NONE) return false;
    // F-RTO wants to see first what becomes of new data.
    if (c.loss !== null && c.loss.undo.frto === FRTO_SECOND) return false;
    const length = (board.endOf(entry) - board.startOf(entry)) | 0;
    // Something must go when the pipe is empty, or nothing would ever come back.
    if (c.pipe > 0 && c.pipe + length > c.cwnd) return false;
    if (!resend(tcp, c, board, entry)) return true;
  }
  return true;
}

/** One entry of the scoreboard again; false when there was no room. */
function resend(tcp: Tcp, c: Connection, board: Scoreboard, entry: number): boolean {
  const start = board.startOf(entry);
  const end = board.endOf(entry);
  const withFin = c.finQueued === 1 && ((end - c.finAt) | 0) > 0;
  const length = (end - start - (withFin ? 1 : 0)) | 0;
  let flags = withFin ? Wire.ACK | Wire.FIN : Wire.ACK;
  if (length > 0 && ((end - c.finAt) | 0) >= 0) flags |= Wire.PSH;
  if (!emit(tcp, c, start, length, flags)) return false;
  tcp.stats[Stats.RETRANSMITS]! += 1;
  noteRetransmission(tcp, c, segmentsIn(c, length), length);
  if (c.recovery === LOSS) tcp.stats[Stats.TIMEOUT_RETRANSMITS]! += 1;
  else if (c.recovery !== OPEN) tcp.stats[Stats.FAST_RETRANSMITS]! += 1;
  noteRepeat(tcp, c, start, (end - start) | 0);
  board.retransmitted(entry, tcp.clock.us);
  if (c.loss !== null) c.loss.undo.repeats(start, end, tcp.clock.ms);
  if (c.recovery === FAST_RECOVERY) c.loss!.prrOut += (end - start) | 0;
  if (c.pacer !== null) noteSent(tcp, c, c.pacer, (end - start) | 0);
  return true;
}

/** RFC 8985 7.3: new data when there is some and the peer takes it, else the last segment again. */
function sendTailProbe(tcp: Tcp, c: Connection): boolean {
  c.tlpDue = 0;
  if (c.sndNxt === c.sndUna) return true;
  const board = tcp.records.boardOf(c);
  const window = c.sndWnd - c.flight;
  const unsent = c.unsent < c.mss ? c.unsent : c.mss;
  const entry = board.last(c.mss);
  const fresh = unsent > 0 && unsent <= window;
  if (!hasRoom(c.path!.nic.ring)) {
    c.tlpDue = 1;
    return false;
  }
  if (fresh) emit(tcp, c, c.sndNxt, unsent, Wire.ACK | Wire.PSH);
  else resend(tcp, c, board, entry);
  tcp.stats[Stats.TLP_PROBES]! += 1;
  note(tcp, c, 'tail-probe');
  c.tlpOut = 1;
  const loss = lossOf(c);
  loss.tlpRepeats = fresh ? 0 : 1;
  loss.tlpEnd = c.sndNxt;
  return true;
}

/** New data from sndNxt on; true when it was cut short. */
function sendNew(tcp: Tcp, c: Connection): boolean {
  if (c.flight === 0) restartAfterIdle(tcp, c);
  if (c.probing !== null) sendMtuProbe(tcp, c);
  for (let turn = 0; turn < QUANTUM; turn++) {
    if (c.pacer !== null && mustWait(tcp, c, c.pacer)) return false;
    const unsent = c.unsent;
    const length = nextLength(tcp, c, unsent);
    const fin = finIsUnsent(c) && length === (unsent > 0 ? unsent : 0);
    if (length === 0 && !fin) return false;
    let flags = Wire.ACK;
    if (length === unsent && length > 0) flags |= Wire.PSH;
    if (fin) flags |= Wire.FIN;
    if (!emit(tcp, c, c.sndNxt, length, flags)) return true;
    if (c.unsent <= 0 && !finIsUnsent(c)) return false;
  }
  return true;
}

/** A segment larger than the others, when one is to find out whether it arrives. */
function sendMtuProbe(tcp: Tcp, c: Connection): void {
  const size = probeSize(tcp, c);
  if (size === 0) return;
  const mss = c.mss;
  c.mss = size;
  if (emit(tcp, c, c.sndNxt, size, Wire.ACK)) probeLeft(tcp, c, size);
  c.mss = mss;
}

/** How many payload bytes may go now: windows, MSS, Nagle, silly window avoidance. */
function nextLength(tcp: Tcp, c: Connection, unsent: number): number {
  if (unsent <= 0) return 0;
  const flight = c.flight;
  const offered = c.sndWnd - flight;
  const allowed = congestionWindow(c) - c.pipe;
  const usable = offered < allowed ? offered : allowed;
  const most = segmentLimit(tcp, c);
  let length = unsent < most ? unsent : most;
  if (length > usable) length = usable;
  if (length <= 0) {
    if (flight === 0 && c.sndWnd === 0) waitForWindow(tcp, c);
    return 0;
  }
  if (length === c.mss) return length;
  if (length > c.mss) {
    const tail = length % c.mss;
    if (tail === 0 || (length === unsent && smallMayGo(tcp, c))) return length;
    return length - tail;
  }
  // RFC 9293 3.8.6.2.1: less than a full segment goes only when it is all there is and Nagle
  // agrees, or when the peer's window has always been that small.
  if (length === unsent) {
    if (smallMayGo(tcp, c)) return length;
  } else if (length >= c.maxSndWnd >> 1) {
    return length;
  } else if (flight === 0) {
    waitForWindow(tcp, c);
  }
  return 0;
}

/**
 * Whether less than a full segment may go when it is all there is. Nagle's algorithm as Minshall
 * refined it and Linux has it: it waits only for another small one, so the end of a large write
 * does not wait for its beginning.
 */
function smallMayGo(tcp: Tcp, c: Connection): boolean {
  const choices = c.choices;
  if (choices !== null && choices.cork === 1) return corkLets(tcp, c, choices);
  if (c.noDelay === 1 || ((c.sndSml - c.sndUna) | 0) <= 0 || c.finQueued === 1) return true;
  return ((c.sndSml - c.sndNxt) | 0) > 0 || (choices !== null && choices.pushing === 1);
}

/** cwnd, and for the first two duplicate ACKs a segment each (limited transmit, RFC 3042). */
function congestionWindow(c: Connection): number {
  if (c.sackOk === 1 || c.recovery !== OPEN || c.dupAcks === 0) return c.cwnd;
  return c.dupAcks <= 2 ? c.cwnd : c.cwnd - (c.dupAcks - 2) * c.mss;
}

/** Bytes of one transmit descriptor: a segment, or many when the link cuts them. */
function segmentLimit(tcp: Tcp, c: Connection): number {
  const segmentBytes = c.path!.nic.link.segmentBytes;
  if (segmentBytes <= c.mss) return c.mss;
  if (c.ecn !== null && goesAlone(c, c.ecn)) return c.mss;
  const most = segmentBytes - (segmentBytes % c.mss);
  return c.pacer === null ? most : releaseLimit(tcp, c, c.pacer, most);
}

function finIsUnsent(c: Connection): boolean {
  return c.finQueued === 1 && ((c.sndNxt - c.finAt) | 0) <= 0;
}

/**
 * RFC 5681 4.1: after an idle time of an RTO the old cwnd says nothing. The time is unsigned: half of
 * the clock's range are 24.8 days, and connections idle for longer.
 */
function restartAfterIdle(tcp: Tcp, c: Connection): void {
  if ((tcp.clock.ms - c.lastSentAt) >>> 0 > c.rtoMs && c.backoff === 0) {
    c.congestion.idled(c, tcp.options.initialWindowSegments);
  }
}

/** The window is closed and nothing is in flight that would open it: probe (RFC 9293 3.8.6.1). */
function waitForWindow(tcp: Tcp, c: Connection): void {
  if ((c.timers & TIMER_RETRANSMIT) !== 0) disarm(c, TIMER_RETRANSMIT);
  armPersist(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
  if (c.patience !== null && (c.timers & TIMER_USER) === 0) {
    startUserTimeout(tcp.wheel, c, tcp.clock.ms);
  }
}

/**
 * A probe that any peer must answer: the byte before sndUna, empty. When the window is not closed
 * but has stayed too small to be worth a segment, what fits goes all the same (RFC 9293 3.8.6.2.1's
 * override timeout).
 */
function sendProbe(tcp: Tcp, c: Connection): boolean {
  if (c.sndWnd > 0 && c.flight === 0 && c.unsent > 0) {
    const most = c.sndWnd < c.mss ? c.sndWnd : c.mss;
    const length = c.unsent < most ? c.unsent : most;
    if (!emit(tcp, c, c.sndNxt, length, Wire.ACK | Wire.PSH)) return false;
    c.probeDue = 0;
    return true;
  }
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
  const window = newWindow(c, receiveLimit(tcp, c)) >> c.rcvWndScale;
  let header = Wire.HEADER_LENGTH;
  if (c.tsOk === 1) {
    Options.writeTimestamps(tcp.view, at + header, (tcp.clock.ms + c.tsOffset) | 0, c.tsRecent);
    header += Options.TIMESTAMPS_LENGTH;
  }
  if (c.outOfOrder !== null || c.dsackDue === 1) {
    const sack = sackLength(c, length, OPTIONS_ROOM - (header - Wire.HEADER_LENGTH));
    if (sack > 0) writeSack(tcp, c, at + header, sack);
    header += sack;
  }
  let field = NOT_ECT;
  const ecn = c.ecn;
  if (ecn !== null) {
    field = fieldOf(c, ecn, seq, length);
    flags |= flagsOf(c, ecn, seq, length);
    if (length === 0) header += writeCounters(tcp, ecn, at + header, OPTIONS_END - header);
  }
  Wire.write(tcp.view, at, c.localPort, c.remotePort, seq, c.rcvNxt, header, flags, window);
  if (tcp.urgentCount !== 0) writeUrgent(tcp, c, at, seq);
  if (length > 0) {
    c.snd.copyTo(tcp.heap, (seq - c.sndBase) | 0, at + header, length);
    c.dataSegmentsOut = (c.dataSegmentsOut + segmentsIn(c, length)) | 0;
  } else {
    c.bareSegmentsOut = (c.bareSegmentsOut + 1) | 0;
  }
  const segmentFlags = length > c.mss ? TX_TCP_SUM | TX_SEGMENT : TX_TCP_SUM;
  tcp.egress.commit(path, at, header + length, segmentFlags, header, c.mss, field);
  tcp.stats[Stats.SEGMENTS_OUT]! += 1;
  c.lastAckSent = c.rcvNxt;
  c.ackDue = ACK_NONE;
  disarm(c, TIMER_DELAYED_ACK);
  const end = (seq + length + (flags & Wire.FIN)) | 0;
  if (end !== seq) sent(tcp, c, seq, end);
  return true;
}

/** Segments that `length` payload bytes go out as. */
function segmentsIn(c: Connection, length: number): number {
  return length <= c.mss ? 1 : Math.ceil(length / c.mss);
}

/** Accounts for sequence numbers that went out: scoreboard, sndNxt, timers. */
function sent(tcp: Tcp, c: Connection, seq: number, end: number): void {
  const nowMs = tcp.clock.ms;
  c.lastSentAt = nowMs;
  const fresh = seq === c.sndNxt;
  if (fresh) {
    if (c.sndNxt === c.sndUna) c.firstSentAt = tcp.clock.us;
    else tcp.records.boardOf(c).sent(end, tcp.clock.us);
    c.sndNxt = end;
    const bytes = (end - seq) | 0;
    if (bytes < c.mss || (bytes > c.mss && bytes % c.mss !== 0)) c.sndSml = end;
    if (c.recovery === FAST_RECOVERY) c.loss!.prrOut += (end - seq) | 0;
    if (c.pacer !== null) noteSent(tcp, c, c.pacer, (end - seq) | 0);
  }
  if ((c.timers & TIMER_RETRANSMIT) === 0) {
    armRetransmit(tcp.wheel, c, (nowMs + c.rtoMs) | 0);
    if (c.patience !== null) startUserTimeout(tcp.wheel, c, nowMs);
  }
}

/** SYN or SYN-ACK; false when there was no room. */
function sendSyn(tcp: Tcp, c: Connection): boolean {
  const path = c.path!;
  const at = tcp.egress.begin(path);
  if (at === NO_SLOT) return false;
  const isReply = c.state !== SYN_SENT;
  let headerLength = writeSynOptions(tcp, c, at, isReply);
  const { iss, fast } = c.opening!;
  if (fast !== null && !isReply) headerLength = writeFastOpen(tcp, c, fast, at, headerLength);
  const flags = isReply ? Wire.SYN | Wire.ACK | synAckFlags(c) : Wire.SYN | synFlags(tcp, c);
  const window = tcp.options.receiveBufferBytes < 65535 ? tcp.options.receiveBufferBytes : 65535;
  const ack = isReply ? c.rcvNxt : 0;
  Wire.write(tcp.view, at, c.localPort, c.remotePort, iss, ack, headerLength, flags, window);
  const length = fast === null ? headerLength : headerLength + fast.inLast;
  tcp.egress.commit(path, at, length, TX_TCP_SUM, headerLength, 0, 0);
  tcp.stats[Stats.SEGMENTS_OUT]! += 1;
  c.bareSegmentsOut++;
  const edge = (c.rcvNxt + window) | 0;
  if (((edge - c.rcvAdv) | 0) > 0 || !isReply) c.rcvAdv = edge;
  c.lastAckSent = c.rcvNxt;
  c.synDue = 0;
  c.ackDue = ACK_NONE;
  c.opening!.synSentAt = tcp.clock.us;
  if (c.sndNxt === iss) c.sndNxt = (iss + 1) | 0;
  armRetransmit(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
  return true;
}

/** MSS always; the others on a SYN, and on a SYN-ACK when the SYN had them. The header's length. */
function writeSynOptions(tcp: Tcp, c: Connection, at: number, isReply: boolean): number {
  let to = at + Wire.HEADER_LENGTH;
  Options.writeMss(tcp.view, to, boundedMss(c, offeredMss(c.path!)));
  to += 4;
  if (!isReply || c.sndWndScale >= 0) {
    Options.writeWindowScale(tcp.view, to, tcp.windowScale);
    to += 4;
  }
  if (isReply ? c.tsOk === 1 : tcp.options.timestamps) {
    const tsEcr = isReply ? c.tsRecent : 0;
    Options.writeTimestamps(tcp.view, to, (tcp.clock.ms + c.tsOffset) | 0, tsEcr);
    to += Options.TIMESTAMPS_LENGTH;
  }
  if (isReply ? c.sackOk === 1 : tcp.options.sack) {
    Options.writeSackPermitted(tcp.view, to);
    to += 4;
  }
  if (isReply && c.opening!.cookieDue === 1) to += writeCookie(tcp, c, to);
  const room = at + OPTIONS_END - to;
  if (isReply && c.ecn !== null && c.ecn.mode === ACCURATE && room >= Options.ACCECN_LENGTH) {
    Options.writeAccEcn(tcp.view, to, c.ecn.ect0Bytes, c.ecn.ceBytes, c.ecn.ect1Bytes);
    to += Options.ACCECN_LENGTH;
  }
  return to - at;
}
