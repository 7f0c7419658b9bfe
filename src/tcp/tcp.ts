/**
 * TCP: all connections of a stack, from the packet to the connection and back.   hot path
 *
 * Per segment: checks, one look-up in the flow table, input.ts. Per poll: expired timers, and
 * one pass over the connections that have something to send. Nothing walks all connections.
 * @module
 */
import type { Clock } from '../base/clock.ts';
import * as Drop from '../base/drops.ts';
import type { EventQueue } from '../base/events.ts';
import { hasRoom } from '../link/link.ts';
import type { Egress } from '../net/egress.ts';
import type { Net } from '../net/net.ts';
import type { Packet } from '../net/packet.ts';
import type { Path } from '../net/path.ts';
import type { IcmpError, Transport } from '../net/transport.ts';
import type { Heap } from '../storage/heap.ts';
import { IndexQueue } from '../storage/index-queue.ts';
import { NO_TIMER, TimerWheel } from '../storage/timer-wheel.ts';
import * as Wire from '../wire/tcp.ts';
import * as Options from '../wire/tcp-options.ts';
import { algorithmNamed } from './congestion/algorithms.ts';
import type { CongestionControl } from './congestion/congestion.ts';
import { ACK_DELAYED, type Connection, TIMER_DELAYED_ACK, TIMER_KEEPALIVE } from './connection.ts';
import { connectionError } from './errors.ts';
import { onTimer } from './expiry.ts';
import { FastOpens } from './fast-open.ts';
import { FastOpenCookies } from './fast-open-server.ts';
import { Flows, isFlow } from './flows.ts';
import { arrives } from './input.ts';
import type { ListenOptions, TcpListener } from './listener.ts';
import { type ConnectOptions, Listeners } from './listeners.ts';
import { Memory } from './memory.ts';
import { complete, type TcpOptions } from './options.ts';
import { output } from './output.ts';
import { Records } from './records.ts';
import { reset } from './reset.ts';
import { ResetLimit } from './reset-limit.ts';
import { Secrets } from './secrets.ts';
import { Segment } from './segment.ts';
import { scaleFor } from './sizes.ts';
import type { TcpSocket } from './socket.ts';
import * as State from './state.ts';
import * as Stats from './stats.ts';
import { SynCookies } from './syn-cookies.ts';
import { TimeWaits } from './time-waits.ts';
import { armDelayedAck, armKeepAlive, disarm, nextExpired } from './timers.ts';
import type { TcpTrace } from './trace.ts';
import type { UrgentMarks } from './urgent.ts';
import { Warm } from './warm.ts';

const SYN_AND_FIN = Wire.SYN | Wire.FIN;
/** What a path carries besides the payload of a segment without options. */
const HEADER = Wire.HEADER_LENGTH;

export class Tcp implements Transport {
  readonly net: Net;
  readonly egress: Egress;
  readonly heap: Heap;
  readonly view: DataView;
  readonly clock: Clock;
  readonly events: EventQueue;
  readonly options: TcpOptions;
  readonly drops: Float64Array;
  readonly stats: Float64Array = Stats.family.values();
  /** What connections begin with. */
  readonly congestion: CongestionControl;
  readonly wheel: TimerWheel;
  readonly listeners: Listeners;
  readonly secrets: Secrets;
  readonly random: () => number;
  readonly records: Records;
  readonly memory: Memory;
  /** All connection records, by index. */
  readonly connections: Connection[];
  readonly optionValues: Options.TcpOptionValues = new Options.TcpOptionValues();
  /** The shift we offer for our receive window. */
  readonly windowScale: number;
  /** The window of a SYN, which is never scaled. */
  readonly initialWindow: number;
  readonly timeWaits: TimeWaits;
  readonly cookies: SynCookies;
  readonly fastOpens: FastOpens = new FastOpens();
  readonly fastOpenCookies: FastOpenCookies;
  /** Connections that their program has let go of, TIME-WAIT apart. */
  orphans = 0;
  readonly resetLimit: ResetLimit;
  readonly #segment: Segment = new Segment();
  readonly flows: Flows;
  readonly #warm: Warm = new Warm();
  #last: Connection | null = null;
  readonly #delayed: IndexQueue = new IndexQueue();
  readonly #ready: IndexQueue[] = [];
  /** Entries on all of these. */
  #readyCount = 0;
  /** Connections with urgent data (urgent.ts), and how many there are. */
  readonly urgent: Map<number, UrgentMarks> = new Map();
  urgentCount = 0;
  /** 1 when the segment being processed told of a duplicate (DSACK). */
  dsack = 0;
  /** Hears what happens to connections; null: off. See trace.ts. */
  trace: TcpTrace = null;
  /** The packet that is being received. */
  packet: Packet | null = null;

  constructor(
    net: Net,
    heap: Heap,
    clock: Clock,
    events: EventQueue,
    random: () => number,
    drops: Float64Array,
    options: Partial<TcpOptions>,
  ) {
    this.net = net;
    this.egress = net.egress;
    this.heap = heap;
    this.view = heap.arena.view;
    this.clock = clock;
    this.events = events;
    this.drops = drops;
    this.options = complete(options);
    this.congestion = algorithmNamed(this.options.congestion);
    this.random = random;
    this.secrets = new Secrets(random);
    this.cookies = new SynCookies(random);
    this.fastOpenCookies = new FastOpenCookies(this.secrets, random);
    this.resetLimit = new ResetLimit(this.options.resetsPerSecond, random);
    this.memory = new Memory(heap);
    this.records = new Records(this.options.maxConnections, this.options.maxOutOfOrderRanges);
    this.connections = this.records.connections;
    this.timeWaits = new TimeWaits(this.connections);
    this.flows = new Flows(this.connections, random() | 0, random() | 0);
    this.wheel = new TimerWheel(clock.ms);
    this.listeners = new Listeners(this);
    this.windowScale = scaleFor(this.options.receiveBufferBytes);
    this.initialWindow = Math.min(this.options.receiveBufferBytes, 65535);
  }

  /** Opens a listening socket. Throws StackError EADDRINUSE, EADDRNOTAVAIL or EINVAL. */
  listen(options: ListenOptions): TcpListener {
    return this.listeners.listen(options);
  }

  /** Opens a connection. Throws StackError ENETUNREACH, EADDRNOTAVAIL, EADDRINUSE, EINVAL or ENOMEM. */
  connect(options: ConnectOptions): TcpSocket {
    return this.listeners.connect(options);
  }

  // ---- in ----

  receive(packet: Packet): void {
    this.stats[Stats.SEGMENTS_IN]! += 1;
    const headerLength = Wire.check(this.view, packet.at, packet.length);
    if (headerLength === 0) return this.#drop(Drop.TCP_MALFORMED);
    if (packet.group !== 0) return this.#drop(Drop.TCP_NOT_UNICAST);
    if (packet.checked === 0 && this.net.transportSum(packet) !== 0xffff) {
      return this.#drop(Drop.TCP_BAD_CHECKSUM);
    }
    const s = this.#segment;
    s.parse(this.view, packet.at, packet.length, headerLength);
    if ((s.flags & SYN_AND_FIN) === SYN_AND_FIN) return this.#drop(Drop.TCP_BAD_FLAGS);
    this.packet = packet;
    const options = this.optionValues;
    options.clear();
    const c = this.#find(packet);
    if (headerLength > HEADER && !this.#parseOptions(s.at + HEADER, s.dataAt)) {
      return this.#drop(Drop.TCP_MALFORMED);
    }
    if (c !== null) arrives(this, c, s);
    else this.#opening(s, packet);
  }

  /** The packet's connection: the hint for its descriptor where that is right, else a look-up. */
  #find(packet: Packet): Connection | null {
    const ports = Wire.ports(this.view, packet.at);
    if (this.#warm.valid === 1 && packet.descriptor >= 0) {
      const hint = this.#warm.hints[packet.descriptor]!;
      if (hint !== null && hint.state !== State.CLOSED && isFlow(hint, packet, ports)) return hint;
    }
    // Segments come in trains: the last one's connection is the best guess.
    const last = this.#last;
    if (last !== null && last.state !== State.CLOSED && isFlow(last, packet, ports)) return last;
    this.#last = this.flows.lookup(packet, ports);
    return this.#last;
  }

  /** A burst lies in the ring of an interface and will be received next. */
  expect(ring: Int32Array): void {
    this.#warm.fetch(this.flows, this.view, ring);
  }

  /** Timestamps alone, as on nearly every segment, are read straight away. */
  #parseOptions(at: number, end: number): boolean {
    const options = this.optionValues;
    const view = this.view;
    if (end - at !== Options.TIMESTAMPS_LENGTH || view.getInt32(at) !== Options.TIMESTAMPS_ONLY) {
      return Options.parse(view, at, end, options);
    }
    options.timestamps = 1;
    options.tsVal = view.getInt32(at + 4);
    options.tsEcr = view.getInt32(at + 8);
    return true;
  }

  /** The ECN field of the packet that is being received. */
  get packetEcn(): number {
    return this.packet!.ecn;
  }

  #drop(reason: number): void {
    this.drops[reason]! += 1;
  }

  /** A segment for no connection: for a listener, or nobody. */
  #opening(s: Segment, packet: Packet): void {
    const listener = this.listeners.find(packet);
    if (listener !== null) return listener.arrives(s, packet);
    this.#drop(Drop.TCP_NO_CONNECTION);
    if (s.flags & Wire.RST) return;
    // RFC 9293 3.10.7.1
    if (s.flags & Wire.ACK) reset(this, s.ack, 0, 0);
    else reset(this, 0, (s.seq + s.length) | 0, Wire.ACK);
  }

  /** The connection with this key, null when the tuple is free. */
  findFlow(path: Path, localPort: number, remotePort: number): Connection | null {
    return this.flows.find(path, localPort, remotePort);
  }

  /** An ICMP error that quotes a segment of ours. */
  failed(error: IcmpError): void {
    connectionError(this, error);
  }

  // ---- out ----

  /** Puts a connection on the ready list: it may have something to send. */
  makeReady(c: Connection): void {
    if (c.ready === 1) return;
    c.ready = 1;
    this.#readyCount++;
    this.#ready[c.path!.nic.index]!.push(c.index);
  }

  /** An interface was attached. cold: once per interface. */
  addNic(): void {
    this.#ready.push(new IndexQueue());
  }

  /** Lets ready connections send, each in its turn, while the links have room. */
  flush(): number {
    const memory = this.memory;
    if (memory.pressure === 1 || this.heap.live > memory.high) memory.look(this);
    let turns = 0;
    if (this.#readyCount > 0) {
      for (let nic = 0; nic < this.#ready.length; nic++) turns += this.#flushNic(nic);
    }
    if (this.#delayed.length > 0) this.#armDelayed();
    return turns;
  }

  /** The connection owes an ACK that may wait: a timer is set unless an answer takes it along. */
  delayAck(c: Connection): void {
    this.#delayed.push(c.index);
  }

  /**
   * The programs have had their turn, and their answers carried most ACKs. Only what is still
   * owed gets a timer: with thousands of connections the moves on the wheel would cost more than
   * the segments do.
   */
  #armDelayed(): void {
    const at = (this.clock.ms + this.options.delayedAckMs) | 0;
    const delayed = this.#delayed;
    while (delayed.length > 0) {
      const c = this.connections[delayed.shift()]!;
      if (c.ackDue === ACK_DELAYED && (c.timers & TIMER_DELAYED_ACK) === 0) {
        armDelayedAck(this.wheel, c, at);
      }
    }
  }

  #flushNic(nic: number): number {
    const queue = this.#ready[nic]!;
    const ring = this.net.nics[nic]!.ring;
    let turns = 0;
    for (let left = queue.length; left > 0 && hasRoom(ring); left--) {
      const c = this.connections[queue.shift()]!;
      this.#readyCount--;
      if (c.ready === 0) continue;
      c.ready = 0;
      turns++;
      if (c.state !== State.CLOSED && output(this, c)) this.makeReady(c);
    }
    return turns;
  }

  /** True when something waits to be sent. */
  get hasReady(): boolean {
    if (this.#readyCount > 0 || this.#delayed.length > 0) return true;
    return this.memory.hasRoomForRefused;
  }

  // ---- time ----

  /** Handles the timers that are due. */
  timers(): number {
    let fired = 0;
    const now = this.clock.ms;
    this.wheel.advance(now);
    for (let i = nextExpired(this.wheel, this.connections, now); i !== NO_TIMER; ) {
      fired++;
      onTimer(this, this.connections[i]!);
      i = nextExpired(this.wheel, this.connections, now);
    }
    return fired;
  }

  startKeepAlive(c: Connection): void {
    const patience = c.patience;
    if (patience === null) return;
    if (patience.keepAlive === 0) return disarm(c, TIMER_KEEPALIVE);
    if (c.state < State.ESTABLISHED) return;
    patience.probesUnanswered = 0;
    c.lastBareAt = this.clock.ms;
    armKeepAlive(this.wheel, c, (this.clock.ms + patience.keepAliveIdleMs) | 0);
  }
}
