/**
 * TCP: all connections of a stack, from the packet to the connection and back.   hot path
 *
 * Per segment: checks, one look-up in the flow table, input.ts. Per poll: expired timers, and
 * one pass over the connections that have something to send. Nothing walks all connections.
 * @module
 */
import type { Clock } from '../base/clock.ts';
import * as Drop from '../base/drops.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { EventQueue } from '../base/events.ts';
import { TX_TCP_SUM } from '../link/layout.gen.ts';
import { hasRoom } from '../link/link.ts';
import { type Egress, NO_SLOT } from '../net/egress.ts';
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
import { isEarly } from './early.ts';
import { giveEcn } from './ecn-handshake.ts';
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
import { beginOpening, giveParts } from './parts.ts';
import { Records } from './records.ts';
import { ResetLimit } from './reset-limit.ts';
import { Secrets } from './secrets.ts';
import { Segment } from './segment.ts';
import { scaleFor } from './sizes.ts';
import type { TcpSocket } from './socket.ts';
import * as State from './state.ts';
import * as Stats from './stats.ts';
import { SynCookies } from './syn-cookies.ts';
import { TimeWaits } from './time-waits.ts';
import { armDelayedAck, armEnd, armKeepAlive, disarm, nextExpired, stopTimers } from './timers.ts';
import { enter, type TcpTrace } from './trace.ts';
import { forgetUrgent, type UrgentMarks } from './urgent.ts';
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
  readonly #resetLimit: ResetLimit;
  readonly #segment: Segment = new Segment();
  readonly #flows: Flows;
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
  #packet: Packet | null = null;

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
    this.#resetLimit = new ResetLimit(this.options.resetsPerSecond, random);
    this.memory = new Memory(heap);
    this.records = new Records(this.options.maxConnections, this.options.maxOutOfOrderRanges);
    this.connections = this.records.connections;
    this.timeWaits = new TimeWaits(this.connections);
    this.#flows = new Flows(this.connections, random() | 0, random() | 0);
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
    this.#packet = packet;
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
    this.#last = this.#flows.lookup(packet, ports);
    return this.#last;
  }

  /** A burst lies in the ring of an interface and will be received next. */
  expect(ring: Int32Array): void {
    this.#warm.fetch(this.#flows, this.view, ring);
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
    return this.#packet!.ecn;
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
    if (s.flags & Wire.ACK) this.reset(s.ack, 0, 0);
    else this.reset(0, (s.seq + s.length) | 0, Wire.ACK);
  }

  /** The connection with this key, null when the tuple is free. */
  findFlow(path: Path, localPort: number, remotePort: number): Connection | null {
    return this.#flows.find(path, localPort, remotePort);
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

  /** RST for the segment that is being received (RFC 9293 3.10.7.1), back to where it came from. */
  reset(seq: number, ack: number, flags: number): void {
    const p = this.#packet!;
    if (!this.#resetLimit.take(p, this.clock.ms)) return this.#drop(Drop.TCP_RESET_LIMITED);
    const path = this.net.wayBack.of(p);
    if (path === null) return this.#drop(Drop.IP_NO_ROUTE);
    const localPort = Wire.dstPort(this.view, p.at);
    const remotePort = Wire.srcPort(this.view, p.at);
    this.#sendReset(path, localPort, remotePort, seq, ack, flags);
  }

  #sendReset(
    path: Path,
    localPort: number,
    remotePort: number,
    seq: number,
    ack: number,
    flags: number,
  ): void {
    const at = this.egress.begin(path);
    if (at === NO_SLOT) return this.#drop(Drop.TX_NO_SLOT);
    Wire.write(this.view, at, localPort, remotePort, seq, ack, HEADER, Wire.RST | flags, 0);
    this.egress.commit(path, at, HEADER, TX_TCP_SUM, HEADER, 0, 0);
    this.stats[Stats.RESETS_OUT]! += 1;
    this.stats[Stats.SEGMENTS_OUT]! += 1;
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

  // ---- life ----

  /** A connection record in state CLOSED, keyed and in the table; null at the bound. */
  create(path: Path, localPort: number, remotePort: number): Connection | null {
    let c = this.records.takeConnection();
    if (c === null && this.recycleTimeWait()) c = this.records.takeConnection();
    if (c === null) {
      this.#drop(Drop.TCP_NO_SLAB);
      return null;
    }
    c.prepare(path, localPort, remotePort);
    const iss = this.secrets.isn(path, localPort, remotePort, this.clock.ms);
    beginOpening(c, iss);
    c.sndUna = iss;
    c.sndNxt = iss;
    c.sndSml = iss;
    c.sndBase = (iss + 1) | 0;
    c.tsOffset = this.secrets.timestampOffset(path);
    c.rtoMs = this.options.initialRtoMs;
    c.congestion = this.congestion;
    c.noDelay = this.options.noDelay ? 1 : 0;
    c.lastSentAt = this.clock.ms;
    this.#flows.add(c);
    return c;
  }

  /** A connection for the SYN in `packet`; null, and counted, when there can be none. */
  adopt(packet: Packet): Connection | null {
    const path = this.net.paths.acquire(
      packet.src0,
      packet.src1,
      packet.src2,
      packet.src3,
      packet.dst0,
      packet.dst1,
      packet.dst2,
      packet.dst3,
    );
    if (path === null) {
      this.#drop(Drop.IP_NO_ROUTE);
      return null;
    }
    const at = packet.at;
    const c = this.create(path, Wire.dstPort(this.view, at), Wire.srcPort(this.view, at));
    if (c === null) this.net.paths.release(path);
    return c;
  }

  /** The connection is over. `error` is what its socket learns; '' for an orderly end. */
  end(c: Connection, error: '' | ErrorCode): void {
    const listener = c.opening === null ? null : c.opening.listener;
    if (listener !== null) {
      if (isEarly(c)) listener.fastOpen!.pending--;
      else if (c.state === State.SYN_RECEIVED) listener.halfOpen--;
      if (c.opening!.acceptQueued === 1) listener.waiting--;
    }
    if (c.socket !== null) c.socket.detach(error);
    this.#uncount(c);
    enter(this, c, State.CLOSED);
    this.#flows.remove(c);
    stopTimers(this.wheel, c);
    this.#freeBuffers(c);
    this.net.paths.release(c.path!);
    c.path = null;
    c.ready = 0;
    this.records.giveConnection(c);
  }

  /**
   * An orderly end. Input that the program has not read yet outlives the connection: the record
   * stays with the socket, in state CLOSED, until it is read or let go.
   */
  finish(c: Connection): void {
    if (c.socket === null || c.orphan === 1 || c.rcv.length === 0) return this.end(c, '');
    this.#uncount(c);
    enter(this, c, State.CLOSED);
    this.#flows.remove(c);
    stopTimers(this.wheel, c);
  }

  #freeBuffers(c: Connection): void {
    if (this.urgentCount !== 0) forgetUrgent(this, c);
    this.memory.sending -= c.snd.size;
    c.snd.reset(this.heap);
    c.rcv.reset(this.heap);
    giveParts(c);
    if (c.board !== null) this.records.giveBoard(c);
    if (c.pacer !== null) this.records.givePacer(c);
    if (c.ecn !== null) giveEcn(c);
    if (c.tally !== null) this.records.giveTally(c);
    if (c.outOfOrder !== null) {
      this.records.giveIntervals(c.outOfOrder);
      c.outOfOrder = null;
    }
  }

  /** CLOSE, half of it: a FIN after what is buffered (RFC 9293 3.10.4). */
  shutdown(c: Connection): void {
    if (c.finQueued === 1) return;
    c.finQueued = 1;
    c.wantsRoom = 0;
    if (isEarly(c)) return this.makeReady(c);
    if (c.state === State.SYN_SENT || c.state === State.SYN_RECEIVED) return;
    enter(this, c, State.next(c.state, State.CLOSE));
    this.makeReady(c);
  }

  /** The program lets go of its socket. */
  close(c: Connection): void {
    if (c.state === State.SYN_SENT || c.state === State.CLOSED) return this.end(c, '');
    if (c.orphan === 1) return;
    const linger = c.choices === null ? -1 : c.choices.lingerMs;
    if (linger === 0 && c.state !== State.TIME_WAIT) {
      this.stats[Stats.ABORTS_ON_LINGER]! += 1;
      return this.abort(c, '');
    }
    c.orphan = 1;
    if (c.state === State.TIME_WAIT) return this.#leaveToTime(c);
    this.orphans++;
    if (c.rcv.length > 0) {
      this.stats[Stats.ABORTS_ON_CLOSE]! += 1;
      return this.abort(c, '');
    }
    if (this.orphans > this.options.maxOrphans) return this.abandon(c);
    this.shutdown(c);
    if (c.state === State.FIN_WAIT_2) {
      armEnd(this.wheel, c, (this.clock.ms + this.options.finWait2Ms) | 0);
    } else if (linger > 0) {
      armEnd(this.wheel, c, (this.clock.ms + linger) | 0);
    }
  }

  /** ABORT (RFC 9293 3.10.5): RST where the peer may know of the connection, then the end. */
  abort(c: Connection, error: '' | ErrorCode): void {
    const known = c.state !== State.SYN_SENT && c.state !== State.TIME_WAIT;
    if (known && c.state !== State.CLOSED) {
      this.#sendReset(c.path!, c.localPort, c.remotePort, c.sndNxt, c.rcvNxt, Wire.ACK);
    }
    this.end(c, error);
  }

  /** An orphan that there is no more patience, or no room, for. */
  abandon(c: Connection): void {
    this.stats[Stats.ORPHANS_ABORTED]! += 1;
    this.abort(c, '');
  }

  /** The connection ends: one less in TIME-WAIT, or one orphan less. */
  #uncount(c: Connection): void {
    if (c.state === State.TIME_WAIT) this.timeWaits.count--;
    else if (c.orphan === 1) this.orphans--;
  }

  enterTimeWait(c: Connection): void {
    enter(this, c, State.TIME_WAIT);
    if (c.orphan === 1) this.orphans--;
    this.timeWaits.count++;
    disarm(c, -1);
    armEnd(this.wheel, c, (this.clock.ms + this.options.timeWaitMs) | 0);
    this.timeWaits.push(c);
    if (c.orphan === 1) this.#leaveToTime(c);
    if (this.timeWaits.count > this.options.maxTimeWait) this.recycleTimeWait();
  }

  /** The program has let go: TIME-WAIT goes on alone and holds no buffers. */
  #leaveToTime(c: Connection): void {
    if (c.socket !== null) c.socket.detach('');
    this.#freeBuffers(c);
  }

  /** Ends the oldest TIME-WAIT early; false when there is none. */
  recycleTimeWait(): boolean {
    const c = this.timeWaits.oldest();
    if (c === null) return false;
    this.stats[Stats.TIME_WAIT_RECYCLED]! += 1;
    this.end(c, '');
    return true;
  }

  /** A new SYN for a connection in TIME-WAIT (RFC 9293 3.10.7.4); true when it was taken. */
  reopen(c: Connection, s: Segment): boolean {
    const isNewSyn = (s.flags & (Wire.SYN | Wire.ACK | Wire.RST)) === Wire.SYN;
    if (!isNewSyn || !isBeyond(this, c, s)) return false;
    const listener = this.listeners.find(this.#packet!);
    if (listener === null) return false;
    this.stats[Stats.TIME_WAIT_REUSED]! += 1;
    this.end(c, '');
    listener.arrives(s, this.#packet!);
    return true;
  }
}

/** A SYN that cannot be of the old connection: by its timestamp (RFC 6191) or its number. */
function isBeyond(tcp: Tcp, c: Connection, s: Segment): boolean {
  const peer = tcp.optionValues;
  if (c.tsOk === 1 && peer.timestamps === 1 && peer.tsVal !== c.tsRecent) {
    return ((peer.tsVal - c.tsRecent) | 0) > 0;
  }
  return ((s.seq - c.rcvNxt) | 0) > 0;
}
