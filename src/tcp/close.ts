/**
 * How connections end: the program's CLOSE and ABORT, the end itself, and what it gives back.
 * @module
 */
import type { ErrorCode } from '../base/errors.ts';
import * as Wire from '../wire/tcp.ts';
import type { Connection } from './connection.ts';
import { isEarly } from './early.ts';
import { giveEcn } from './ecn-handshake.ts';
import { giveParts } from './parts.ts';
import { sendReset } from './reset.ts';
import * as State from './state.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';
import { armEnd, stopTimers } from './timers.ts';
import { enter } from './trace.ts';
import { forgetUrgent } from './urgent.ts';

/** CLOSE, half of it: a FIN after what is buffered (RFC 9293 3.10.4). */
export function shutdown(tcp: Tcp, c: Connection): void {
  if (c.finQueued === 1) return;
  c.finQueued = 1;
  c.wantsRoom = 0;
  if (isEarly(c)) return tcp.makeReady(c);
  if (c.state === State.SYN_SENT || c.state === State.SYN_RECEIVED) return;
  enter(tcp, c, State.next(c.state, State.CLOSE));
  tcp.makeReady(c);
}

/** The program lets go of its socket. */
export function close(tcp: Tcp, c: Connection): void {
  if (c.state === State.SYN_SENT || c.state === State.CLOSED) return end(tcp, c, '');
  if (c.orphan === 1) return;
  const linger = c.choices === null ? -1 : c.choices.lingerMs;
  if (linger === 0 && c.state !== State.TIME_WAIT) {
    tcp.stats[Stats.ABORTS_ON_LINGER]! += 1;
    return abort(tcp, c, '');
  }
  c.orphan = 1;
  if (c.state === State.TIME_WAIT) return leaveToTime(tcp, c);
  tcp.orphans++;
  if (c.rcv.length > 0) {
    tcp.stats[Stats.ABORTS_ON_CLOSE]! += 1;
    return abort(tcp, c, '');
  }
  if (tcp.orphans > tcp.options.maxOrphans) return abandon(tcp, c);
  shutdown(tcp, c);
  if (c.state === State.FIN_WAIT_2) {
    armEnd(tcp.wheel, c, (tcp.clock.ms + tcp.options.finWait2Ms) | 0);
  } else if (linger > 0) {
    armEnd(tcp.wheel, c, (tcp.clock.ms + linger) | 0);
  }
}

/** The program has let go: TIME-WAIT goes on alone and holds no buffers. */
export function leaveToTime(tcp: Tcp, c: Connection): void {
  if (c.socket !== null) c.socket.detach('');
  freeBuffers(tcp, c);
}

/** ABORT (RFC 9293 3.10.5): RST where the peer may know of the connection, then the end. */
export function abort(tcp: Tcp, c: Connection, error: '' | ErrorCode): void {
  const known = c.state !== State.SYN_SENT && c.state !== State.TIME_WAIT;
  if (known && c.state !== State.CLOSED) {
    sendReset(tcp, c.path!, c.localPort, c.remotePort, c.sndNxt, c.rcvNxt, Wire.ACK);
  }
  end(tcp, c, error);
}

/** An orphan that there is no more patience, or no room, for. */
export function abandon(tcp: Tcp, c: Connection): void {
  tcp.stats[Stats.ORPHANS_ABORTED]! += 1;
  abort(tcp, c, '');
}

/** The connection is over. `error` is what its socket learns; '' for an orderly end. */
export function end(tcp: Tcp, c: Connection, error: '' | ErrorCode): void {
  const listener = c.opening === null ? null : c.opening.listener;
  if (listener !== null) {
    if (isEarly(c)) listener.fastOpen!.pending--;
    else if (c.state === State.SYN_RECEIVED) listener.halfOpen--;
    if (c.opening!.acceptQueued === 1) listener.waiting--;
  }
  if (c.socket !== null) c.socket.detach(error);
  uncount(tcp, c);
  enter(tcp, c, State.CLOSED);
  tcp.flows.remove(c);
  stopTimers(tcp.wheel, c);
  freeBuffers(tcp, c);
  tcp.net.paths.release(c.path!);
  c.path = null;
  c.ready = 0;
  tcp.records.giveConnection(c);
}

/**
 * An orderly end. Input that the program has not read yet outlives the connection: the record
 * stays with the socket, in state CLOSED, until it is read or let go.
 */
export function finish(tcp: Tcp, c: Connection): void {
  if (c.socket === null || c.orphan === 1 || c.rcv.length === 0) return end(tcp, c, '');
  uncount(tcp, c);
  enter(tcp, c, State.CLOSED);
  tcp.flows.remove(c);
  stopTimers(tcp.wheel, c);
}

/** The connection ends: one less in TIME-WAIT, or one orphan less. */
function uncount(tcp: Tcp, c: Connection): void {
  if (c.state === State.TIME_WAIT) tcp.timeWaits.count--;
  else if (c.orphan === 1) tcp.orphans--;
}

function freeBuffers(tcp: Tcp, c: Connection): void {
  if (tcp.urgentCount !== 0) forgetUrgent(tcp, c);
  tcp.memory.sending -= c.snd.size;
  c.snd.reset(tcp.heap);
  c.rcv.reset(tcp.heap);
  giveParts(c);
  if (c.board !== null) tcp.records.giveBoard(c);
  if (c.pacer !== null) tcp.records.givePacer(c);
  if (c.ecn !== null) giveEcn(c);
  if (c.tally !== null) tcp.records.giveTally(c);
  if (c.outOfOrder !== null) {
    tcp.records.giveIntervals(c.outOfOrder);
    c.outOfOrder = null;
  }
}

/** Ends the oldest TIME-WAIT early; false when there is none. */
export function recycleTimeWait(tcp: Tcp): boolean {
  const c = tcp.timeWaits.oldest();
  if (c === null) return false;
  tcp.stats[Stats.TIME_WAIT_RECYCLED]! += 1;
  end(tcp, c, '');
  return true;
}
