/**
 * A connection's timers: several deadlines, one entry on the wheel.   hot path
 *
 * The entry stands at the earliest deadline or before it. Moving a deadline later, as every ACK
 * does with the retransmission timer, is a store; the wheel is touched only when a deadline comes
 * earlier than the entry, and when the entry comes up and finds that there is still time.
 * @module
 */
import { NO_TIMER, type TimerWheel } from '../storage/timer-wheel.ts';
import {
  ACK_NONE,
  type Connection,
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
import { lossOf } from './parts.ts';

const RETRANSMIT_OR_PERSIST = TIMER_RETRANSMIT | TIMER_PERSIST;
/** Timers whose deadlines are in the parts of a connection that it may be without. */
const IN_PARTS = TIMER_REORDER | TIMER_KEEPALIVE | TIMER_USER | TIMER_CORK | TIMER_PACE;

/** Arms the retransmission timer (or turns it from a persist timer). */
export function armRetransmit(wheel: TimerWheel, c: Connection, at: number): void {
  c.timers = (c.timers & ~TIMER_PERSIST) | TIMER_RETRANSMIT;
  c.retransmitAt = at;
  notLaterThan(wheel, c, at);
}

/** Arms the zero-window probe timer; it shares its deadline with retransmission. */
export function armPersist(wheel: TimerWheel, c: Connection, at: number): void {
  c.timers = (c.timers & ~TIMER_RETRANSMIT) | TIMER_PERSIST;
  c.retransmitAt = at;
  notLaterThan(wheel, c, at);
}

export function armDelayedAck(wheel: TimerWheel, c: Connection, at: number): void {
  c.timers |= TIMER_DELAYED_ACK;
  c.delayedAckAt = at;
  notLaterThan(wheel, c, at);
}

export function armReorder(wheel: TimerWheel, c: Connection, at: number): void {
  c.timers |= TIMER_REORDER;
  lossOf(c).reorderAt = at;
  notLaterThan(wheel, c, at);
}

export function armProbe(wheel: TimerWheel, c: Connection, at: number): void {
  c.timers |= TIMER_TLP;
  c.tlpAt = at;
  notLaterThan(wheel, c, at);
}

/** The pacer's `wakeAt` was set to `at`. */
export function armPace(wheel: TimerWheel, c: Connection, at: number): void {
  c.timers |= TIMER_PACE;
  notLaterThan(wheel, c, at);
}

export function armKeepAlive(wheel: TimerWheel, c: Connection, at: number): void {
  c.timers |= TIMER_KEEPALIVE;
  c.patience!.keepAliveAt = at;
  notLaterThan(wheel, c, at);
}

export function armEnd(wheel: TimerWheel, c: Connection, at: number): void {
  c.timers |= TIMER_END;
  c.endAt = at;
  notLaterThan(wheel, c, at);
}

/** For a connection with `choices`. */
export function armCork(wheel: TimerWheel, c: Connection, at: number): void {
  c.timers |= TIMER_CORK;
  c.choices!.corkUntil = at;
  notLaterThan(wheel, c, at);
}

/** For a connection with `patience`: its user timeout begins anew, if it has one. */
export function startUserTimeout(wheel: TimerWheel, c: Connection, nowMs: number): void {
  const patience = c.patience!;
  if (patience.userTimeoutMs <= 0) return;
  c.timers |= TIMER_USER;
  patience.userTimeoutAt = (nowMs + patience.userTimeoutMs) | 0;
  notLaterThan(wheel, c, patience.userTimeoutAt);
}

export function disarm(c: Connection, timers: number): void {
  c.timers &= ~timers;
}

/** Takes the next connection off the wheel that has a deadline at or before now; or NO_TIMER. */
export function nextExpired(wheel: TimerWheel, connections: Connection[], nowMs: number): number {
  for (let index = wheel.pop(); index !== NO_TIMER; index = wheel.pop()) {
    const c = connections[index]!;
    c.onWheel = 0;
    if (expired(c, nowMs) !== 0) return index;
    reschedule(wheel, c);
  }
  return NO_TIMER;
}

/** The timers of `c` whose deadline has come, as bits. */
export function expired(c: Connection, nowMs: number): number {
  const armed = c.timers;
  let due = 0;
  if (armed & RETRANSMIT_OR_PERSIST && ((c.retransmitAt - nowMs) | 0) <= 0) {
    due |= armed & RETRANSMIT_OR_PERSIST;
  }
  if (armed & TIMER_DELAYED_ACK && ((c.delayedAckAt - nowMs) | 0) <= 0) due |= TIMER_DELAYED_ACK;
  if (armed & TIMER_TLP && ((c.tlpAt - nowMs) | 0) <= 0) due |= TIMER_TLP;
  if (armed & TIMER_END && ((c.endAt - nowMs) | 0) <= 0) due |= TIMER_END;
  if (armed & IN_PARTS) due |= expiredInParts(c, armed, nowMs);
  return due;
}

function expiredInParts(c: Connection, armed: number, nowMs: number): number {
  let due = 0;
  if (armed & TIMER_REORDER && ((c.loss!.reorderAt - nowMs) | 0) <= 0) due |= TIMER_REORDER;
  if (armed & TIMER_CORK && ((c.choices!.corkUntil - nowMs) | 0) <= 0) due |= TIMER_CORK;
  if (armed & TIMER_PACE && ((c.pacer!.wakeAt - nowMs) | 0) <= 0) due |= TIMER_PACE;
  const patience = c.patience;
  if (patience === null) return due;
  if (armed & TIMER_KEEPALIVE && ((patience.keepAliveAt - nowMs) | 0) <= 0) due |= TIMER_KEEPALIVE;
  if (armed & TIMER_USER && ((patience.userTimeoutAt - nowMs) | 0) <= 0) due |= TIMER_USER;
  return due;
}

/** Puts the connection back on the wheel at its earliest deadline, if it has one. */
export function reschedule(wheel: TimerWheel, c: Connection): void {
  const armed = c.timers;
  if (armed & RETRANSMIT_OR_PERSIST) notLaterThan(wheel, c, c.retransmitAt);
  if (armed & TIMER_DELAYED_ACK) notLaterThan(wheel, c, c.delayedAckAt);
  if (armed & TIMER_REORDER) notLaterThan(wheel, c, c.loss!.reorderAt);
  if (armed & TIMER_TLP) notLaterThan(wheel, c, c.tlpAt);
  if (armed & TIMER_KEEPALIVE) notLaterThan(wheel, c, c.patience!.keepAliveAt);
  if (armed & TIMER_END) notLaterThan(wheel, c, c.endAt);
  if (armed & TIMER_PACE) notLaterThan(wheel, c, c.pacer!.wakeAt);
  if (armed & TIMER_USER) notLaterThan(wheel, c, c.patience!.userTimeoutAt);
  if (armed & TIMER_CORK) notLaterThan(wheel, c, c.choices!.corkUntil);
}

function notLaterThan(wheel: TimerWheel, c: Connection, at: number): void {
  if (c.onWheel === 1 && ((at - c.wheelAt) | 0) >= 0) return;
  c.onWheel = 1;
  c.wheelAt = at;
  wheel.schedule(c.index, at);
}

/** The connection has no time any more; an ACK that was to get a timer is not owed now. */
export function stopTimers(wheel: TimerWheel, c: Connection): void {
  wheel.cancel(c.index);
  c.onWheel = 0;
  c.timers = 0;
  c.ackDue = ACK_NONE;
}
