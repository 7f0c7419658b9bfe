/**
 * The stack under test at one end of a wire, and at the other a script that speaks frames: it
 * answers for the neighbors (ARP, NDP), and keeps what the stack sends.
 *
 * Time is virtual. The stack is polled at every moment at which it has something to do.
 * @module
 */
import { Address, Prefix } from '../../base/address.ts';
import type { Link } from '../../link/link.ts';
import type { MemoryLink } from '../../link/memory-link.ts';
import { createPair } from '../../link/pair.ts';
import { createStack, type Stack } from '../../stack/stack.ts';
import { Arena } from '../../storage/arena.ts';
import type { TcpOptions } from '../../tcp/options.ts';
import { concat, macBytes } from '../bytes.ts';
import { type Decoded, decode } from '../decode.ts';
import { receiveFrames, sendFrame } from '../frames.ts';
import { addressBytes, arp, icmp } from '../packet.ts';
import { Random } from '../random.ts';
import { decodeOptions } from './segment-options.ts';
import type { OptionSpec } from './syntax.ts';

/** A packet the stack sent, as it was on the wire. */
export interface LivePacket {
  readonly kind: 'tcp' | 'udp' | 'icmp';
  /** Script time in microseconds. */
  readonly at: number;
  readonly trafficClass: number;
  readonly hops: number;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly urgent: number;
  readonly options: readonly OptionSpec[];
  readonly payload: Uint8Array;
  readonly icmp: { readonly type: number; readonly code: number } | null;
  /** The IP packet: ICMP errors quote it. */
  readonly packet: Uint8Array;
}

export interface MachineOptions {
  readonly version: 4 | 6;
  readonly mtu: number;
  /** Addresses with the length of the prefix for ours: '192.168.0.1/16'. */
  readonly local: string;
  readonly remote: string;
  readonly gateway: string;
  readonly tcp: Partial<TcpOptions>;
  readonly seed: number;
}

const ARENA_BYTES = 16 << 20;
const HEAP_BYTES = 8 << 20;
/** Scripts send segments larger than the MTU, as a card that joins them would. */
const WIRE_MTU = 20_000;
const SLOTS = 96;
const START_US = 1_000_000;
/** Duplicate address detection and the like are over by then. */
const SETTLED_US = 5_000_000;
/** Polls at one moment after which the stack is going round in circles. */
const MOST_ROUNDS = 100_000;
const ETHERNET_BYTES = 14;
const OUR_MAC = '02:00:00:00:00:02';
const NEIGHBOR_SOLICITATION = 135;
/** Redirects, router and neighbor discovery: not the business of scripts. */
const DISCOVERY = [130, 131, 132, 133, 134, 135, 136, 137, 143];

export class Machine {
  readonly stack: Stack;
  readonly options: MachineOptions;
  readonly local: string;
  /** What the stack sent and nobody has looked at. */
  readonly sent: LivePacket[] = [];
  /** Called whenever the stack has been polled; true when it did something. */
  onTurn: () => boolean = () => false;
  /** When a call's own timeout ends, in script time. */
  wakeAt: () => number = () => Number.POSITIVE_INFINITY;
  readonly #link: MemoryLink;
  #us = START_US;
  #zero = START_US;

  constructor(options: MachineOptions) {
    this.options = options;
    this.local = options.local.split('/')[0]!;
    const arena = Arena.allocate(ARENA_BYTES);
    const source = new Random(options.seed);
    const random = (): number => source.next();
    const [ours, theirs] = createPair(arena, { mtu: WIRE_MTU, slots: SLOTS });
    this.#link = theirs;
    this.stack = createStack({ arena, heapBytes: HEAP_BYTES, random, tcp: options.tcp });
    const nic = this.stack.attach(narrow(ours, options.mtu), {
      addresses: [Prefix.parse(options.local)],
    });
    const anywhere = options.version === 4 ? '0.0.0.0/0' : '::/0';
    this.stack.addRoute(Prefix.parse(anywhere), Address.parse(options.gateway), nic);
    this.advance(SETTLED_US);
    this.sent.length = 0;
    this.#zero = this.#us;
  }

  /** Microseconds since the script began. */
  get now(): number {
    return this.#us - this.#zero;
  }

  /** The stack receives a frame and acts on it. Throws an Error for one that no link carries. */
  inject(frame: Uint8Array): void {
    if (frame.length > WIRE_MTU + ETHERNET_BYTES) {
      throw new Error(`a packet of more than ${WIRE_MTU} bytes`);
    }
    if (!sendFrame(this.#link, frame)) throw new Error('the wire has no room for the frame');
    this.settle();
  }

  /** Time passes to `us`, or until `done`. */
  advance(us: number, done: () => boolean = () => false): void {
    const end = this.#zero + us;
    this.settle();
    while (this.#us < end && !done()) {
      const wake = this.#zero + this.wakeAt();
      const next = wake > this.#us ? Math.min(wake, this.stack.pollAt()) : this.stack.pollAt();
      this.#us = Math.min(end, Math.max(this.#us + 1, next));
      this.settle();
    }
  }

  /** Lets the stack and the wire come to rest; takes no time. */
  settle(): void {
    let rounds = 0;
    for (let quiet = 0; quiet < 2; rounds++) {
      if (rounds > MOST_ROUNDS) throw new Error('the stack does not come to rest');
      let busy = this.stack.poll(this.#us) > 0;
      while (this.stack.nextEvent() !== null) busy = true;
      for (const { bytes } of receiveFrames(this.#link)) {
        busy = true;
        this.#take(bytes);
      }
      if (this.onTurn()) busy = true;
      quiet = busy ? 0 : quiet + 1;
    }
  }

  close(): void {
    this.stack.close();
  }

  #take(frame: Uint8Array): void {
    const decoded = decode(frame);
    if (decoded.arp !== undefined) this.#answerArp(decoded.arp);
    else if (decoded.icmp !== undefined && DISCOVERY.includes(decoded.icmp.type) && isV6(decoded))
      this.#answerDiscovery(decoded);
    else if (decoded.tcp ?? decoded.udp ?? decoded.icmp) this.sent.push(this.#live(frame, decoded));
  }

  #answerArp(request: NonNullable<Decoded['arp']>): void {
    const { operation, targetIp, senderIp, senderMac } = request;
    if (operation !== 'request' || targetIp === this.local || senderIp === '0.0.0.0') return;
    const reply = {
      senderMac: OUR_MAC,
      senderIp: targetIp,
      targetMac: senderMac,
      targetIp: senderIp,
    };
    sendFrame(this.#link, arp({ operation: 'reply', ...reply }));
  }

  #answerDiscovery({ icmp: message, ip, payload, ethernet }: Decoded): void {
    if (message!.type !== NEIGHBOR_SOLICITATION || ip!.src === '::') return;
    const target = payload.slice(4, 20);
    if (addressBytes(this.local).every((byte, i) => byte === target[i])) return;
    // Solicited and overriding, with our link-layer address (RFC 4861 4.4).
    const option = concat(Uint8Array.of(2, 1), macBytes(OUR_MAC));
    const body = concat(Uint8Array.of(0x60, 0, 0, 0), target, option);
    const from = this.options.gateway;
    const macs = { srcMac: OUR_MAC, dstMac: ethernet.src };
    sendFrame(this.#link, icmp({ ...macs, src: from, dst: ip!.src, hops: 255, type: 136, body }));
  }

  #live(frame: Uint8Array, { ip, tcp, udp, icmp: message, payload }: Decoded): LivePacket {
    const packet = frame.slice(ETHERNET_BYTES, ETHERNET_BYTES + ip!.totalLength);
    const options = packet.subarray(headerLength(packet) + 20, packet.length - payload.length);
    return {
      kind: tcp !== undefined ? 'tcp' : udp !== undefined ? 'udp' : 'icmp',
      at: this.now,
      trafficClass: ip!.trafficClass,
      hops: ip!.hops,
      srcPort: tcp?.srcPort ?? udp?.srcPort ?? 0,
      dstPort: tcp?.dstPort ?? udp?.dstPort ?? 0,
      // The reserved bit next to CWR is AE (RFC 9768).
      flags: tcp === undefined ? 0 : flagBits(packet),
      seq: tcp?.seq ?? 0,
      ack: tcp?.ack ?? 0,
      window: tcp?.window ?? 0,
      urgent: tcp?.urgent ?? 0,
      options: tcp === undefined ? [] : decodeOptions(options),
      payload,
      icmp: message ?? null,
      packet,
    };
  }
}

/** The link, with a smaller MTU for what the stack sends. */
function narrow(link: Link, mtu: number): Link {
  const { name, arena, ring, mac, segmentBytes, features } = link;
  const exchange = (): number => link.exchange();
  const close = (): void => link.close();
  return { name, arena, ring, mac, mtu, segmentBytes, features, exchange, close };
}

function isV6(decoded: Decoded): boolean {
  return decoded.ip?.version === 6;
}

/** Bytes of the IP header; the stack sends no extension headers with TCP. */
function headerLength(packet: Uint8Array): number {
  return packet[0]! >> 4 === 4 ? (packet[0]! & 15) * 4 : 40;
}

function flagBits(packet: Uint8Array): number {
  const at = headerLength(packet) + 12;
  return ((packet[at]! & 1) << 8) | packet[at + 1]!;
}
