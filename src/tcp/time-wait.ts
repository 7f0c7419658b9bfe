/**
 * TIME-WAIT: how connections come into it, and how a new SYN ends it (RFC 9293 3.10.7.4, RFC 6191).
 * @module
 */
import * as Wire from '../wire/tcp.ts';
import { end, leaveToTime, recycleTimeWait } from './close.ts';
import type { Connection } from './connection.ts';
import type { Segment } from './segment.ts';
import * as State from './state.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';
import { armEnd, disarm } from './timers.ts';
import { enter } from './trace.ts';

export function enterTimeWait(tcp: Tcp, c: Connection): void {
  enter(tcp, c, State.TIME_WAIT);
  if (c.orphan === 1) tcp.orphans--;
  tcp.timeWaits.count++;
  disarm(c, -1);
  armEnd(tcp.wheel, c, (tcp.clock.ms + tcp.options.timeWaitMs) | 0);
  tcp.timeWaits.push(c);
  if (c.orphan === 1) leaveToTime(tcp, c);
  if (tcp.timeWaits.count > tcp.options.maxTimeWait) recycleTimeWait(tcp);
}

/** A new SYN for a connection in TIME-WAIT (RFC 9293 3.10.7.4); true when it was taken. */
export function reopen(tcp: Tcp, c: Connection, s: Segment): boolean {
  const isNewSyn = (s.flags & (Wire.SYN | Wire.ACK | Wire.RST)) === Wire.SYN;
  if (!isNewSyn || !isBeyond(tcp, c, s)) return false;
  const listener = tcp.listeners.find(tcp.packet!);
  if (listener === null) return false;
  tcp.stats[Stats.TIME_WAIT_REUSED]! += 1;
  end(tcp, c, '');
  listener.arrives(s, tcp.packet!);
  return true;
}

/** A SYN that cannot be of the old connection: by its timestamp (RFC 6191) or its number. */
function isBeyond(tcp: Tcp, c: Connection, s: Segment): boolean {
  const peer = tcp.optionValues;
  if (c.tsOk === 1 && peer.timestamps === 1 && peer.tsVal !== c.tsRecent) {
    return ((peer.tsVal - c.tsRecent) | 0) > 0;
  }
  return ((s.seq - c.rcvNxt) | 0) > 0;
}
