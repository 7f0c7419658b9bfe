/**
 * Explicit congestion notification: a router marks a packet (CE) instead of dropping it, the
 * receiver tells the sender, which slows down. RFC 3168, and accurate feedback, RFC 9768.   hot path
 *
 *     classic    ECE on every ACK from the first CE until CWR; the sender slows down, sends CWR
 *     accurate   the ACE field (AE, CWR and ECE) counts CE packets modulo 8, an option the bytes
 *
 * Only connections that agreed on it have a record. ECT(0) goes on new data alone, not on
 * retransmissions, bare ACKs and probes (RFC 3168 6.1.4 to 6.1.6). The handshake is
 * ecn-handshake.ts'.
 * @module
 */
import * as Wire from '../wire/tcp.ts';
import { ACCECN_LENGTH, writeAccEcn } from '../wire/tcp-options.ts';
import { type Connection, OPEN } from './connection.ts';
import type { Segment } from './segment.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';

/** Codepoints of the IP header's ECN field. */
export const NOT_ECT = 0;
export const ECT1 = 1;
export const ECT0 = 2;
export const CE = 3;

/** Values of `mode`. */
export const ASKED = 0;
export const CLASSIC = 1;
export const ACCURATE = 2;

/** Where the counters of RFC 9768 begin, so that a zeroed field is seen (3.2.1). */
export const FIRST_PACKETS = 5;
const FIRST_BYTES = 1;
const ACE_MASK = 7;
/** CE packets that the peer has not heard of, at which it is told at once (3.2.2.5.1). */
const MOST_UNTOLD = 3;
const BYTES_MASK = 0xffffff;

export class Ecn {
  mode = ASKED;
  /** 1 while our data may be marked as able to: 0 once the path was seen to change the field. */
  marks = 1;
  /** Classic: 1 from a CE until CWR: our ACKs carry ECE. */
  echo = 0;
  /** 1 when the window was reduced and the peer is to hear of it (CWR). */
  cwrDue = 0;
  /** sndNxt when the window was last reduced: once per round trip. */
  reducedAt = 0;
  /** The ECN field that the peer's SYN came with. */
  synField = NOT_ECT;
  /** 1 until the first segment after the handshake is sent (client) or has arrived (server). */
  first = 0;
  /** Accurate, received: CE packets, and payload bytes by codepoint. */
  cePackets = FIRST_PACKETS;
  ceBytes = 0;
  ect0Bytes = FIRST_BYTES;
  ect1Bytes = FIRST_BYTES;
  /** CE packets that our last segment told of. */
  told = FIRST_PACKETS;
  /** Accurate, sent: what the peer counted of ours. */
  peerPackets = FIRST_PACKETS;
  peerBytes = 0;
  /** 1 once the peer sent an AccECN option: the path lets them through. */
  options = 0;
  /** Segments of ours that arrived with a mark, or under ECE; 1 once a packet came that could. */
  deliveredCe = 0;
  seen = 0;

  reset(mode: number): void {
    this.mode = mode;
    this.marks = 1;
    this.echo = 0;
    this.cwrDue = 0;
    this.synField = NOT_ECT;
    this.first = 0;
    this.cePackets = FIRST_PACKETS;
    this.ceBytes = 0;
    this.ect0Bytes = FIRST_BYTES;
    this.ect1Bytes = FIRST_BYTES;
    this.told = FIRST_PACKETS;
    this.peerPackets = FIRST_PACKETS;
    this.peerBytes = 0;
    this.options = 0;
    this.deliveredCe = 0;
    this.seen = 0;
  }
}

/** An acceptable segment of an established connection, before its ACK and data are dealt with. */
export function ecnArrives(tcp: Tcp, c: Connection, s: Segment, e: Ecn): void {
  const field = tcp.packetEcn;
  if (field !== NOT_ECT) e.seen = 1;
  if (e.mode === CLASSIC) {
    if (s.flags & Wire.CWR) e.echo = 0;
    if (field === CE && s.dataLength > 0) {
      // The sender is to hear of it at once.
      if (e.echo === 0) c.quickAcks++;
      e.echo = 1;
    }
    if (s.flags & Wire.ECE && ((s.ack - c.sndUna) | 0) >= 0) {
      noteMarked(tcp, e, Math.ceil(((s.ack - c.sndUna) | 0) / c.mss));
      congested(tcp, c, s, e);
    }
  } else if (e.mode === ACCURATE) {
    count(c, s, e, field);
    const marked = newlyMarked(tcp, c, s, e);
    noteMarked(tcp, e, marked);
    if (marked > 0) congested(tcp, c, s, e);
  }
  // Moves along, or numbers would go round and it would lie ahead.
  if (((s.ack - e.reducedAt) | 0) > 1) e.reducedAt = (s.ack - 1) | 0;
}

/** `segments` of ours arrived with a mark; classic feedback says so of all that an ACK covers. */
function noteMarked(tcp: Tcp, e: Ecn, segments: number): void {
  tcp.stats[Stats.DELIVERED_CE]! += segments;
  e.deliveredCe = (e.deliveredCe + segments) | 0;
}

/** RFC 9768 3.2.1: r.cep, r.ceb, r.e0b, r.e1b. A packet may be several that the port put together. */
function count(c: Connection, s: Segment, e: Ecn, field: number): void {
  const bytes = s.dataLength;
  if (field === CE) {
    const packets = bytes > c.rcvMss ? Math.ceil(bytes / c.rcvMss) : 1;
    e.cePackets = (e.cePackets + packets) | 0;
    e.ceBytes = (e.ceBytes + bytes) & BYTES_MASK;
    if (((e.cePackets - e.told) | 0) >= MOST_UNTOLD) c.quickAcks++;
  } else if (field === ECT0) {
    e.ect0Bytes = (e.ect0Bytes + bytes) & BYTES_MASK;
  } else if (field === ECT1) {
    e.ect1Bytes = (e.ect1Bytes + bytes) & BYTES_MASK;
  }
}

/** The three bits that RFC 9768 reads as one number. */
export function aceOf(tcp: Tcp, s: Segment): number {
  const ae = tcp.view.getUint8(s.at + 12) & 1;
  return (ae << 2) | ((s.flags & (Wire.CWR | Wire.ECE)) >>> 6);
}

/** CE packets of ours that the peer had not told of before (RFC 9768 3.2.2.5, appendix A.2). */
function newlyMarked(tcp: Tcp, c: Connection, s: Segment, e: Ecn): number {
  const values = tcp.optionValues;
  const acked = (s.ack - c.sndUna) | 0;
  // What acknowledges nothing new may be old, and its counter with it.
  if (acked < 0 || (acked === 0 && values.sackCount === 0)) return 0;
  let marked = (aceOf(tcp, s) - e.peerPackets) & ACE_MASK;
  let bytes = -1;
  if (values.accEcnAt !== 0) {
    e.options = 1;
    if (values.accEcnFields >= 2) {
      const told = tcp.view.getInt32(values.accEcnAt + 2) & BYTES_MASK;
      bytes = (told - e.peerBytes) & BYTES_MASK;
      e.peerBytes = told;
    }
  }
  // The counter may have gone round when many were acknowledged at once: the bytes decide. Without
  // them the least is believed, since ACKs that stand for many are common, and a mark too few
  // is made up for by the next one.
  const packets = Math.ceil(acked / c.mss);
  if (packets > ACE_MASK && bytes > marked * c.mss) {
    marked = packets - ((packets - marked) & ACE_MASK);
  }
  e.peerPackets = (e.peerPackets + marked) | 0;
  return marked;
}

/** The path is about to lose packets: the window shrinks, once per round trip (RFC 3168 6.1.2). */
function congested(tcp: Tcp, c: Connection, s: Segment, e: Ecn): void {
  if (c.recovery !== OPEN || ((s.ack - e.reducedAt) | 0) <= 0) return;
  c.congestion.congested(c);
  tcp.stats[Stats.ECN_REDUCTIONS]! += 1;
  reduced(c, e);
}

/** The window was reduced, for a mark or a loss: the peer hears of it, and once is enough. */
export function reduced(c: Connection, e: Ecn): void {
  e.cwrDue = 1;
  e.reducedAt = c.sndNxt;
}

/** The ECN field of a segment of `length` bytes from `seq` on. */
export function fieldOf(c: Connection, e: Ecn, seq: number, length: number): number {
  return length > 0 && seq === c.sndNxt && e.marks === 1 && e.mode !== ASKED ? ECT0 : NOT_ECT;
}

/** What ECN adds to the flags of such a segment. */
export function flagsOf(c: Connection, e: Ecn, seq: number, length: number): number {
  if (e.mode === ACCURATE) {
    const first = e.first;
    e.first = 0;
    e.told = e.cePackets;
    if (first === 1 && length === 0) return aceFlags(handshakeCode(e.synField));
    return aceFlags(e.cePackets);
  }
  if (e.mode === ASKED) return 0;
  let flags = e.echo === 1 ? Wire.ECE : 0;
  if (e.cwrDue === 1 && length > 0 && seq === c.sndNxt) {
    flags |= Wire.CWR;
    e.cwrDue = 0;
  }
  return flags;
}

/** The low three bits of a counter as AE, CWR and ECE. */
export function aceFlags(value: number): number {
  return ((value & 4) !== 0 ? Wire.AE : 0) | ((value & 3) << 6);
}

/** RFC 9768 table 3: which ECN field the peer's SYN or SYN-ACK came with. */
export function handshakeCode(field: number): number {
  if (field === CE) return 6;
  if (field === ECT0) return 4;
  return field === ECT1 ? 3 : 2;
}

/** True when the flags must not be repeated on, or cut off, what a port makes of a large segment. */
export function goesAlone(c: Connection, e: Ecn): boolean {
  if (e.mode === CLASSIC) return e.cwrDue === 1;
  // Cards take CWR off all but the first, which would change the counter.
  return (e.cePackets & 2) !== 0 && c.path!.nic.link.features.segmentation === 'hardware';
}

/** Writes the counters of bytes where there is room for them; the length of the option. */
export function writeCounters(tcp: Tcp, e: Ecn, at: number, room: number): number {
  if (e.mode !== ACCURATE || e.options === 0 || room < ACCECN_LENGTH) return 0;
  writeAccEcn(tcp.view, at, e.ect0Bytes, e.ceBytes, e.ect1Bytes);
  return ACCECN_LENGTH;
}
