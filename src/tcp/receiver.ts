/**
 * The receive side: data in and out of order, the window, when to acknowledge.   hot path
 *
 * Out-of-order bytes are copied to where they belong in the receive buffer right away; only
 * their ranges are remembered. RFC 9293 3.10.7.4 seventh and eighth, 3.8.6.2.2, 3.8.6.3.
 * @module
 */
import * as Drop from '../base/drops.ts';
import { ENDED, READABLE } from '../base/events.ts';
import type { IntervalSet } from '../storage/interval-set.ts';
import { FIN } from '../wire/tcp.ts';
import { ACK_DELAYED, ACK_NOW, type Connection } from './connection.ts';
import { measureReading, receiveLimit } from './memory.ts';
import { disorderOf } from './parts.ts';
import { oweDsack } from './sack.ts';
import type { Segment } from './segment.ts';
import { FIN_RECEIVED, next, TIME_WAIT } from './state.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';
import { enterTimeWait } from './time-wait.ts';
import { enter } from './trace.ts';

/** ACKs for one burst of out-of-order segments, at most. */
const MOST_DUPLICATE_ACKS = 8;

/**
 * The window to put into a segment now, in bytes; moves rcvAdv along. Opens only by a worthwhile
 * step (RFC 9293 3.8.6.2.2). What was promised stays promised: data up to rcvAdv is taken.
 */
export function newWindow(c: Connection, limit: number): number {
  const offered = (c.rcvAdv - c.rcvNxt) | 0;
  let free = limit - c.rcv.length;
  const largest = largestWindow(c);
  if (free > largest) free = largest;
  free = (free >> c.rcvWndScale) << c.rcvWndScale;
  if (free - offered < smallestStep(c, limit)) return keptWindow(c, offered, limit);
  c.rcvAdv = (c.rcvNxt + free) | 0;
  return free;
}

/**
 * What is offered, in units of the scale: rounded up, so that the right edge on the wire does not
 * move back (RFC 9293 3.8.6). But then each segment may move it on, and small ones that nobody reads
 * would make the buffer grow without end: an eighth above its limit the scale rounds down (RFC 7323 2.4).
 */
function keptWindow(c: Connection, offered: number, limit: number): number {
  const unit = 1 << c.rcvWndScale;
  const up = (offered + unit - 1) & -unit;
  if (up === offered || c.rcv.length + up > limit + (limit >> 3)) return offered;
  c.rcvAdv = (c.rcvNxt + up) | 0;
  return up;
}

/** What 16 bits and the agreed scale can express. */
function largestWindow(c: Connection): number {
  return 65535 << c.rcvWndScale;
}

/** Less than a segment, or half the buffer, is not worth announcing. */
function smallestStep(c: Connection, limit: number): number {
  return c.rcvMss < limit >> 1 ? c.rcvMss : limit >> 1;
}

/** Takes the segment's data, which was cut to the window, and its FIN. */
export function receive(tcp: Tcp, c: Connection, s: Segment): void {
  if ((s.flags & FIN) !== 0 || c.finSeen === 1) endAtFin(tcp, c, s);
  if (s.dataLength > 0 && !takeData(tcp, c, s)) return;
  if ((s.flags & FIN) !== 0 && c.finSeen === 0) {
    const finSeq = (s.seq + s.dataLength) | 0;
    if (finSeq === c.rcvNxt) return takeFin(tcp, c);
    c.finSeen = 1;
    disorderOf(c).finSeq = finSeq;
    c.ackDue = ACK_NOW;
    tcp.makeReady(c);
  }
  if (c.finSeen === 1 && c.rcvNxt === c.disorder!.finSeq) takeFin(tcp, c);
}

/** Nothing follows a FIN: what a broken peer sends, or has sent, behind it is not taken. */
function endAtFin(tcp: Tcp, c: Connection, s: Segment): void {
  if (c.finSeen === 1) {
    const left = (c.disorder!.finSeq - s.seq) | 0;
    s.trimBack(left > 0 ? left : 0);
    return;
  }
  const intervals = c.outOfOrder;
  if (intervals === null) return;
  const finSeq = (s.seq + s.dataLength) | 0;
  if (((intervals.end(intervals.count - 1) - finSeq) | 0) <= 0) return;
  tcp.records.giveIntervals(intervals);
  c.outOfOrder = null;
}

/** False when the data had to be dropped. */
function takeData(tcp: Tcp, c: Connection, s: Segment): boolean {
  const offset = (s.seq - c.rcvNxt) | 0;
  const place = c.rcv.length + offset;
  if (offset > 0) return takeOutOfOrder(tcp, c, s, place);
  const needed = place + s.dataLength;
  const isShort = tcp.heap.live > tcp.memory.high && needed > c.rcv.size;
  if (isShort || !c.rcv.reserve(tcp.heap, needed)) {
    if (!tcp.memory.makeRoom(tcp, c, needed)) return noBuffer(tcp, c);
  }
  c.rcv.place(tcp.heap, place, s.dataAt, s.dataLength);
  let added = s.dataLength;
  if (c.outOfOrder !== null) {
    noteOverlap(c, c.outOfOrder, s.seq, (s.seq + added) | 0);
    added = closeHole(tcp, c, added);
  }
  c.rcv.extend(added);
  c.rcvNxt = (c.rcvNxt + added) | 0;
  if (s.dataLength > c.rcvMss) c.rcvMss = s.dataLength < c.mss ? s.dataLength : c.mss;
  scheduleAck(tcp, c, added !== s.dataLength || c.outOfOrder !== null);
  if (c.socket !== null) tcp.events.raise(c.socket, READABLE);
  return true;
}

/** The peer keeps its data and sends it again. */
function noBuffer(tcp: Tcp, c: Connection): boolean {
  tcp.drops[Drop.TCP_NO_BUFFER]! += 1;
  c.ackDue = ACK_NOW;
  tcp.makeReady(c);
  return false;
}

function takeOutOfOrder(tcp: Tcp, c: Connection, s: Segment, place: number): boolean {
  const needed = place + s.dataLength;
  if (needed > c.rcv.size && !tcp.memory.mayHoldEarly(c, needed, s.dataLength)) {
    return noBuffer(tcp, c);
  }
  if (!c.rcv.reserve(tcp.heap, needed)) return noBuffer(tcp, c);
  tcp.stats[Stats.OUT_OF_ORDER]! += 1;
  tcp.records.tallyOf(c).outOfOrder++;
  const disorder = disorderOf(c);
  disorder.lastArrived = s.seq;
  if (disorder.duplicatesOwed < MOST_DUPLICATE_ACKS) disorder.duplicatesOwed++;
  c.ackDue = ACK_NOW;
  tcp.makeReady(c);
  if (c.outOfOrder === null) {
    c.outOfOrder = tcp.records.takeIntervals();
    tcp.memory.disordered(tcp, c);
  }
  const end = (s.seq + s.dataLength) | 0;
  noteOverlap(c, c.outOfOrder, s.seq, end);
  const held = c.outOfOrder.indexOf(s.seq);
  if (held >= 0 && ((c.outOfOrder.end(held) - end) | 0) >= 0) {
    tcp.stats[Stats.DUPLICATES]! += 1;
    return false;
  }
  if (!c.outOfOrder.add(s.seq, end)) {
    tcp.drops[Drop.TCP_TOO_MANY_HOLES]! += 1;
    return false;
  }
  c.rcv.place(tcp.heap, place, s.dataAt, s.dataLength);
  return true;
}

/** [first, end) arrived: what of it had come early is a duplicate (DSACK, RFC 2883 4.2). */
function noteOverlap(c: Connection, held: IntervalSet, first: number, end: number): void {
  const at = held.indexOfOverlap(first, end);
  // What lies before rcvNxt is told of already: a segment has one duplicate to tell of.
  if (at < 0 || c.dsackDue === 1) return;
  const from = held.first(at);
  const to = held.end(at);
  oweDsack(c, ((from - first) | 0) > 0 ? from : first, ((end - to) | 0) > 0 ? to : end);
}

/** `added` bytes arrived at rcvNxt: returns how many are contiguous now. */
function closeHole(tcp: Tcp, c: Connection, added: number): number {
  const intervals = c.outOfOrder!;
  const end = intervals.takeFrom((c.rcvNxt + added) | 0);
  if (intervals.count === 0) {
    tcp.records.giveIntervals(intervals);
    c.outOfOrder = null;
  }
  return (end - c.rcvNxt) | 0;
}

/** RFC 9293 3.8.6.3: at least every second full segment; at once when there was a hole. */
function scheduleAck(tcp: Tcp, c: Connection, hole: boolean): void {
  const owed = (c.rcvNxt - c.lastAckSent) | 0;
  if (hole || c.quickAcks > 0 || owed >= 2 * c.rcvMss) {
    if (c.quickAcks > 0) c.quickAcks--;
    c.ackDue = ACK_NOW;
    tcp.makeReady(c);
  } else if (c.ackDue !== ACK_DELAYED) {
    c.ackDue = ACK_DELAYED;
    tcp.delayAck(c);
  }
}

function takeFin(tcp: Tcp, c: Connection): void {
  c.finSeen = 2;
  c.rcvNxt = (c.rcvNxt + 1) | 0;
  // A FIN has a number and needs no room: it may lie right behind a closed window.
  if (((c.rcvAdv - c.rcvNxt) | 0) < 0) c.rcvAdv = c.rcvNxt;
  c.ackDue = ACK_NOW;
  tcp.makeReady(c);
  enter(tcp, c, next(c.state, FIN_RECEIVED));
  if (c.socket !== null) tcp.events.raise(c.socket, ENDED);
  if (c.state === TIME_WAIT) enterTimeWait(tcp, c);
}

/**
 * The program has read `bytes`: the peer may have to hear that the window is open again. As
 * Linux does it, only when what it knows of is at most half of what it could know.
 */
export function windowOpened(tcp: Tcp, c: Connection): void {
  const read = (c.rcvNxt - c.rcv.length) | 0;
  if (((read - c.rcvMeasured) | 0) >= c.rcvLimit >> 2) measureReading(tcp, c, read);
  const largest = largestWindow(c);
  const buffer = receiveLimit(tcp, c);
  const limit = buffer < largest ? buffer : largest;
  const offered = (c.rcvAdv - c.rcvNxt) | 0;
  // After its FIN the peer sends no more, and may be gone: it would answer with RST.
  if (offered > limit >> 1 || c.finSeen === 2) return;
  const free = limit - c.rcv.length;
  if (free >= 2 * offered && free - offered >= smallestStep(c, limit)) {
    c.ackDue = ACK_NOW;
    tcp.makeReady(c);
  }
}
