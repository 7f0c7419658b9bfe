/**
 * UDP (RFC 768, RFC 1122 4.1): datagrams to their sockets, errors to whoever caused them.   hot path
 * @module
 */
import type { Clock } from '../base/clock.ts';
import * as Drop from '../base/drops.ts';
import { type EventQueue, FAILED, READABLE, WRITABLE } from '../base/events.ts';
import { TX_COUNT } from '../link/layout.gen.ts';
import { errorCode } from '../net/error-code.ts';
import type { Net } from '../net/net.ts';
import { Packet } from '../net/packet.ts';
import type { Path } from '../net/path.ts';
import { room } from '../net/transmit.ts';
import { type IcmpError, PACKET_TOO_BIG, type Transport } from '../net/transport.ts';
import type { Heap } from '../storage/heap.ts';
import * as Wire from '../wire/udp.ts';
import { UdpPorts } from './ports.ts';
import { copyIn } from './send.ts';
import { UdpSocket } from './socket.ts';

export class Udp implements Transport {
  readonly net: Net;
  readonly heap: Heap;
  readonly clock: Clock;
  readonly events: EventQueue;
  readonly ports: UdpPorts;
  /** Sockets that are open. */
  count = 0;
  /** Sockets whose send() found no room, as a list through `nextBlocked`. */
  #blocked: UdpSocket | null = null;
  readonly #drops: Float64Array;
  /** A datagram of ours, as its receivers see it. */
  readonly #copied = new Packet();

  constructor(net: Net, events: EventQueue, heap: Heap, clock: Clock, random: () => number) {
    this.net = net;
    this.events = events;
    this.heap = heap;
    this.clock = clock;
    this.ports = new UdpPorts(random);
    this.#drops = net.core.drops;
  }

  /** A socket, not bound to anything. cold: once per socket. */
  open(): UdpSocket {
    this.count++;
    return new UdpSocket(this);
  }

  /**
   * True while a datagram lies on a ring, or a socket waits for room on one: the next exchange is
   * due at once, and flush() before it. cold: once per poll, when nothing else is to be done.
   */
  get hasPending(): boolean {
    if (this.#blocked !== null) return true;
    for (const nic of this.net.nics) if (nic.ring[TX_COUNT]! > 0) return true;
    return false;
  }

  /** Raises WRITABLE for the sockets whose links have room again; returns how many. */
  flush(): number {
    let socket = this.#blocked;
    let raised = 0;
    this.#blocked = null;
    while (socket !== null) {
      const next = socket.nextBlocked;
      socket.nextBlocked = null;
      socket.blocked = 0;
      if (socket.path === null || room(socket.path.nic.ring) > 0) {
        if (!socket.closed) this.events.raise(socket, WRITABLE);
        raised++;
      } else {
        this.block(socket);
      }
      socket = next;
    }
    return raised;
  }

  /** The socket waits for room. */
  block(socket: UdpSocket): void {
    if (socket.blocked === 1) return;
    socket.blocked = 1;
    socket.nextBlocked = this.#blocked;
    this.#blocked = socket;
  }

  receive(packet: Packet): void {
    const drops = this.#drops;
    const view = this.net.core.view;
    const at = packet.at;
    if (!Wire.check(view, at, packet.length)) {
      drops[Drop.UDP_MALFORMED]!++;
      return;
    }
    packet.length = Wire.length(view, at);
    if (!this.#isIntact(packet, Wire.checksum(view, at))) {
      drops[Drop.UDP_BAD_CHECKSUM]!++;
      return;
    }
    const port = Wire.dstPort(view, at);
    if (packet.group === 1 && this.#isToGroup(packet)) {
      this.#deliverToGroup(packet, port);
      return;
    }
    const from = Wire.srcPort(view, at);
    const { src0, src1, src2, src3, dst3 } = packet;
    let socket = this.ports.findConnected(src0, src1, src2, src3, from, dst3, port);
    if (socket === null) socket = this.ports.findBound(packet, port);
    if (socket !== null) {
      this.#deliver(socket, packet, from);
      return;
    }
    drops[Drop.UDP_NO_SOCKET]!++;
    this.net.portUnreachable(packet);
  }

  /** ICMP about a datagram of ours: only a connected socket is told, as on other systems. */
  failed(error: IcmpError): void {
    const view = this.net.core.view;
    const { remote0, remote1, remote2, remote3, local3 } = error;
    const port = Wire.srcPort(view, error.at);
    const to = Wire.dstPort(view, error.at);
    const socket = this.ports.findConnected(remote0, remote1, remote2, remote3, to, local3, port);
    if (error.kind === PACKET_TOO_BIG) {
      if (socket === null && this.ports.first(port) === null) this.#drops[Drop.ICMP_NO_FLOW]!++;
      else this.#lowerMtu(error);
      return;
    }
    if (socket === null) {
      this.#drops[Drop.ICMP_NO_FLOW]!++;
      return;
    }
    socket.error = errorCode(error.kind);
    this.events.raise(socket, FAILED);
  }

  /** The link's word counts first. A checksum of 0 means none; IPv6 forbids it (RFC 8200 8.1). */
  #isIntact(packet: Packet, checksum: number): boolean {
    if (packet.checked === 1) return true;
    if (checksum === 0) return packet.version === 4;
    return this.net.transportSum(packet) === 0xffff;
  }

  /** False for a unicast packet that only its frame sent to a group. */
  #isToGroup(packet: Packet): boolean {
    return !this.net.isLocal(packet.dst0, packet.dst1, packet.dst2, packet.dst3);
  }

  /** One copy for every socket on the port that is in the group, or takes broadcasts. */
  #deliverToGroup(packet: Packet, port: number): void {
    const from = Wire.srcPort(this.net.core.view, packet.at);
    let taken = 0;
    for (let socket = this.ports.first(port); socket !== null; socket = socket.nextOnPort) {
      if (!socket.takesGroup(packet)) continue;
      this.#deliver(socket, packet, from);
      taken++;
    }
    if (taken === 0) this.#drops[Drop.UDP_NO_SOCKET]!++;
  }

  /** What went out to a group on a wire, to our own sockets in it. cold: only who asked for it. */
  toOwnMembers(
    path: Path,
    fromPort: number,
    port: number,
    from: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { net } = this;
    const isMember = net.groups.has(path.remote0, path.remote1, path.remote2, path.remote3);
    if (path.nic.loopback === 1 || !isMember) return;
    const packet = this.#copied;
    packet.nic = path.nic.index;
    packet.version = path.version;
    packet.hops = path.hops;
    packet.at = net.fragmentsOut.scratchAt;
    packet.length = Wire.HEADER_LENGTH + end - start;
    packet.group = 1;
    packet.src0 = path.local0;
    packet.src1 = path.local1;
    packet.src2 = path.local2;
    packet.src3 = path.local3;
    packet.dst0 = path.remote0;
    packet.dst1 = path.remote1;
    packet.dst2 = path.remote2;
    packet.dst3 = path.remote3;
    Wire.write(net.core.view, packet.at, fromPort, port, packet.length);
    copyIn(net.core.arena, packet.at + Wire.HEADER_LENGTH, from, start, end);
    this.#deliverToGroup(packet, port);
  }

  #deliver(socket: UdpSocket, packet: Packet, from: number): void {
    const queue = socket.queue;
    const length = packet.length - Wire.HEADER_LENGTH;
    if (queue.bytes + queue.cost(length) > socket.receiveBufferBytes && queue.count > 0) {
      this.#drops[Drop.UDP_QUEUE_FULL]!++;
    } else if (queue.push(packet, packet.at + Wire.HEADER_LENGTH, length, from)) {
      this.events.raise(socket, READABLE);
    } else {
      this.#drops[Drop.UDP_NO_BUFFER]!++;
    }
  }

  /** Only a path that is in use can be too narrow; the news alone does not make one. */
  #lowerMtu(error: IcmpError): void {
    const { remote0, remote1, remote2, remote3, local0, local1, local2, local3 } = error;
    const { paths } = this.net;
    const path = paths.find(remote0, remote1, remote2, remote3, local0, local1, local2, local3);
    if (path === null) this.#drops[Drop.ICMP_NO_FLOW]!++;
    else paths.lowerMtu(path, error.mtu);
  }
}
