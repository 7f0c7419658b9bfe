/**
 * What happens when a connection's time is up: retransmission, probes, keepalive, the end.
 * @module
 */

import { push } from './choices.ts';
import { abandon, abort, end, finish } from './close.ts';
import {
  ACK_DELAYED,
  ACK_NOW,
  type Connection,
  OPEN,
  TIMER_CORK,
  TIMER_DELAYED_ACK,
  TIMER_END,
  TIMER_KEEPALIVE,
  TIMER_PACE,
  TIMER_PERSIST,
  TIMER_REORDER,
  TIMER_RETRANSMIT,
  TIMER_TLP,
  TIMER_USER,
} from './connection.ts';
import type { TcpListener } from './listener.ts';
import { suspectBlackHole } from './mtu-probe.ts';
import { lateLoss, timedOut } from './recovery.ts';
import { setRto } from './rtt.ts';
import * as State from './state.ts';
import * as Stats from './stats.ts';
import { noteTimeout } from './tally.ts';
import type { Tcp } from './tcp.ts';
import { armKeepAlive, armPersist, armRetransmit, disarm, expired, reschedule } from './timers.ts';

/** RFC 9293 3.8.3's R1: from here on the program knows that something is wrong. */
const TROUBLED_RETRIES = 3;
/** As Linux: a peer that begins a connection and does not answer is waited for a minute. */
const SYN_ACK_RETRIES = 5;
/** SYN-ACKs sent again when more than half of a listener's half-open connections are in use. */
const CROWDED_RETRIES = 2;

/** The connection's entry on the wheel came up and something is due. */
export function onTimer(tcp: Tcp, c: Connection): void {
  const due = expired(c, tcp.clock.ms);
  disarm(c, due);
  if (due & TIMER_END) return timeIsUp(tcp, c);
  if (due & TIMER_USER && (c.sndUna !== c.sndNxt || c.snd.length > 0)) return giveUp(tcp, c);
  if (due & TIMER_DELAYED_ACK) sendDelayedAck(tcp, c);
  if (due & TIMER_PACE) tcp.makeReady(c);
  if (due & TIMER_REORDER) lateLoss(tcp, c);
  if (due & TIMER_CORK) push(tcp, c);
  const probed = (due & TIMER_TLP) !== 0 && probeTail(tcp, c);
  if (due & TIMER_RETRANSMIT && !probed && !retransmit(tcp, c)) return;
  if (due & TIMER_PERSIST && !probeWindow(tcp, c)) return;
  if (due & TIMER_KEEPALIVE && !keepAlive(tcp, c)) return;
  reschedule(tcp.wheel, c);
}

/** TIME-WAIT is over, nobody came to take leave of an orphan, or it has lingered long enough. */
function timeIsUp(tcp: Tcp, c: Connection): void {
  if (c.state === State.TIME_WAIT) tcp.stats[Stats.TIME_WAITS]! += 1;
  if (c.state === State.TIME_WAIT || c.state === State.FIN_WAIT_2) return finish(tcp, c);
  tcp.stats[Stats.ABORTS_ON_LINGER]! += 1;
  abort(tcp, c, 'ETIMEDOUT');
}

/** The last trouble that was heard of is why, else that nothing was heard. */
function giveUp(tcp: Tcp, c: Connection): void {
  const heard = c.socket === null ? '' : c.socket.softError;
  const error = heard === '' ? 'ETIMEDOUT' : heard;
  tcp.stats[Stats.ABORTS_ON_TIMEOUT]! += 1;
  if (c.state === State.SYN_SENT || c.state === State.SYN_RECEIVED) {
    tcp.stats[Stats.ATTEMPT_FAILS]! += 1;
    end(tcp, c, error);
  } else {
    abort(tcp, c, error);
  }
}

function sendDelayedAck(tcp: Tcp, c: Connection): void {
  if (c.ackDue !== ACK_DELAYED) return;
  tcp.stats[Stats.DELAYED_ACKS]! += 1;
  c.ackDue = ACK_NOW;
  tcp.makeReady(c);
}

/**
 * RFC 9293 3.8.3's R2. Half-open connections that a peer began are given up earlier: they may be a
 * flood's. A program's own limit is a time, and the user timer keeps it.
 */
function mostRetries(tcp: Tcp, c: Connection, opening: boolean): number {
  const { synRetries, dataRetries, orphanRetries } = tcp.options;
  if (opening) {
    const most = synAckRetries(tcp, c.opening!.listener);
    return synRetries < most ? synRetries : most;
  }
  if (hasUserTimeout(c)) return Number.MAX_SAFE_INTEGER;
  return c.orphan === 1 && orphanRetries < dataRetries ? orphanRetries : dataRetries;
}

/** As Linux: many half-open connections at a time are mostly of no peer at all. */
function synAckRetries(tcp: Tcp, listener: TcpListener | null): number {
  if (listener === null) return Number.MAX_SAFE_INTEGER;
  return listener.halfOpen > tcp.options.maxHalfOpen >> 1 ? CROWDED_RETRIES : SYN_ACK_RETRIES;
}

function hasUserTimeout(c: Connection): boolean {
  return c.patience !== null && c.patience.userTimeoutMs > 0;
}

/** False when that was the last try. */
function retransmit(tcp: Tcp, c: Connection): boolean {
  const opening = c.state === State.SYN_SENT || c.state === State.SYN_RECEIVED;
  // A peer that shut its window on what is in flight, and says so each time, is not dead
  // (RFC 9293 3.8.6): what is sent again only asks.
  const asked = !opening && c.sndWnd === 0;
  if (asked && ((tcp.clock.ms - c.lastReceivedAt) | 0) <= c.rtoMs) c.retries = 0;
  c.retries++;
  if (c.retries > mostRetries(tcp, c, opening)) {
    giveUp(tcp, c);
    return false;
  }
  if (c.retries === TROUBLED_RETRIES && c.socket !== null) {
    c.socket.trouble(c.socket.softError === '' ? 'ETIMEDOUT' : c.socket.softError);
  }
  // Perhaps the neighbor has gone, or has another MAC by now.
  if (c.retries >= 2) c.path!.neighbor?.suspect(tcp.clock.ms);
  if (opening) {
    tcp.stats[Stats.TIMEOUTS]! += 1;
    tcp.stats[Stats.SYN_RETRANSMITS]! += 1;
    noteTimeout(tcp, c, c.backoff === 0);
    c.backoff++;
    setRto(c, tcp.options);
    c.synDue = 1;
  } else {
    timedOut(tcp, c);
    suspectBlackHole(tcp, c);
  }
  armRetransmit(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
  tcp.makeReady(c);
  return true;
}

/**
 * Nothing was heard for two round trips: something at the tail may be lost (RFC 8985 7.3). The
 * timeout waits for what becomes of the probe; false when there is none.
 */
function probeTail(tcp: Tcp, c: Connection): boolean {
  if (c.recovery !== OPEN || c.sndUna === c.sndNxt || c.tlpOut === 1) return false;
  c.tlpDue = 1;
  armRetransmit(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
  tcp.makeReady(c);
  return true;
}

/** A probe of the closed window; answers reset `retries` (sender.ts), silence ends it. */
function probeWindow(tcp: Tcp, c: Connection): boolean {
  c.retries++;
  if (c.retries > tcp.options.dataRetries) {
    giveUp(tcp, c);
    return false;
  }
  // A peer that answers may keep a program waiting, but nobody waits for an orphan.
  if (c.orphan === 1 && c.backoff >= tcp.options.orphanRetries) {
    abandon(tcp, c);
    return false;
  }
  c.backoff++;
  setRto(c, tcp.options);
  c.probeDue = 1;
  armPersist(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
  tcp.makeReady(c);
  return true;
}

/** RFC 9293 3.8.4; false when the peer is gone. */
function keepAlive(tcp: Tcp, c: Connection): boolean {
  const patience = c.patience!;
  const silent = (tcp.clock.ms - c.lastReceivedAt) | 0;
  if (silent < patience.keepAliveIdleMs || c.sndUna !== c.sndNxt) {
    patience.probesUnanswered = 0;
    const left =
      silent < patience.keepAliveIdleMs
        ? patience.keepAliveIdleMs - silent
        : patience.keepAliveIdleMs;
    armKeepAlive(tcp.wheel, c, (tcp.clock.ms + left) | 0);
    return true;
  }
  if (patience.probesUnanswered >= patience.keepAliveProbes) {
    giveUp(tcp, c);
    return false;
  }
  patience.probesUnanswered++;
  c.probeDue = 1;
  tcp.stats[Stats.KEEPALIVES]! += 1;
  armKeepAlive(tcp.wheel, c, (tcp.clock.ms + patience.keepAliveIntervalMs) | 0);
  tcp.makeReady(c);
  return true;
}
