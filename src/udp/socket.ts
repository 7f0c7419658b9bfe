/**
 * A UDP socket: bind, connect, send and receive single datagrams.
 *
 * Nothing blocks and nothing calls back: what happened to a socket is in its event bits, and the
 * stack's event queue names the sockets that have any.
 * @module
 */
import { Address } from '../base/address.ts';
import { type ErrorCode, StackError } from '../base/errors.ts';
import { EventSource } from '../base/events.ts';
import { DatagramQueue } from '../net/datagram-queue.ts';
import { isHome } from '../net/homing.ts';
import type { Nic } from '../net/nic.ts';
import type { Packet } from '../net/packet.ts';
import type { Path } from '../net/path.ts';
import { chooseSource } from '../net/source.ts';
import { SocketGroups } from './groups.ts';
import { anyTakes } from './ports.ts';
import { NO_ROOM, sendDatagram } from './send.ts';
import type { Udp } from './udp.ts';

export interface UdpBindOptions {
  /** Share the port with other sockets that say the same. */
  reuseAddress?: boolean;
  /** A socket bound to :: does not get IPv4. */
  v6Only?: boolean;
}

/** receive() and receiveSize: no datagram waits. */
export const EMPTY = -1;

const RECEIVE_BUFFER_BYTES = 1 << 20;
const PORT_MAX = 65535;

export class UdpSocket extends EventSource {
  /** Where the socket is bound; :: stands for both families unless v6Only. */
  localAddress: Address = Address.ANY_V6;
  /** 0: not bound. */
  localPort = 0;
  remoteAddress: Address | null = null;
  /** 0: not connected. */
  remotePort = 0;
  reuseAddress = false;
  v6Only = false;
  /** Memory that unread datagrams may take; more are dropped and counted. */
  receiveBufferBytes = RECEIVE_BUFFER_BYTES;
  /** Time to live or hop limit of what is sent; 0: 64. */
  hops = 0;
  /** The same for what is sent to groups (RFC 1112 6.1). */
  groupHops = 1;
  /** The interface that speaks to groups; null: as the routes say. */
  groupNic: Nic | null = null;
  /** What is sent to a group is also for the members in this stack. */
  groupLoopback = true;
  /** The groups it is in. */
  readonly groups: SocketGroups;
  /** Allows send() to broadcast addresses. */
  broadcast = false;
  /** Why FAILED was raised last, '' for nothing. */
  error: ErrorCode | '' = '';
  closed = false;
  /** 1 while send() waits for room; WRITABLE tells when to try again. */
  blocked = 0;

  /** Of the datagram that receive() read last: its sender's port, its hop limit, was it cut. */
  fromPort = 0;
  fromHops = 0;
  truncated = false;

  // For the rest of src/udp.
  readonly queue: DatagramQueue;
  path: Path | null = null;
  nextOnPort: UdpSocket | null = null;
  nextConnected: UdpSocket | null = null;
  nextBlocked: UdpSocket | null = null;
  readonly #udp: Udp;
  /** localAddress as it was before connect() made it definite. */
  #boundTo: Address = Address.ANY_V6;
  #from: Address = Address.ANY_V6;

  /** Use Udp.open(). */
  constructor(udp: Udp) {
    super();
    this.#udp = udp;
    this.queue = new DatagramQueue(udp.heap);
    this.groups = new SocketGroups(udp.net);
  }

  get isBound(): boolean {
    return this.localPort !== 0;
  }

  /**
   * Binds to an address of ours, a group, or "any" (null: any of both families).
   * @param port 0: a random free one
   * Throws StackError EADDRINUSE, EADDRNOTAVAIL; EINVAL when bound already.
   */
  bind(address: Address | null, port: number, options: UdpBindOptions = {}): void {
    this.#assertOpen();
    if (this.isBound)
      throw new StackError('EINVAL', `bind: already bound to port ${this.localPort}`);
    checkPort(port, 0);
    const local = address ?? Address.ANY_V6;
    const { w0, w1, w2, w3 } = local;
    const { net, ports } = this.#udp;
    const ours = local.isAny || local.isMulticast || net.isLocal(w0, w1, w2, w3);
    if (!ours && !net.isBroadcast(w0, w1, w2, w3)) {
      throw new StackError('EADDRNOTAVAIL', `bind ${local}:${port}`);
    }
    this.localAddress = local;
    this.reuseAddress = options.reuseAddress ?? false;
    this.v6Only = options.v6Only ?? false;
    this.localPort = ports.bind(this, port);
  }

  /**
   * From now on send() needs no address, and only datagrams from there are received.
   * Throws StackError EISCONN, EINVAL, ENETUNREACH.
   */
  connect(address: Address, port: number): void {
    this.#assertOpen();
    if (this.remotePort !== 0) throw new StackError('EISCONN', `connect ${address}:${port}`);
    checkPort(port, 1);
    const isFree = !this.isBound;
    this.autoBind(address);
    const path = this.#usePath(address, 'connect');
    const { homing } = this.#udp.net;
    if (isFree && !isHome(homing, path, this.localPort, port)) {
      this.#udp.ports.move(this, (candidate) => isHome(homing, path, candidate, port));
    }
    this.#boundTo = this.localAddress;
    this.localAddress = new Address(path.local0, path.local1, path.local2, path.local3);
    this.remoteAddress = address;
    this.remotePort = port;
    this.#udp.ports.connect(this);
  }

  /** Undoes connect(). Throws StackError ENOTCONN. */
  disconnect(): void {
    this.#assertOpen();
    if (this.remotePort === 0)
      throw new StackError('ENOTCONN', 'disconnect: the socket is not connected');
    this.#udp.ports.disconnect(this);
    this.localAddress = this.#boundTo;
    this.remoteAddress = null;
    this.remotePort = 0;
  }

  /**
   * Sends from[start, end) as one datagram, to `address` and `port` or where connect() said.
   * Returns the bytes sent; 0 with `blocked` 1 when the link has no room: nothing was sent, and
   * WRITABLE will be raised. Throws StackError EMSGSIZE, EDESTADDRREQ, EISCONN, ENETUNREACH, EACCES.
   */
  send(from: Uint8Array, start: number, end: number, address?: Address, port?: number): number {
    this.#assertOpen();
    if (address !== undefined && this.remotePort !== 0) {
      throw new StackError('EISCONN', 'send: a connected socket takes no address');
    }
    if (start < 0 || end > from.length || start > end) {
      throw new StackError(
        'EINVAL',
        `send: ${start} to ${end} is not in the ${from.length} bytes given`,
      );
    }
    const to = address ?? this.remoteAddress;
    const toPort = port ?? this.remotePort;
    if (to === null || toPort === 0) throw new StackError('EDESTADDRREQ', 'send: where to?');
    if (address !== undefined) checkPort(toPort, 1);
    this.autoBind(to);
    if (this.#usePath(to, 'send').group === 1) return this.#sendToGroup(from, start, end, toPort);
    return this.#transmit(from, start, end, toPort);
  }

  #transmit(from: Uint8Array, start: number, end: number, port: number): number {
    const sent = sendDatagram(this.#udp, this, from, start, end, port);
    if (sent !== NO_ROOM) return sent;
    this.#udp.block(this);
    return 0;
  }

  /** With no hop to go it stays in this host. */
  #sendToGroup(from: Uint8Array, start: number, end: number, port: number): number {
    const path = this.path!;
    const staysHere = this.groupHops === 0 && path.nic.loopback === 0;
    const sent = staysHere ? end - start : this.#transmit(from, start, end, port);
    if (this.blocked === 0 && this.groupLoopback) {
      this.#udp.toOwnMembers(path, this.localPort, port, from, start, end);
    }
    return sent;
  }

  /** Bytes of the next datagram, EMPTY when there is none. */
  get receiveSize(): number {
    return this.queue.count === 0 ? EMPTY : this.queue.length;
  }

  /**
   * Takes the next datagram: copies what fits into `into` and returns how many bytes, EMPTY when
   * there is none. `fromAddress()`, `fromPort`, `fromHops` and `truncated` then tell about it.
   */
  receive(into: Uint8Array): number {
    const { queue } = this;
    if (queue.count === 0) return EMPTY;
    const size = queue.length;
    const length = Math.min(size, into.length);
    this.truncated = length < size;
    this.fromPort = queue.label;
    this.fromHops = queue.hops;
    this.#rememberSender();
    const { bytes } = this.#udp.heap.arena;
    into.set(bytes.subarray(queue.payloadAt, queue.payloadAt + length));
    queue.shift();
    return length;
  }

  /** Who sent the datagram that receive() read last. */
  fromAddress(): Address {
    return this.#from;
  }

  /** Gives everything back. Nothing is raised any more. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.groups.clear();
    if (this.remotePort !== 0) this.disconnect();
    this.closed = true;
    if (this.isBound) this.#udp.ports.unbind(this);
    if (this.path !== null) this.#udp.net.paths.release(this.path);
    this.path = null;
    while (this.queue.count > 0) this.queue.shift();
    this.events = 0;
    this.#udp.count--;
  }

  /** Is a packet to a group or broadcast address for this socket? */
  takesGroup(packet: Packet): boolean {
    const local = this.localAddress;
    const { dst0, dst1, dst2, dst3 } = packet;
    const isDestination = (address: Address): boolean =>
      address.w3 === dst3 && address.w2 === dst2 && address.w1 === dst1 && address.w0 === dst0;
    if (!anyTakes(local, this.v6Only, packet.version === 4) && !isDestination(local)) return false;
    if (this.remoteAddress !== null && !isFrom(packet, this.remoteAddress)) return false;
    if (this.#udp.net.isBroadcast(dst0, dst1, dst2, dst3)) return true;
    return this.groups.hears(packet);
  }

  /** A socket that was never bound gets a random port of the destination's family. */
  autoBind(to: Address): void {
    if (!this.isBound) this.bind(to.version === 4 ? Address.ANY_V4 : Address.ANY_V6, 0);
  }

  /** Makes `path` lead to the address; it is kept until another destination comes. */
  #usePath(to: Address, action: string): Path {
    const { paths } = this.#udp.net;
    const { w0, w1, w2, w3 } = to;
    const old = this.path;
    const same =
      old !== null &&
      old.remote3 === w3 &&
      old.remote2 === w2 &&
      old.remote1 === w1 &&
      old.remote0 === w0;
    if (same) return old;
    const local = this.localAddress;
    let path: Path | null = null;
    const speaker = to.isMulticast ? this.#groupSource(to) : null;
    if (speaker !== null && (local.isAny || local.isMulticast)) {
      path = paths.acquire(w0, w1, w2, w3, speaker.w0, speaker.w1, speaker.w2, speaker.w3);
    } else if (anyTakes(local, this.v6Only, to.version === 4) || local.isMulticast) {
      path = paths.acquire(w0, w1, w2, w3, 0, 0, 0, 0);
    } else if (local.version === to.version && !local.isAny) {
      path = paths.acquire(w0, w1, w2, w3, local.w0, local.w1, local.w2, local.w3);
    }
    if (path === null)
      throw new StackError('ENETUNREACH', `${action} ${to}: no route from ${local}`);
    this.path = path;
    if (old !== null) paths.release(old);
    return path;
  }

  /** Who speaks to the group, when `groupNic` decides that. */
  #groupSource({ w0, w1, w2, w3 }: Address): Address | null {
    return this.groupNic === null ? null : chooseSource(this.groupNic, w0, w1, w2, w3);
  }

  /** From now on `nic` speaks to groups. */
  setGroupNic(nic: Nic | null): void {
    this.groupNic = nic;
    if (this.path !== null && this.remotePort === 0) {
      this.#udp.net.paths.release(this.path);
      this.path = null;
    }
  }

  #rememberSender(): void {
    const { queue } = this;
    const from = this.#from;
    const same =
      from.w3 === queue.from(3) &&
      from.w2 === queue.from(2) &&
      from.w1 === queue.from(1) &&
      from.w0 === queue.from(0);
    if (!same) this.#from = new Address(queue.from(0), queue.from(1), queue.from(2), queue.from(3));
  }

  #assertOpen(): void {
    if (this.closed) throw new StackError('EBADF', 'the socket is closed');
  }
}

function checkPort(port: number, least: number): void {
  if (!Number.isInteger(port) || port < least || port > PORT_MAX) {
    throw new StackError('EINVAL', `port ${port} is not in ${least}-${PORT_MAX}`);
  }
}

function isFrom(packet: Packet, address: Address): boolean {
  const { w0, w1, w2, w3 } = address;
  return packet.src3 === w3 && packet.src2 === w2 && packet.src1 === w1 && packet.src0 === w0;
}
