/**
 * A window on the connections of a stack for a table that is looked at several times a second:
 * few numbers of few connections, in an order that is made once a second at the most.
 *
 * The order is a list of references to records, which may be free or another connection by the time
 * they are shown: what a row says is always read anew.
 * @module
 */
import type { Stack } from '../stack/index.ts';
import type { Connection } from '../tcp/connection.ts';
import { stateName } from '../tcp/state.ts';
import { type ConnectionFilter, endsOf, isOpen, matcherOf } from './connections.ts';

export const SORT_KEYS = ['rtt', 'cwnd', 'retransmits', 'queued', 'received', 'sent'] as const;

export type SortKey = (typeof SORT_KEYS)[number];

export interface PageRequest extends ConnectionFilter {
  /** The most first; by age when left out. */
  readonly sort?: SortKey;
  /** Of all connections of the filter, by their number in the order. */
  readonly skip?: number;
  readonly limit?: number;
  /** 1: what the order is by, of all of them. */
  readonly keys?: number;
}

export interface ConnectionRow {
  readonly local: string;
  readonly localPort: number;
  readonly remote: string;
  readonly remotePort: number;
  readonly state: string;
  readonly rttUs: number;
  readonly cwndBytes: number;
  readonly retransmits: number;
  readonly receiveQueue: number;
  readonly sendQueue: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** What the order is by. */
  readonly key: number;
}

export interface ConnectionPage {
  /** How many there are in all, for this filter. */
  readonly total: number;
  readonly rows: readonly ConnectionRow[];
  /** Null when nobody asked. */
  readonly keys: Float64Array | null;
}

/** A part of one stack's order. */
export interface Window {
  readonly skip: number;
  readonly limit: number;
}

const MOST_ROWS = 500;
const FRESH_MS = 1000;

/** Of one stack. */
export class ConnectionPager {
  readonly #stack: Stack;
  #order: Connection[] = [];
  #keys: Float64Array = new Float64Array(0);
  #orderFor = '';
  #orderAt = Number.NEGATIVE_INFINITY;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** `now`: milliseconds. Throws an Error when the request is wrong. */
  page(request: PageRequest, now: number): ConnectionPage {
    const { skip = 0, limit = 0 } = request;
    this.#refresh(request, now);
    const rows: ConnectionRow[] = [];
    const end = Math.min(this.#order.length, skip + Math.min(limit, MOST_ROWS));
    for (let i = skip; i < end; i++) {
      const c = this.#order[i]!;
      if (isOpen(c)) rows.push(rowOf(c, this.#keys[i]!));
    }
    const keys = request.keys === 1 ? this.#keys : null;
    return { total: this.#order.length, rows, keys };
  }

  #refresh(request: PageRequest, now: number): void {
    const { state = '', address = '', port = '', sort } = request;
    const orderFor = [state, address, port, sort].join('|');
    if (orderFor === this.#orderFor && now - this.#orderAt < FRESH_MS) return;
    const key = keyOf(sort);
    const matches = matcherOf(request);
    const found = this.#stack.tcp.connections.filter((c) => isOpen(c) && matches(c));
    const keyed = found.map((c) => ({ c, key: key(c) }));
    if (sort !== undefined) keyed.sort((a, b) => b.key - a.key);
    this.#order = keyed.map(({ c }) => c);
    this.#keys = Float64Array.from(keyed, (each) => each.key);
    this.#orderFor = orderFor;
    this.#orderAt = now;
  }
}

/**
 * Which part of each stack's order a window on all of them shows. `keys`: what each is ordered by,
 * the most first; equal ones come in the order of the stacks.
 */
export function windowsOf(keys: readonly Float64Array[], skip: number, limit: number): Window[] {
  const heads = keys.map(() => 0);
  const advance = (steps: number): void => {
    for (let i = 0; i < steps; i++) {
      let best = -1;
      for (const [index, list] of keys.entries()) {
        const head = list[heads[index]!];
        if (head === undefined) continue;
        if (best < 0 || head > keys[best]![heads[best]!]!) best = index;
      }
      if (best < 0) return;
      heads[best]!++;
    }
  };
  advance(skip);
  const starts = [...heads];
  advance(limit);
  return starts.map((start, index) => ({ skip: start, limit: heads[index]! - start }));
}

function keyOf(sort: SortKey | undefined): (c: Connection) => number {
  switch (sort) {
    case undefined:
      return () => 0;
    case 'rtt':
      return rttOf;
    case 'cwnd':
      return (c) => c.cwnd;
    case 'retransmits':
      return (c) => c.tally?.retransmits ?? 0;
    case 'queued':
      return (c) => c.rcv.length + c.snd.length;
    case 'received':
      return (c) => (c.socket?.bytesRead ?? 0) + c.rcv.length;
    case 'sent':
      return (c) => (c.socket?.bytesWritten ?? 0) - c.snd.length;
    default:
      throw new Error(`sort "${sort}" is not one of ${SORT_KEYS.join(', ')}`);
  }
}

/** The smoothed round trip in microseconds; it is kept in eighths. */
const rttOf = (c: Connection): number => c.srtt >> 3;

function rowOf(c: Connection, key: number): ConnectionRow {
  const { socket, tally } = c;
  return {
    ...endsOf(c),
    state: stateName(c.state),
    rttUs: rttOf(c),
    cwndBytes: c.cwnd,
    retransmits: tally?.retransmits ?? 0,
    receiveQueue: c.rcv.length,
    sendQueue: c.snd.length,
    bytesReceived: (socket?.bytesRead ?? 0) + c.rcv.length,
    bytesSent: (socket?.bytesWritten ?? 0) - c.snd.length,
    key,
  };
}
