/**
 * The states of a connection and the transitions between them (RFC 9293 3.3.2).
 *
 * All changes of a synchronized connection's state go through `TRANSITIONS`; opening (SYN) and
 * ending (RST, timeouts) are the handshake's and Tcp.end()'s business.
 *
 *                               close              FIN received         our FIN acknowledged
 *     SYN_RECEIVED, ESTABLISHED FIN_WAIT_1         CLOSE_WAIT           -
 *     FIN_WAIT_1                -                  CLOSING              FIN_WAIT_2
 *     FIN_WAIT_2                -                  TIME_WAIT            -
 *     CLOSE_WAIT                LAST_ACK           -                    -
 *     CLOSING                   -                  -                    TIME_WAIT
 *     LAST_ACK                  -                  -                    CLOSED
 * @module
 */
export const CLOSED = 0;
export const LISTEN = 1;
export const SYN_SENT = 2;
export const SYN_RECEIVED = 3;
export const ESTABLISHED = 4;
export const FIN_WAIT_1 = 5;
export const FIN_WAIT_2 = 6;
export const CLOSE_WAIT = 7;
export const CLOSING = 8;
export const LAST_ACK = 9;
export const TIME_WAIT = 10;

const NAMES = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
] as const;

/** The state's name as the RFC writes it. */
export function stateName(state: number): string {
  return NAMES[state] ?? `state ${state}`;
}

export const CLOSE = 0;
export const FIN_RECEIVED = 1;
export const FIN_ACKED = 2;

const EVENTS = 3;
const TRANSITIONS = new Int8Array((TIME_WAIT + 1) * EVENTS).fill(-1);

function transition(from: number, event: number, to: number): void {
  TRANSITIONS[from * EVENTS + event] = to;
}

transition(SYN_RECEIVED, CLOSE, FIN_WAIT_1);
transition(ESTABLISHED, CLOSE, FIN_WAIT_1);
transition(CLOSE_WAIT, CLOSE, LAST_ACK);
transition(SYN_RECEIVED, FIN_RECEIVED, CLOSE_WAIT);
transition(ESTABLISHED, FIN_RECEIVED, CLOSE_WAIT);
transition(FIN_WAIT_1, FIN_RECEIVED, CLOSING);
transition(FIN_WAIT_2, FIN_RECEIVED, TIME_WAIT);
transition(FIN_WAIT_1, FIN_ACKED, FIN_WAIT_2);
transition(CLOSING, FIN_ACKED, TIME_WAIT);
transition(LAST_ACK, FIN_ACKED, CLOSED);

/** The state after `event`; the same state where the event changes nothing. */
export function next(state: number, event: number): number {
  const to = TRANSITIONS[state * EVENTS + event]!;
  return to === -1 ? state : to;
}

/** True in the states in which the peer's data is still expected. */
export function receives(state: number): boolean {
  return state === ESTABLISHED || state === FIN_WAIT_1 || state === FIN_WAIT_2;
}

/** True in the states in which our data may still be sent (a FIN may be queued behind it). */
export function sends(state: number): boolean {
  return (
    state === ESTABLISHED ||
    state === CLOSE_WAIT ||
    state === FIN_WAIT_1 ||
    state === CLOSING ||
    state === LAST_ACK
  );
}
