/**
 * Round-trip time and the retransmission timeout (RFC 6298).   hot path
 *
 * Measured is the newest segment that an ACK covers and that was sent once (Karn). srtt is kept times 8, rttvar
 * times 4, both in microseconds, as Jacobson did it, so that the filters are shifts.
 * @module
 */
import type { Connection } from './connection.ts';
import type { TcpOptions } from './options.ts';

const LEAST_WINDOW_MS = 300_000;

/** Takes a measurement in microseconds into account and sets the RTO from it. */
export function sample(c: Connection, rttUs: number, nowMs: number, options: TcpOptions): void {
  const rtt = rttUs < 1 ? 1 : rttUs;
  noteLeast(c, rtt, nowMs);
  if (c.srtt === 0) {
    c.srtt = rtt << 3;
    c.rttvar = rtt << 1;
  } else {
    const error = rtt - (c.srtt >> 3);
    c.srtt += error;
    c.rttvar += (error < 0 ? -error : error) - (c.rttvar >> 2);
  }
  c.backoff = 0;
  setRto(c, options);
}

/** The least of the last five minutes, as Linux has it: the path without queues. */
function noteLeast(c: Connection, rtt: number, nowMs: number): void {
  if (c.minRtt !== 0 && rtt > c.minRtt && ((nowMs - c.minRttAt) | 0) < LEAST_WINDOW_MS) return;
  c.minRtt = rtt;
  c.minRttAt = nowMs;
}

/** RTO = SRTT + max(G, 4 RTTVAR), at least minRtoMs after SRTT as Linux does, times 2^backoff. */
export function setRto(c: Connection, options: TcpOptions): void {
  let rtoMs = options.initialRtoMs;
  if (c.srtt !== 0) {
    const least = options.minRtoMs * 1000;
    const deviation = c.rttvar > least ? c.rttvar : least;
    rtoMs = (((c.srtt >> 3) + deviation + 999) / 1000) | 0;
  }
  if (c.backoff > 0) rtoMs *= 1 << (c.backoff < 16 ? c.backoff : 16);
  c.rtoMs = rtoMs < options.maxRtoMs ? rtoMs : options.maxRtoMs;
}
