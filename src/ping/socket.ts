/**
 * A ping socket: sends echo requests under an identifier of its own, receives the replies and the
 * errors about them.
 *
 * Nothing blocks and nothing calls back, as with UDP sockets. Both families, on one socket.
 * @module
 */
import { Address } from '../base/address.ts';
import { type ErrorCode, StackError } from '../base/errors.ts';
import { EventSource } from '../base/events.ts';
import { DatagramQueue } from '../net/datagram-queue.ts';
import { errorCode } from '../net/error-code.ts';
import type { Packet } from '../net/packet.ts';
import type { Path } from '../net/path.ts';
import * as Checksum from '../wire/checksum.ts';
import * as Icmpv4 from '../wire/icmpv4.ts';
import * as Icmpv6 from '../wire/icmpv6.ts';
import * as Ipv4 from '../wire/ipv4.ts';
import * as Ipv6 from '../wire/ipv6.ts';
import type { Ping } from './ping.ts';

export interface PingOptions {
  /** Where the requests come from; default: what suits the destination. */
  localAddress?: Address;
}

/** receive() and receiveSize: nothing waits. */
export const EMPTY = -1;
/** fromKind of a reply. */
export const REPLY = 0;

const RECEIVE_BUFFER_BYTES = 1 << 18;
/** Largest payloads: of a packet of 65,535 bytes, and of an IPv6 payload of as many. */
const PAYLOAD_MAX_V4 = 65507;
const PAYLOAD_MAX_V6 = 65527;
/** Path.group of a group and of a broadcast address. */
const GROUP = 1;
const BROADCAST = 2;

export class PingSocket extends EventSource {
  /** Of all requests from this socket, 16 bits. */
  readonly identifier: number;
  readonly localAddress: Address | null;
  /** Memory that unread replies and errors may take; more are dropped and counted. */
  receiveBufferBytes = RECEIVE_BUFFER_BYTES;
  /** Time to live or hop limit of what is sent; 0: 64. */
  hops = 0;
  /** The same for what is sent to groups. */
  groupHops = 1;
  /** Allows send() to broadcast addresses. */
  broadcast = false;
  /** Why FAILED was raised last, '' for nothing. */
  error: ErrorCode | '' = '';
  closed = false;

  /** Of what receive() read last: its sequence, its hop limit, was it cut. */
  fromSequence = 0;
  fromHops = 0;
  truncated = false;
  /** REPLY, or for an error about the request its kind, a constant of net/transport.ts. */
  fromKind: number = REPLY;

  // For the rest of src/ping.
  readonly queue: DatagramQueue;
  path: Path | null = null;
  readonly #ping: Ping;
  #from: Address = Address.ANY_V6;

  /** Use Ping.open(). */
  constructor(ping: Ping, identifier: number, localAddress: Address | null) {
    super();
    this.#ping = ping;
    this.identifier = identifier;
    this.localAddress = localAddress;
    this.queue = new DatagramQueue(ping.heap);
  }

  /**
   * Sends an echo request with from[start, end) as its payload. False when the link has no room:
   * nothing was sent, and WRITABLE will be raised.
   * @param sequence 0 to 65535
   * Throws StackError EBADF, EINVAL, EMSGSIZE, ENETUNREACH, EACCES.
   */
  send(address: Address, sequence: number, from: Uint8Array, start: number, end: number): boolean {
    if (this.closed) throw new StackError('EBADF', 'the socket is closed');
    if (!Number.isInteger(sequence) || sequence < 0 || sequence > 0xffff) {
      throw new StackError('EINVAL', `send: sequence ${sequence} is not in 0-65535`);
    }
    if (start < 0 || end > from.length || start > end) {
      const range = `${start} to ${end}`;
      throw new StackError('EINVAL', `send: ${range} is not in the ${from.length} bytes given`);
    }
    if (end - start > (address.version === 4 ? PAYLOAD_MAX_V4 : PAYLOAD_MAX_V6)) {
      throw new StackError('EMSGSIZE', `send: ${end - start} bytes do not fit an echo request`);
    }
    const path = this.#usePath(address);
    if (path.group === BROADCAST && !this.broadcast) {
      throw new StackError('EACCES', 'send: set `broadcast` to send to a broadcast address');
    }
    const { fragmentsOut, core } = this.#ping.net;
    const at = fragmentsOut.scratchAt;
    const length = Icmpv4.HEADER_LENGTH + end - start;
    const type = path.version === 4 ? Icmpv4.ECHO_REQUEST : Icmpv6.ECHO_REQUEST;
    Icmpv4.write(core.view, at, type, 0, (this.identifier << 16) | sequence);
    core.arena.bytes.set(from.subarray(start, end), at + Icmpv4.HEADER_LENGTH);
    const sum = Checksum.sum(core.view, at, length, pseudoHeader(path, length));
    Icmpv4.setChecksum(core.view, at, Checksum.finish(sum));
    // Hops belong to the path, which others share: borrowed for this request.
    const { hops } = path;
    path.hops = path.group === GROUP ? this.groupHops : this.hops === 0 ? hops : this.hops;
    const sent = fragmentsOut.send(path, protocolOf(path), at, length);
    path.hops = hops;
    if (!sent) this.#ping.block(this);
    return sent;
  }

  /** Payload bytes of what receive() reads next, EMPTY when there is nothing. */
  get receiveSize(): number {
    return this.queue.count === 0 ? EMPTY : this.queue.length;
  }

  /**
   * Takes the next reply or error: copies what fits of the payload into `into` and returns how many
   * bytes, EMPTY when there is nothing. `fromAddress()` and the fields from... then tell about it.
   */
  receive(into: Uint8Array): number {
    const { queue } = this;
    if (queue.count === 0) return EMPTY;
    const size = queue.length;
    const length = Math.min(size, into.length);
    this.truncated = length < size;
    this.fromSequence = queue.label & 0xffff;
    this.fromKind = queue.label >>> 16;
    this.fromHops = queue.hops;
    this.#from = new Address(queue.from(0), queue.from(1), queue.from(2), queue.from(3));
    const { bytes } = this.#ping.heap.arena;
    into.set(bytes.subarray(queue.payloadAt, queue.payloadAt + length));
    queue.shift();
    return length;
  }

  /** Who replied; of an error, who was pinged. */
  fromAddress(): Address {
    return this.#from;
  }

  /** Of what receive() read last: '' for a reply, else what became of the request. */
  get fromError(): ErrorCode | '' {
    return this.fromKind === REPLY ? '' : errorCode(this.fromKind);
  }

  /** Gives everything back. Nothing is raised any more. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#ping.forget(this);
    if (this.path !== null) this.#ping.net.paths.release(this.path);
    this.path = null;
    while (this.queue.count > 0) this.queue.shift();
    this.events = 0;
  }

  /** Is it from where the last request went? A group's members answer under their own names. */
  hears(packet: Packet): boolean {
    const { path } = this;
    if (path === null) return false;
    if (path.group !== 0) return packet.version === path.version;
    return isTo(path, packet.src0, packet.src1, packet.src2, packet.src3);
  }

  /** Makes `path` lead to the address; it is kept until another destination comes. */
  #usePath(to: Address): Path {
    const { paths } = this.#ping.net;
    const { w0, w1, w2, w3 } = to;
    const old = this.path;
    if (old !== null && isTo(old, w0, w1, w2, w3)) return old;
    const local = this.localAddress;
    let path: Path | null = null;
    if (local === null) path = paths.acquire(w0, w1, w2, w3, 0, 0, 0, 0);
    else if (local.version === to.version) {
      path = paths.acquire(w0, w1, w2, w3, local.w0, local.w1, local.w2, local.w3);
    }
    if (path === null) throw new StackError('ENETUNREACH', `send ${to}: no route`);
    this.path = path;
    if (old !== null) paths.release(old);
    return path;
  }
}

/** Kind and sequence in the one word that a queue keeps. */
export function labelOf(kind: number, sequence: number): number {
  return (kind << 16) | sequence;
}

function isTo(path: Path, w0: number, w1: number, w2: number, w3: number): boolean {
  const { remote0, remote1, remote2, remote3 } = path;
  return remote3 === w3 && remote2 === w2 && remote1 === w1 && remote0 === w0;
}

function protocolOf(path: Path): number {
  return path.version === 4 ? Ipv4.PROTOCOL_ICMP : Ipv6.PROTOCOL_ICMPV6;
}

/** The sum that ICMPv6 begins with; ICMP for IPv4 covers no pseudo header. */
function pseudoHeader(path: Path, length: number): number {
  if (path.version === 4) return 0;
  return Checksum.pseudo(
    path.local0,
    path.local1,
    path.local2,
    path.local3,
    path.remote0,
    path.remote1,
    path.remote2,
    path.remote3,
    Ipv6.PROTOCOL_ICMPV6,
    length,
  );
}
