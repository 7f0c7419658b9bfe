/**
 * A listening socket: a bounded number of half-open connections, a bounded queue of established
 * ones. Beyond the first SYNs are answered without remembering them (stateless.ts); beyond the
 * second everything is dropped and counted, never reset: the peer tries again.
 * @module
 */
import type { Address } from '../base/address.ts';
import * as Drop from '../base/drops.ts';
import { StackError } from '../base/errors.ts';
import { ACCEPTABLE, ENDED, EventSource, READABLE, URGENT } from '../base/events.ts';
import type { Packet } from '../net/packet.ts';
import { EMPTY, IndexQueue } from '../storage/index-queue.ts';
import { ACK, RST, SYN } from '../wire/tcp.ts';
import { algorithmNamed } from './congestion/algorithms.ts';
import type { CongestionControl } from './congestion/congestion.ts';
import type { Connection } from './connection.ts';
import { FastOpenQueue, fastOpenArrives } from './fast-open-server.ts';
import { takeSyn } from './handshake.ts';
import { adopt } from './open.ts';
import { choicesOf, giveOpening } from './parts.ts';
import { reset } from './reset.ts';
import type { Segment } from './segment.ts';
import { TcpSocket } from './socket.ts';
import { checkMaxSegment } from './socket-options.ts';
import { SYN_RECEIVED } from './state.ts';
import { answerStateless, takeCookie } from './stateless.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';
import { enter } from './trace.ts';
import { urgentLeft } from './urgent.ts';

/** `fastOpen` at most. */
const MOST_FAST_OPEN = 65535;

export interface ListenOptions {
  /** Null: every address of both families. 0.0.0.0: every IPv4 address. ::, every one unless v6Only. */
  address?: Address | null;
  /** 0: a free one is chosen. */
  port: number;
  /** Established connections that wait for accept(). */
  backlog?: number;
  v6Only?: boolean;
  /** Several listeners may share address and port; connections are spread over them. */
  reusePort?: boolean;
  /** Largest segment either side sends, options included (TCP_MAXSEG); 0: what paths take. */
  maxSegment?: number;
  /** Congestion control of its connections by name; default: the stack's. */
  congestion?: string;
  /**
   * Connections that may be in use before the peer acknowledged the SYN-ACK: TCP Fast Open (RFC
   * 7413). Their first data may arrive twice. 0: off; default: the stack's.
   */
  fastOpen?: number;
}

export class TcpListener extends EventSource {
  readonly address: Address | null;
  readonly port: number;
  readonly v6Only: boolean;
  readonly reusePort: boolean;
  readonly maxSegment: number;
  backlog: number;
  /** Connections of this listener in SYN-RECEIVED, and waiting for accept(). */
  halfOpen = 0;
  waiting = 0;
  closed = false;
  /** Null: off. */
  readonly fastOpen: FastOpenQueue | null;
  #congestion: CongestionControl;
  readonly #tcp: Tcp;
  readonly #queue: IndexQueue = new IndexQueue();

  /** Made by Tcp.listen(). */
  constructor(tcp: Tcp, options: ListenOptions, port: number) {
    super();
    this.#tcp = tcp;
    this.address = options.address ?? null;
    this.port = port;
    this.v6Only = options.v6Only ?? false;
    this.reusePort = options.reusePort ?? false;
    this.backlog = options.backlog ?? 511;
    this.maxSegment = options.maxSegment ?? 0;
    if (this.maxSegment !== 0) checkMaxSegment(this.maxSegment);
    const most = checkFastOpen(options.fastOpen ?? tcp.options.fastOpen);
    this.fastOpen = most === 0 ? null : new FastOpenQueue(most);
    this.#congestion = tcp.congestion;
    if (options.congestion !== undefined) this.setCongestion(options.congestion);
  }

  /** The congestion control that its connections begin with. */
  get congestion(): string {
    return this.#congestion.name;
  }

  /** For connections to come. Throws StackError EINVAL, which names the algorithms there are. */
  setCongestion(name: string): void {
    this.#congestion = algorithmNamed(name);
  }

  /** True when one more established connection may wait. */
  get hasRoom(): boolean {
    return this.waiting < (this.backlog < 1 ? 1 : this.backlog);
  }

  /** The oldest connection that waits, as a socket; null when there is none. */
  accept(): TcpSocket | null {
    for (let index = this.#queue.shift(); index !== EMPTY; index = this.#queue.shift()) {
      const c = this.#tcp.connections[index]!;
      const opening = c.opening;
      if (opening === null || opening.acceptQueued === 0 || opening.listener !== this) continue;
      if (opening.early === 1) opening.acceptQueued = 0;
      else giveOpening(c);
      this.waiting--;
      const socket = new TcpSocket(this.#tcp, c);
      c.socket = socket;
      const events = (c.rcv.length > 0 ? READABLE : 0) | (c.finSeen === 2 ? ENDED : 0);
      const urgent = this.#tcp.urgentCount !== 0 && urgentLeft(this.#tcp, c) > 0 ? URGENT : 0;
      if ((events | urgent) !== 0) this.#tcp.events.raise(socket, events | urgent);
      return socket;
    }
    return null;
  }

  /** Stops listening; connections nobody has accepted are reset. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#tcp.listeners.close(this);
  }

  /** A segment for this address and port that belongs to no connection (RFC 9293 3.10.7.2). */
  arrives(s: Segment, packet: Packet): void {
    const tcp = this.#tcp;
    if (s.flags & RST) return;
    if (s.flags & ACK) {
      if (takeCookie(tcp, this, s, packet)) return;
      tcp.drops[Drop.TCP_NO_CONNECTION]! += 1;
      reset(tcp, s.ack, 0, 0);
      return;
    }
    if (!(s.flags & SYN)) return;
    if (!this.hasRoom) return this.overflows();
    const isFull = this.halfOpen >= tcp.options.maxHalfOpen;
    if (isFull || tcp.options.synCookies === 'always') return this.#beyond(s, packet, isFull);
    const c = adopt(tcp, packet);
    if (c === null) return;
    this.begin(c);
    takeSyn(tcp, c, s);
    enter(tcp, c, SYN_RECEIVED);
    tcp.stats[Stats.PASSIVE_OPENS]! += 1;
    const { fastOpen } = this;
    if (fastOpen !== null && tcp.optionValues.fastOpenBytes >= 0) {
      fastOpenArrives(tcp, this, fastOpen, c, s);
    }
    c.synDue = 1;
    tcp.makeReady(c);
  }

  /** The connection came in here, and is half open. */
  begin(c: Connection): void {
    c.opening!.listener = this;
    c.congestion = this.#congestion;
    if (this.maxSegment !== 0) choicesOf(c).maxSegment = this.maxSegment;
    this.halfOpen++;
  }

  /** A SYN that is not to be remembered. */
  #beyond(s: Segment, packet: Packet, isFull: boolean): void {
    const tcp = this.#tcp;
    if (tcp.options.synCookies === 'never') {
      tcp.drops[Drop.TCP_SYN_QUEUE_FULL]! += 1;
      tcp.stats[Stats.LISTEN_DROPS]! += 1;
      return;
    }
    if (isFull) tcp.stats[Stats.SYN_QUEUE_FULL_COOKIES]! += 1;
    answerStateless(tcp, s, packet, this.maxSegment);
  }

  /** What comes has to wait for accept(): it is dropped, and the peer will try again. */
  overflows(): void {
    const tcp = this.#tcp;
    tcp.drops[Drop.TCP_ACCEPT_QUEUE_FULL]! += 1;
    tcp.stats[Stats.LISTEN_OVERFLOWS]! += 1;
    tcp.stats[Stats.LISTEN_DROPS]! += 1;
  }

  /** A connection of this listener is established: it waits for accept(). */
  enqueue(c: Connection): void {
    this.halfOpen--;
    this.waiting++;
    c.opening!.acceptQueued = 1;
    this.#queue.push(c.index);
    this.#tcp.events.raise(this, ACCEPTABLE);
  }
}

/** Throws StackError EINVAL. */
function checkFastOpen(most: number): number {
  if (Number.isInteger(most) && most >= 0 && most <= MOST_FAST_OPEN) return most;
  throw new StackError('EINVAL', `fastOpen must be a whole number up to ${MOST_FAST_OPEN}`);
}
