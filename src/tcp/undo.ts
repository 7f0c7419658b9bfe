/**
 * Taking a recovery back that turns out to have been for nothing: what was called lost was late.   hot path
 *
 * The peer proves it in one of three ways, tried on each ACK while a recovery lasts:
 *
 *     it calls everything that was sent again a duplicate     DSACK, RFC 2883 and RFC 3708
 *     it echoes a timestamp from before the repair            Eifel, RFC 3522 and RFC 4015
 *     after a timeout it acknowledges what was not repaired   F-RTO, RFC 5682 with SACK
 *
 * Then the congestion window is what it was before (RFC 9438 4.9), and what is still marked as
 * lost is in flight again. DSACKs come a round trip after the repair, when the recovery is mostly
 * over, and often everything in flight has arrived: they count until the next one begins, or
 * settle() in recovery.ts has waited for them.
 * @module
 */
import { type Connection, FAST_RECOVERY, LOSS, OPEN } from './connection.ts';
import type { Scoreboard } from './scoreboard.ts';
import * as Stats from './stats.ts';
import { noteTimeoutOver } from './tally.ts';
import type { Tcp } from './tcp.ts';
import { note } from './trace.ts';
import { FRTO_FIRST, FRTO_NONE, FRTO_SECOND, type Undo } from './undo-record.ts';

/** A loss is about to be acted on, and has its record: the window is kept. */
export function beginEpisode(c: Connection, board: Scoreboard): void {
  const { undo } = c.loss!;
  undo.reset();
  undo.armed = 1;
  undo.from = c.sndUna;
  undo.to = c.sndUna;
  undo.repeated = 0;
  // The peer may yet call what was sent again before, a tail loss probe, a duplicate. That must
  // not count for what is going to be sent again.
  undo.doubted = board.repeatedBytes;
  if (undo.doubted > 0) undo.to = c.sndNxt;
  c.congestion.keep(c, undo.kept);
}

/** After a timeout with no recovery under way: F-RTO may tell whether it was one. */
export function tryForward(c: Connection): void {
  if (c.sackOk === 1) c.loss!.undo.frto = FRTO_FIRST;
}

/**
 * An ACK, during a recovery or with a DSACK after it: is there proof that it was for nothing?
 * @param advance sequence numbers newly acknowledged
 */
export function reconsider(tcp: Tcp, c: Connection, board: Scoreboard, advance: number): void {
  if (c.loss === null || c.loss.undo.armed === 0) return;
  const { undo } = c.loss;
  if (c.recovery === LOSS) reconsiderTimeout(tcp, c, board, advance);
  else if (c.recovery === FAST_RECOVERY) reconsiderRecovery(tcp, c, board, advance);
  else if (undo.isRefuted) takeBack(tcp, c, board, Stats.DSACK_UNDO);
}

function reconsiderRecovery(tcp: Tcp, c: Connection, board: Scoreboard, advance: number): void {
  const { undo } = c.loss!;
  const ends = ((c.sndUna - c.loss!.recover) | 0) >= 0;
  if (undo.isRefuted && (ends || board.lostBytes === 0)) {
    takeBack(tcp, c, board, Stats.DSACK_UNDO);
  } else if (advance > 0 && (undo.repeated === 0 || echoesOriginal(tcp, c, undo))) {
    // The hole was filled by what had been late. The path reorders more than was thought.
    if (c.sackOk === 1) c.loss!.reorders = 1;
    if (ends) takeBack(tcp, c, board, Stats.FULL_UNDO);
    else if (board.repeatedBytes === 0) takeBack(tcp, c, board, Stats.PARTIAL_UNDO);
  }
}

function reconsiderTimeout(tcp: Tcp, c: Connection, board: Scoreboard, advance: number): void {
  const { undo } = c.loss!;
  if (undo.isRefuted || (advance > 0 && undo.repeated === 1 && echoesOriginal(tcp, c, undo))) {
    takeBack(tcp, c, board, Stats.LOSS_UNDO);
    return;
  }
  if (undo.frto === FRTO_NONE) return;
  if (board.wronglyLost === 1) {
    // Step 3.b: data arrived that was in flight all the time.
    tcp.stats[Stats.SPURIOUS_RTOS]! += 1;
    takeBack(tcp, c, board, Stats.LOSS_UNDO);
  } else if (undo.frto === FRTO_FIRST && advance > 0) {
    // Step 2.b: new data now; what comes back for it tells more than another repair would.
    undo.frto = canSendNew(c) ? FRTO_SECOND : FRTO_NONE;
  } else if (undo.frto === FRTO_SECOND) {
    undo.frto = FRTO_NONE;
  }
}

/** RFC 3522 3.2: the ACK answers something that was sent before the first repair. */
function echoesOriginal(tcp: Tcp, c: Connection, undo: Undo): boolean {
  const values = tcp.optionValues;
  if (c.tsOk === 0 || values.timestamps === 0) return false;
  return ((values.tsEcr - c.tsOffset - undo.repeatedAt) | 0) < 0;
}

function canSendNew(c: Connection): boolean {
  return c.unsent > 0 && c.flight < c.sndWnd && ((c.sndUna - c.loss!.recover) | 0) < 0;
}

function takeBack(tcp: Tcp, c: Connection, board: Scoreboard, stat: number): void {
  tcp.stats[stat]! += 1;
  const { undo } = c.loss!;
  c.congestion.restore(c, undo.kept);
  undo.reset();
  note(tcp, c, 'undone');
  if (c.recovery === OPEN) return;
  if (c.recovery === LOSS) noteTimeoutOver(tcp, c);
  board.loseNothing();
  c.recovery = OPEN;
  c.dupAcks = 0;
}
