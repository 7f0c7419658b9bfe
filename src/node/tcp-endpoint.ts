/**
 * Where a TCP handle is: the address it was bound to, and the socket or listener that comes of it.
 *
 * Like the kernel's, bind() finds foreign addresses at once, but a port that is in use only when it is
 * asked about afterwards; lib/net.js asks before it connects.
 * @module
 */
import type { Address } from '../base/address.ts';
import type { TcpListener } from '../tcp/listener.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import type { Engine } from './engine.ts';
import { EADDRINUSE, EADDRNOTAVAIL, EBADF, EINVAL, ENOTCONN } from './errno.ts';
import type { Local } from './kernel.ts';
import { destination, fillName, parseAddress } from './names.ts';
import { IPV6_ONLY, type SocketName } from './natives.ts';

const REUSE_PORT = 2;

export class TcpEndpoint {
  socket: TcpSocket | null = null;
  listener: TcpListener | null = null;
  /** Names are shown as an IPv6 socket's. */
  v6 = false;
  readonly #engine: Engine;
  #address: Address | null = null;
  #port = 0;
  #flags = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  bind(text: string, port: number, flags: number, v6: boolean): number {
    const address = parseAddress(text);
    if (address === null) return EINVAL;
    const { w0, w1, w2, w3 } = address;
    const { net } = this.#engine.stack;
    const isOurs = address.isAny || net.isLocal(w0, w1, w2, w3) || this.#engine.isKernel(address);
    if (!isOurs) return EADDRNOTAVAIL;
    this.v6 = v6;
    this.#address = address;
    this.#port = port;
    this.#flags = flags;
    return 0;
  }

  /** What bind() said, for a socket that changes over to the kernel; null when it said nothing. */
  get local(): Local | null {
    return this.#address === null ? null : { address: `${this.#address}`, port: this.#port };
  }

  /** Whether the other end of the connection is in this stack, too. */
  get isToOurselves(): boolean {
    if (this.socket === null) return false;
    const { w0, w1, w2, w3 } = this.socket.remoteAddress;
    return this.#engine.stack.net.isLocal(w0, w1, w2, w3);
  }

  /** Throws StackError. */
  connect(to: Address, port: number, v6: boolean): TcpSocket {
    const local = this.#address;
    const socket = this.#engine.stack.tcp.connect({
      address: destination(to),
      port,
      ...(local !== null && !local.isAny ? { localAddress: local } : {}),
      ...(this.#port > 0 ? { localPort: this.#port } : {}),
    });
    this.socket = socket;
    this.v6 = v6;
    return socket;
  }

  /** Throws StackError. */
  listen(backlog: number): TcpListener {
    this.listener = this.#engine.stack.tcp.listen({
      address: this.#address,
      port: this.#port,
      backlog,
      v6Only: (this.#flags & IPV6_ONLY) !== 0,
      reusePort: (this.#flags & REUSE_PORT) !== 0,
    });
    return this.listener;
  }

  sockname(out: SocketName): number {
    if (this.socket !== null) {
      fillName(out, this.socket.localAddress, this.socket.localPort, this.v6);
      return 0;
    }
    if (this.#address === null) return EBADF;
    if (this.listener === null && this.#isTaken()) return EADDRINUSE;
    fillName(out, this.#address, this.listener?.port ?? this.#port, this.v6);
    return 0;
  }

  peername(out: SocketName): number {
    if (this.socket === null) return ENOTCONN;
    fillName(out, this.socket.remoteAddress, this.socket.remotePort, this.v6);
    return 0;
  }

  /** Does a listener have the port that bind() was given? */
  #isTaken(): boolean {
    const address = this.#address!;
    if (this.#port === 0) return false;
    return this.#engine.stack.tcp.listeners.all().some((listener) => {
      if (listener.port !== this.#port) return false;
      const other = listener.address;
      return other === null || other.isAny || address.isAny || other.equals(address);
    });
  }
}
