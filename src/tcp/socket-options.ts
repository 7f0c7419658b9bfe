/**
 * A socket's options, as `socket.options`: what setsockopt() sets elsewhere. Each is a property;
 * a value that can not be throws StackError EINVAL; once the connection is over, properties have
 * their defaults and setting them does nothing.
 * @module
 */
import { StackError } from '../base/errors.ts';
import { push } from './choices.ts';
import { ACK_DELAYED, ACK_NOW, type Connection } from './connection.ts';
import { QUICK_ACKS } from './handshake.ts';
import { choicesOf } from './parts.ts';
import { offerRoom } from './sender.ts';
import { payloadMss } from './sizes.ts';
import { ESTABLISHED } from './state.ts';
import type { Tcp } from './tcp.ts';

/** RFC 9293 3.7.1: the least MSS that leaves room for data behind all headers and options. */
const LEAST_SEGMENT = 88;
const MOST_SEGMENT = 65_495;
const MOST_MS = 0x3fffffff;

export class SocketOptions {
  readonly #tcp: Tcp;
  readonly #c: Connection | null;

  /** Made by TcpSocket.options; valid as long as the socket's connection. */
  constructor(tcp: Tcp, c: Connection | null) {
    this.#tcp = tcp;
    this.#c = c;
  }

  /**
   * What close() does (SO_LINGER), in milliseconds. -1: FIN after what was written, for as long
   * as it takes. 0: RST at once, what was written is lost. Else: as -1, but RST and ETIMEDOUT
   * when not everything was acknowledged by then. close() itself never waits.
   */
  get linger(): number {
    return this.#c?.choices?.lingerMs ?? -1;
  }
  set linger(ms: number) {
    check('linger', ms, -1, MOST_MS);
    if (this.#c !== null) choicesOf(this.#c).lingerMs = ms;
  }

  /** Nagle's algorithm off (TCP_NODELAY): small segments do not wait for one another. */
  get noDelay(): boolean {
    return this.#c !== null && this.#c.noDelay === 1;
  }
  set noDelay(on: boolean) {
    if (this.#c === null) return;
    this.#c.noDelay = on ? 1 : 0;
    if (on && this.#c.state >= ESTABLISHED) this.#tcp.makeReady(this.#c);
  }

  /**
   * True: only full segments leave (TCP_CORK), what is less waits until it is false again or
   * 200 ms have passed. It outweighs noDelay; a FIN outweighs both.
   */
  get cork(): boolean {
    return this.#c?.choices?.cork === 1;
  }
  set cork(on: boolean) {
    const c = this.#c;
    if (c === null || (!on && c.choices === null)) return;
    const choices = choicesOf(c);
    choices.cork = on ? 1 : 0;
    choices.pushing = 0;
    if (!on && c.state >= ESTABLISHED) push(this.#tcp, c);
  }

  /**
   * Bytes (TCP_NOTSENT_LOWAT): write() takes what leaves at most so much unsent, and WRITABLE
   * comes when less than half of it is. 0: the send buffer is the only bound.
   */
  get notSentLowWater(): number {
    return this.#c?.choices?.notSentLowWater ?? 0;
  }
  set notSentLowWater(bytes: number) {
    check('notSentLowWater', bytes, 0, MOST_MS);
    const c = this.#c;
    if (c === null) return;
    choicesOf(c).notSentLowWater = bytes;
    if (c.wantsRoom === 1) offerRoom(this.#tcp, c);
  }

  /**
   * True while ACKs are sent at once (TCP_QUICKACK). Setting it is for now: it starts or ends a
   * run of 16, and an ACK that was waiting goes.
   */
  get quickAck(): boolean {
    return this.#c !== null && this.#c.quickAcks > 0;
  }
  set quickAck(on: boolean) {
    const c = this.#c;
    if (c === null) return;
    c.quickAcks = on ? QUICK_ACKS : 0;
    if (!on || c.ackDue !== ACK_DELAYED) return;
    c.ackDue = ACK_NOW;
    this.#tcp.makeReady(c);
  }

  /**
   * Largest segment (TCP_MAXSEG), options included, headers not: of those we send, and, set
   * before the SYN leaves, of those the peer is asked for. 0: what the path takes.
   */
  get maxSegment(): number {
    return this.#c?.choices?.maxSegment ?? 0;
  }
  set maxSegment(bytes: number) {
    if (bytes !== 0) checkMaxSegment(bytes);
    const c = this.#c;
    if (c === null) return;
    choicesOf(c).maxSegment = bytes;
    const most = payloadMss(c, bytes);
    if (bytes > 0 && c.state >= ESTABLISHED && most < c.mss) c.mss = most;
  }
}

/** Throws StackError EINVAL for a size of segments that can not be. */
export function checkMaxSegment(bytes: number): void {
  check('maxSegment', bytes, LEAST_SEGMENT, MOST_SEGMENT);
}

/** Throws StackError EINVAL unless `value` is an integer from `low` to `high`. */
export function check(name: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new StackError('EINVAL', `${name} is ${value}; it must be an integer, ${low} to ${high}`);
}
