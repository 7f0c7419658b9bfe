/**
 * Agreeing on ECN: what SYN and SYN-ACK say with AE, CWR and ECE (RFC 3168 6.1.1, RFC 9768 3.1).
 *
 *     SYN        AE CWR ECE          SYN-ACK    AE CWR ECE
 *                0   1   1  classic             0   0   1  classic (1 0 1 as well)
 *                1   1   1  accurate            0   1   0 and others: accurate; which field the
 *                                               SYN came with, as in ecn.ts' handshakeCode()
 *                0   0   0  none                0   0   0, 1 1 1  none
 * @module
 */
import * as Wire from '../wire/tcp.ts';
import { ownControl, settleControl } from './congestion/control.ts';
import type { Connection } from './connection.ts';
import {
  ACCURATE,
  ASKED,
  aceFlags,
  aceOf,
  CE,
  CLASSIC,
  Ecn,
  FIRST_PACKETS,
  handshakeCode,
  NOT_ECT,
} from './ecn.ts';
import { Pool } from './pool.ts';
import type { Segment } from './segment.ts';
import { SYN_SENT } from './state.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';

export const ECN_MODES = ['off', 'passive', 'on', 'accurate'] as const;
export type EcnMode = (typeof ECN_MODES)[number];

/** Values of the ACE field in a handshake. */
const ACE_NONE = 0;
const ACE_CLASSIC = 1;
const ACE_CLASSIC_SYN = 3;
const ACE_NONCE = 5;
const ACE_ALL = 7;

const records = new Pool(() => new Ecn());

/** The flags of our SYN. One that was lost goes again without: a path may drop it for them. */
export function synFlags(tcp: Tcp, c: Connection): number {
  const mode = tcp.options.ecn;
  if (c.retries > 0 || mode === 'off' || mode === 'passive') return 0;
  if (c.ecn === null) takeEcn(c, ASKED);
  return mode === 'accurate' ? aceFlags(ACE_ALL) : Wire.CWR | Wire.ECE;
}

/** The flags of our SYN-ACK. */
export function synAckFlags(c: Connection): number {
  const e = c.ecn;
  if (e === null || e.mode === ASKED) return 0;
  return e.mode === CLASSIC ? Wire.ECE : aceFlags(handshakeCode(e.synField));
}

/** A SYN or SYN-ACK of the peer. */
export function takeSynEcn(tcp: Tcp, c: Connection, s: Segment): void {
  const ace = aceOf(tcp, s);
  if (c.state === SYN_SENT) {
    if (c.ecn !== null) answered(tcp, c, s, c.ecn, ace);
  } else if ((s.flags & Wire.ACK) === 0) {
    asked(tcp, c, ace);
  }
}

/** The peer's SYN asks. */
function asked(tcp: Tcp, c: Connection, ace: number): void {
  const mode = tcp.options.ecn;
  if (mode === 'off' || ace === ACE_NONE) return;
  if (mode === 'accurate' && ace !== ACE_CLASSIC_SYN) {
    const e = takeEcn(c, ACCURATE);
    e.synField = tcp.packetEcn;
    if (e.synField === CE) e.cePackets = FIRST_PACKETS + 1;
    e.first = 1;
  } else if ((ace & ACE_CLASSIC_SYN) === ACE_CLASSIC_SYN) {
    takeEcn(c, CLASSIC);
  }
}

/** Whether a SYN that is answered without memory gets the classic answer (RFC 3168 6.1.1). */
export function isClassicAsked(tcp: Tcp, s: Segment): boolean {
  return tcp.options.ecn !== 'off' && (aceOf(tcp, s) & ACE_CLASSIC_SYN) === ACE_CLASSIC_SYN;
}

/** A connection out of a SYN cookie whose SYN-ACK said yes. */
export function beginClassic(c: Connection): void {
  takeEcn(c, CLASSIC);
}

/** The peer's SYN-ACK answers what ours asked; a SYN that crosses it does not. */
function answered(tcp: Tcp, c: Connection, s: Segment, e: Ecn, ace: number): void {
  const isAnswer = (s.flags & Wire.ACK) !== 0 && ace !== ACE_NONE;
  const accurate = tcp.options.ecn === 'accurate';
  if (isAnswer && (ace === ACE_CLASSIC || (accurate && ace === ACE_NONCE))) {
    e.mode = CLASSIC;
  } else if (isAnswer && accurate && ace !== ACE_ALL) {
    e.mode = ACCURATE;
    e.first = 1;
    e.synField = tcp.packetEcn;
    if (e.synField === CE) e.cePackets = FIRST_PACKETS + 1;
    e.options = tcp.optionValues.accEcnAt === 0 ? 0 : 1;
    toldOfField(e, ace);
  } else {
    giveEcn(c);
  }
}

/** The ACK of our SYN-ACK: the field that it arrived with; a counter when it carries data. */
export function takeFirstAck(tcp: Tcp, c: Connection, s: Segment): void {
  const e = c.ecn;
  if (e === null) return;
  e.reducedAt = s.ack;
  tcp.stats[Stats.ECN_CONNECTIONS]! += 1;
  if (e.mode !== ACCURATE || (s.flags & Wire.SYN) !== 0) return;
  e.first = 0;
  if (tcp.optionValues.accEcnAt !== 0) e.options = 1;
  const ace = aceOf(tcp, s);
  // Somebody on the way clears the flags: what the peer counts does not reach us.
  if (ace === ACE_NONE) e.marks = 0;
  else if (s.dataLength === 0) toldOfField(e, ace);
}

/** Our SYN and SYN-ACK leave without a mark: one that arrives with one was changed (3.2.2.3). */
function toldOfField(e: Ecn, code: number): void {
  if (code !== handshakeCode(NOT_ECT)) e.marks = 0;
  if (code === handshakeCode(CE)) e.peerPackets = FIRST_PACKETS + 1;
}

function takeEcn(c: Connection, mode: number): Ecn {
  const e = c.ecn ?? records.take();
  e.reset(mode);
  ownControl(c).ecn = e;
  return e;
}

/** The connection ends, or goes on without. */
export function giveEcn(c: Connection): void {
  records.give(c.ecn!);
  c.control.ecn = null;
  settleControl(c);
}
