/**
 * A TCP socket as programs see it: the stack's own lean interface (docs/stack-api.md).
 *
 * It never calls back. It holds its connection as long as there is one; when the connection
 * ends, what remains visible - addresses, counts, the error - moves into the socket.
 * @module
 */
import type { Address } from '../base/address.ts';
import { type ErrorCode, StackError } from '../base/errors.ts';
import { CLOSED as EVENT_CLOSED, EventSource, FAILED } from '../base/events.ts';
import { copyOut } from '../storage/byte-ring.ts';
import { abort, close, end, shutdown } from './close.ts';
import { algorithmNamed, changeCongestion } from './congestion/algorithms.ts';
import { type Connection, TIMER_USER } from './connection.ts';
import { Ends } from './ends.ts';
import { infoOf, type TcpInfo } from './info.ts';
import { append, roomFor, roomIn } from './outbox.ts';
import { patienceOf } from './parts.ts';
import { windowOpened } from './receiver.ts';
import { check, SocketOptions } from './socket-options.ts';
import { CLOSED, SYN_SENT, stateName } from './state.ts';
import type { Tcp } from './tcp.ts';
import { disarm, startUserTimeout } from './timers.ts';
import { markUrgent, urgentLeft } from './urgent.ts';

/** Longest time that can be set, milliseconds. */
const MOST_MS = 0x3fffffff;
const NO_BYTES = new Uint8Array(0);

function checkByte(what: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= 255) return;
  throw new StackError('EINVAL', `${what} ${value} is not in ${least}-255`);
}

export class TcpSocket extends EventSource {
  /** Why it failed; '' while it has not. */
  error: '' | ErrorCode = '';
  bytesRead = 0;
  bytesWritten = 0;
  readonly #tcp: Tcp;
  #connection: Connection | null;
  /** Made when somebody asks for an address, or the connection ends. */
  #ends: Ends | null = null;

  /** Made by Tcp.connect() and TcpListener.accept(). */
  constructor(tcp: Tcp, connection: Connection) {
    super();
    this.#tcp = tcp;
    this.#connection = connection;
  }

  /** RFC 9293 state, tcp/state.ts. */
  get state(): number {
    return this.#connection === null ? CLOSED : this.#connection.state;
  }

  get stateName(): string {
    return stateName(this.state);
  }

  /** The connection for those who look deep (tests, `connections` listings); null once ended. */
  get connection(): Connection | null {
    return this.#connection;
  }

  /** What the connection knows about itself, at least Linux's TCP_INFO; null once it is over. */
  info(): TcpInfo | null {
    const c = this.#connection;
    return c === null ? null : infoOf(this.#tcp, c, this.bytesRead, this.bytesWritten);
  }

  /**
   * Trouble on the way that has not ended the connection: what an ICMP error said, or ETIMEDOUT
   * once data was sent again three times. FAILED was raised. '' again when data gets through.
   */
  get softError(): '' | ErrorCode {
    const c = this.#connection;
    const ends = this.#ends;
    if (ends === null || (c !== null && c.sndUna !== ends.softAt)) return '';
    return ends.softError;
  }

  /** The stack's: something is wrong (RFC 9293 3.9.1.8). */
  trouble(error: ErrorCode): void {
    this.#ends ??= new Ends(this.#connection!);
    this.#ends.softError = error;
    this.#ends.softAt = this.#connection!.sndUna;
    this.#tcp.events.raise(this, FAILED);
  }

  /** Bytes ready to be read. */
  get readable(): number {
    return this.#connection === null ? 0 : this.#connection.rcv.length;
  }

  /** FIN received, and everything before it read. */
  get ended(): boolean {
    const c = this.#connection;
    return c === null ? this.#ends!.finReceived : c.finSeen === 2 && c.rcv.length === 0;
  }

  /** Copies up to `end - start` bytes to `into`; returns how many, 0 when there are none. */
  read(into: Uint8Array, start = 0, end: number = into.length): number {
    const c = this.#connection;
    if (c === null) return 0;
    const available = c.rcv.length;
    const length = available < end - start ? available : end - start;
    if (length <= 0) return 0;
    const heap = this.#tcp.heap;
    const first = c.rcv.contiguous(0);
    if (length <= first) {
      copyOut(heap, c.rcv.at(0), into, start, length);
    } else {
      copyOut(heap, c.rcv.at(0), into, start, first);
      copyOut(heap, c.rcv.at(first), into, start + first, length - first);
    }
    consumed(this, this.#tcp, c, length);
    return length;
  }

  /**
   * A lent view of the first bytes: valid until the next call to this stack. `memory` is a view of
   * the whole arena, if it is to be one of another class (a Buffer).
   */
  peek(memory: Uint8Array = this.#tcp.heap.arena.bytes): Uint8Array {
    const c = this.#connection;
    if (c === null || c.rcv.length === 0) return NO_BYTES;
    const at = c.rcv.at(0);
    const first = c.rcv.contiguous(0);
    const length = first < c.rcv.length ? first : c.rcv.length;
    return memory.subarray(at, at + length);
  }

  /** Drops `bytes` that were peeked at. */
  consume(bytes: number): void {
    const c = this.#connection;
    if (c === null) return;
    if (bytes < 0 || bytes > c.rcv.length) {
      throw new StackError('EINVAL', `cannot consume ${bytes} of ${c.rcv.length} bytes`);
    }
    if (bytes > 0) consumed(this, this.#tcp, c, bytes);
  }

  /** Bytes that write() would take now. */
  get writable(): number {
    const c = this.#connection;
    if (c === null || c.finQueued === 1) return 0;
    const room = roomIn(this.#tcp, c);
    return room > 0 ? room : 0;
  }

  /**
   * Takes bytes into the send buffer; returns how many. Fewer than asked: wait for WRITABLE.
   * Throws StackError EPIPE after shutdown() and on an ended socket.
   */
  write(from: Uint8Array, start = 0, end: number = from.length): number {
    const c = this.#connection;
    if (c === null || c.finQueued === 1) {
      throw new StackError('EPIPE', 'write on a socket that is shut down or closed');
    }
    const room = roomIn(this.#tcp, c);
    const wanted = end - start;
    let length = wanted < room ? wanted : room;
    if (length > 0) length = roomFor(this.#tcp, c, length);
    if (length < wanted) c.wantsRoom = 1;
    if (length <= 0) return 0;
    append(this.#tcp.heap, c, from, start, length);
    this.bytesWritten += length;
    if (c.state !== SYN_SENT) this.#tcp.makeReady(c);
    return length;
  }

  /**
   * As write(), and the peer is told that everything up to here is urgent (RFC 9293 3.8.5). New
   * programs should not use it: middleboxes and systems disagree about it (RFC 6093).
   */
  writeUrgent(from: Uint8Array, start = 0, end: number = from.length): number {
    const written = this.write(from, start, end);
    if (written > 0) markUrgent(this.#tcp, this.#connection!);
    return written;
  }

  /** Bytes up to the end of what the peer called urgent that are not read yet, arrived or not. */
  get urgent(): number {
    const c = this.#connection;
    return c === null || this.#tcp.urgentCount === 0 ? 0 : urgentLeft(this.#tcp, c);
  }

  /** Bytes written but never sent. */
  get unsent(): number {
    const c = this.#connection;
    if (c === null) return 0;
    const unsent = c.unsent;
    return unsent > 0 ? (unsent < c.snd.length ? unsent : c.snd.length) : 0;
  }

  /** Bytes written but not acknowledged. */
  get unacknowledged(): number {
    return this.#connection === null ? 0 : this.#connection.snd.length;
  }

  /** FIN after what was written; reading goes on. */
  shutdown(): void {
    if (this.#connection !== null) shutdown(this.#tcp, this.#connection);
  }

  /** Lets go: FIN after what was written, or RST when there is unread input. CLOSED follows. */
  close(): void {
    if (this.#connection !== null) close(this.#tcp, this.#connection);
  }

  /** RST at once. CLOSED follows. */
  abort(): void {
    if (this.#connection !== null) abort(this.#tcp, this.#connection, '');
  }

  /** What setsockopt() sets elsewhere: linger, cork, low-water mark, largest segment. */
  get options(): SocketOptions {
    return new SocketOptions(this.#tcp, this.#connection);
  }

  setNoDelay(on: boolean): void {
    this.options.noDelay = on;
  }

  /**
   * Probes a silent peer after `idleMs`, every `intervalMs`, `count` times, then ETIMEDOUT. What
   * is left out is the stack's default. Throws StackError EINVAL.
   */
  setKeepAlive(on: boolean, idleMs?: number, intervalMs?: number, count?: number): void {
    const c = this.#connection;
    if (c === null) return;
    const options = this.#tcp.options;
    if (idleMs !== undefined) check('idleMs', idleMs, 1, MOST_MS);
    if (intervalMs !== undefined) check('intervalMs', intervalMs, 1, MOST_MS);
    if (count !== undefined) check('count', count, 1, 255);
    const patience = patienceOf(c);
    patience.keepAlive = on ? 1 : 0;
    patience.keepAliveIdleMs = idleMs ?? options.keepAliveIdleMs;
    patience.keepAliveIntervalMs = intervalMs ?? options.keepAliveIntervalMs;
    patience.keepAliveProbes = count ?? options.keepAliveProbes;
    this.#tcp.startKeepAlive(c);
  }

  /**
   * How long data may stay unacknowledged before ETIMEDOUT (RFC 5482), in milliseconds, from now
   * for what is in flight; 0: the retry limit rules. Throws StackError EINVAL.
   */
  setUserTimeout(ms: number): void {
    check('user timeout', ms, 0, MOST_MS);
    const c = this.#connection;
    if (c === null) return;
    patienceOf(c).userTimeoutMs = ms;
    disarm(c, TIMER_USER);
    if (c.sndUna !== c.sndNxt) startUserTimeout(this.#tcp.wheel, c, this.#tcp.clock.ms);
  }

  /** The name of its congestion control; '' once the connection has ended. */
  get congestion(): string {
    return this.#connection === null ? '' : this.#connection.congestion.name;
  }

  /** As TCP_CONGESTION. Throws StackError EINVAL, which names the algorithms there are. */
  setCongestion(name: string): void {
    const next = algorithmNamed(name);
    if (this.#connection !== null) changeCongestion(this.#tcp, this.#connection, next);
  }

  /**
   * The Differentiated Services field and the time to live (hop limit) of what is sent from now on.
   * The lowest two bits of the class are ECN's and not yours. Throws StackError EINVAL.
   */
  setTrafficClass(trafficClass: number): void {
    checkByte('traffic class', trafficClass, 0);
    const c = this.#connection;
    if (c === null) return;
    c.path = this.#tcp.net.paths.variant(c.path!, trafficClass, c.path!.hops);
  }

  setHops(hops: number): void {
    checkByte('hops', hops, 1);
    const c = this.#connection;
    if (c === null) return;
    c.path = this.#tcp.net.paths.variant(c.path!, c.path!.trafficClass, hops);
  }

  get localAddress(): Address {
    this.#ends ??= new Ends(this.#connection!);
    return this.#ends.local;
  }

  get remoteAddress(): Address {
    this.#ends ??= new Ends(this.#connection!);
    return this.#ends.remote;
  }

  get localPort(): number {
    this.#ends ??= new Ends(this.#connection!);
    return this.#ends.ports & 0xffff;
  }

  get remotePort(): number {
    this.#ends ??= new Ends(this.#connection!);
    return this.#ends.ports >>> 16;
  }

  /** The stack's: the connection is over, or goes on without the program (TIME-WAIT). */
  detach(error: '' | ErrorCode): void {
    const c = this.#connection;
    if (c === null) return;
    const softError = this.softError;
    this.#ends ??= new Ends(c);
    // What a reset threw away did not end well.
    this.#ends.finReceived = c.finSeen === 2 && (error === '' || c.rcv.length === 0);
    this.#ends.softError = softError;
    this.#connection = null;
    c.socket = null;
    if (this.error === '') this.error = error;
    this.#tcp.events.raise(this, EVENT_CLOSED);
  }
}

// A function, not a private method: that costs every socket a word of memory.

function consumed(socket: TcpSocket, tcp: Tcp, c: Connection, bytes: number): void {
  c.rcv.drop(tcp.heap, bytes, c.outOfOrder !== null);
  socket.bytesRead += bytes;
  if (c.state !== CLOSED) windowOpened(tcp, c);
  else if (c.rcv.length === 0) end(tcp, c, '');
}
