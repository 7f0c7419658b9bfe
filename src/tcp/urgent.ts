/**
 * Urgent data (RFC 9293 3.8.5, RFC 6093): a mark in the stream up to which the sender wants its
 * data read soon. The data itself stays in line.
 *
 * Hardly anybody uses it, so no connection has fields for it: the marks lie in a table of their
 * own, and a stack without any looks at one counter.
 * @module
 */
import { URGENT } from '../base/events.ts';
import * as Wire from '../wire/tcp.ts';
import type { Connection } from './connection.ts';
import type { Segment } from './segment.ts';
import type { Tcp } from './tcp.ts';

/** What the 16 bits of the pointer can say. */
const FARTHEST = 0xffff;

/** SND.UP and RCV.UP of a connection: where the urgent data ends. */
export class UrgentMarks {
  /** A sequence number, and 1 while data before it may be sent. */
  sndUp = 0;
  sending = 0;
  /**
   * Bytes from the stream's beginning on, 0: none. A sequence number would be ahead again after two
   * gigabytes.
   */
  rcvUp = 0;
}

function marksOf(tcp: Tcp, c: Connection): UrgentMarks {
  let marks = tcp.urgent.get(c.index);
  if (marks === undefined) {
    marks = new UrgentMarks();
    tcp.urgent.set(c.index, marks);
    tcp.urgentCount++;
  }
  return marks;
}

/** The connection is over. */
export function forgetUrgent(tcp: Tcp, c: Connection): void {
  if (tcp.urgent.delete(c.index)) tcp.urgentCount--;
}

/** What is in the send buffer is urgent up to its end. */
export function markUrgent(tcp: Tcp, c: Connection): void {
  const marks = marksOf(tcp, c);
  marks.sndUp = (c.sndBase + c.snd.length) | 0;
  marks.sending = 1;
}

/**
 * A segment from `seq` on lies at `at`: it says where the urgent data ends, as long as that is
 * ahead of it. The pointer is that of the octet behind the urgent data.
 */
export function writeUrgent(tcp: Tcp, c: Connection, at: number, seq: number): void {
  const marks = tcp.urgent.get(c.index);
  if (marks === undefined || marks.sending === 0) return;
  const ahead = (marks.sndUp - seq) | 0;
  if (ahead <= 0) {
    if (((c.sndUna - marks.sndUp) | 0) >= 0) marks.sending = 0;
    return;
  }
  const pointer = ahead < FARTHEST ? ahead : FARTHEST;
  Wire.setUrgent(tcp.view, at, pointer);
}

/** Sixth, check the URG bit (RFC 9293 3.10.7.4): the program hears when the mark advances. */
export function urgentArrives(tcp: Tcp, c: Connection, s: Segment): void {
  const ahead = (s.seq + Wire.urgentPointer(tcp.view, s.at) - c.rcvNxt) | 0;
  if (ahead <= 0) return;
  const marks = marksOf(tcp, c);
  const rcvUp = bytesRead(c) + c.rcv.length + ahead;
  if (rcvUp <= marks.rcvUp) return;
  marks.rcvUp = rcvUp;
  if (c.socket !== null) tcp.events.raise(c.socket, URGENT);
}

/** Bytes up to the end of the urgent data that the program has not read, arrived or not. */
export function urgentLeft(tcp: Tcp, c: Connection): number {
  const marks = tcp.urgent.get(c.index);
  const left = marks === undefined ? 0 : marks.rcvUp - bytesRead(c);
  return left > 0 ? left : 0;
}

/** Before a connection is accepted nobody reads. */
function bytesRead(c: Connection): number {
  return c.socket === null ? 0 : c.socket.bytesRead;
}
