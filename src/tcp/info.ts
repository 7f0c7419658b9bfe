/**
 * Everything a connection knows about itself, as an object made when it is asked for: at least
 * what Linux tells in struct tcp_info. info-linux.ts renders it under Linux's names and units.
 *
 * The steady path counts segments; unusual events count themselves (tally.ts); all the rest
 * follows from the connection's state.
 * @module
 */

import { RATE_UNIT } from './congestion/pacer.ts';
import { type Connection, FAST_RECOVERY, LOSS, OPEN, TIMER_PERSIST } from './connection.ts';
import { ASKED } from './ecn.ts';
import { offeredMss } from './sizes.ts';
import { SYN_SENT, stateName } from './state.ts';
import { Tally } from './tally.ts';
import type { Tcp } from './tcp.ts';
import { LOST, RETRANSMITTED, SACKED } from './transmissions.ts';

/** Segments are counted by the MSS; times are microseconds or milliseconds as their names end. */
export interface TcpInfo {
  /** As the RFC writes it: 'ESTABLISHED', 'FIN-WAIT-1', ... */
  state: string;
  /** 'disorder': something arrived out of order; 'recovery', 'loss': since duplicates, a timeout. */
  congestionState: 'open' | 'disorder' | 'recovery' | 'loss';
  /** Which algorithm decides on `cwndBytes`. */
  congestion: string;
  /** Timeouts, or zero-window probes, in a row without an answer. */
  retransmits: number;
  /** Zero-window or keepalive probes without an answer. */
  probes: number;
  /** How often the timeout has been doubled. */
  backoff: number;
  /** What both sides agreed on. */
  timestamps: boolean;
  sack: boolean;
  windowScaling: boolean;
  ecn: boolean;
  /** True once a packet of the peer's came that a router may mark. */
  ecnSeen: boolean;
  /** Shifts of the peer's window, and of ours. */
  sendScale: number;
  receiveScale: number;
  /** True when the connection has less to send than it could: rates then say little. */
  appLimited: boolean;
  /** Retransmission timeout, and how long an ACK may wait. */
  rtoMs: number;
  delayedAckMs: number;
  /** Payload bytes of the segments we send; the largest we received; what we told the peer. */
  sendMss: number;
  receiveMss: number;
  advertisedMss: number;
  /** Segments in flight; of these sacked; thought to be lost; sent again. */
  unacked: number;
  sacked: number;
  lost: number;
  retransmitted: number;
  /** Since sequence numbers were sent; since a segment arrived; since one with payload did. */
  lastSentMs: number;
  lastReceivedMs: number;
  lastDataReceivedMs: number;
  /** Largest IP packet of the path. */
  pathMtu: number;
  /** Smoothed round-trip time, its variation, the least of the last minutes; 0: not measured. */
  rttUs: number;
  rttVarUs: number;
  minRttUs: number;
  /** Congestion window and slow start threshold; Infinity: none yet. */
  cwndBytes: number;
  ssthreshBytes: number;
  /** Distance in segments that reordering is allowed before duplicates count as loss. */
  reordering: number;
  /** What it is paced at, or what its window and round trip come to, bytes per second. */
  pacingRate: number;
  maxPacingRate: number;
  /** Bytes per second that were delivered lately; 0 where the algorithm does not measure it. */
  deliveryRate: number;
  /** Most bytes we may offer as our window; what we offer; what the peer offers. */
  receiveWindowLimit: number;
  receiveWindow: number;
  sendWindow: number;
  /** Payload bytes: the peer's that arrived in order, ours that were acknowledged. */
  bytesReceived: number;
  bytesAcked: number;
  /** Payload bytes that left, repetitions included; of these repetitions. */
  bytesSent: number;
  bytesRetransmitted: number;
  /** Written and never sent. */
  notSentBytes: number;
  /** Segments, those with payload; each counter wraps at 2^32. */
  segmentsIn: number;
  segmentsOut: number;
  dataSegmentsIn: number;
  dataSegmentsOut: number;
  /** Segments sent again since the beginning. */
  totalRetransmits: number;
  /** Segments of ours that arrived, SYN included; of these with a congestion mark. */
  delivered: number;
  deliveredCe: number;
  /** Duplicates the peer told us of; times the path was seen to reorder; arrivals ahead of a hole. */
  dsacksIn: number;
  reorderingSeen: number;
  outOfOrderIn: number;
  /** Retransmission timeouts, the recoveries they began, how long those took or take. */
  timeouts: number;
  timeoutRecoveries: number;
  timeoutMs: number;
}

const NOTHING_UNUSUAL = new Tally();
/** What ssthresh is before the first loss. */
const NO_THRESHOLD = 0x3fffffff;
/** RFC 5681: duplicates that count as a loss. */
const REORDERING = 3;
/** Slow start wants to double the window in a round trip, avoidance to feel for room. */
const PACING_SLOW_START = 2;
const PACING_AVOIDANCE = 1.2;

/**
 * What there is to know of a connection now.
 * @param bytesRead what its program has read
 * @param bytesWritten what its program has written
 */
export function infoOf(tcp: Tcp, c: Connection, bytesRead: number, bytesWritten: number): TcpInfo {
  const tally = c.tally ?? NOTHING_UNUSUAL;
  const unsent = unsentBytes(c);
  const segments = inFlight(c);
  const dataOut = c.dataSegmentsOut >>> 0;
  return {
    ...agreed(c),
    ...sizes(c),
    ...times(tcp, c, tally),
    ...rates(c, unsent),
    ...segments,
    state: stateName(c.state),
    congestionState: congestionState(c, segments.sacked),
    congestion: c.congestion.name,
    retransmits: c.retries,
    probes: (c.timers & TIMER_PERSIST) !== 0 ? c.retries : (c.patience?.probesUnanswered ?? 0),
    backoff: c.backoff,
    reordering: REORDERING,
    bytesReceived: bytesRead + c.rcv.length,
    bytesAcked: bytesWritten - c.snd.length,
    bytesSent: bytesWritten - unsent + tally.bytesRetransmitted,
    bytesRetransmitted: tally.bytesRetransmitted,
    notSentBytes: unsent,
    segmentsIn: (c.dataSegmentsIn + c.bareSegmentsIn) >>> 0,
    segmentsOut: (c.dataSegmentsOut + c.bareSegmentsOut) >>> 0,
    dataSegmentsIn: c.dataSegmentsIn >>> 0,
    dataSegmentsOut: dataOut,
    totalRetransmits: tally.retransmits,
    delivered: delivered(c, dataOut - tally.retransmits, segments),
    deliveredCe: c.ecn === null ? 0 : c.ecn.deliveredCe,
    dsacksIn: tally.dsacksIn,
    reorderingSeen: tally.reorderings,
    outOfOrderIn: tally.outOfOrder,
    timeouts: tally.timeouts,
    timeoutRecoveries: tally.timeoutRecoveries,
  };
}

function unsentBytes(c: Connection): number {
  const unsent = c.unsent;
  if (unsent <= 0) return 0;
  return unsent < c.snd.length ? unsent : c.snd.length;
}

function agreed(
  c: Connection,
): Pick<
  TcpInfo,
  'timestamps' | 'sack' | 'windowScaling' | 'ecn' | 'ecnSeen' | 'sendScale' | 'receiveScale'
> {
  return {
    timestamps: c.tsOk === 1,
    sack: c.sackOk === 1,
    windowScaling: c.rcvWndScale > 0 || c.sndWndScale > 0,
    ecn: c.ecn !== null && c.ecn.mode !== ASKED,
    ecnSeen: c.ecn !== null && c.ecn.seen === 1,
    sendScale: c.sndWndScale > 0 ? c.sndWndScale : 0,
    receiveScale: c.rcvWndScale,
  };
}

function congestionState(c: Connection, sacked: number): TcpInfo['congestionState'] {
  if (c.recovery === FAST_RECOVERY) return 'recovery';
  if (c.recovery === LOSS) return 'loss';
  return sacked > 0 || c.dupAcks > 0 ? 'disorder' : 'open';
}

type InFlight = Pick<TcpInfo, 'unacked' | 'sacked' | 'lost' | 'retransmitted'>;

function inFlight(c: Connection): InFlight {
  const board = c.board;
  const mss = c.mss > 0 ? c.mss : 1;
  if (board === null) {
    return { unacked: Math.ceil(c.flight / mss), sacked: 0, lost: 0, retransmitted: 0 };
  }
  const again = board.segments(mss, RETRANSMITTED, SACKED | LOST);
  return {
    unacked: board.segments(mss, 0, 0),
    sacked: c.sackOk === 1 ? board.segments(mss, SACKED, 0) : c.dupAcks,
    // What was sent again counts as lost until one of the two arrives, unless it was a probe.
    lost: board.segments(mss, LOST, SACKED) + (c.recovery === OPEN ? 0 : again),
    retransmitted: again,
  };
}

/** Each first transmission has arrived or is still in flight; the SYN counts too. */
function delivered(c: Connection, sentOnce: number, now: InFlight): number {
  if (c.state <= SYN_SENT) return 0;
  const count = sentOnce + 1 - (now.unacked - now.sacked);
  return count > 1 ? count : 1;
}

function sizes(
  c: Connection,
): Pick<
  TcpInfo,
  | 'sendMss'
  | 'receiveMss'
  | 'advertisedMss'
  | 'pathMtu'
  | 'cwndBytes'
  | 'ssthreshBytes'
  | 'receiveWindowLimit'
  | 'receiveWindow'
  | 'sendWindow'
> {
  const path = c.path;
  return {
    sendMss: c.mss,
    receiveMss: c.rcvMss,
    advertisedMss: path === null ? 0 : offeredMss(path),
    pathMtu: path === null ? 0 : path.mtu,
    cwndBytes: c.cwnd,
    ssthreshBytes: c.ssthresh >= NO_THRESHOLD ? Number.POSITIVE_INFINITY : c.ssthresh,
    receiveWindowLimit: Math.min(c.rcvLimit, 65535 << c.rcvWndScale),
    receiveWindow: (c.rcvAdv - c.rcvNxt) | 0,
    sendWindow: c.sndWnd,
  };
}

function times(
  tcp: Tcp,
  c: Connection,
  tally: Tally,
): Pick<
  TcpInfo,
  | 'rtoMs'
  | 'delayedAckMs'
  | 'lastSentMs'
  | 'lastReceivedMs'
  | 'lastDataReceivedMs'
  | 'rttUs'
  | 'rttVarUs'
  | 'minRttUs'
  | 'timeoutMs'
> {
  const now = tcp.clock.ms;
  const going = c.recovery === LOSS ? (now - tally.timeoutSince) | 0 : 0;
  return {
    rtoMs: c.rtoMs,
    delayedAckMs: tcp.options.delayedAckMs,
    lastSentMs: (now - c.lastSentAt) | 0,
    lastReceivedMs: (now - c.lastReceivedAt) | 0,
    lastDataReceivedMs: (now - c.lastDataAt) | 0,
    rttUs: c.srtt >> 3,
    rttVarUs: c.rttvar >> 2,
    minRttUs: c.minRtt,
    timeoutMs: tally.timeoutMs + going,
  };
}

function rates(
  c: Connection,
  unsent: number,
): Pick<TcpInfo, 'appLimited' | 'pacingRate' | 'maxPacingRate' | 'deliveryRate'> {
  const pacer = c.pacer;
  const sample = pacer === null || pacer.model === null ? null : pacer.model.rate;
  const idle = unsent === 0 && c.flight < c.cwnd;
  return {
    appLimited: sample === null ? idle : sample.appLimited === 1,
    pacingRate: pacer === null || pacer.rate === 0 ? windowRate(c) : perSecond(pacer.rate),
    maxPacingRate: Number.POSITIVE_INFINITY,
    deliveryRate: sample === null ? 0 : perSecond(sample.rate),
  };
}

/** The window in a round trip, and some more so that the window can grow, bytes per second. */
function windowRate(c: Connection): number {
  const rtt = c.srtt >> 3;
  const factor = c.cwnd < c.ssthresh >> 1 ? PACING_SLOW_START : PACING_AVOIDANCE;
  return rtt === 0 ? 0 : Math.floor((factor * c.cwnd * 1e6) / rtt);
}

/** A rate of the pacer's in bytes per second. */
function perSecond(rate: number): number {
  return Math.floor((rate * 1000) / RATE_UNIT);
}
