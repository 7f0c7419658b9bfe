/**
 * Who is bound to which UDP port, and whom a datagram is for.
 *
 * The keys are ours, so a Map cannot be attacked through them; connected sockets are found by a
 * keyed hash of the remote end.
 * @module
 */
import { type Address, isV4 } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import { AddressHash } from '../net/address-hash.ts';
import type { Packet } from '../net/packet.ts';
import type { UdpSocket } from './socket.ts';

/** Ports for sockets that do not ask for one (RFC 6056 3.2: the dynamic range). */
const EPHEMERAL_FIRST = 49152;
const EPHEMERAL_COUNT = 16384;

export class UdpPorts {
  /** Sockets bound to a port, as a list through `nextOnPort`. */
  readonly #bound: Map<number, UdpSocket> = new Map();
  /** Connected sockets by hash of remote address, remote and local port. */
  readonly #connected: Map<number, UdpSocket> = new Map();
  readonly #hash: AddressHash;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
    this.#hash = new AddressHash(random);
  }

  /**
   * Binds a socket to its localAddress and `port` (0: a random free one); returns the port.
   * Throws StackError EADDRINUSE.
   */
  bind(socket: UdpSocket, port: number): number {
    const chosen = port === 0 ? this.#ephemeral(socket, () => true) : port;
    if (this.#conflict(socket, chosen)) {
      throw new StackError('EADDRINUSE', `bind ${socket.localAddress}:${chosen}`);
    }
    socket.nextOnPort = this.#bound.get(chosen) ?? null;
    this.#bound.set(chosen, socket);
    return chosen;
  }

  /** Gives a bound socket a random port that `suits`; it keeps its own when there is none. */
  move(socket: UdpSocket, suits: (port: number) => boolean): void {
    const old = socket.localPort;
    this.unbind(socket);
    let port = old;
    try {
      port = this.#ephemeral(socket, suits);
    } catch {
      // Its own is free for it in any case.
    }
    socket.localPort = this.bind(socket, port);
  }

  unbind(socket: UdpSocket): void {
    const first = this.#bound.get(socket.localPort) ?? null;
    if (first === socket) {
      if (socket.nextOnPort === null) this.#bound.delete(socket.localPort);
      else this.#bound.set(socket.localPort, socket.nextOnPort);
    } else {
      let link = first;
      while (link !== null && link.nextOnPort !== socket) link = link.nextOnPort;
      if (link !== null) link.nextOnPort = socket.nextOnPort;
    }
    socket.nextOnPort = null;
  }

  connect(socket: UdpSocket): void {
    const key = this.#keyOf(socket);
    socket.nextConnected = this.#connected.get(key) ?? null;
    this.#connected.set(key, socket);
  }

  disconnect(socket: UdpSocket): void {
    const key = this.#keyOf(socket);
    const first = this.#connected.get(key) ?? null;
    if (first === socket) {
      if (socket.nextConnected === null) this.#connected.delete(key);
      else this.#connected.set(key, socket.nextConnected);
    } else {
      let link = first;
      while (link !== null && link.nextConnected !== socket) link = link.nextConnected;
      if (link !== null) link.nextConnected = socket.nextConnected;
    }
    socket.nextConnected = null;
  }

  /** The connected socket for these ends, null when there is none. */
  findConnected(
    remote0: number,
    remote1: number,
    remote2: number,
    remote3: number,
    remotePort: number,
    local3: number,
    localPort: number,
  ): UdpSocket | null {
    if (this.#connected.size === 0) return null;
    const ports = (remotePort << 16) | localPort;
    const key = this.#hash.one(remote0, remote1, remote2, remote3, ports);
    let socket = this.#connected.get(key) ?? null;
    while (socket !== null) {
      const remote = socket.remoteAddress!;
      if (
        socket.remotePort === remotePort &&
        socket.localPort === localPort &&
        remote.w3 === remote3 &&
        remote.w2 === remote2 &&
        remote.w1 === remote1 &&
        remote.w0 === remote0 &&
        socket.path!.local3 === local3
      ) {
        return socket;
      }
      socket = socket.nextConnected;
    }
    return null;
  }

  /** The unconnected socket for a unicast datagram: bound to that address before bound to any. */
  findBound(packet: Packet, port: number): UdpSocket | null {
    let best: UdpSocket | null = null;
    let bestScore = 0;
    for (let socket = this.first(port); socket !== null; socket = socket.nextOnPort) {
      if (socket.remotePort !== 0) continue;
      const score = matchScore(socket, packet);
      if (score > bestScore) {
        best = socket;
        bestScore = score;
      }
    }
    return best;
  }

  /** The first of the sockets on a port; the others follow through `nextOnPort`. */
  first(port: number): UdpSocket | null {
    return this.#bound.get(port) ?? null;
  }

  #keyOf(socket: UdpSocket): number {
    const { w0, w1, w2, w3 } = socket.remoteAddress!;
    return this.#hash.one(w0, w1, w2, w3, (socket.remotePort << 16) | socket.localPort);
  }

  #conflict(socket: UdpSocket, port: number): boolean {
    for (let other = this.first(port); other !== null; other = other.nextOnPort) {
      if (other.reuseAddress && socket.reuseAddress) continue;
      if (overlap(socket, other)) return true;
    }
    return false;
  }

  #ephemeral(socket: UdpSocket, suits: (port: number) => boolean): number {
    const start = (this.#random() >>> 0) % EPHEMERAL_COUNT;
    for (let i = 0; i < EPHEMERAL_COUNT; i++) {
      const port = EPHEMERAL_FIRST + ((start + i) % EPHEMERAL_COUNT);
      if (suits(port) && !this.#conflict(socket, port)) return port;
    }
    throw new StackError('EADDRINUSE', 'no ephemeral port is free');
  }
}

/** True when the socket, bound to "any", takes packets of this family. */
export function anyTakes(address: Address, v6Only: boolean, v4: boolean): boolean {
  if (!address.isAny) return false;
  if (address.version === 4) return v4;
  return !v4 || !v6Only;
}

/** 3: bound to that address; 2: to any of its family; 1: to :: for both; 0: not for this socket. */
function matchScore(socket: UdpSocket, packet: Packet): number {
  const address = socket.localAddress;
  const v4 = packet.version === 4;
  if (anyTakes(address, socket.v6Only, v4)) return v4 && address.version === 6 ? 1 : 2;
  const same =
    address.w3 === packet.dst3 &&
    address.w2 === packet.dst2 &&
    address.w1 === packet.dst1 &&
    address.w0 === packet.dst0;
  return same ? 3 : 0;
}

/** True when some datagram would be for both. */
function overlap(a: UdpSocket, b: UdpSocket): boolean {
  const left = a.localAddress;
  const right = b.localAddress;
  if (left.equals(right)) return true;
  const leftTakes = anyTakes(left, a.v6Only, isV4(right.w0, right.w1, right.w2));
  return leftTakes || anyTakes(right, b.v6Only, isV4(left.w0, left.w1, left.w2));
}
