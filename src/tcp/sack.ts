/**
 * Selective acknowledgments on the wire: reading the peer's blocks, writing ours (RFC 2018), and
 * duplicates told both ways (DSACK, RFC 2883).   hot path
 * @module
 */

import { KIND_NOP, KIND_SACK } from '../wire/tcp-options.ts';
import type { Connection } from './connection.ts';
import { disorderOf } from './parts.ts';
import type { Scoreboard } from './scoreboard.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';

/** Bytes of NOP, NOP, kind, length, and of a block. */
const FRONT = 4;
const BLOCK = 8;
/** What fits into 40 bytes of options. */
const MOST_BLOCKS = 4;

/** Puts the blocks of the segment's options on the scoreboard; notes a DSACK in `tcp.dsack`. */
export function takeSackBlocks(tcp: Tcp, c: Connection, board: Scoreboard): void {
  const { sackAt, sackCount } = tcp.optionValues;
  const view = tcp.view;
  for (let i = 0; i < sackCount; i++) {
    const first = view.getInt32(sackAt + i * BLOCK);
    const end = view.getInt32(sackAt + i * BLOCK + 4);
    const isRange = ((end - first) | 0) > 0 && ((end - c.sndNxt) | 0) <= 0;
    if (!isRange) {
      tcp.stats[Stats.SACKS_DISCARDED]! += 1;
      continue;
    }
    if (i === 0 && isDsack(tcp, c, first, end)) {
      tcp.dsack = 1;
      if (c.loss !== null) c.loss.undo.refuted(first, end);
      tcp.stats[Stats.DSACKS_IN]! += 1;
      tcp.records.tallyOf(c).dsacksIn++;
    } else if (((first - c.sndUna) | 0) > 0) {
      board.sack(first, end, tcp.clock.us, c.minRtt);
    }
  }
}

/** True when the segment being processed tells of something that arrived twice. */
export function tellsDuplicate(tcp: Tcp, c: Connection): boolean {
  const { sackAt, sackCount } = tcp.optionValues;
  if (c.sackOk === 0 || sackCount === 0) return false;
  return isDsack(tcp, c, tcp.view.getInt32(sackAt), tcp.view.getInt32(sackAt + 4));
}

/** RFC 2883 4: the first block lies below the ACK, or inside the second block. */
function isDsack(tcp: Tcp, c: Connection, first: number, end: number): boolean {
  if (((end - c.sndUna) | 0) <= 0) return true;
  const { sackAt, sackCount } = tcp.optionValues;
  if (sackCount < 2) return false;
  const outerFirst = tcp.view.getInt32(sackAt + BLOCK);
  const outerEnd = tcp.view.getInt32(sackAt + BLOCK + 4);
  return ((first - outerFirst) | 0) >= 0 && ((end - outerEnd) | 0) <= 0;
}

/** The peer is to hear that [first, end) came twice; a range goes on where the next one follows. */
export function oweDsack(c: Connection, first: number, end: number): void {
  if (c.sackOk === 0) return;
  const disorder = disorderOf(c);
  if (c.dsackDue === 0 || first !== disorder.dsackEnd) disorder.dsackFirst = first;
  c.dsackDue = 1;
  disorder.dsackEnd = end;
}

/**
 * Bytes of the SACK option that the next segment carries, which has `data` bytes of payload; `room`
 * of the 40 are free. It is on all ACKs while there are holes, those on data included (RFC 2018 4),
 * as far as the MSS leaves room beside the data.
 */
export function sackLength(c: Connection, data: number, room: number): number {
  if (c.sackOk === 0) return 0;
  let blocks = c.outOfOrder === null ? 0 : c.outOfOrder.count;
  if (c.dsackDue === 1) blocks++;
  const left = data === 0 ? room : c.mss - data;
  const most = ((left < room ? left : room) - FRONT) >> 3;
  if (blocks === 0 || most <= 0) return 0;
  if (blocks > most) blocks = most;
  return FRONT + BLOCK * (blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS);
}

/**
 * Writes the option of `length` bytes: a duplicate first, then the range that holds what arrived
 * last, then the others from the top (RFC 2018 4).
 */
export function writeSack(tcp: Tcp, c: Connection, at: number, length: number): void {
  const view = tcp.view;
  view.setInt32(at, (KIND_NOP << 24) | (KIND_NOP << 16) | (KIND_SACK << 8) | (length - 2));
  let to = at + FRONT;
  const end = at + length;
  if (c.dsackDue === 1) {
    view.setInt32(to, c.disorder!.dsackFirst);
    view.setInt32(to + 4, c.disorder!.dsackEnd);
    to += BLOCK;
    c.dsackDue = 0;
    tcp.stats[Stats.DSACKS_OUT]! += 1;
  }
  const ranges = c.outOfOrder;
  if (ranges === null) return;
  const newest = ranges.indexOf(c.disorder!.lastArrived);
  if (newest >= 0 && to < end) to = writeBlock(view, to, ranges.first(newest), ranges.end(newest));
  for (let i = ranges.count - 1; i >= 0 && to < end; i--) {
    if (i !== newest) to = writeBlock(view, to, ranges.first(i), ranges.end(i));
  }
}

function writeBlock(view: DataView, at: number, first: number, end: number): number {
  view.setInt32(at, first);
  view.setInt32(at + 4, end);
  return at + BLOCK;
}
