/**
 * The parts of a connection's state that a steady one does without: each is made when it is first
 * needed, pooled, and null on the connection the rest of the time. So a connection that opened,
 * never lost anything and waits costs its own few hundred bytes, and a new field costs a million
 * idle connections nothing when it goes here.
 *
 *     connection.opening    from the SYN until established, or accepted
 *     connection.loss       from the first loss, probe or reordering on
 *     connection.growth     once the congestion window was used, or lost (congestion/growth.ts)
 *     connection.disorder   from the first segment on that came early, twice, or was challenged
 *     connection.patience   where the program asked for keepalives or a user timeout
 *     connection.probing    while its segments are smaller than they once were (mtu-probe.ts)
 *     connection.choices    where it set another option of the socket (socket-options.ts)
 *
 * To read: `c.loss!.recover` where it must be there. To write: `lossOf(c).recover = ...`.
 * The pools belong to the thread: records hold nothing of the stack that used them.
 * @module
 */

import { giveGrowth } from './congestion/growth.ts';
import {
  type Connection,
  OPEN,
  TIMER_CORK,
  TIMER_KEEPALIVE,
  TIMER_REORDER,
  TIMER_USER,
} from './connection.ts';
import type { FastSyn } from './fast-open.ts';
import type { TcpListener } from './listener.ts';
import { Pool } from './pool.ts';
import { Undo } from './undo-record.ts';

/** The handshake. */
export class Opening {
  iss = 0;
  irs = 0;
  /** When the SYN went out, for the first measurement (us). */
  synSentAt = 0;
  /** Where it came in; null for connections we opened. */
  listener: TcpListener | null = null;
  /** 1 while it waits in the listener's accept queue. */
  acceptQueued = 0;
  /** Data in our SYN (fast-open.ts); null where nobody asked for it. */
  fast: FastSyn | null = null;
  /** 1 while it is in use before its SYN-ACK is acknowledged (fast-open-server.ts). */
  early = 0;
  /** 1 when the SYN-ACK brings the peer a Fast Open cookie. */
  cookieDue = 0;
}

/** What loss recovery knows (recovery.ts). */
export class Loss {
  /** sndNxt when recovery began: what ends it. */
  recover = 0;
  /** PRR (RFC 9937): delivered and sent since recovery began, and what was in flight then. */
  prrDelivered = 0;
  prrOut = 0;
  recoverFlight = 0;
  /** 1 once the path was seen to reorder: RACK then waits before it calls a segment lost. */
  reorders = 0;
  /** RACK's reordering window in quarters of minRtt, what may raise it next, and for how long. */
  reorderSteps = 1;
  reorderRound = 0;
  reorderPersist = 0;
  /** When a segment that may only be late counts as lost (ms). */
  reorderAt = 0;
  /** Tail loss probe (RFC 8985 7): where its ACK ends it, whether it repeated data. */
  tlpEnd = 0;
  tlpRepeats = 0;
  /** Whether it was all for nothing (undo.ts). */
  readonly undo: Undo = new Undo();

  reset(sndUna: number): void {
    this.recover = sndUna;
    this.prrDelivered = 0;
    this.prrOut = 0;
    this.reorders = 0;
    this.reorderSteps = 1;
    this.reorderRound = sndUna;
    this.reorderPersist = 0;
    this.tlpRepeats = 0;
    this.undo.reset();
  }
}

/** What arrived in another order than it was sent, or twice, or not from the peer at all. */
export class Disorder {
  /** Where the segment began that last arrived out of order. */
  lastArrived = 0;
  /** Segments that arrived out of order since the last ACK. */
  duplicatesOwed = 0;
  /** The duplicate that the peer is to hear of while the connection's dsackDue is 1. */
  dsackFirst = 0;
  dsackEnd = 0;
  /** Sequence number of the FIN, which may be ahead of data. */
  finSeq = 0;
  /** 1 while listed as one that may have to give up what came early (memory.ts). */
  listed = 0;
  /** 1 once a challenge ACK was sent, and when the last one was (ms). */
  challenged = 0;
  challengedAt = 0;
}

/** How long the program waits for a peer that says nothing (expiry.ts). */
export class Patience {
  /** 1 when keepalives are on; milliseconds of silence before the first, and between them. */
  keepAlive = 0;
  keepAliveIdleMs = 0;
  keepAliveIntervalMs = 0;
  keepAliveProbes = 0;
  probesUnanswered = 0;
  keepAliveAt = 0;
  /** RFC 5482: how long data may stay unacknowledged; 0: the retry limit rules. */
  userTimeoutMs = 0;
  userTimeoutAt = 0;
}

/** What the program chose for this connection (choices.ts). */
export class Choices {
  /** What close() does: -1 FIN, 0 RST, else RST after so many milliseconds. */
  lingerMs = -1;
  /** 1 while only full segments may go; when what is less goes all the same (ms). */
  cork = 0;
  corkUntil = 0;
  /** 1 while what was held back goes, until nothing is unsent. */
  pushing = 0;
  /** Bytes that may be unsent; 0: no such bound. */
  notSentLowWater = 0;
  /** Largest segment, options included; 0: no such bound. */
  maxSegment = 0;

  reset(): void {
    this.lingerMs = -1;
    this.cork = 0;
    this.pushing = 0;
    this.notSentLowWater = 0;
    this.maxSegment = 0;
  }
}

/** The search for the path's MTU (mtu-probe.ts): payload bytes of a segment. */
export class Probing {
  /** What segments had before there was trouble, and the largest not known to be too large. */
  most = 0;
  high = 0;
  /** 1 once `high` is what a failed probe left. */
  highFailed = 0;
  /** The probe in flight, 0: none. */
  probe = 0;
  /** Sequence numbers whose loss is no sign of congestion. */
  first = 0;
  end = 0;
  /** No probe before (ms). */
  nextAt = 0;
}

const openings = new Pool(() => new Opening());
const losses = new Pool(() => new Loss());
const disorders = new Pool(() => new Disorder());
const patiences = new Pool(() => new Patience());
const choices = new Pool(() => new Choices());
const probings = new Pool(() => new Probing());

/** Begins the handshake of a connection that came in at `listener`, or goes out (null). */
export function beginOpening(c: Connection, iss: number): void {
  const opening = openings.take();
  opening.iss = iss;
  opening.irs = 0;
  opening.listener = null;
  opening.acceptQueued = 0;
  opening.fast = null;
  opening.early = 0;
  opening.cookieDue = 0;
  c.opening = opening;
}

export function giveOpening(c: Connection): void {
  const opening = c.opening!;
  opening.listener = null;
  openings.give(opening);
  c.opening = null;
}

export function lossOf(c: Connection): Loss {
  if (c.loss !== null) return c.loss;
  const loss = losses.take();
  loss.reset(c.sndUna);
  c.loss = loss;
  return loss;
}

/** The record goes back; one that has learned that the path reorders stays. */
export function giveLoss(c: Connection): void {
  const loss = c.loss!;
  if (loss.reorders === 1) return;
  losses.give(loss);
  c.loss = null;
}

export function disorderOf(c: Connection): Disorder {
  if (c.disorder !== null) return c.disorder;
  const disorder = disorders.take();
  disorder.duplicatesOwed = 0;
  disorder.challenged = 0;
  disorder.listed = 0;
  c.disorder = disorder;
  return disorder;
}

export function patienceOf(c: Connection): Patience {
  if (c.patience !== null) return c.patience;
  const patience = patiences.take();
  patience.keepAlive = 0;
  patience.probesUnanswered = 0;
  patience.userTimeoutMs = 0;
  c.patience = patience;
  return patience;
}

export function choicesOf(c: Connection): Choices {
  if (c.choices !== null) return c.choices;
  const chosen = choices.take();
  chosen.reset();
  c.choices = chosen;
  return chosen;
}

export function probingOf(c: Connection): Probing {
  if (c.probing !== null) return c.probing;
  const probing = probings.take();
  probing.highFailed = 0;
  probing.probe = 0;
  probing.first = c.sndUna;
  probing.end = c.sndUna;
  c.probing = probing;
  return probing;
}

export function giveProbing(c: Connection): void {
  if (c.probing !== null) probings.give(c.probing);
  c.probing = null;
}

/** The connection is over, or waits out its TIME-WAIT: it keeps none of them. */
export function giveParts(c: Connection): void {
  if (c.opening !== null) giveOpening(c);
  if (c.loss !== null) losses.give(c.loss);
  if (c.disorder !== null) disorders.give(c.disorder);
  if (c.patience !== null) patiences.give(c.patience);
  if (c.choices !== null) choices.give(c.choices);
  giveProbing(c);
  c.loss = null;
  c.disorder = null;
  c.patience = null;
  c.choices = null;
  giveGrowth(c);
  // Nothing on the connection may say that there is something in them.
  c.timers &= ~(TIMER_REORDER | TIMER_KEEPALIVE | TIMER_USER | TIMER_CORK);
  c.recovery = OPEN;
  c.tlpOut = 0;
  c.dsackDue = 0;
}
