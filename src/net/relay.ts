/**
 * Packets that belong to another queue's stack although they are complete here: fragments go where
 * the hash of the addresses says, for want of ports, and the datagram that they make where the hash
 * of both says.
 *
 * A ring leads from each queue to each other. What finds it full is dropped and counted. The rest
 * of the way in begins behind the reassembly: the receiver delivers what the sender has checked.
 * @module
 */
import * as Drop from '../base/drops.ts';
import { EMPTY, SharedRing } from '../shared/ring.ts';
import * as Udp from '../wire/udp.ts';
import type { Core } from './core.ts';
import { NO_FRAME, Packet } from './packet.ts';
import * as Stats from './stats.ts';

const TCP = 6;
const UDP = 17;
/** Words in front of the packet's bytes: what its record says. */
const WORDS = 16;
const RECORD_BYTES = 4 * WORDS;
/** The longest packet that reassembly makes, with its headers. */
const PACKET_MAX = 66_560;
/** Bytes of a ring: three of the longest datagrams, or some thirty of 8 KB; half of that for many. */
const RING_BYTES = 1 << 18;
const MANY_QUEUES = 16;

/** Memory of the rings: from[i][j] leads from queue i to queue j. To be posted to all. */
export type RelayMemory = readonly (readonly SharedArrayBuffer[])[];

export interface RelayOptions {
  readonly memory: RelayMemory;
  /** The queue that this side is. */
  readonly queue: number;
  /** The queue that a flow belongs to. */
  owner(packet: Packet, localPort: number, remotePort: number): number;
  /** Makes a queue look, if it sleeps. */
  wake?(queue: number): void;
}

export class Relay {
  readonly #options: RelayOptions;
  readonly #out: readonly SharedRing[];
  readonly #in: readonly SharedRing[];
  readonly #words: Int32Array = new Int32Array(WORDS);
  readonly #message: Uint8Array = new Uint8Array(RECORD_BYTES + PACKET_MAX);
  readonly #packet: Packet = new Packet();
  /** Of the packet that takes() took last. */
  #owner = 0;
  #core: Core | null = null;
  #at = 0;

  constructor(options: RelayOptions) {
    const { memory, queue } = options;
    this.#options = options;
    this.#out = memory[queue]!.map((ring) => new SharedRing(ring));
    this.#in = memory.map((rings) => new SharedRing(rings[queue]!));
  }

  /** Memory for so many queues: 256 KB for each pair of them, touched only when it is used. */
  static allocate(queues: number): RelayMemory {
    const bytes = queues > MANY_QUEUES ? RING_BYTES / 2 : RING_BYTES;
    const rings = (): SharedArrayBuffer[] =>
      Array.from({ length: queues }, () => SharedRing.allocate(bytes).memory);
    return Array.from({ length: queues }, rings);
  }

  /** Called once, by the network layer that it serves. Throws StackError ENOMEM. */
  attach(core: Core): void {
    this.#core = core;
    this.#at = core.arena.reserve(PACKET_MAX);
  }

  /** True when the packet was another queue's: it is on its way there, or dropped. */
  takes(packet: Packet): boolean {
    const core = this.#core!;
    const { protocol } = packet;
    if ((protocol !== UDP && protocol !== TCP) || packet.length < Udp.HEADER_LENGTH) return false;
    // Groups are for whoever has joined: the flow says nothing.
    if (packet.group === 1) return false;
    // Both protocols have their ports in the same place.
    const localPort = Udp.dstPort(core.view, packet.at);
    const remotePort = Udp.srcPort(core.view, packet.at);
    const owner = this.#options.owner(packet, localPort, remotePort);
    if (owner === this.#options.queue) return false;
    const end = this.#write(core, packet);
    this.#owner = owner;
    const ring = this.#out[owner];
    if (ring === undefined) return false;
    if (ring.push(this.#message, 0, end)) {
      core.stats[Stats.RELAYED_OUT]!++;
    } else {
      core.drops[Drop.RELAY_FULL]!++;
    }
    return true;
  }

  /** After takes() and whatever tells the owner to look. */
  wake(): void {
    this.#options.wake?.(this.#owner);
  }

  /** Delivers what other queues have sent here. */
  receive(deliver: (packet: Packet) => void): void {
    const core = this.#core!;
    for (const ring of this.#in) {
      for (let length = ring.take(this.#message, 0); length !== EMPTY; ) {
        this.#read(core, length);
        core.stats[Stats.RELAYED_IN]!++;
        deliver(this.#packet);
        length = ring.take(this.#message, 0);
      }
    }
  }

  /** The record and the packet as one message; returns its length. */
  #write(core: Core, packet: Packet): number {
    const { version, protocol, ipAt, at, length, hops, ecn, group, nic } = packet;
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    // The rarely used fields share a word.
    const about = version | (hops << 8) | (ecn << 16) | (group << 24);
    const fields = [about, protocol, at - ipAt, length, nic, src0, src1, src2, src3];
    this.#words.set([...fields, dst0, dst1, dst2, dst3]);
    this.#message.set(new Uint8Array(this.#words.buffer));
    this.#message.set(core.arena.bytes.subarray(ipAt, at + length), RECORD_BYTES);
    return RECORD_BYTES + (at + length - ipAt);
  }

  #read(core: Core, messageLength: number): void {
    const words = this.#words;
    new Uint8Array(words.buffer).set(this.#message.subarray(0, RECORD_BYTES));
    core.arena.bytes.set(this.#message.subarray(RECORD_BYTES, messageLength), this.#at);
    const packet = this.#packet;
    const about = words[0]!;
    packet.frameAt = NO_FRAME;
    packet.version = about & 0xff;
    packet.hops = (about >>> 8) & 0xff;
    packet.ecn = (about >>> 16) & 0xff;
    packet.group = about >>> 24;
    packet.protocol = words[1]!;
    packet.ipAt = this.#at;
    packet.at = this.#at + words[2]!;
    packet.length = words[3]!;
    packet.nic = words[4]!;
    packet.checked = 0;
    [packet.src0, packet.src1, packet.src2, packet.src3] = [5, 6, 7, 8].map(
      (i) => words[i]!,
    ) as Four;
    [packet.dst0, packet.dst1, packet.dst2, packet.dst3] = [9, 10, 11, 12].map(
      (i) => words[i]!,
    ) as Four;
  }
}

type Four = [number, number, number, number];
