/**
 * Node's own native classes and private names that the interception stands on.
 *
 * None of them is exported; each is reached through a public object that holds one, which
 * (unlike process.binding) neither warns nor is refused under the permission model. Every name
 * is checked here, once, when the module loads: a Node that has changed is refused with its
 * version in the message, and no socket ever meets half an interception.
 * @module
 */
import dgram from 'node:dgram';
import net from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';

/** A request of lib/net.js (WriteWrap, ShutdownWrap, TCPConnectWrap): completed by calling oncomplete. */
export interface Request {
  oncomplete?: ((...args: unknown[]) => void) | undefined;
}

/** What getsockname() and getpeername() fill in. */
export interface SocketName {
  address?: string;
  family?: string;
  port?: number;
}

/** Node's JSStream: a native stream (StreamBase) whose other side is JavaScript. */
export interface NativeStream {
  onread: unknown;
  readBuffer(chunk: Uint8Array): void;
  emitEOF(): void;
  finishWrite(request: Request, status: number): void;
  finishShutdown(request: Request, status: number): void;
  getAsyncId(): number;
}

/** Node's TCP handle, for what stays with the kernel. */
export interface NativeTcp {
  connect(request: Request, address: string, port: number): number;
  connect6(request: Request, address: string, port: number): number;
  bind(address: string, port: number): number;
  bind6(address: string, port: number, flags: number): number;
  close(callback?: () => void): void;
  ref(): void;
  unref(): void;
}

/** The parts of a net.Socket that are not in its public type. */
export interface SocketInternals {
  _handle: unknown;
  _parent: SocketInternals | null;
  _peername: unknown;
  _sockname: unknown;
  _pendingData: unknown;
  _pendingEncoding: string;
  connecting: boolean;
  destroyed: boolean;
  push(chunk: Buffer | null): boolean;
  destroy(error?: Error): unknown;
  _unrefTimer(): void;
  [symbol: symbol]: unknown;
}

type Dictionary = Record<string | symbol, unknown>;

function refuse(name: string): never {
  throw new Error(
    `dpdk-net cannot put its sockets under Node ${process.version}: ${name} is not where it was. ` +
      'Use Node 20, 22, 24 or 26, or the sockets that dpdk-net itself exports',
  );
}

/** The class of `holder`, which must have this name. */
export function constructorOf(holder: unknown, name: string): new (...args: unknown[]) => unknown {
  const native = (holder as { constructor?: unknown } | null | undefined)?.constructor;
  if (typeof native !== 'function' || native.name !== name) refuse(name);
  return native as new (
    ...args: unknown[]
  ) => unknown;
}

/** The symbol with this description that `holder` has a property under. */
export function symbolOf(holder: object, description: string): symbol {
  const symbol = Object.getOwnPropertySymbols(holder).find((s) => s.description === description);
  return symbol ?? refuse(`Symbol(${description})`);
}

function parentHandle(socket: unknown): unknown {
  return (socket as { _handle?: { _parent?: unknown } })._handle?._parent;
}

/** TLS over any Duplex stands on a JSStream. */
function findJSStream(): new () => NativeStream {
  const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const socket = new tls.TLSSocket(duplex);
  const native = constructorOf(parentHandle(socket), 'JSStream');
  socket.destroy();
  for (const name of ['readBuffer', 'emitEOF', 'finishWrite', 'finishShutdown']) {
    if (typeof native.prototype[name] !== 'function') refuse(`JSStream.${name}`);
  }
  return native as new () => NativeStream;
}

/** TLS over nothing makes its own TCP handle, which has no descriptor yet. */
function findTCP(): new (type: number) => NativeTcp {
  const socket = new tls.TLSSocket(undefined as unknown as net.Socket, {});
  const native = constructorOf(parentHandle(socket), 'TCP');
  socket.destroy();
  for (const name of ['connect', 'connect6', 'bind', 'bind6', 'listen']) {
    if (typeof native.prototype[name] !== 'function') refuse(`TCP.${name}`);
  }
  return native as new (
    type: number,
  ) => NativeTcp;
}

/** A datagram socket has its UDP handle from the start, and the handle its owner. */
function findUDP(): { constructor: { prototype: Dictionary }; state: symbol; owner: symbol } {
  const socket = dgram.createSocket('udp4');
  const state = symbolOf(socket, 'state symbol');
  const handle = (socket as unknown as Dictionary)[state] as { handle?: object } | undefined;
  const native = constructorOf(handle?.handle, 'UDP');
  const owner = symbolOf(handle!.handle!, 'owner_symbol');
  socket.close();
  return { constructor: native as unknown as { prototype: Dictionary }, state, owner };
}

function check(prototype: object, name: string): void {
  if (typeof (prototype as Dictionary)[name] !== 'function') refuse(name);
}

/** Symbols under which a net.Socket keeps its `onread` option. */
function findOnread(): { buffer: symbol; callback: symbol; next: symbol } {
  const socket = new net.Socket();
  return {
    buffer: symbolOf(socket, 'kBuffer'),
    callback: symbolOf(socket, 'kBufferCb'),
    next: symbolOf(socket, 'kBufferGen'),
  };
}

export const JSStream: new () => NativeStream = findJSStream();
export const TCP: new (type: number) => NativeTcp = findTCP();

const udp = findUDP();
export const UDP: { prototype: Dictionary } = udp.constructor;
/** Where a dgram.Socket keeps its state, and with it its handle. */
export const DGRAM_STATE: symbol = udp.state;
/** Where a handle keeps the socket or server it belongs to. */
export const OWNER: symbol = udp.owner;
/** The method that gives a net.Socket another handle. */
export const REINITIALIZE: symbol = symbolOf(net.Socket.prototype, 'kReinitializeHandle');
/** What a net.Socket's timeout compares with the handle's writeQueueSize. */
export const LAST_WRITE_QUEUE_SIZE: symbol = symbolOf(new net.Socket(), 'lastWriteQueueSize');
export const ONREAD: { buffer: symbol; callback: symbol; next: symbol } = findOnread();

/** The `type` argument of the TCP constructor. */
export const TCP_SOCKET = 0;
/** Bit of the `flags` argument of bind6(). */
export const IPV6_ONLY = 1;

check(net, '_normalizeArgs');
check(net.Socket.prototype, '_unrefTimer');
check(net.Socket.prototype, '_writeGeneric');
check(net.Server.prototype, '_listen2');
check(tls.TLSSocket.prototype, '_wrapHandle');
