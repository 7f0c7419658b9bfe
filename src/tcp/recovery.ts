/**
 * Loss recovery: fast retransmit and NewReno's fast recovery (RFC 5681 3.2, RFC 6582), and what
 * a retransmission timeout does (RFC 6298 5.4 to 5.7).   hot path
 * @module
 */
import { type Connection, FAST_RECOVERY, LOSS, OPEN } from './connection.ts';
import { setRto } from './rtt.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';

/** Duplicate ACKs that count as a loss. */
const THRESHOLD = 3;

/** A duplicate ACK arrived. */
export function duplicateAck(tcp: Tcp, c: Connection): void {
  c.dupAcks++;
  if (c.recovery === FAST_RECOVERY) {
    // Another segment has left the network: one more may enter.
    c.cwnd += c.mss;
    return;
  }
  // RFC 6582 3.2 step 2: not for what was sent before the last recovery.
  const news = c.recovery === OPEN && ((c.sndUna - c.recover) | 0) >= 0;
  if (c.dupAcks < THRESHOLD || !news) return;
  tcp.stats[Stats.FAST_RECOVERIES]! += 1;
  tcp.congestion.lost(c);
  c.recovery = FAST_RECOVERY;
  c.recover = c.sndMax;
  c.cwnd = c.ssthresh + THRESHOLD * c.mss;
  c.retransmitDue = 1;
}

/** New data was acknowledged during a recovery. */
export function recoveryAck(tcp: Tcp, c: Connection, advance: number, flight: number): void {
  const full = ((c.sndUna - c.recover) | 0) >= 0;
  if (c.recovery === LOSS) {
    c.dupAcks = 0;
    if (full) c.recovery = OPEN;
    tcp.congestion.acknowledged(c, advance, flight);
  } else if (full) {
    // RFC 6582 3.2 step 3, option 1: do not burst.
    const left = c.flight + c.mss;
    c.cwnd = c.ssthresh < left ? c.ssthresh : left;
    if (c.cwnd < 2 * c.mss) c.cwnd = 2 * c.mss;
    c.recovery = OPEN;
    c.dupAcks = 0;
  } else {
    // A partial ACK: the next hole begins right here.
    c.cwnd -= advance;
    if (c.cwnd < c.mss) c.cwnd = c.mss;
    if (advance >= c.mss) c.cwnd += c.mss;
    c.retransmitDue = 1;
  }
}

/** The retransmission timer fired: everything from sndUna on is to be sent again, slowly. */
export function timedOut(tcp: Tcp, c: Connection): void {
  tcp.stats[Stats.TIMEOUTS]! += 1;
  if (c.recovery !== LOSS || c.sndUna === c.sndMax) tcp.congestion.timedOut(c);
  else c.cwnd = c.mss;
  c.recovery = LOSS;
  c.recover = c.sndMax;
  c.dupAcks = 0;
  c.timing = 0;
  c.backoff++;
  setRto(c, tcp.options);
  c.sndNxt = c.sndUna;
}
