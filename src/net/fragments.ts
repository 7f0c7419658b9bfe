/**
 * Reassembly of fragments (RFC 791 3.2, RFC 815, RFC 8200 4.5).
 *
 * Everything a sender can make us keep is bounded: memory in all and per source, datagrams,
 * pieces per datagram, time. Overlap condemns the whole datagram (RFC 5722), and it stays
 * condemned until its time is up, so that later fragments cannot complete another one.
 * @module
 */
import * as Drop from '../base/drops.ts';
import * as Checksum from '../wire/checksum.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import { Blocks, NO_BLOCK } from './blocks.ts';
import type { Core } from './core.ts';
import { FragmentedDatagram, isSameSource, mergeEcn, UNKNOWN } from './fragmented-datagram.ts';
import { NO_FRAME, Packet } from './packet.ts';
import * as Stats from './stats.ts';

/** RFC 791 asks for 15 s or more, RFC 8200 for 60 s; 30 s is what Linux gives IPv4. */
const TIMEOUT_MS = 30_000;
const DATAGRAMS_MAX = 256;
/** Blocks of one datagram: 64 KiB in frames of 1,500 bytes takes 45. */
const PIECES_MAX = 128;
/** One source gets at most this part of blocks and datagrams. */
const SOURCE_SHARE = 4;
const LENGTH_MAX = 65535;
/** Headers in front of the payload that we are ready to keep. */
const HEADERS_MAX = 512;

/** What #place says instead of a block. */
const DUPLICATE = -2;
const OVERLAP = -3;

export class Reassembly {
  readonly #core: Core;
  readonly #blocks: Blocks;
  /** Payload offset of a block, and length of the whole fragment it begins (0: it begins none). */
  readonly #offset: Int32Array;
  readonly #fragmentLength: Int32Array;
  /** Oldest first. At most 256, so searched, not hashed. */
  readonly #datagrams: FragmentedDatagram[] = [];
  readonly #assemblyAt: number;
  readonly #expired: Packet = new Packet();
  readonly #timeExceeded: (packet: Packet) => void;

  /** `timeExceeded` is told of a datagram that came to nothing although its first fragment came. */
  constructor(core: Core, blocks: number, timeExceeded: (packet: Packet) => void) {
    this.#core = core;
    this.#blocks = new Blocks(core.arena, blocks);
    this.#offset = new Int32Array(blocks);
    this.#fragmentLength = new Int32Array(blocks);
    this.#assemblyAt = core.arena.reserve(HEADERS_MAX + LENGTH_MAX + 1);
    this.#timeExceeded = timeExceeded;
  }

  /** Blocks in use; 0 when nothing is being put together. */
  get live(): number {
    return this.#blocks.live;
  }

  /**
   * Takes a fragment, its payload at packet.at. True when that made the datagram whole: the packet
   * then describes it, with a proper IP header at ipAt.
   * @param headerLength bytes of the headers at packet.ipAt that go in front of the whole payload
   * @param nextField offset from ipAt of the field that names `protocol`; used for IPv6
   */
  add(
    packet: Packet,
    offset: number,
    more: boolean,
    id: number,
    protocol: number,
    headerLength: number,
    nextField: number,
  ): boolean {
    const { drops, stats } = this.#core;
    stats[Stats.FRAGMENTS_IN]!++;
    if (!isPossible(packet, offset, more, headerLength)) {
      drops[Drop.FRAGMENT_MALFORMED]!++;
      return false;
    }
    const datagram = this.#find(packet, id, protocol) ?? this.#open(packet, id, protocol);
    if (datagram === null) {
      drops[Drop.FRAGMENT_NO_ROOM]!++;
      return false;
    }
    const end = offset + packet.length;
    const before = datagram.condemned ? OVERLAP : this.#place(datagram, offset, end, more);
    if (before === DUPLICATE) return false;
    if (before === OVERLAP) {
      drops[Drop.FRAGMENT_OVERLAP]!++;
      this.#condemn(datagram);
      return false;
    }
    if (!this.#insert(datagram, before, packet, offset)) {
      drops[Drop.FRAGMENT_NO_ROOM]!++;
      return false;
    }
    if (!more) datagram.total = end;
    if (!mergeEcn(datagram, packet.ecn)) {
      drops[Drop.FRAGMENT_MIXED_ECN]!++;
      this.#condemn(datagram);
      return false;
    }
    if (offset === 0) this.#keepHeaders(datagram, packet, protocol, headerLength, nextField);
    if (datagram.received !== datagram.total || datagram.header === NO_BLOCK) return false;
    this.#assemble(datagram, packet);
    this.#core.stats[Stats.REASSEMBLED]!++;
    return true;
  }

  /** Gives up datagrams whose time is over. */
  tick(): void {
    const now = this.#core.clock.ms;
    while (this.#datagrams.length > 0) {
      const oldest = this.#datagrams[0]!;
      if (((oldest.deadline - now) | 0) > 0) {
        this.#core.tickBy(oldest.deadline);
        return;
      }
      if (!oldest.condemned) {
        this.#core.drops[Drop.FRAGMENT_TIMEOUT]!++;
        if (oldest.header !== NO_BLOCK) this.#reportExpired(oldest);
      }
      this.#close(oldest);
    }
  }

  #find(packet: Packet, id: number, protocol: number): FragmentedDatagram | null {
    for (const datagram of this.#datagrams) {
      if (
        datagram.id === id &&
        datagram.src3 === packet.src3 &&
        datagram.dst3 === packet.dst3 &&
        datagram.version === packet.version &&
        (packet.version === 6 || datagram.protocol === protocol) &&
        isSameSource(datagram, packet) &&
        datagram.dst2 === packet.dst2 &&
        datagram.dst1 === packet.dst1 &&
        datagram.dst0 === packet.dst0
      ) {
        return datagram;
      }
    }
    return null;
  }

  /** A fresh datagram; null when this source has its share of them. */
  #open(packet: Packet, id: number, protocol: number): FragmentedDatagram | null {
    const others = this.#datagrams.filter((datagram) => isSameSource(datagram, packet));
    if (others.length >= DATAGRAMS_MAX / SOURCE_SHARE) return null;
    if (this.#datagrams.length >= DATAGRAMS_MAX) this.#sacrificeOldest();
    const datagram = new FragmentedDatagram();
    datagram.src0 = packet.src0;
    datagram.src1 = packet.src1;
    datagram.src2 = packet.src2;
    datagram.src3 = packet.src3;
    datagram.dst0 = packet.dst0;
    datagram.dst1 = packet.dst1;
    datagram.dst2 = packet.dst2;
    datagram.dst3 = packet.dst3;
    datagram.id = id;
    datagram.version = packet.version;
    datagram.protocol = protocol;
    datagram.deadline = (this.#core.clock.ms + TIMEOUT_MS) | 0;
    this.#datagrams.push(datagram);
    this.#core.tickBy(datagram.deadline);
    return datagram;
  }

  /** The block after which [offset, end) goes (NO_BLOCK: in front), DUPLICATE or OVERLAP. */
  #place(datagram: FragmentedDatagram, offset: number, end: number, more: boolean): number {
    const { total, last } = datagram;
    if (total !== UNKNOWN && (end > total || (!more && end !== total))) return OVERLAP;
    if (last !== NO_BLOCK) {
      const lastEnd = this.#end(last);
      if (!more && lastEnd > end) return OVERLAP;
      if (offset >= lastEnd) return last;
    }
    let before = NO_BLOCK;
    let block = datagram.first;
    while (block !== NO_BLOCK && this.#end(block) <= offset) {
      before = block;
      block = this.#blocks.next[block]!;
    }
    if (block === NO_BLOCK || this.#offset[block]! >= end) return before;
    const same = this.#offset[block] === offset && this.#fragmentLength[block] === end - offset;
    return same ? DUPLICATE : OVERLAP;
  }

  #insert(datagram: FragmentedDatagram, before: number, packet: Packet, offset: number): boolean {
    const blocks = this.#blocks;
    const chain = this.#store(datagram, packet);
    if (chain === NO_BLOCK) return false;
    let at = offset;
    let tail = chain;
    for (let block = chain; block !== NO_BLOCK; block = blocks.next[block]!) {
      this.#offset[block] = at;
      this.#fragmentLength[block] = 0;
      at += blocks.length[block]!;
      datagram.pieces++;
      tail = block;
    }
    this.#fragmentLength[chain] = packet.length;
    const after = before === NO_BLOCK ? datagram.first : blocks.next[before]!;
    blocks.next[tail] = after;
    if (before === NO_BLOCK) datagram.first = chain;
    else blocks.next[before] = chain;
    if (after === NO_BLOCK) datagram.last = tail;
    datagram.received += packet.length;
    return true;
  }

  /** The payload in blocks; when they run out, older datagrams make room. */
  #store(datagram: FragmentedDatagram, packet: Packet): number {
    if (datagram.pieces >= PIECES_MAX) return NO_BLOCK;
    let used = 0;
    for (const other of this.#datagrams) if (isSameSource(other, packet)) used += other.pieces;
    if (used >= this.#blocks.capacity / SOURCE_SHARE) return NO_BLOCK;
    let chain = this.#blocks.store(packet.at, packet.length);
    while (chain === NO_BLOCK && this.#datagrams[0] !== datagram) {
      this.#sacrificeOldest();
      chain = this.#blocks.store(packet.at, packet.length);
    }
    return chain;
  }

  #keepHeaders(
    datagram: FragmentedDatagram,
    packet: Packet,
    protocol: number,
    headerLength: number,
    nextField: number,
  ): void {
    datagram.header = this.#blocks.store(packet.ipAt, headerLength);
    datagram.nextField = nextField;
    datagram.protocol = protocol;
    datagram.hops = packet.hops;
  }

  #assemble(datagram: FragmentedDatagram, packet: Packet): void {
    const view = this.#core.view;
    const ipAt = this.#assemblyAt;
    const headerLength = this.#blocks.load(datagram.header, ipAt);
    const length = this.#blocks.load(datagram.first, ipAt + headerLength);
    if (datagram.version === 4) {
      Ipv4.setTotalLength(view, ipAt, headerLength + length);
      Ipv4.setFlagsAndOffset(view, ipAt, 0);
      Ipv4.setChecksum(view, ipAt, 0);
      Ipv4.setChecksum(view, ipAt, Checksum.finish(Checksum.sum(view, ipAt, headerLength, 0)));
    } else {
      Ipv6.setPayloadLength(view, ipAt, headerLength - Ipv6.HEADER_LENGTH + length);
      view.setUint8(ipAt + datagram.nextField, datagram.protocol);
    }
    packet.frameAt = NO_FRAME;
    packet.ipAt = ipAt;
    packet.at = ipAt + headerLength;
    packet.length = length;
    packet.protocol = datagram.protocol;
    packet.hops = datagram.hops;
    packet.ecn = datagram.ecn;
    packet.checked = 0;
    this.#close(datagram);
  }

  /** Shows the first fragment, as it was received, to whoever sends "time exceeded". */
  #reportExpired(datagram: FragmentedDatagram): void {
    const ipAt = this.#assemblyAt;
    const headerLength = this.#blocks.load(datagram.header, ipAt);
    const packet = this.#expired;
    packet.version = datagram.version;
    packet.ipAt = ipAt;
    packet.at = ipAt + headerLength;
    packet.length = this.#blocks.load(datagram.first, packet.at);
    packet.protocol = datagram.protocol;
    packet.group = 0;
    packet.src0 = datagram.src0;
    packet.src1 = datagram.src1;
    packet.src2 = datagram.src2;
    packet.src3 = datagram.src3;
    packet.dst0 = datagram.dst0;
    packet.dst1 = datagram.dst1;
    packet.dst2 = datagram.dst2;
    packet.dst3 = datagram.dst3;
    this.#timeExceeded(packet);
  }

  #condemn(datagram: FragmentedDatagram): void {
    this.#release(datagram);
    datagram.condemned = true;
  }

  #sacrificeOldest(): void {
    this.#core.drops[Drop.FRAGMENT_NO_ROOM]!++;
    this.#close(this.#datagrams[0]!);
  }

  #close(datagram: FragmentedDatagram): void {
    this.#release(datagram);
    this.#datagrams.splice(this.#datagrams.indexOf(datagram), 1);
  }

  #release(datagram: FragmentedDatagram): void {
    this.#blocks.giveChain(datagram.first);
    this.#blocks.giveChain(datagram.header);
    datagram.first = NO_BLOCK;
    datagram.last = NO_BLOCK;
    datagram.header = NO_BLOCK;
    datagram.pieces = 0;
    datagram.received = 0;
  }

  #end(block: number): number {
    return this.#offset[block]! + this.#blocks.length[block]!;
  }
}

/** Lengths and offset that a real fragment can have. */
function isPossible(packet: Packet, offset: number, more: boolean, headerLength: number): boolean {
  if (packet.length <= 0 || headerLength > HEADERS_MAX) return false;
  if (more && (packet.length & 7) !== 0) return false;
  const counted = packet.version === 4 ? headerLength : headerLength - Ipv6.HEADER_LENGTH;
  return counted + offset + packet.length <= LENGTH_MAX;
}
