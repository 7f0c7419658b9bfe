/**
 * Segment arrives, connection found: RFC 9293 3.10.7.3 and 3.10.7.4, in their order.   hot path
 *
 * The steady state - established, in order, nothing unusual - takes the first branch of
 * arrives(); everything else goes through the numbered steps below it.
 * @module
 */
import * as Drop from '../base/drops.ts';
import { FLUSHED } from '../base/events.ts';
import { ACK, FIN, RST, SYN, URG } from '../wire/tcp.ts';
import { end, finish } from './close.ts';
import { ACK_NOW, type Connection } from './connection.ts';
import { earlyReset } from './early.ts';
import { ecnArrives } from './ecn.ts';
import { crossed, established, QUICK_ACKS, synSent } from './handshake.ts';
import { disorderOf } from './parts.ts';
import { isFresh, isMissing, remember } from './paws.ts';
import { receive } from './receiver.ts';
import { reset } from './reset.ts';
import { oweDsack } from './sack.ts';
import type { Segment } from './segment.ts';
import { ackIsAcceptable, acknowledge } from './sender.ts';
import * as State from './state.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';
import { enterTimeWait, reopen } from './time-wait.ts';
import { armEnd } from './timers.ts';
import { enter } from './trace.ts';
import { urgentArrives } from './urgent.ts';

const UNUSUAL = SYN | FIN | RST | URG | ACK;
/** Between two challenge ACKs of one connection at least this many ms pass (RFC 5961 7). */
const CHALLENGE_INTERVAL_MS = 500;

/** A segment for this connection. */
export function arrives(tcp: Tcp, c: Connection, s: Segment): void {
  if (
    c.state === State.ESTABLISHED &&
    s.seq === c.rcvNxt &&
    (s.flags & UNUSUAL) === ACK &&
    s.dataLength <= ((c.rcvAdv - c.rcvNxt) | 0) &&
    c.orphan === 0 &&
    ackIsAcceptable(c, s.ack) &&
    (c.tsOk === 0 || timestampIsFine(tcp, c))
  ) {
    // On a fast path most segments carry the millisecond of the one before.
    if (c.tsOk === 1 && tcp.optionValues.tsVal !== c.tsRecent) {
      remember(c, tcp.optionValues, s.seq, tcp.clock.ms);
    }
    const ecn = c.ecn;
    if (ecn !== null) ecnArrives(tcp, c, s, ecn);
    acknowledge(tcp, c, s);
    if (s.dataLength > 0) {
      c.dataSegmentsIn = (c.dataSegmentsIn + 1) | 0;
      c.lastDataAt = tcp.clock.ms;
      receive(tcp, c, s);
    } else {
      c.bareSegmentsIn = (c.bareSegmentsIn + 1) | 0;
      c.lastBareAt = tcp.clock.ms;
    }
    return;
  }
  if (s.dataLength > 0) c.dataSegmentsIn = (c.dataSegmentsIn + 1) | 0;
  else c.bareSegmentsIn = (c.bareSegmentsIn + 1) | 0;
  if (c.state === State.SYN_SENT) synSent(tcp, c, s);
  else synchronized(tcp, c, s);
}

/**
 * The peer lives. Only for what has its sequence number and its acknowledgment right: otherwise
 * anybody who knows the ports could put off the keepalive that finds out about a dead one.
 */
function noteHeard(c: Connection, s: Segment, nowMs: number): void {
  if (s.dataLength > 0) c.lastDataAt = nowMs;
  else c.lastBareAt = nowMs;
  if (c.patience !== null) c.patience.probesUnanswered = 0;
}

function synchronized(tcp: Tcp, c: Connection, s: Segment): void {
  // A SYN on a connection in TIME-WAIT may open the next one (RFC 9293 3.10.7.4, RFC 6191).
  if (c.state === State.TIME_WAIT && reopen(tcp, c, s)) return;
  // First: the timestamp (RFC 7323 5.3 R1) and the sequence number.
  const now = tcp.clock.ms;
  if (!(s.flags & RST) && c.tsOk === 1) {
    if (isMissing(c, tcp.optionValues)) {
      tcp.drops[Drop.TCP_NO_TIMESTAMP]! += 1;
      return;
    }
    if (!isFresh(c, tcp.optionValues, now)) return outdated(tcp, c, s);
  }
  if (!sequenceIsAcceptable(c, s)) return unacceptable(tcp, c, s);
  if (!(s.flags & RST)) remember(c, tcp.optionValues, s.seq, now);
  // Second: RST. Only the exact next number resets, and none before it is answered (RFC 5961 3.2).
  if (s.flags & RST) {
    if (s.seq === c.rcvNxt || hasNumberOfFin(c, s)) resetByPeer(tcp, c);
    else if (((s.seq - c.rcvNxt) | 0) > 0) challenge(tcp, c);
    else tcp.drops[Drop.TCP_OUT_OF_WINDOW]! += 1;
    return;
  }
  // Fourth: SYN. It cannot be the peer's, or the peer has lost its memory (RFC 5961 4.2).
  if (s.flags & SYN) return challenge(tcp, c);
  // Fifth: ACK.
  if (!(s.flags & ACK)) return;
  if (!acknowledged(tcp, c, s)) return;
  noteHeard(c, s, now);
  // Sixth: URG. The program hears of it; the data stays in line (RFC 6093).
  if (s.flags & URG) urgentArrives(tcp, c, s);
  // Seventh and eighth: data and FIN.
  if (trimToWindow(c, s)) acknowledgeNow(tcp, c);
  if (State.receives(c.state)) {
    if (c.orphan === 1 && s.dataLength > 0) return lateData(tcp, c, s);
    receive(tcp, c, s);
  } else if (c.state === State.TIME_WAIT && s.flags & FIN) {
    armEnd(tcp.wheel, c, (tcp.clock.ms + tcp.options.timeWaitMs) | 0);
    acknowledgeNow(tcp, c);
  }
}

function timestampIsFine(tcp: Tcp, c: Connection): boolean {
  const values = tcp.optionValues;
  return values.timestamps === 1 && isFresh(c, values, tcp.clock.ms);
}

/**
 * PAWS: an ACK tells an honest peer where we stand. A bare ACK that another one overtook is not
 * answered each time: on a path that reorders there are as many of them as of segments.
 */
function outdated(tcp: Tcp, c: Connection, s: Segment): void {
  tcp.drops[Drop.TCP_OLD_TIMESTAMP]! += 1;
  oweOld(c, s);
  if (s.length > 0) return acknowledgeNow(tcp, c);
  if (mayAnswer(c, tcp.clock.ms)) acknowledgeNow(tcp, c);
}

/** RFC 9293 table 6, with the allowance that a closed window still takes ACKs at rcvNxt. */
function sequenceIsAcceptable(c: Connection, s: Segment): boolean {
  const window = (c.rcvAdv - c.rcvNxt) | 0;
  const length = s.length;
  const first = (s.seq - c.rcvNxt) | 0;
  if (first === 0) return true;
  if (window === 0) return false;
  if (first > 0) return first < window;
  return length > 0 && first + length > 0;
}

function unacceptable(tcp: Tcp, c: Connection, s: Segment): void {
  if (s.flags & RST && hasNumberOfFin(c, s)) return resetByPeer(tcp, c);
  const old = ((s.seq - c.rcvNxt) | 0) < 0;
  if (old) duplicate(tcp, c, s);
  else tcp.drops[Drop.TCP_OUT_OF_WINDOW]! += 1;
  if (s.flags & RST) return;
  if (c.state === State.SYN_RECEIVED && s.flags & SYN && s.seq === c.opening!.irs) {
    if (crossed(tcp, c, s)) return;
    if (!(s.flags & ACK)) {
      // Our SYN-ACK was lost.
      c.synDue = 1;
      tcp.makeReady(c);
      return;
    }
  }
  // An old segment's ACK is good news all the same: keepalives and probes look like this.
  if (old && s.flags & ACK && c.state !== State.SYN_RECEIVED && ackIsAcceptable(c, s.ack)) {
    noteHeard(c, s, tcp.clock.ms);
  }
  if (c.state === State.TIME_WAIT && s.flags & FIN) {
    armEnd(tcp.wheel, c, (tcp.clock.ms + tcp.options.timeWaitMs) | 0);
  }
  // Two ends that disagree would answer each other's bare segments for ever.
  if (s.flags & SYN) challenge(tcp, c);
  else if (s.length > 0 || mayAnswer(c, tcp.clock.ms)) acknowledgeNow(tcp, c);
}

/**
 * Data that is here already: the sender hears which (DSACK, RFC 2883). It missed an ACK, so the
 * next ones do not wait, as Linux has it.
 */
function duplicate(tcp: Tcp, c: Connection, s: Segment): void {
  tcp.stats[Stats.DUPLICATES]! += 1;
  if (s.dataLength > 0) c.quickAcks = QUICK_ACKS;
  oweOld(c, s);
}

/** What of the segment lies before rcvNxt came before, a FIN's number included (RFC 2883 4). */
function oweOld(c: Connection, s: Segment): void {
  const old = (c.rcvNxt - s.seq) | 0;
  if (old <= 0 || s.length === 0 || s.flags & (SYN | RST)) return;
  // Before the peer's first byte there is nothing that it could have sent twice.
  if (c.state === State.SYN_RECEIVED) return;
  oweDsack(c, s.seq, old < s.length ? c.rcvNxt : (s.seq + s.length) | 0);
}

/** Fifth, check the ACK field; false when the segment is done with. */
function acknowledged(tcp: Tcp, c: Connection, s: Segment): boolean {
  if (c.state === State.SYN_RECEIVED) {
    const acceptable = ((s.ack - c.sndUna) | 0) > 0 && ((s.ack - c.sndNxt) | 0) <= 0;
    if (!acceptable) {
      reset(tcp, s.ack, 0, 0);
      return false;
    }
    if (!established(tcp, c, s)) return false;
  }
  if (!ackIsAcceptable(c, s.ack)) {
    tcp.drops[Drop.TCP_BAD_ACK]! += 1;
    challenge(tcp, c);
    return false;
  }
  if (c.ecn !== null) ecnArrives(tcp, c, s, c.ecn);
  acknowledge(tcp, c, s);
  if (c.finQueued === 1 && ((c.sndUna - c.finAt) | 0) > 0) return finAcknowledged(tcp, c);
  return true;
}

/** Our FIN is acknowledged; false when that was the end. */
function finAcknowledged(tcp: Tcp, c: Connection): boolean {
  const after = State.next(c.state, State.FIN_ACKED);
  if (after === c.state) return true;
  enter(tcp, c, after);
  if (c.socket !== null) tcp.events.raise(c.socket, FLUSHED);
  if (c.state === State.CLOSED) {
    finish(tcp, c);
    return false;
  }
  if (c.state === State.TIME_WAIT) enterTimeWait(tcp, c);
  else if (c.orphan === 1) armEnd(tcp.wheel, c, (tcp.clock.ms + tcp.options.finWait2Ms) | 0);
  return true;
}

/**
 * Cuts off what lies before rcvNxt, of which the peer hears (DSACK, RFC 2883 4.2), and behind the
 * window; true when the window was too small.
 */
function trimToWindow(c: Connection, s: Segment): boolean {
  const old = (c.rcvNxt - s.seq) | 0;
  if (old > 0) {
    oweOld(c, s);
    s.trimFront(old);
  }
  const length = s.dataLength;
  const room = (c.rcvAdv - s.seq) | 0;
  s.trimBack(room > 0 ? room : 0);
  return s.dataLength < length;
}

/**
 * Some peers (Darwin) send FIN, then RST with the number of the FIN. Taken as Linux takes it, where
 * their FIN has come and the connection would wait for them: a blind attacker has two numbers to hit.
 */
function hasNumberOfFin(c: Connection, s: Segment): boolean {
  if (((c.rcvNxt - s.seq) | 0) !== 1) return false;
  const { state } = c;
  return state === State.CLOSE_WAIT || state === State.CLOSING || state === State.LAST_ACK;
}

function resetByPeer(tcp: Tcp, c: Connection): void {
  if (c.state === State.TIME_WAIT && tcp.options.ignoreTimeWaitRst) return;
  if (c.state === State.SYN_RECEIVED) {
    tcp.stats[Stats.ATTEMPT_FAILS]! += 1;
    const came = c.opening!.listener !== null;
    if (c.opening!.early === 1) {
      earlyReset(tcp, c);
      return end(tcp, c, 'ECONNRESET');
    }
    if (came) tcp.stats[Stats.EMBRYONIC_RESETS]! += 1;
    end(tcp, c, came ? '' : 'ECONNREFUSED');
    return;
  }
  const orderly =
    c.state === State.TIME_WAIT || c.state === State.LAST_ACK || c.state === State.CLOSING;
  if (!orderly) tcp.stats[Stats.ESTAB_RESETS]! += 1;
  // Behind its FIN the peer has nothing to take back: unread input stays readable.
  if (orderly) finish(tcp, c);
  else end(tcp, c, 'ECONNRESET');
}

/** An ACK that tells an honest peer where we stand and an attacker nothing new. */
function challenge(tcp: Tcp, c: Connection): void {
  tcp.drops[Drop.TCP_CHALLENGED]! += 1;
  if (!mayAnswer(c, tcp.clock.ms)) {
    tcp.drops[Drop.TCP_CHALLENGE_LIMITED]! += 1;
    return;
  }
  tcp.stats[Stats.CHALLENGE_ACKS]! += 1;
  acknowledgeNow(tcp, c);
}

/** True once per interval: what is odd is not answered more often than that. */
function mayAnswer(c: Connection, nowMs: number): boolean {
  const disorder = disorderOf(c);
  const since = (nowMs - disorder.challengedAt) | 0;
  if (disorder.challenged === 1 && since < CHALLENGE_INTERVAL_MS) return false;
  disorder.challenged = 1;
  disorder.challengedAt = nowMs;
  return true;
}

function acknowledgeNow(tcp: Tcp, c: Connection): void {
  c.ackDue = ACK_NOW;
  tcp.makeReady(c);
}

/**
 * Data for a program that has closed its socket (RFC 2525 2.17). What the peer acknowledges is the
 * number that it expects: the only one with which it takes a RST (RFC 5961 3.2).
 */
function lateData(tcp: Tcp, c: Connection, s: Segment): void {
  tcp.drops[Drop.TCP_AFTER_CLOSE]! += 1;
  tcp.stats[Stats.ABORTS_ON_DATA]! += 1;
  reset(tcp, s.ack, 0, 0);
  end(tcp, c, '');
}
