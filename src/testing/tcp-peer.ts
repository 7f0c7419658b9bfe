/**
 * A peer made of single segments: tests of TCP talk to a stack in packets, under a virtual clock.
 *
 *     const tcp = TcpPeer.established();
 *     tcp.gets({ flags: ACK, data: 'hello' });
 *     tcp.sends({ flags: ACK, ack: tcp.theirs(5) });
 *     tcp.sendsNothing();
 *
 * The peer has a real network layer (addresses, ARP, NDP) and no TCP. Sequence numbers in
 * `gets` are absolute; `ours(n)` and `theirs(n)` count from the SYNs.
 * @module
 */
import { Address, Prefix } from '../base/address.ts';
import { Clock } from '../base/clock.ts';
import * as Drop from '../base/drops.ts';
import { TX_TCP_SUM } from '../link/layout.gen.ts';
import type { MemoryLink } from '../link/memory-link.ts';
import { createPair } from '../link/pair.ts';
import { Net } from '../net/net.ts';
import type { Nic } from '../net/nic.ts';
import type { Packet } from '../net/packet.ts';
import type { Path } from '../net/path.ts';
import type { IcmpError, Transport } from '../net/transport.ts';
import { createStack, type Stack } from '../stack/stack.ts';
import { Arena } from '../storage/arena.ts';
import type { TcpListener } from '../tcp/listener.ts';
import type { TcpOptions } from '../tcp/options.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { stateName } from '../tcp/state.ts';
import * as Wire from '../wire/tcp.ts';
import { sendFrame } from './frames.ts';
import { icmpAbout } from './icmp-about.ts';
import { Random } from './random.ts';
import {
  describe,
  type GivenSegment,
  optionBytes,
  type SentSegment,
  sentSegment,
} from './tcp-segment.ts';

export type { GivenSegment, SentSegment } from './tcp-segment.ts';

export interface PeerOptions {
  version?: 4 | 6;
  tcp?: Partial<TcpOptions>;
  seed?: number;
}

/** What the peer's SYN offers. */
export interface HandshakeOptions extends PeerOptions {
  mss?: number;
  windowScale?: number;
  sack?: boolean;
  /** The TSval of its SYN; each later segment has `peer.tsVal`. */
  timestamps?: number;
  /** How long its ACK of the SYN-ACK takes: the first round-trip time. */
  rttMs?: number;
}

/** The stack's port and the peer's. */
export const STACK_PORT = 80;
export const PEER_PORT = 40000;
/** The peer's initial sequence number. */
export const PEER_ISN = 0x10000000;
const TCP = 6;

export class TcpPeer implements Transport {
  readonly stack: Stack;
  readonly version: 4 | 6;
  /** Sockets the test's listener accepted, or connect() made. */
  socket: TcpSocket | null = null;
  listener: TcpListener | null = null;
  /** Segments the stack sent and the test has not looked at. */
  readonly sent: SentSegment[] = [];
  /** Microseconds. */
  now = 1_000_000;
  /** The SYN of synSent(). */
  synSegment!: SentSegment;
  /** ISN of the stack, once seen. */
  iss = 0;
  srcPort = PEER_PORT;
  dstPort = STACK_PORT;
  window = 65535;
  /** The peer's TSval, NaN: it sends no timestamps. What it echoes is the last it got. */
  tsVal = Number.NaN;
  tsEcr = 0;
  readonly #net: Net;
  readonly #clock: Clock = new Clock();
  readonly #link: MemoryLink;
  readonly #nic: Nic;
  readonly #path: Path;

  constructor(options: PeerOptions = {}) {
    this.version = options.version ?? 4;
    const arena = Arena.allocate(32 << 20);
    const source = new Random(options.seed ?? 1);
    const random = (): number => source.next();
    const [a, b] = createPair(arena);
    this.stack = createStack({ arena, heapBytes: 8 << 20, random, tcp: options.tcp ?? {} });
    this.stack.attach(a, { addresses: [Prefix.parse('10.0.0.1/24'), Prefix.parse('fd00::1/64')] });
    this.#link = b;
    this.#clock.set(this.now);
    this.#net = new Net({ arena, clock: this.#clock, random, drops: Drop.family.values() });
    this.#nic = this.#net.attach(b, {
      addresses: [Prefix.parse('10.0.0.2/24'), Prefix.parse('fd00::2/64')],
    });
    this.#net.register(TCP, this);
    const to = this.stackAddress;
    this.#path = this.#net.paths.acquire(to.w0, to.w1, to.w2, to.w3, 0, 0, 0, 0)!;
    this.pump();
  }

  get stackAddress(): Address {
    return Address.parse(this.version === 4 ? '10.0.0.1' : 'fd00::1');
  }

  get peerAddress(): Address {
    return Address.parse(this.version === 4 ? '10.0.0.2' : 'fd00::2');
  }

  // ---- states ----

  /** A stack that listens on STACK_PORT. */
  static listening(options: PeerOptions & { backlog?: number } = {}): TcpPeer {
    const peer = new TcpPeer(options);
    peer.listener = peer.stack.tcp.listen({ port: STACK_PORT, backlog: options.backlog ?? 16 });
    return peer;
  }

  /** SYN-RECEIVED: the SYN-ACK is out. */
  static synReceived(options: HandshakeOptions = {}): TcpPeer {
    const peer = TcpPeer.listening(options);
    const { mss = 1460, windowScale = -1, sack = false } = options;
    peer.tsVal = options.timestamps ?? Number.NaN;
    peer.gets({ flags: Wire.SYN, seq: PEER_ISN, mss, windowScale, sackPermitted: sack });
    peer.sends({ flags: Wire.SYN | Wire.ACK });
    return peer;
  }

  /** ESTABLISHED, opened by the peer, accepted. */
  static established(options: HandshakeOptions = {}): TcpPeer {
    const peer = TcpPeer.synReceived(options);
    peer.after(options.rttMs ?? 0);
    peer.gets({ flags: Wire.ACK, seq: peer.theirs(0), ack: peer.ours(0) });
    peer.socket = peer.listener!.accept();
    return peer;
  }

  /** SYN-SENT: the stack's SYN is out. */
  static synSent(options: PeerOptions = {}): TcpPeer {
    const peer = new TcpPeer(options);
    peer.socket = peer.stack.tcp.connect({ address: peer.peerAddress, port: PEER_PORT });
    peer.pump();
    peer.dstPort = peer.socket.localPort;
    peer.synSegment = peer.sends({});
    if ((peer.synSegment.flags & Wire.SYN) === 0) throw new Error('the first segment is no SYN');
    return peer;
  }

  // ---- talking ----

  /** The stack's sequence number `n` bytes after its SYN. */
  ours(n: number): number {
    return (this.iss + 1 + n) | 0;
  }

  /** The peer's sequence number `n` bytes after its SYN. */
  theirs(n: number): number {
    return (PEER_ISN + 1 + n) | 0;
  }

  /** The stack receives a segment and acts on it. */
  gets(given: GivenSegment): void {
    this.#put(given);
    this.pump();
  }

  /** The stack receives the segments in one burst: it sends nothing in between. */
  getsTogether(...segments: GivenSegment[]): void {
    for (const given of segments) this.#put(given);
    this.pump();
  }

  #put(given: GivenSegment): void {
    const view = this.#net.egress.begin(this.#path);
    if (view < 0) throw new Error('the peer has no slot left');
    const at = view;
    const memory = this.stack.heap.arena;
    const options = optionBytes(given, this.#timestampsFor(given));
    const headerLength = Wire.HEADER_LENGTH + options.length;
    memory.bytes.set(options, at + Wire.HEADER_LENGTH);
    const data = given.data ?? '';
    Wire.write(
      memory.view,
      at,
      given.srcPort ?? this.srcPort,
      given.dstPort ?? this.dstPort,
      given.seq ?? this.theirs(0),
      given.ack ?? (given.flags & Wire.ACK ? this.ours(0) : 0),
      headerLength,
      given.flags,
      given.window ?? this.window,
    );
    if (given.urgent !== undefined) memory.view.setUint16(at + 18, given.urgent);
    for (let i = 0; i < data.length; i++) memory.bytes[at + headerLength + i] = data.charCodeAt(i);
    this.#net.egress.commit(
      this.#path,
      at,
      headerLength + data.length,
      TX_TCP_SUM,
      headerLength,
      0,
      given.ecn ?? 0,
    );
  }

  /** What a segment carries unless it says otherwise, null when the peer sends no timestamps. */
  #timestampsFor({ timestamps }: GivenSegment): [number, number] | null {
    if (timestamps !== undefined) return timestamps;
    return Number.isNaN(this.tsVal) ? null : [this.tsVal, this.tsEcr];
  }

  /** The stack receives a frame as it is (testing/packet.ts), but from and to the right MACs. */
  getsFrame(frame: Uint8Array): void {
    const whole = frame.slice();
    if ((whole[0]! & 1) === 0) whole.set(this.stack.net.nics[0]!.link.mac, 0);
    whole.set(this.#link.mac, 6);
    if (!sendFrame(this.#link, whole, { sums: false })) throw new Error('no slot left');
    this.pump();
  }

  /** An ICMP error about the segment of the stack that began with `seq`, from a router. */
  getsIcmp(type: number, code: number, seq: number = this.ours(0), mtu = 0): void {
    this.getsFrame(
      icmpAbout(this.version, type, code, mtu, {
        srcPort: this.dstPort,
        dstPort: this.srcPort,
        seq,
      }),
    );
  }

  /** Asserts that the stack's next segment has these fields; returns it. */
  sends(expected: Partial<SentSegment>): SentSegment {
    const segment = this.sent.shift();
    if (segment === undefined)
      throw new Error(`expected ${describe(expected)}, but nothing was sent`);
    for (const [field, value] of Object.entries(expected)) {
      if (segment[field as keyof SentSegment] !== value) {
        throw new Error(
          `expected ${describe(expected)}, but sent ${describe(segment)} (${field} differs)`,
        );
      }
    }
    return segment;
  }

  /** Asserts that the stack has sent nothing more. */
  sendsNothing(): void {
    const segment = this.sent[0];
    if (segment !== undefined) throw new Error(`expected nothing, but sent ${describe(segment)}`);
  }

  /** Time passes, in steps of 1 ms so that nothing is late. */
  after(ms: number): void {
    const end = this.now + ms * 1000;
    while (this.now < end) {
      this.now = Math.min(end, this.now + 1000);
      this.pump();
    }
  }

  /** The milliseconds from now, up to `ms`, at which the stack sends segments; they stay in `sent`. */
  sendTimes(ms: number): number[] {
    const times: number[] = [];
    for (let t = 1; t <= ms; t++) {
      const before = this.sent.length;
      this.after(1);
      for (let i = before; i < this.sent.length; i++) times.push(t);
    }
    return times;
  }

  /** Time passes in one leap: for minutes and hours in which little happens. */
  leap(ms: number): void {
    const end = this.now + ms * 1000;
    while (this.now < end) {
      // Sockets keep their event bits; only the queue would make the stack wait for nobody.
      while (this.stack.nextEvent() !== null);
      this.now = Math.max(this.now + 1000, Math.min(end, this.stack.pollAt()));
      this.pump();
    }
  }

  /** Lets stack and peer exchange frames until nothing moves; takes no time. */
  pump(): void {
    this.#clock.set(this.now);
    for (let quiet = 0; quiet < 3; ) {
      const done = this.stack.poll(this.now);
      if (this.#net.hasTick === 1 && ((this.#net.tickAt - this.#clock.ms) | 0) <= 0)
        this.#net.tick();
      const received = this.#link.exchange();
      if (received > 0) this.#net.receive(this.#nic);
      quiet = done > 0 || received > 0 ? 0 : quiet + 1;
    }
  }

  get state(): string {
    const c = this.stack.tcp.connections[0];
    return c === undefined ? 'CLOSED' : stateName(c.state);
  }

  /** Everything the socket has to read, as text. */
  read(): string {
    const into = new Uint8Array(65536);
    const n = this.socket!.read(into);
    this.pump();
    return String.fromCharCode(...into.subarray(0, n));
  }

  write(text: string): number {
    const n = this.socket!.write(Uint8Array.from(text, (c) => c.charCodeAt(0)));
    this.pump();
    return n;
  }

  // ---- Transport: the peer's end of the wire ----

  receive(packet: Packet): void {
    const segment = sentSegment(this.stack.heap.arena, packet);
    if (segment.flags & Wire.SYN) this.iss = segment.seq;
    if (!Number.isNaN(segment.tsVal)) this.tsEcr = segment.tsVal;
    this.sent.push(segment);
  }

  failed(_error: IcmpError): void {}
}
