/**
 * Connections in use before their SYN-ACK is acknowledged (fast-open-server.ts): how that ends.
 * @module
 */
import type { Connection } from './connection.ts';
import { SYN_RECEIVED } from './state.ts';
import type { Tcp } from './tcp.ts';

/** True from a SYN with a good cookie until the ACK of our SYN-ACK. */
export function isEarly(c: Connection): boolean {
  return c.state === SYN_RECEIVED && c.opening!.early === 1;
}

/** The ACK of our SYN-ACK is here; data that was sent after it may still be in flight. */
export function earlyAcknowledged(tcp: Tcp, c: Connection): void {
  const opening = c.opening!;
  opening.early = 0;
  opening.listener!.fastOpen!.pending--;
  const una = (opening.iss + 1) | 0;
  if (c.board !== null) c.board.acknowledge(una, tcp.clock.us, c.minRtt);
  c.sndUna = una;
}

/** A RST ended it: its place is not free at once. */
export function earlyReset(tcp: Tcp, c: Connection): void {
  c.opening!.listener!.fastOpen!.keep(tcp.clock.ms);
}
