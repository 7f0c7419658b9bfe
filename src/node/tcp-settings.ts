/**
 * What a program sets on a TCP handle before, or while, there is a connection.
 * @module
 */
import type { TcpSocket } from '../tcp/socket.ts';

export class TcpSettings {
  #typeOfService = 0;
  #socket: TcpSocket | null = null;
  #noDelay = false;
  /** The arguments of TcpSocket.setKeepAlive(). */
  #keepAlive: Parameters<TcpSocket['setKeepAlive']> | null = null;

  /** From now on there is a connection: what was set before is set on it. */
  attach(socket: TcpSocket): void {
    this.#socket = socket;
    if (this.#noDelay) socket.setNoDelay(true);
    if (this.#typeOfService !== 0) socket.setTrafficClass(this.#typeOfService);
    this.#applyKeepAlive();
  }

  get typeOfService(): number {
    return this.#typeOfService;
  }

  /** The byte in the IP header; its ECN bits stay TCP's own. */
  set typeOfService(value: number) {
    this.#socket?.setTrafficClass(value);
    this.#typeOfService = value;
  }

  setNoDelay(on: boolean): void {
    this.#noDelay = on;
    this.#socket?.setNoDelay(on);
  }

  /** Delays in seconds, as libuv has them; 0: the stack's default. */
  setKeepAlive(on: boolean, delay: number, interval?: number, count?: number): void {
    const idleMs = delay > 0 ? delay * 1000 : undefined;
    this.#keepAlive = [on, idleMs, interval === undefined ? undefined : interval * 1000, count];
    this.#applyKeepAlive();
  }

  #applyKeepAlive(): void {
    if (this.#keepAlive !== null) this.#socket?.setKeepAlive(...this.#keepAlive);
  }
}
