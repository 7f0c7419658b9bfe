/**
 * The congestion control algorithms by name, and changing a connection's.
 * @module
 */
import { StackError } from '../../base/errors.ts';
import type { Connection } from '../connection.ts';
import { ESTABLISHED } from '../state.ts';
import type { Tcp } from '../tcp.ts';
import { bbr } from './bbr.ts';
import type { CongestionControl } from './congestion.ts';
import { cubic } from './cubic.ts';
import { newReno } from './new-reno.ts';
import { none } from './none.ts';
import { attachPacer } from './pacing.ts';

const ALGORITHMS = { cubic, newreno: newReno, bbr, none } as const;

export type CongestionName = keyof typeof ALGORITHMS;

/** What [tcp] congestion, connect(), listen() and setCongestion() take. */
export const CONGESTION_NAMES: readonly CongestionName[] = Object.keys(
  ALGORITHMS,
) as CongestionName[];

/** Throws StackError EINVAL, which names those there are. */
export function algorithmNamed(name: string): CongestionControl {
  if (Object.hasOwn(ALGORITHMS, name)) return ALGORITHMS[name as CongestionName];
  const names = CONGESTION_NAMES.map((known) => `'${known}'`).join(', ');
  throw new StackError('EINVAL', `no congestion control is called '${name}'; there are ${names}`);
}

/**
 * From now on `c` is ruled by `next`. The new one begins with the window that is in use, since
 * what the old one allowed beyond that was never proven; ssthresh stays where it was found.
 */
export function changeCongestion(tcp: Tcp, c: Connection, next: CongestionControl): void {
  if (c.congestion === next) return;
  c.congestion = next;
  if (c.state < ESTABLISHED) return;
  const { cwnd, ssthresh, flight } = c;
  next.start(c, tcp.options.initialWindowSegments);
  if (next !== none) {
    const proven = flight > c.cwnd ? flight : c.cwnd;
    c.cwnd = cwnd < proven ? cwnd : proven;
    c.ssthresh = ssthresh;
  }
  attachPacer(tcp, c);
  tcp.makeReady(c);
}

/** The connection is established: an initial window of `segments` segments. */
export function startCongestion(tcp: Tcp, c: Connection, segments: number): void {
  c.congestion.start(c, segments);
  attachPacer(tcp, c);
}
