/**
 * Socket buffers under one byte budget for the whole stack: how much a connection may buffer, and
 * what happens when memory is short.
 *
 * A connection begins with a little. Its receive limit doubles when the program reads
 * a quarter of it within a round trip (dynamic right-sizing, as Linux's tcp_rcv_space_adjust): what a
 * peer in slow start sends next is twice that, and what the window lets out at once after having held
 * it up overflows queues. Its send limit is twice the congestion window. The ceilings are the options receiveBufferBytes and
 * sendBufferBytes, and an eighth of the budget.
 *
 * What arrives early needs room up to where it belongs, and so one byte at the far edge of the window
 * as much as a window full: above a quarter of the budget only a few times as much as really came.
 *
 * Above three quarters of the budget the stack is under pressure, until it is back at a half: then
 * limits are a few segments, and what arrives out of order is taken only where a block has room.
 * Windows close as data comes in; the right edge never moves back. When there is no block at all
 * for data in order, out-of-order data of all connections is given up, oldest first: it was only
 * promised, and comes again (RFC 2018 8). Neither what is sent nor what was received may take more
 * than three quarters, so that each leaves room for what frees the other.
 * @module
 */
import { WRITABLE } from '../base/events.ts';
import { blockSize, type Heap, SMALL_BLOCK } from '../storage/heap.ts';
import { IndexQueue } from '../storage/index-queue.ts';
import type { Connection } from './connection.ts';
import { disorderOf } from './parts.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';

/** What a connection may hold for reading, and for sending, before anything is known of it. */
const FIRST_RECEIVE = 65_536;
const FIRST_SEND = 262_144;
/** What it may always buffer. */
const LEAST_BYTES = 4096;
const LEAST_SEGMENTS = 4;
/** The part of the budget that one buffer may have, as a shift. */
const SHARE_SHIFT = 3;
/** While less than this part of the budget is in use, as a shift, holes may be as large as windows. */
const CALM_SHIFT = 2;
/** Above it: bytes of room for each byte that came. */
const SPARSE = 8;
/** Connections per poll that are told to write again. */
const OFFERS = 16;
/** Round trips shorter than this (us) are taken for this: programs read in turns of their own. */
const LEAST_RTT = 2000;
/** The round trip of a connection that has not measured one. */
const UNKNOWN_RTT = 100_000;

export class Memory {
  /** 1 while memory is short. */
  pressure = 0;
  /** Bytes in use from which on it is, and below which it is not any more. */
  readonly high: number;
  readonly low: number;
  /** Bytes of blocks that hold what is sent; the rest of those in use hold what was received. */
  sending = 0;
  /** Most bytes of one buffer. */
  readonly share: number;
  readonly #heap: Heap;
  /** Connections that were given out-of-order data to hold; some have none any more. */
  readonly #disordered: IndexQueue = new IndexQueue();
  /** Connections whose program was refused a write with nothing under way that would end in one. */
  readonly #refused: IndexQueue = new IndexQueue();

  constructor(heap: Heap) {
    this.#heap = heap;
    this.high = heap.budget - (heap.budget >> 2);
    this.low = heap.budget >> 1;
    this.share =
      heap.budget >> SHARE_SHIFT > LEAST_BYTES ? heap.budget >> SHARE_SHIFT : LEAST_BYTES;
  }

  /** Once per poll while memory is short or was: enters and leaves the pressure. */
  look(tcp: Tcp): void {
    const live = this.#heap.live;
    if (live > this.high) this.press(tcp);
    else if (live < this.low && this.#refused.length === 0) this.pressure = 0;
    if (this.hasRoomForRefused) this.#offer(tcp);
  }

  /** Memory is short. */
  press(tcp: Tcp): void {
    if (this.pressure === 0) tcp.stats[Stats.MEMORY_PRESSURES]! += 1;
    this.pressure = 1;
  }

  /** True when a refused write could succeed now. */
  get hasRoomForRefused(): boolean {
    return this.#refused.length > 0 && this.sending + SMALL_BLOCK <= this.high;
  }

  /** `c` begins to hold out-of-order data. Looks at two others in turn, so that the list stays short. */
  disordered(tcp: Tcp, c: Connection): void {
    if (disorderOf(c).listed === 1) return;
    for (let i = 0; i < 2 && this.#disordered.length > 0; i++) {
      const other = this.#nextDisordered(tcp);
      if (other !== null) this.#list(other);
    }
    this.#list(c);
  }

  /**
   * Whether the buffer of `c` may grow to `needed` for `length` bytes that came early: not for next
   * to nothing while there is not plenty.
   */
  mayHoldEarly(c: Connection, needed: number, length: number): boolean {
    if (this.pressure === 1) return false;
    const size = blockSize(needed);
    if (size <= LEAST_BYTES || this.#heap.live + size <= this.#heap.budget >> CALM_SHIFT) {
      return true;
    }
    let held = c.rcv.length + length;
    const early = c.outOfOrder;
    if (early !== null) {
      for (let i = 0; i < early.count; i++) held += (early.end(i) - early.first(i)) | 0;
    }
    return needed <= SPARSE * held;
  }

  #list(c: Connection): void {
    disorderOf(c).listed = 1;
    this.#disordered.push(c.index);
  }

  /** Takes one off the list; null when it has nothing out of order any more. */
  #nextDisordered(tcp: Tcp): Connection | null {
    const c = tcp.connections[this.#disordered.shift()]!;
    if (c.disorder !== null) c.disorder.listed = 0;
    return c.outOfOrder === null ? null : c;
  }

  /**
   * Memory is short: room for `bytes` of received data in order all the same, if need be in place
   * of out-of-order data, that of `c` itself last. False when there is none.
   */
  makeRoom(tcp: Tcp, c: Connection, bytes: number): boolean {
    this.press(tcp);
    if (this.#mayReceive(c, bytes)) return true;
    for (let left = this.#disordered.length; left > 0; left--) {
      const other = this.#nextDisordered(tcp);
      if (other === null) continue;
      if (other === c) this.#list(c);
      else this.#prune(tcp, other);
      if (other !== c && this.#mayReceive(c, bytes)) return true;
    }
    if (c.outOfOrder === null) return false;
    this.#prune(tcp, c);
    return this.#mayReceive(c, bytes);
  }

  /** Received data leaves a quarter of the budget to what is sent. */
  #mayReceive(c: Connection, bytes: number): boolean {
    const more = bytes <= c.rcv.size ? 0 : blockSize(bytes) - c.rcv.size;
    if (more > 0 && this.#heap.live - this.sending + more > this.high) return false;
    return c.rcv.reserve(this.#heap, bytes);
  }

  #prune(tcp: Tcp, c: Connection): void {
    tcp.stats[Stats.OUT_OF_ORDER_PRUNED]! += 1;
    tcp.records.giveIntervals(c.outOfOrder!);
    c.outOfOrder = null;
    c.rcv.trim(this.#heap);
  }

  /**
   * Memory is short: room for as many of the `bytes` of a write as there is any for, 0: none. Then
   * the program hears of WRITABLE when something was acknowledged, or, with nothing to wait for,
   * when others freed memory. What is sent leaves a quarter of the budget to what is received: two
   * stacks that are full of data for each other could take none of it.
   */
  squeeze(tcp: Tcp, c: Connection, bytes: number): number {
    this.press(tcp);
    for (let some = bytes; some > 0; some >>= 1) {
      const needed = c.snd.length + some;
      const more = needed <= c.snd.size ? 0 : blockSize(needed) - c.snd.size;
      if (more > 0 && this.sending + more > this.high) continue;
      if (c.snd.reserve(this.#heap, needed)) return some;
    }
    tcp.stats[Stats.WRITES_REFUSED]! += 1;
    if (c.snd.length === 0 && c.wantsRoom === 0) this.#refused.push(c.index);
    return 0;
  }

  /** Each is asked again in its turn, a few per poll. */
  #offer(tcp: Tcp): void {
    const most = this.#refused.length < OFFERS ? this.#refused.length : OFFERS;
    for (let left = most; left > 0; left--) {
      const c = tcp.connections[this.#refused.shift()]!;
      if (c.wantsRoom === 0 || c.snd.length > 0 || c.socket === null) continue;
      c.wantsRoom = 0;
      tcp.events.raise(c.socket, WRITABLE);
    }
  }
}

/** Bytes that `c` may hold for reading: bounds its window. */
export function receiveLimit(tcp: Tcp, c: Connection): number {
  return tcp.memory.pressure === 0 ? c.rcvLimit : underPressure(c, c.rcvLimit);
}

/** Bytes that `c` may hold for sending. */
export function sendLimit(tcp: Tcp, c: Connection): number {
  let limit = 2 * c.cwnd;
  if (limit < FIRST_SEND) limit = FIRST_SEND;
  if (limit > tcp.memory.share) limit = tcp.memory.share;
  if (limit > tcp.options.sendBufferBytes) limit = tcp.options.sendBufferBytes;
  return tcp.memory.pressure === 0 ? limit : underPressure(c, limit);
}

function underPressure(c: Connection, limit: number): number {
  const few = LEAST_SEGMENTS * c.mss > LEAST_BYTES ? LEAST_SEGMENTS * c.mss : LEAST_BYTES;
  return few < limit ? few : limit;
}

/** The peer's SYN is here: what arrives from now on is measured. */
export function startMeasuring(tcp: Tcp, c: Connection): void {
  const most = tcp.options.receiveBufferBytes;
  c.rcvLimit = most < FIRST_RECEIVE ? most : FIRST_RECEIVE;
  c.rcvMeasured = c.rcvNxt;
  c.rcvMeasuredAt = tcp.clock.us;
}

/**
 * The program has read a quarter of the limit, up to `read`. In less than a round trip? Then the window
 * will soon hold the peer up, and is doubled.
 */
export function measureReading(tcp: Tcp, c: Connection, read: number): void {
  const elapsed = (tcp.clock.us - c.rcvMeasuredAt) | 0;
  c.rcvMeasured = read;
  c.rcvMeasuredAt = tcp.clock.us;
  const options = tcp.options.receiveBufferBytes;
  const most = options < tcp.memory.share ? options : tcp.memory.share;
  if (c.rcvLimit >= most || tcp.memory.pressure === 1) return;
  const rtt = c.srtt === 0 ? UNKNOWN_RTT : c.srtt >> 3;
  if (elapsed > (rtt > LEAST_RTT ? rtt : LEAST_RTT)) return;
  const doubled = c.rcvLimit * 2;
  c.rcvLimit = doubled < most ? doubled : most;
  tcp.stats[Stats.RECEIVE_LIMITS_RAISED]! += 1;
}
