/**
 * Loss recovery: how losses are found (RACK, RFC 8985; duplicate ACKs without SACK, RFC 6582),
 * how fast the window shrinks meanwhile (PRR, RFC 9937), and timeouts (RFC 6298 5.4 to 5.7).   hot path
 *
 * Finding a loss only marks it on the scoreboard; output.ts sends what is marked when pipe and
 * cwnd allow. So there is one rule for sending, whatever found the loss.
 * @module
 */

import {
  type Connection,
  FAST_RECOVERY,
  LOSS,
  OPEN,
  TIMER_REORDER,
  TIMER_TLP,
} from './connection.ts';
import { reduced } from './ecn.ts';
import { isProbeLoss, probeFailed } from './mtu-probe.ts';
import { giveLoss, lossOf } from './parts.ts';
import { setRto } from './rtt.ts';
import { tellsDuplicate } from './sack.ts';
import type { Scoreboard } from './scoreboard.ts';
import * as Stats from './stats.ts';
import { noteTimeout, noteTimeoutOver } from './tally.ts';
import type { Tcp } from './tcp.ts';
import { armReorder, disarm } from './timers.ts';
import { note } from './trace.ts';
import { beginEpisode, reconsider, tryForward } from './undo.ts';

/** Duplicate ACKs, or segments sacked above a hole, that count as a loss. */
const THRESHOLD = 3;
/** RFC 8985: how far the reordering window may grow, and how many recoveries it stays so. */
const MOST_STEPS = 64;
const PERSIST_RECOVERIES = 16;

/**
 * After an ACK whose news is on the scoreboard: finds losses and moves the recovery along.
 * @param advance sequence numbers newly acknowledged
 * @param before pipe before the ACK
 *
 * The window grows by what arrived, not by what the ACK covers: what was sacked counted when it
 * was (RFC 3465).
 */
export function afterAck(
  tcp: Tcp,
  c: Connection,
  board: Scoreboard,
  advance: number,
  before: number,
): void {
  if (board.reordered === 1 && c.sackOk === 1) noteReordering(tcp, c);
  if (c.recovery !== OPEN || tcp.dsack === 1) reconsider(tcp, c, board, advance);
  const ended = c.recovery !== OPEN && ((c.sndUna - c.loss!.recover) | 0) >= 0;
  if (ended) endRecovery(tcp, c);
  if (c.sackOk === 1) detectBySack(tcp, c, board);
  else detectByDuplicates(c, board, advance);
  if (c.recovery === OPEN && board.lostBytes > 0) lossFound(tcp, c, board, before);
  if (c.recovery === FAST_RECOVERY) proportionalRate(c, board.delivered, advance);
  else if ((advance > 0 || arrivesLate(c, board)) && !ended)
    c.congestion.acknowledged(c, board.delivered, before, tcp.clock.ms, board.rtt);
}

/** What is behind a hole counts for the window where holes mostly mean that something is late. */
function arrivesLate(c: Connection, board: Scoreboard): boolean {
  return board.delivered > 0 && c.loss !== null && c.loss.reorders === 1;
}

/** Something arrived behind what was sent after it. */
function noteReordering(tcp: Tcp, c: Connection): void {
  lossOf(c).reorders = 1;
  tcp.stats[Stats.REORDERINGS]! += 1;
  tcp.records.tallyOf(c).reorderings++;
}

/** RFC 8985 6.2: what was sent long enough before the newest arrival is lost. */
function detectBySack(tcp: Tcp, c: Connection, board: Scoreboard): void {
  disarm(c, TIMER_REORDER);
  if (board.sackedBytes === 0 && c.recovery === OPEN) return;
  const wait = board.detectLoss(reorderWindow(c, board), tcp.clock.us);
  tcp.stats[Stats.LOST_RETRANSMITS]! += board.repairsLost;
  board.repairsLost = 0;
  if (wait > 0) armReorder(tcp.wheel, c, (tcp.clock.ms + 1 + ((wait / 1000) | 0)) | 0);
}

/**
 * The peer got something twice (DSACK): it was late, not lost. RACK waits longer from now on, by
 * a quarter of the least round-trip time per round trip, for 16 recoveries (RFC 8985 6.2 step 4).
 */
export function duplicateTold(c: Connection): void {
  const loss = lossOf(c);
  if (((c.sndUna - loss.reorderRound) | 0) < 0) return;
  loss.reorderRound = c.sndNxt;
  loss.reorders = 1;
  if (loss.reorderSteps < MOST_STEPS) loss.reorderSteps++;
  loss.reorderPersist = PERSIST_RECOVERIES;
}

/** The time that late segments, or a late DSACK, were given is up. */
export function lateLoss(tcp: Tcp, c: Connection): void {
  const board = c.board;
  if (board === null) return settle(tcp, c);
  const before = c.pipe;
  detectBySack(tcp, c, board);
  if (c.recovery === OPEN && board.lostBytes > 0) lossFound(tcp, c, board, before);
  if (board.lostBytes > 0) tcp.makeReady(c);
}

/** Microseconds that a late segment is waited for. */
function reorderWindow(c: Connection, board: Scoreboard): number {
  const loss = c.loss;
  const reorders = loss !== null && loss.reorders === 1;
  if (!reorders && (c.recovery !== OPEN || board.sackedBytes >= THRESHOLD * c.mss)) return 0;
  const window = (c.minRtt >> 2) * (loss === null ? 1 : loss.reorderSteps);
  const srtt = c.srtt >> 3;
  return window < srtt ? window : srtt;
}

/** RFC 6582 for peers without SACK. */
function detectByDuplicates(c: Connection, board: Scoreboard, advance: number): void {
  if (advance > 0) {
    if (c.recovery !== FAST_RECOVERY) {
      c.dupAcks = 0;
      return;
    }
    // A partial ACK: the next hole begins right here. All it covers but the repaired segment had
    // been counted as duplicate ACKs.
    board.loseFirst(c.mss);
    const covered = ((advance / c.mss) | 0) - 1;
    c.dupAcks = c.dupAcks > covered ? c.dupAcks - (covered > 0 ? covered : 0) : 0;
    return;
  }
  board.delivered = c.mss;
  // Step 2: not for what was sent before the last recovery.
  const old = c.loss !== null && ((c.sndUna - c.loss.recover) | 0) < 0;
  const fresh = c.recovery === OPEN && !old;
  if (fresh && c.dupAcks >= THRESHOLD) board.loseFirst(c.mss);
}

/** A loss is a sign of congestion, unless it was too large for the path. */
function lossFound(tcp: Tcp, c: Connection, board: Scoreboard, before: number): void {
  if (c.probing !== null && isProbeLoss(tcp, c, board)) return;
  enterRecovery(tcp, c, board, before);
}

function enterRecovery(tcp: Tcp, c: Connection, board: Scoreboard, before: number): void {
  tcp.stats[Stats.FAST_RECOVERIES]! += 1;
  if (c.sackOk === 0) tcp.stats[Stats.RENO_RECOVERIES]! += 1;
  const loss = lossOf(c);
  beginEpisode(c, board);
  c.congestion.lost(c);
  if (c.ecn !== null) reduced(c, c.ecn);
  c.recovery = FAST_RECOVERY;
  loss.recover = c.sndNxt;
  loss.prrDelivered = 0;
  loss.prrOut = 0;
  loss.recoverFlight = before > c.mss ? before : c.mss;
  // The first repair goes at once, however full the window (RFC 9937 6).
  c.cwnd = c.pipe + c.mss;
  c.tlpOut = 0;
  disarm(c, TIMER_TLP);
  note(tcp, c, 'recovery');
  if (loss.reorderPersist > 0 && --loss.reorderPersist === 0) loss.reorderSteps = 1;
}

/** RFC 9937 6: as many bytes may leave as arrive, scaled by what the window is to become. */
function proportionalRate(c: Connection, delivered: number, advance: number): void {
  if (delivered <= 0) return;
  const loss = c.loss!;
  loss.prrDelivered += delivered;
  const pipe = c.pipe;
  let count = 0;
  if (pipe > c.ssthresh) {
    count = Math.ceil((loss.prrDelivered * c.ssthresh) / loss.recoverFlight) - loss.prrOut;
  } else {
    const owed = loss.prrDelivered - loss.prrOut;
    count = owed > delivered ? owed : delivered;
    // Good news: the first hole has moved. Then the window may grow by a segment.
    if (advance > 0) count += c.mss;
    if (count > c.ssthresh - pipe) count = c.ssthresh - pipe;
  }
  if (loss.prrOut === 0 && count < c.mss) count = c.mss;
  c.cwnd = pipe + (count > 0 ? count : 0);
}

function endRecovery(tcp: Tcp, c: Connection): void {
  if (c.recovery === FAST_RECOVERY) c.cwnd = c.ssthresh;
  else noteTimeoutOver(tcp, c);
  c.recovery = OPEN;
  c.dupAcks = 0;
  note(tcp, c, 'recovered');
}

/**
 * What the probe repeated is acknowledged (RFC 8985 7.4.2). That may have been the original: then
 * a duplicate is told of, or acknowledged once more. Else, when the next thing is acknowledged,
 * the probe has repaired a loss, and the window pays for it.
 */
export function probeAcknowledged(tcp: Tcp, c: Connection, duplicate: boolean): void {
  const spared = c.loss!.tlpRepeats === 0 || c.recovery !== OPEN || tellsDuplicate(tcp, c);
  if (!spared && !duplicate && c.sndUna === c.loss!.tlpEnd) return;
  c.tlpOut = 0;
  if (!spared && c.sndUna !== c.loss!.tlpEnd) {
    tcp.stats[Stats.TLP_RECOVERIES]! += 1;
    c.congestion.lost(c);
    if (c.ecn !== null) reduced(c, c.ecn);
    c.cwnd = c.ssthresh;
  }
  if (c.board === null) settle(tcp, c);
}

/**
 * Everything is acknowledged. The DSACK that proves a repair needless comes a round trip after
 * it, often when all else has arrived: what undo.ts knows waits an RTO for it, or until what is
 * sent next is acknowledged.
 */
export function settle(tcp: Tcp, c: Connection): void {
  const loss = c.loss;
  if (loss === null || c.tlpOut === 1 || c.recovery !== OPEN) return;
  const { undo } = loss;
  if (undo.armed === 1 && undo.repeated === 1 && undo.outlasts === 0) {
    undo.outlasts = 1;
    armReorder(tcp.wheel, c, (tcp.clock.ms + c.rtoMs) | 0);
    return;
  }
  disarm(c, TIMER_REORDER);
  undo.reset();
  giveLoss(c);
}

/** The retransmission timer fired: all that was not sacked is lost, and the window is a segment. */
export function timedOut(tcp: Tcp, c: Connection): void {
  tcp.stats[Stats.TIMEOUTS]! += 1;
  noteTimeout(tcp, c, c.recovery !== LOSS);
  if (c.probing !== null) probeFailed(tcp, c);
  const board = c.sndNxt === c.sndUna ? null : tcp.records.boardOf(c);
  const recovery = c.recovery;
  const loss = lossOf(c);
  if (recovery !== FAST_RECOVERY && c.retries <= 1 && board !== null) beginEpisode(c, board);
  // A repair was lost. What the window is reduced from is what the recovery aimed at: cwnd only
  // follows what is in the pipe meanwhile (RFC 5681 4.3, RFC 9937 6).
  if (recovery === FAST_RECOVERY && c.ssthresh > c.cwnd) c.cwnd = c.ssthresh;
  // RFC 5681 equation 4: only the first timeout of a loss says something about the path.
  if (c.retries <= 1) c.congestion.timedOut(c);
  else c.cwnd = c.mss;
  if (c.ecn !== null) reduced(c, c.ecn);
  c.recovery = LOSS;
  loss.recover = c.sndNxt;
  c.dupAcks = 0;
  c.tlpOut = 0;
  c.backoff++;
  setRto(c, tcp.options);
  note(tcp, c, 'timeout');
  disarm(c, TIMER_REORDER | TIMER_TLP);
  if (board === null) return;
  if (board.reneged) {
    tcp.stats[Stats.SACK_RENEGES]! += 1;
    board.forgetSacks();
  }
  board.loseAll();
  board.repairsLost = 0;
  if (recovery === OPEN) tryForward(c);
}
