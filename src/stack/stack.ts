/**
 * The machine: links below, sockets above, and one function that makes it go.
 *
 * Pure: no clock, no randomness, no timers, no callbacks. See docs/stack-api.md.
 * @module
 */
import { type Address, Prefix } from '../base/address.ts';
import { Clock } from '../base/clock.ts';
import * as Drop from '../base/drops.ts';
import { EventQueue, type EventSource } from '../base/events.ts';
import { LINK_MTU, RX_MAX } from '../link/layout.gen.ts';
import type { Link } from '../link/link.ts';
import { createLoopback } from '../link/loopback.ts';
import type { Homing } from '../net/homing.ts';
import type { NeighborBoard } from '../net/neighbor/board.ts';
import { Net } from '../net/net.ts';
import type { Nic } from '../net/nic.ts';
import type { NetLimits } from '../net/options.ts';
import type { Relay } from '../net/relay.ts';
import * as NetStats from '../net/stats.ts';
import { Ping } from '../ping/ping.ts';
import type { Arena } from '../storage/arena.ts';
import { Heap } from '../storage/heap.ts';
import { abort } from '../tcp/close.ts';
import { followMtu } from '../tcp/errors.ts';
import type { TcpOptions } from '../tcp/options.ts';
import * as TcpStats from '../tcp/stats.ts';
import { Tcp } from '../tcp/tcp.ts';
import { Udp } from '../udp/udp.ts';
import { countsOf, type StackCounts, type StackReport } from './counts.ts';

/** Full bursts after which timers are looked at all the same. */
const MOST_POSTPONED = 16;
/** IP protocol numbers. */
const TCP = 6;
const UDP = 17;

export interface StackOptions {
  /** The memory that packets and socket buffers share; links that are attached use the same. */
  arena: Arena;
  /** How much of the arena socket buffers may use in all; default 64 MiB. */
  heapBytes?: number;
  /** Int32 numbers that nobody can predict; used at the start, and for ports. */
  random: () => number;
  tcp?: Partial<TcpOptions>;
  limits?: NetLimits;
  /** For several stacks over one device: what they tell each other. Their clocks have one origin. */
  board?: NeighborBoard;
  /** ... and whose queue a packet comes to: outgoing flows take ports whose answers come here. */
  homing?: Homing;
  /** ... and where datagrams go that are put together here and belong to another queue. */
  relay?: Relay;
}

export interface AttachOptions {
  /** Our addresses on this link with their on-link prefixes. */
  addresses?: Prefix[];
  /** 802.1Q VLAN identifier; 0: untagged. */
  vlan?: number;
}

export class Stack {
  readonly tcp: Tcp;
  readonly udp: Udp;
  readonly ping: Ping;
  readonly net: Net;
  readonly heap: Heap;
  readonly clock: Clock = new Clock();
  readonly drops: Float64Array = Drop.family.values();
  /** 1 once a link said that it is gone for good. */
  linkGone: 0 | 1 = 0;
  readonly #events: EventQueue = new EventQueue();
  readonly #board: NeighborBoard | null;
  #now = Number.NEGATIVE_INFINITY;
  #postponed = 0;
  /** The millisecond whose timers have been seen to. */
  #lastMs = -1;

  /** Throws StackError EINVAL for an impossible option, ENOMEM when the arena is too small. */
  constructor(options: StackOptions) {
    const { arena, random } = options;
    this.heap = new Heap(arena, options.heapBytes ?? 64 << 20);
    const drops = this.drops;
    const limits = options.limits ?? {};
    const board = options.board ?? null;
    this.#board = board;
    const homing = options.homing ?? null;
    const relay = options.relay ?? null;
    this.net = new Net({ arena, clock: this.clock, random, drops, limits, board, homing, relay });
    const { net, heap, clock } = this;
    this.tcp = new Tcp(net, heap, clock, this.#events, random, drops, options.tcp ?? {});
    this.udp = new Udp(net, this.#events, heap, clock, random);
    this.ping = new Ping(net, this.#events, heap);
    net.register(TCP, this.tcp);
    net.register(UDP, this.udp);
    net.registerEcho(this.ping);
  }

  /** Adds an interface over a link that uses this stack's arena. */
  attach(link: Link, options: AttachOptions = {}): Nic {
    const nic = this.net.attach(link, options);
    this.tcp.addNic();
    return nic;
  }

  /** Adds the loopback interface: 127.0.0.0/8, ::1, and the way to our own addresses. */
  attachLoopback(): Nic {
    const link = createLoopback(this.heap.arena);
    const addresses = [Prefix.parse('127.0.0.1/8'), Prefix.parse('::1/128')];
    const nic = this.net.attach(link, { addresses, loopback: true });
    this.tcp.addNic();
    return nic;
  }

  /** Packets to `prefix` go to `gateway`, or straight to their destination when it is null. */
  addRoute(prefix: Prefix, gateway: Address | null, nic: Nic): void {
    this.net.routes.add(prefix, gateway, nic);
  }

  /**
   * One turn: what sockets want to send, one burst on each link, what arrived, timers.
   * Returns how much was done; 0: nothing. Call again at once while it is not 0, else at
   * pollAt() or when a link has something.
   * @param now microseconds, monotonic
   */
  poll(now: number): number {
    // Who polls many times reads the clock now and then only; taking it over costs divisions.
    // And one that goes back is not believed: timers would be due for ever.
    if (now > this.#now) {
      this.#now = now;
      this.clock.set(now);
    }
    if (this.#board?.hasNews === true) this.net.hear();
    let done = this.tcp.flush();
    let most = 0;
    const net = this.net;
    const nics = net.nics;
    for (let i = 0; i < nics.length; i++) {
      const nic = nics[i]!;
      const received = nic.link.exchange();
      if (nic.ring[LINK_MTU] !== nic.linkMtu) this.#followMtu(nic);
      if (received > 0) {
        this.tcp.expect(nic.ring);
        done += net.receive(nic);
      } else if (received < 0) {
        this.linkGone = 1;
      }
      if (received > most) most = received;
    }
    if (this.ping.blocked > 0) done += this.ping.flush();
    return done + this.udp.flush() + this.#timers(most === RX_MAX);
  }

  /** The device has another MTU: new connections offer it, old ones send no more than fits. */
  #followMtu(nic: Nic): void {
    this.net.followMtu(nic);
    followMtu(this.tcp, nic);
  }

  /**
   * Timers come after the input: when the process could not run for a while, what they wait for
   * may already lie in the link's queue. After a full burst there may be more of it, so they wait
   * for the next poll, a few times at the most.
   */
  #timers(more: boolean): number {
    if (more && this.#postponed < MOST_POSTPONED) {
      this.#postponed++;
      return 0;
    }
    this.#postponed = 0;
    const ms = this.clock.ms;
    if (ms === this.#lastMs && !this.tcp.wheel.hasDue) return 0;
    this.#lastMs = ms;
    const net = this.net;
    if (net.hasTick === 1 && ((net.tickAt - this.clock.ms) | 0) <= 0) net.tick();
    return this.tcp.timers();
  }

  /**
   * When poll() is due again, in microseconds on the caller's clock; Infinity when only a link
   * or a socket call can bring something new. A lower bound: it may turn out that nothing is due.
   */
  pollAt(): number {
    if (this.tcp.hasReady || !this.#events.isEmpty || this.udp.hasPending) return this.#now;
    if (this.ping.blocked > 0) return this.#now;
    let ms = this.tcp.wheel.ticksUntilNext();
    if (this.net.hasTick === 1) {
      const tick = Math.max(0, (this.net.tickAt - this.clock.ms) | 0);
      if (ms < 0 || tick < ms) ms = tick;
    }
    // What waits for a neighbor may be heard of from another queue, and nobody wakes us.
    if (this.#board !== null && this.net.neighbors.waitingBlocks > 0) {
      return this.#now + Math.min(ms < 0 ? 1 : ms, 1) * 1000;
    }
    return ms < 0 ? Number.POSITIVE_INFINITY : this.#now + ms * 1000;
  }

  /** The next socket that something happened to; its takeEvents() says what. */
  nextEvent(): EventSource | null {
    return this.#events.next();
  }

  /** What is in use, for leak checks: all zero on a stack that was left tidy. */
  counts(): StackCounts {
    return countsOf(this);
  }

  /** Every counter that is not zero, by name. */
  report(): StackReport {
    return {
      drops: Drop.family.report(this.drops),
      net: NetStats.family.report(this.net.stats),
      tcp: TcpStats.family.report(this.tcp.stats),
    };
  }

  /** Resets every connection, sends what is queued as far as the links take it, closes the links. */
  close(): void {
    for (const listener of this.tcp.listeners.all()) listener.close();
    for (const c of this.tcp.connections) {
      // A record without a path is free; one in CLOSED with a path still has unread input.
      if (c.path !== null) abort(this.tcp, c, 'ECONNABORTED');
    }
    for (const nic of this.net.nics) nic.link.exchange();
    for (const nic of this.net.nics) nic.link.close();
  }
}

/** A stack of its own; nothing is shared between two. */
export function createStack(options: StackOptions): Stack {
  return new Stack(options);
}
