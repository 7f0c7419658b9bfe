/**
 * Ping: echo requests of our own, and what comes back for them (RFC 792, RFC 4443 4).
 *
 * The identifier of a request is its socket's. net/icmp.ts and net/icmpv6.ts have checked what
 * arrives here: it is an echo reply, or an error that quotes an echo request from an address of ours.
 * @module
 */
import * as Drop from '../base/drops.ts';
import { StackError } from '../base/errors.ts';
import { type EventQueue, FAILED, READABLE, WRITABLE } from '../base/events.ts';
import { errorCode } from '../net/error-code.ts';
import type { Net } from '../net/net.ts';
import { Packet } from '../net/packet.ts';
import { room } from '../net/transmit.ts';
import { type IcmpError, PACKET_TOO_BIG, type Transport } from '../net/transport.ts';
import type { Heap } from '../storage/heap.ts';
import * as Icmpv4 from '../wire/icmpv4.ts';
import { labelOf, type PingOptions, PingSocket, REPLY } from './socket.ts';

/** Identifiers have 16 bits; some stay free, so that a random one is found soon. */
const SOCKETS_MAX = 0x8000;

export class Ping implements Transport {
  readonly net: Net;
  readonly heap: Heap;
  readonly #events: EventQueue;
  /** By identifier. */
  readonly #sockets: Map<number, PingSocket> = new Map();
  /** Sockets whose send() found no room. */
  readonly #blocked: Set<PingSocket> = new Set();
  /** Stands in the queue for an error: the address that was pinged, and nothing else. */
  readonly #failure: Packet = new Packet();

  constructor(net: Net, events: EventQueue, heap: Heap) {
    this.net = net;
    this.heap = heap;
    this.#events = events;
  }

  /** Sockets that are open. */
  get count(): number {
    return this.#sockets.size;
  }

  /** Sockets that flush() has something to do for. Asked with every poll, hence a field. */
  blocked = 0;

  /**
   * A socket with an identifier of its own.
   * Throws StackError EADDRNOTAVAIL for a local address that is not ours, ENOMEM for too many.
   */
  open(options: PingOptions = {}): PingSocket {
    const local = options.localAddress ?? null;
    if (local !== null && !this.net.isLocal(local.w0, local.w1, local.w2, local.w3)) {
      throw new StackError('EADDRNOTAVAIL', `ping: ${local} is not ours`);
    }
    if (this.count >= SOCKETS_MAX) throw new StackError('ENOMEM', 'too many ping sockets');
    let identifier = 0;
    do identifier = this.net.core.random() & 0xffff;
    while (this.#sockets.has(identifier));
    const socket = new PingSocket(this, identifier, local);
    this.#sockets.set(identifier, socket);
    return socket;
  }

  /** The socket is closed. */
  forget(socket: PingSocket): void {
    this.#sockets.delete(socket.identifier);
    this.#blocked.delete(socket);
    this.blocked = this.#blocked.size;
  }

  /** The socket waits for room. */
  block(socket: PingSocket): void {
    this.#blocked.add(socket);
    this.blocked = this.#blocked.size;
  }

  /** Raises WRITABLE for the sockets whose links have room again; returns how many. */
  flush(): number {
    let raised = 0;
    for (const socket of this.#blocked) {
      if (socket.path !== null && room(socket.path.nic.ring) === 0) continue;
      this.#blocked.delete(socket);
      this.#events.raise(socket, WRITABLE);
      raised++;
    }
    this.blocked = this.#blocked.size;
    return raised;
  }

  /** An echo reply, its checksum found right. The header is the same in both families. */
  receive(packet: Packet): void {
    const { view, drops } = this.net.core;
    const { at } = packet;
    const socket = this.#sockets.get(Icmpv4.echoId(view, at));
    if (socket === undefined || packet.group === 1 || !socket.hears(packet)) {
      drops[Drop.ICMP_NO_PING]!++;
      return;
    }
    const label = labelOf(REPLY, Icmpv4.echoSequence(view, at));
    const length = packet.length - Icmpv4.HEADER_LENGTH;
    this.#queue(socket, packet, at + Icmpv4.HEADER_LENGTH, length, label, READABLE);
  }

  /** An error about an echo request. */
  failed(error: IcmpError): void {
    const { view, drops } = this.net.core;
    const { kind, at, remote0, remote1, remote2, remote3 } = error;
    const failure = this.#failure;
    failure.src0 = remote0;
    failure.src1 = remote1;
    failure.src2 = remote2;
    failure.src3 = remote3;
    const socket = this.#sockets.get(Icmpv4.echoId(view, at));
    if (socket === undefined || !socket.hears(failure)) {
      drops[Drop.ICMP_NO_FLOW]!++;
      return;
    }
    // It hears of this address, so its path is the one that is too narrow.
    if (kind === PACKET_TOO_BIG) this.net.paths.lowerMtu(socket.path!, error.mtu);
    socket.error = errorCode(kind);
    const label = labelOf(kind, Icmpv4.echoSequence(view, at));
    this.#queue(socket, failure, at, 0, label, READABLE | FAILED);
  }

  #queue(
    socket: PingSocket,
    packet: Packet,
    at: number,
    length: number,
    label: number,
    events: number,
  ): void {
    const { queue } = socket;
    const isFull = queue.count > 0 && queue.bytes + queue.cost(length) > socket.receiveBufferBytes;
    if (!isFull && queue.push(packet, at, length, label)) this.#events.raise(socket, events);
    else this.net.core.drops[Drop.PING_QUEUE_FULL]!++;
  }
}
