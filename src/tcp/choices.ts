/**
 * What a program may choose for one connection: cork, linger, low-water mark, largest segment.
 *
 * A connection for which nothing was chosen has `choices` null and pays one test for that. Here is
 * what the choices do; socket-options.ts is where the program makes them, and checks them.
 * @module
 */
import { type Connection, TIMER_CORK } from './connection.ts';
import type { Choices } from './parts.ts';
import type { Tcp } from './tcp.ts';
import { armCork } from './timers.ts';

/** Linux's ceiling on the time for which TCP_CORK holds a part of a segment back. */
const CORK_MS = 200;

/** A cork is in: whether less than a segment may go all the same. */
export function corkLets(tcp: Tcp, c: Connection, choices: Choices): boolean {
  if (choices.pushing === 1 || c.finQueued === 1) return true;
  if ((c.timers & TIMER_CORK) === 0) armCork(tcp.wheel, c, (tcp.clock.ms + CORK_MS) | 0);
  return false;
}

/** The cork is out, or its time is up: what was held back goes, Nagle or not. */
export function push(tcp: Tcp, c: Connection): void {
  const choices = c.choices;
  if (choices === null || c.unsent <= 0) return;
  choices.pushing = 1;
  tcp.makeReady(c);
}

/** What of `room` in the send buffer write() may take, so that little is left unsent. */
export function roomBelowMark(c: Connection, room: number): number {
  const mark = c.choices!.notSentLowWater;
  if (mark === 0) return room;
  const unsent = c.unsent > 0 ? c.unsent : 0;
  const left = mark - unsent;
  return left < room ? left : room;
}

/** As Linux has it: WRITABLE is worth the while once less than half of the mark is unsent. */
export function isBelowMark(c: Connection): boolean {
  const mark = c.choices!.notSentLowWater;
  return mark === 0 || 2 * c.unsent < mark;
}

/** `mss` (payload and options), or what the program chose to be the most. */
export function boundedMss(c: Connection, mss: number): number {
  const choices = c.choices;
  if (choices === null || choices.maxSegment === 0 || choices.maxSegment > mss) return mss;
  return choices.maxSegment;
}
