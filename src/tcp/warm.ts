/**
 * Fetching connections into the cache before a burst is processed.   hot path
 *
 * With thousands of connections at work nearly every segment finds its connection cold, and each
 * cache miss is waited for in turn. Here all connections of a burst are looked up first, in a
 * loop whose rounds do not depend on each other, so that the processor waits for many at once.
 * What is found is a hint: the segment is checked against it later as against any candidate.
 *
 * Measured (Node 20): see docs/decisions/0008.
 * @module
 */
import {
  DESCRIPTOR_WORDS,
  RX_AT,
  RX_BASE,
  RX_COUNT,
  RX_LENGTH,
  RX_MAX,
} from '../link/layout.gen.ts';
import type { Connection } from './connection.ts';
import type { Flows } from './flows.ts';

/** Below this a burst is not worth two rounds. */
const LEAST = 4;
/** EtherType, version and header length of IPv4 without options, as one look each. */
const IPV4 = 0x0800;
const PLAIN_IPV4 = 0x45;
const TCP = 6;
/** Ethernet, IPv4 and TCP headers without options and tags. */
const HEADERS = 14 + 20 + 20;

export class Warm {
  /** For each descriptor of the burst the connection it seems to belong to. */
  readonly hints: (Connection | null)[] = new Array<Connection | null>(RX_MAX).fill(null);
  /** 1 while the hints are of the burst being processed. */
  valid = 0;
  /** What was touched, added up: a load whose result goes nowhere would be optimized away. */
  #sum = 0;

  /** Looks up the connections of the ring's burst and touches their cache lines. */
  fetch(flows: Flows, view: DataView, ring: Int32Array): void {
    const count = ring[RX_COUNT]!;
    this.valid = count < LEAST ? 0 : 1;
    if (count < LEAST) return;
    for (let i = 0; i < count; i++) {
      const at = RX_BASE + i * DESCRIPTOR_WORDS;
      this.hints[i] = candidate(flows, view, ring[at + RX_AT]!, ring[at + RX_LENGTH]!);
    }
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const c = this.hints[i]!;
      if (c !== null) sum = (sum + touch(c)) | 0;
    }
    this.#sum = (this.#sum + sum) | 0;
  }

  get sum(): number {
    return this.#sum;
  }
}

/** The connection of a plain TCP/IPv4 frame; null for all others, which take the usual way. */
function candidate(flows: Flows, view: DataView, at: number, length: number): Connection | null {
  if (length < HEADERS || view.getUint16(at + 12) !== IPV4) return null;
  if (view.getUint8(at + 14) !== PLAIN_IPV4 || view.getUint8(at + 23) !== TCP) return null;
  return flows.firstV4(view.getInt32(at + 26), view.getInt32(at + 30), view.getInt32(at + 34));
}

/** One field of each cache line that the segment will need, and of the buffers and the socket. */
function touch(c: Connection): number {
  const socket = c.socket;
  return (
    c.rcvNxt +
    c.lastDataAt +
    c.sndUna +
    c.sndBase +
    c.srtt +
    c.cwnd +
    c.timers +
    c.ackDue +
    c.dataSegmentsOut +
    c.tsOffset +
    c.quickAcks +
    c.snd.length +
    c.rcv.length +
    (socket === null ? 0 : socket.events + socket.bytesRead)
  );
}
