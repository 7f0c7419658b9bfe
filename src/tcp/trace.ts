/**
 * A trace of what happens to connections: changes of state, retransmissions, recoveries.
 *
 * Off, it costs one test for null where something unusual happens, and nothing in the steady
 * state. On, each event is a fresh object handed to `tcp.trace`, which must not call the stack.
 * @module
 */
import type { Connection } from './connection.ts';
import { stateName } from './state.ts';
import type { Tcp } from './tcp.ts';

/** What happened; the comments say what `seq` and `length` are then. */
export type TcpTraceKind =
  /** From `from` to `state`. */
  | 'state'
  /** `length` sequence numbers from `seq` on went out again. */
  | 'retransmit'
  /** The retransmission timer fired; `seq` is SND.UNA, `length` what was in flight. */
  | 'timeout'
  /** Loss was found without a timeout; `seq` and `length` as above. */
  | 'recovery'
  /** All that was in flight when the recovery began has arrived. */
  | 'recovered'
  /** The recovery was for nothing: what had been called lost was late. */
  | 'undone'
  /** A tail loss probe went out. */
  | 'tail-probe'
  /** The size of segments has changed to `mss`. */
  | 'mss';

export interface TcpTraceEvent {
  readonly what: TcpTraceKind;
  /** Microseconds on the stack's clock (int32, wraps). */
  readonly atUs: number;
  /** Which connection: its index, and its ports. */
  readonly connection: number;
  readonly localPort: number;
  readonly remotePort: number;
  readonly from: string;
  readonly state: string;
  readonly seq: number;
  readonly length: number;
  readonly cwndBytes: number;
  readonly ssthreshBytes: number;
  readonly mss: number;
}

/** Where events go; null: nobody listens. */
export type TcpTrace = ((event: TcpTraceEvent) => void) | null;

/** The connection is in another state now. All changes of state come through here. */
export function enter(tcp: Tcp, c: Connection, state: number): void {
  const from = c.state;
  if (from === state) return;
  c.state = state;
  if (tcp.trace !== null) emitEvent(tcp, c, 'state', stateName(from), 0, 0);
}

/** Something happened to what is in flight. */
export function note(tcp: Tcp, c: Connection, what: TcpTraceKind): void {
  if (tcp.trace !== null) emitEvent(tcp, c, what, stateName(c.state), c.sndUna, c.flight);
}

/** `length` sequence numbers from `seq` on go out again. */
export function noteRepeat(tcp: Tcp, c: Connection, seq: number, length: number): void {
  if (tcp.trace !== null) emitEvent(tcp, c, 'retransmit', stateName(c.state), seq, length);
}

function emitEvent(
  tcp: Tcp,
  c: Connection,
  what: TcpTraceKind,
  from: string,
  seq: number,
  length: number,
): void {
  tcp.trace!({
    what,
    atUs: tcp.clock.us,
    connection: c.index,
    localPort: c.localPort,
    remotePort: c.remotePort,
    from,
    state: stateName(c.state),
    seq: seq >>> 0,
    length,
    cwndBytes: c.cwnd,
    ssthreshBytes: c.ssthresh,
    mss: c.mss,
  });
}
