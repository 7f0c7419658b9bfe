/**
 * A connection: the transmission control block of RFC 9293 3.3.1, under the RFC's names.
 *
 * This is state only. What arrives is the business of input.ts, receiver.ts and sender.ts; what
 * leaves of output.ts; each field is written by the one its group names. Connections are pooled:
 * a socket lets go of its connection when it ends, so nobody sees the next user of the record.
 * Fields are int32: sequence numbers wrap (base/seq.ts), times are clock readings.
 * @module
 */
import type { Path } from '../net/path.ts';
import { ByteRing } from '../storage/byte-ring.ts';
import type { IntervalSet } from '../storage/interval-set.ts';
import type { CongestionControl } from './congestion/congestion.ts';
import type { Control } from './congestion/control.ts';
import { cubic } from './congestion/cubic.ts';
import type { Growth } from './congestion/growth.ts';

import type { Pacer } from './congestion/pacer.ts';
import type { Ecn } from './ecn.ts';
import type { Choices, Disorder, Loss, Opening, Patience, Probing } from './parts.ts';

import type { Scoreboard } from './scoreboard.ts';
import type { TcpSocket } from './socket.ts';
import { CLOSED } from './state.ts';
import type { Tally } from './tally.ts';

/** Bits of `timers`: which deadlines are armed. */
export const TIMER_RETRANSMIT = 1;
export const TIMER_PERSIST = 2;
export const TIMER_DELAYED_ACK = 4;
export const TIMER_KEEPALIVE = 8;
/** TIME-WAIT, or an orphan's patience in FIN-WAIT-2. */
export const TIMER_END = 16;
/** RACK: a segment that may be lost, or only late (RFC 8985 6.2 step 5). */
export const TIMER_REORDER = 64;
/** Tail loss probe. */
export const TIMER_TLP = 128;
/** The pacer lets it send again. */
export const TIMER_PACE = 512;
/** RFC 5482: how long data may stay unacknowledged. */
export const TIMER_USER = 32;
/** TCP_CORK: how long less than a segment is held back. */
export const TIMER_CORK = 256;

/** Values of `recovery`. */
export const OPEN = 0;
export const FAST_RECOVERY = 1;
export const LOSS = 2;

/** Values of `ackDue`. */
export const ACK_NONE = 0;
export const ACK_DELAYED = 1;
export const ACK_NOW = 2;

/**
 * Fields lie in memory in the order they are declared in. Those that nearly every segment touches
 * come first and together: with many connections at work the time goes into cache lines, not into
 * instructions.
 */
export class Connection {
  /** Place in the slab, also the timer's number. */
  readonly index: number;
  state = CLOSED;

  // Identity, the key of the flow table: the ports as the peer's segments have them, and the last
  // words of the addresses. For IPv4 that is all; the other words of IPv6 are the path's.
  ports = 0;
  local3 = 0;
  remote3 = 0;
  version = 4;

  // Receive sequence space (receiver.ts).
  rcvNxt = 0;
  /** Right edge of the window as the peer knows it: rcvNxt + RCV.WND. Never moves back. */
  rcvAdv = 0;
  /** 1 once the program closed the socket: what still arrives has no reader. */
  orphan = 0;
  /** 1 when both sides send timestamps. */
  tsOk = 0;
  /** TS.Recent (RFC 7323 4.3), and when it was taken (ms). */
  tsRecent = 0;
  tsRecentAt = 0;
  /** rcvNxt in the last ACK sent. */
  lastAckSent = 0;
  /** When a segment last arrived, with payload and without (ms). */
  lastDataAt = 0;
  lastBareAt = 0;
  /** Most bytes held for reading (memory.ts); what the program had read when it was last weighed, and when (us). */
  rcvLimit = 0;
  rcvMeasured = 0;
  rcvMeasuredAt = 0;
  /** Segments that arrived with data, and without (info.ts); they wrap. */
  dataSegmentsIn = 0;
  bareSegmentsIn = 0;

  // Send sequence space (sender.ts, output.ts).
  sndUna = 0;
  sndNxt = 0;
  sndWnd = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  /** Largest window the peer ever offered: for SWS avoidance and RFC 5961. */
  maxSndWnd = 0;
  sndWndScale = 0;
  /** Sequence number of the first byte in `snd`. */
  sndBase = 0;
  /** What is in flight; null while that is nothing, or a single transmission sent at firstSentAt (us). */
  board: Scoreboard | null = null;
  firstSentAt = 0;
  readonly snd: ByteRing = new ByteRing();
  readonly rcv: ByteRing = new ByteRing();
  path: Path | null = null;
  /** The program's end; null until accepted, and after the program let go. */
  socket: TcpSocket | null = null;
  /** Payload bytes a segment may carry. */
  mss = 0;
  /** 1 once the program wants a FIN after what is buffered. */
  finQueued = 0;
  /** 1 when a write was cut short: the program waits for WRITABLE. */
  wantsRoom = 0;

  // Round-trip time (rtt.ts): microseconds, scaled as in RFC 6298's appendix.
  srtt = 0;
  rttvar = 0;
  rtoMs = 0;
  /** Least round-trip time of the last minutes, and when it was seen (ms). */
  minRtt = 0;
  minRttAt = 0;
  backoff = 0;

  // Congestion (congestion/): bytes.
  control: Control = cubic.shared;
  cwnd = 0;
  ssthresh = 0;

  // Timers (timers.ts): milliseconds. Armed ones as bits, and the entry on the wheel.
  timers = 0;
  onWheel = 0;
  wheelAt = 0;
  retransmitAt = 0;
  tlpAt = 0;
  delayedAckAt = 0;
  retries = 0;

  // What the next turn of output() is to do.
  /** 1 while on its interface's ready list. */
  ready = 0;
  ackDue = ACK_NONE;
  /** 1 when a SYN (or SYN-ACK) is to be sent (again). */
  synDue = 0;
  /** 1 when a probe (sndUna - 1, no data) is to be sent. */
  probeDue = 0;
  /** 1 when a tail loss probe is to be sent. */
  tlpDue = 0;
  noDelay = 0;
  /** When something was last sent (ms): cwnd is not trusted after idling. */
  lastSentAt = 0;
  /** Segments that were sent with data, and without (info.ts); they wrap. */
  dataSegmentsOut = 0;
  bareSegmentsOut = 0;
  /** End of the last segment sent that was not full (Minshall). */
  sndSml = 0;
  /** What the program chose other than the default; null: nothing. */
  choices: Choices | null = null;
  /** The search for a larger MTU; null while there is nothing to search. */
  probing: Probing | null = null;
  rcvWndScale = 0;
  /** What is added to our clock in timestamps, so that it tells nothing. */
  tsOffset = 0;
  outOfOrder: IntervalSet | null = null;
  /** A duplicate that the peer is to hear of (DSACK). */
  dsackDue = 0;
  /** 1 once a FIN is known at finSeq, even while data before it is missing; 2 once received. */
  finSeen = 0;
  /** Payload of the largest segment so far: what "full sized" means for ACKs. */
  rcvMss = 0;
  /** ACKs that are still sent at once, so that a peer in slow start gets going. */
  quickAcks = 0;
  /** 1 when both sides said that they understand SACK. */
  sackOk = 0;
  recovery = OPEN;
  /** Duplicate ACKs in a row; without SACK each stands for a segment that arrived. */
  dupAcks = 0;
  /** 1 while a tail loss probe is out (RFC 8985 7). */
  tlpOut = 0;

  // From here on what a steady connection does not touch. More of that is in parts.ts, and what
  // is new and not for every connection belongs there, too: each is null while not needed.
  /** What it counts of the unusual; null while nothing unusual has happened. */
  tally: Tally | null = null;
  /** TIME-WAIT's end, or that of an orphan's patience. */
  endAt = 0;
  opening: Opening | null = null;
  loss: Loss | null = null;
  growth: Growth | null = null;
  disorder: Disorder | null = null;
  patience: Patience | null = null;

  constructor(index: number) {
    this.index = index;
  }

  /** Makes the record, which may have served another connection before, as good as new. */
  prepare(path: Path, localPort: number, remotePort: number): void {
    this.path = path;
    this.version = path.version;
    this.local3 = path.local3;
    this.remote3 = path.remote3;
    this.ports = (remotePort << 16) | localPort;
    this.socket = null;
    this.orphan = 0;
    this.sndWnd = 0;
    this.maxSndWnd = 0;
    this.sndWndScale = 0;
    this.finQueued = 0;
    this.synDue = 0;
    this.probeDue = 0;
    this.wantsRoom = 0;
    this.rcvNxt = 0;
    this.rcvAdv = 0;
    this.rcvWndScale = 0;
    this.lastAckSent = 0;
    this.rcvMss = 0;
    this.ackDue = ACK_NONE;
    this.quickAcks = 0;
    this.finSeen = 0;
    this.dsackDue = 0;
    this.tsOk = 0;
    this.srtt = 0;
    this.rttvar = 0;
    this.backoff = 0;
    this.cwnd = 0;
    this.dupAcks = 0;
    this.recovery = OPEN;
    this.sackOk = 0;
    this.minRtt = 0;
    this.tlpDue = 0;
    this.tlpOut = 0;
    this.timers = 0;
    this.onWheel = 0;
    this.retries = 0;
    this.ready = 0;
    this.dataSegmentsIn = 0;
    this.bareSegmentsIn = 0;
    this.dataSegmentsOut = 0;
    this.bareSegmentsOut = 0;
  }

  get congestion(): CongestionControl {
    return this.control.algorithm;
  }

  set congestion(next: CongestionControl) {
    if (this.control.isShared) this.control = next.shared;
    else this.control.algorithm = next;
  }

  /** Only while it is paced. */
  get pacer(): Pacer | null {
    return this.control.pacer;
  }

  /** Only where ECN was agreed on, or asked for. */
  get ecn(): Ecn | null {
    return this.control.ecn;
  }

  get localPort(): number {
    return this.ports & 0xffff;
  }

  get remotePort(): number {
    return this.ports >>> 16;
  }

  /** When anything last arrived (ms). */
  get lastReceivedAt(): number {
    return ((this.lastDataAt - this.lastBareAt) | 0) > 0 ? this.lastDataAt : this.lastBareAt;
  }

  /** Bytes that were never sent; -1 when the FIN was, too. */
  get unsent(): number {
    return (this.sndBase + this.snd.length - this.sndNxt) | 0;
  }

  /** The sequence number of our FIN, once queued. */
  get finAt(): number {
    return (this.sndBase + this.snd.length) | 0;
  }

  /** Bytes sent and not acknowledged. */
  get flight(): number {
    return (this.sndNxt - this.sndUna) | 0;
  }

  /** Bytes thought to be in the network: RFC 6675's pipe. */
  get pipe(): number {
    const board = this.board;
    if (board === null) return this.flight;
    const pipe = this.flight - board.sackedBytes - board.lostBytes;
    if (this.sackOk === 1) return pipe;
    const left = pipe - this.dupAcks * this.mss;
    return left > 0 ? left : 0;
  }
}
