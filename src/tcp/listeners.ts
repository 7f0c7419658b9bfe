/**
 * Opening sockets: who listens where, and connecting out.
 * @module
 */
import { Address, isV4 } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import { CLOSED as EVENT_CLOSED } from '../base/events.ts';
import { isHome } from '../net/homing.ts';
import type { Packet } from '../net/packet.ts';
import type { Path } from '../net/path.ts';
import * as Wire from '../wire/tcp.ts';
import { abort, end } from './close.ts';
import { algorithmNamed } from './congestion/algorithms.ts';
import { type ListenOptions, TcpListener } from './listener.ts';
import { create } from './open.ts';
import { TcpSocket } from './socket.ts';
import { SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './state.ts';
import * as Stats from './stats.ts';
import type { Tcp } from './tcp.ts';
import { enter } from './trace.ts';

export interface ConnectOptions {
  address: Address;
  port: number;
  /** Default: chosen by the route. */
  localAddress?: Address;
  /** Default: a random free one. */
  localPort?: number;
  /**
   * Data to begin with: it goes into the SYN when the peer's Fast Open cookie is known (RFC 7413),
   * so it may arrive twice. The socket's bytesWritten says how much was taken.
   */
  fastOpen?: Uint8Array;
  /** Congestion control by name; default: the stack's. */
  congestion?: string;
}

/** Most ports tried before one in TIME-WAIT is taken: looking for a free one may take long. */
const FREE_TRIES = 64;

export class Listeners {
  readonly #tcp: Tcp;
  readonly #byPort: Map<number, TcpListener[]> = new Map();
  /**
   * Ports that are tried now: fewer after each search that found none, more after one that did. So
   * where all ports are in TIME-WAIT connect() looks at two, and takes them in the order of age.
   */
  #freeTries = FREE_TRIES;
  count = 0;
  /** True: new connections are refused as if nobody listened; those there are go on. */
  isRefusing = false;

  constructor(tcp: Tcp) {
    this.#tcp = tcp;
  }

  /** Throws StackError EADDRINUSE, EADDRNOTAVAIL or EINVAL. */
  listen(options: ListenOptions): TcpListener {
    const address = options.address ?? null;
    const port = checkPort(options.port) === 0 ? this.#freePort(options) : options.port;
    if (address !== null && !address.isAny) {
      if (!this.#tcp.net.isLocal(address.w0, address.w1, address.w2, address.w3)) {
        throw new StackError(
          'EADDRNOTAVAIL',
          `listen on ${address}, which is not an address of this stack`,
        );
      }
    }
    if (this.#conflicts(options, port)) {
      throw new StackError(
        'EADDRINUSE',
        `port ${port} of ${address ?? '*'} has a listener already`,
      );
    }
    const listener = new TcpListener(this.#tcp, options, port);
    const others = this.#byPort.get(port);
    if (others === undefined) this.#byPort.set(port, [listener]);
    else others.push(listener);
    this.count++;
    return listener;
  }

  /** Every listener, for listings and for shutting down. */
  all(): TcpListener[] {
    return [...this.#byPort.values()].flat();
  }

  /** The listener ends: what nobody has accepted is reset, the rest goes on. */
  close(listener: TcpListener): void {
    const tcp = this.#tcp;
    this.#remove(listener);
    if (listener.halfOpen + listener.waiting > 0) {
      for (const c of tcp.connections) {
        const opening = c.opening;
        if (opening === null || opening.listener !== listener) continue;
        const isHalfOpen = c.state === SYN_RECEIVED && opening.early === 0;
        if (opening.acceptQueued === 1 || isHalfOpen) abort(tcp, c, '');
      }
    }
    tcp.events.raise(listener, EVENT_CLOSED);
  }

  #remove(listener: TcpListener): void {
    const left = (this.#byPort.get(listener.port) ?? []).filter((other) => other !== listener);
    if (left.length > 0) this.#byPort.set(listener.port, left);
    else this.#byPort.delete(listener.port);
    this.count--;
  }

  /** Whether somebody listens on a port. */
  isOn(port: number): boolean {
    return this.#byPort.has(port);
  }

  /** The listener for a packet: an exact address before a wildcard. */
  find(packet: Packet): TcpListener | null {
    const candidates = this.#byPort.get(Wire.dstPort(this.#tcp.view, packet.at));
    if (candidates === undefined || this.isRefusing) return null;
    let best: TcpListener | null = null;
    let bestScore = 0;
    let equals = 0;
    for (const listener of candidates) {
      const score = matchScore(listener, packet);
      if (score > bestScore) {
        best = listener;
        bestScore = score;
        equals = 1;
      } else if (score > 0 && score === bestScore) {
        equals++;
      }
    }
    if (equals < 2) return best;
    // reusePort: the flow's own bits choose, so that a retransmitted SYN comes to the same one.
    const group = candidates.filter((listener) => matchScore(listener, packet) === bestScore);
    const bits = packet.src3 ^ (packet.src3 >>> 16) ^ Wire.srcPort(this.#tcp.view, packet.at);
    return group[(bits >>> 0) % group.length]!;
  }

  #conflicts(options: ListenOptions, port: number): boolean {
    const others = this.#byPort.get(port) ?? [];
    return others.some(
      (other) => overlaps(other, options) && !(other.reusePort && options.reusePort === true),
    );
  }

  #freePort(options: ListenOptions): number {
    const { firstEphemeralPort: first, lastEphemeralPort: last } = this.#tcp.options;
    const range = last - first + 1;
    const start = (this.#tcp.random() >>> 0) % range;
    for (let i = 0; i < range; i++) {
      const port = first + ((start + i) % range);
      if (!this.#conflicts(options, port)) return port;
    }
    throw new StackError('EADDRINUSE', 'every ephemeral port has a listener');
  }

  /** Throws StackError ENETUNREACH, EADDRNOTAVAIL, EADDRINUSE, EINVAL or ENOMEM. */
  connect(options: ConnectOptions): TcpSocket {
    const tcp = this.#tcp;
    if (checkPort(options.port) === 0) throw new StackError('EADDRNOTAVAIL', 'connect to port 0');
    const congestion = algorithmNamed(options.congestion ?? tcp.options.congestion);
    const path = this.#pathTo(options);
    const localPort = options.localPort ?? 0;
    const port =
      localPort === 0
        ? this.#portTo(path, options.port)
        : this.#claim(path, localPort, options.port);
    const c = port === 0 ? null : create(tcp, path, port, options.port);
    if (c === null) {
      tcp.net.paths.release(path);
      if (port === 0) {
        const code = localPort === 0 ? 'EADDRNOTAVAIL' : 'EADDRINUSE';
        throw new StackError(
          code,
          `no free local port for a connection to ${options.address} port ${options.port}`,
        );
      }
      throw new StackError(
        'ENOMEM',
        `the bound of ${tcp.options.maxConnections} connections is reached`,
      );
    }
    c.congestion = congestion;
    c.socket = new TcpSocket(tcp, c);
    if (options.fastOpen !== undefined) {
      c.opening!.fast = tcp.fastOpens.begin(path, tcp.clock.ms);
      c.socket.write(options.fastOpen);
    }
    enter(tcp, c, SYN_SENT);
    c.synDue = 1;
    tcp.stats[Stats.ACTIVE_OPENS]! += 1;
    tcp.makeReady(c);
    return c.socket;
  }

  #pathTo(options: ConnectOptions): Path {
    const remote = options.address.isAny ? loopbackOf(options.address) : options.address;
    const local = options.localAddress ?? Address.ANY_V6;
    const any = local.isAny;
    const path = this.#tcp.net.paths.acquire(
      remote.w0,
      remote.w1,
      remote.w2,
      remote.w3,
      any ? 0 : local.w0,
      any ? 0 : local.w1,
      any ? 0 : local.w2,
      any ? 0 : local.w3,
    );
    if (path !== null && path.group === 0) return path;
    if (path !== null) {
      this.#tcp.net.paths.release(path);
      throw new StackError('ENETUNREACH', `TCP cannot connect to ${remote}: it is not one host`);
    }
    if (!any && !this.#tcp.net.isLocal(local.w0, local.w1, local.w2, local.w3)) {
      throw new StackError('EADDRNOTAVAIL', `${local} is not an address of this stack`);
    }
    throw new StackError('ENETUNREACH', `no route to ${remote}; add an address or a gateway`);
  }

  /**
   * A random free local port for this destination, whose answers come to this stack; 0 when there
   * is none (RFC 6056 3.3.3).
   */
  #portTo(path: Path, remotePort: number): number {
    const tcp = this.#tcp;
    const { firstEphemeralPort: first, lastEphemeralPort: last } = tcp.options;
    const range = last - first + 1;
    const offset = tcp.secrets.portOffset(path, remotePort);
    const candidate = (): number => first + (((offset + tcp.secrets.nextPort()) >>> 0) % range);
    let tries = 0;
    for (let i = 0; tries < this.#freeTries && i < range; i++) {
      const port = candidate();
      if (!isHome(tcp.net.homing, path, port, remotePort)) continue;
      tries++;
      if (tcp.findFlow(path, port, remotePort) === null && !this.#hasListener(path, port)) {
        this.#freeTries = Math.min(2 * this.#freeTries, FREE_TRIES);
        return port;
      }
    }
    this.#freeTries = Math.max(this.#freeTries >> 1, 1);
    // Free ones are rare: TIME-WAITs that this connection may follow will do as well.
    for (let i = 0; i < range; i++) {
      const port = candidate();
      if (!isHome(tcp.net.homing, path, port, remotePort)) continue;
      if (this.#claim(path, port, remotePort) !== 0) return port;
    }
    return 0;
  }

  /**
   * `localPort` when no listener has it, and its tuple is free or in TIME-WAIT; else 0. The ISN is
   * beyond the old one.
   */
  #claim(path: Path, localPort: number, remotePort: number): number {
    if (this.#hasListener(path, localPort)) return 0;
    const old = this.#tcp.findFlow(path, localPort, remotePort);
    if (old === null) return localPort;
    const next = this.#tcp.secrets.isn(path, localPort, remotePort, this.#tcp.clock.ms);
    if (old.state !== TIME_WAIT || ((next - old.sndNxt) | 0) <= 0) return 0;
    end(this.#tcp, old, '');
    return localPort;
  }

  /** Whether a listener takes what comes to this port of the path's local address. */
  #hasListener(path: Path, port: number): boolean {
    const others = this.#byPort.get(port);
    if (others === undefined) return false;
    const address = new Address(path.local0, path.local1, path.local2, path.local3);
    return others.some((other) => overlaps(other, { port, address }));
  }
}

/** 0: no match; more for an exact address than for a wildcard. */
function matchScore(listener: TcpListener, packet: Packet): number {
  const address = listener.address;
  if (address === null) return 1;
  const packetIsV4 = isV4(packet.dst0, packet.dst1, packet.dst2);
  if (address.isAny) {
    if (address.version === 4) return packetIsV4 ? 2 : 0;
    return packetIsV4 ? (listener.v6Only ? 0 : 1) : 2;
  }
  const same =
    address.w3 === packet.dst3 &&
    address.w2 === packet.dst2 &&
    address.w1 === packet.dst1 &&
    address.w0 === packet.dst0;
  return same ? 3 : 0;
}

/** Whether two listeners on one port could claim the same packet with the same right. */
function overlaps(a: TcpListener, b: ListenOptions): boolean {
  const other = b.address ?? null;
  const [a4, a6] = families(a.address, a.v6Only);
  const [b4, b6] = families(other, b.v6Only ?? false);
  if (!(a4 && b4) && !(a6 && b6)) return false;
  const aAny = a.address === null || a.address.isAny;
  const bAny = other === null || other.isAny;
  return aAny || bAny || a.address!.equals(other!);
}

/** Whether a listener takes IPv4, and IPv6. */
function families(address: Address | null, v6Only: boolean): [boolean, boolean] {
  if (address === null) return [true, true];
  if (address.version === 4) return [true, false];
  return [address.isAny && !v6Only, true];
}

/** Connecting to "any" means to oneself, as everywhere. */
function loopbackOf(any: Address): Address {
  return any.version === 4 ? Address.v4(127, 0, 0, 1) : new Address(0, 0, 0, 1);
}

function checkPort(port: number): number {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new StackError('EINVAL', `port ${port} is not in 0-65535`);
  }
  return port;
}
