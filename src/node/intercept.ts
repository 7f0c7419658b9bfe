/**
 * How lib/net.js comes to use our handles: for every socket of the process, or for a subclass.
 *
 * Only prototypes change, so it works early or late, from ESM and CommonJS, and whatever is not
 * TCP or UDP (pipes, stdio, descriptors, IPC) keeps its handle because it is never given another.
 * @module
 */
import net from 'node:net';
import tls from 'node:tls';
import util from 'node:util';
import type { Engine } from './engine.ts';
import { guardIpc } from './ipc.ts';
import { isKernelHandle } from './kernel.ts';
import { parseAddress } from './names.ts';
import { OWNER, REINITIALIZE, type SocketInternals, TCP } from './natives.ts';
import type { WriteCallback } from './pending.ts';
import type { WriteData } from './stream-handle.ts';
import { TcpHandle } from './tcp-handle.ts';

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Methods = Record<string | symbol, Method>;

interface ConnectOptions {
  readonly path?: string | null;
  readonly port?: unknown;
}

interface ServerInternals {
  _handle: unknown;
  emit(name: string, error: Error): boolean;
}

const normalizeArgs = (net as unknown as { _normalizeArgs(args: unknown[]): [ConnectOptions] })
  ._normalizeArgs;

const isNativeTcp = Function.prototype[Symbol.hasInstance].bind(TCP) as (value: unknown) => boolean;

/** Node's marker of arguments that are normalized already is an array with a symbol on it. */
function optionsOf(args: unknown[]): ConnectOptions {
  const first = args[0];
  if (Array.isArray(first) && Object.getOwnPropertySymbols(first).length > 0) return first[0];
  return normalizeArgs(args)[0];
}

/** Gives a socket that is about to connect over TCP a handle of ours, unless it has one. */
export function prepareConnect(engine: Engine, socket: SocketInternals, args: unknown[]): void {
  const options = optionsOf(args);
  if (options.path || options.port === undefined || socket._parent?.connecting) return;
  if (socket.destroyed) {
    socket._handle = null;
    socket._peername = null;
    socket._sockname = null;
  }
  if (!socket._handle) (socket[REINITIALIZE] as Method).call(socket, new TcpHandle(engine));
}

/** A handle to use instead of `handle`: happy eyeballs makes kernel ones for its further attempts. */
export function replacement(engine: Engine, handle: unknown): unknown {
  if (!isNativeTcp(handle) || isKernelHandle(handle as object)) return handle;
  (handle as { close(): void }).close();
  return new TcpHandle(engine);
}

/**
 * Binds a handle of ours for a server that listens on TCP and is not the kernel's.
 * Returns false when the server has been told of an error and must not go on.
 */
export function prepareListen(
  engine: Engine,
  server: ServerInternals,
  args: ListenArguments,
): boolean {
  const [address, port, type, , fd, flags] = args;
  const isPipe = port === -1 && type === -1;
  if (server._handle || typeof fd === 'number' || isPipe) return true;
  const parsed = address ? parseAddress(address) : null;
  if (parsed !== null && engine.isKernel(parsed)) return true;
  const handle = new TcpHandle(engine);
  const v6 = !address || type === 6;
  const errno = v6
    ? handle.bind6(address || '::', port, flags ?? 0)
    : handle.bind(address!, port, flags ?? 0);
  if (errno === 0) {
    server._handle = handle;
    return true;
  }
  handle.close();
  process.nextTick(() => server.emit('error', listenError(errno, address ?? '::', port)));
  return false;
}

export type ListenArguments = [
  address: string | null | undefined,
  port: number,
  type: number,
  backlog: number,
  fd: number | undefined,
  flags: number | undefined,
];

/** The arguments with which Node's own _listen2 goes on: it is told the address it bound. */
export function boundArguments(args: ListenArguments): ListenArguments {
  const [address, port, type, backlog, fd, flags] = args;
  const isTcp = typeof fd !== 'number' && !(port === -1 && type === -1);
  return isTcp && !address ? ['::', port, 6, backlog, fd, flags] : args;
}

/** As lib/net.js makes it. */
function listenError(errno: number, address: string, port: number): Error {
  const [code, text] = util.getSystemErrorMap().get(errno)!;
  const where = port > 0 ? `${address}:${port}` : address;
  const error = new Error(`listen ${code}: ${text} ${where}`);
  return Object.assign(error, {
    code,
    errno,
    syscall: 'listen',
    address,
    ...(port > 0 && { port }),
  });
}

let installed: { engine: Engine } | null = null;

/** Patches Node's net and tls of this thread to use `engine`. Once: a second call changes engines. */
export function interceptTcp(engine: Engine): void {
  if (installed !== null) {
    installed.engine = engine;
    return;
  }
  installed = { engine };
  const now = installed;
  patchInstanceOf();
  patchWrite();
  guardIpc();
  patchSockets(now);
  patchServers(now);
  patchTls(now);
}

/** resetAndDestroy() and listen(handle) ask `handle instanceof TCP`. */
export function patchInstanceOf(): void {
  Object.defineProperty(TCP, Symbol.hasInstance, {
    configurable: true,
    value: (value: unknown) => isNativeTcp(value) || value instanceof TcpHandle,
  });
}

function patchSockets(now: { engine: Engine }): void {
  const prototype = net.Socket.prototype as unknown as Methods;
  const connect = prototype['connect']!;
  prototype['connect'] = function (this: SocketInternals, ...args: unknown[]) {
    prepareConnect(now.engine, this, args);
    return connect.apply(this, args);
  } as Method;
  const reinitialize = prototype[REINITIALIZE]!;
  prototype[REINITIALIZE] = function (this: unknown, handle: unknown) {
    return reinitialize.call(this, replacement(now.engine, handle));
  };
}

let isWritePatched = false;

/** Lets Node's sockets write to our handles without a request object; others write as before. */
export function patchWrite(): void {
  if (isWritePatched) return;
  isWritePatched = true;
  const prototype = net.Socket.prototype as unknown as Methods;
  const writeGeneric = prototype['_writeGeneric']!;
  prototype['_writeGeneric'] = function (
    this: SocketInternals,
    isVector: boolean,
    data: WriteData,
    encoding: string,
    done: WriteCallback,
  ) {
    const handle = this._handle;
    if (!(handle instanceof TcpHandle) || this.connecting) {
      return writeGeneric.call(this, isVector, data, encoding, done);
    }
    this._pendingData = null;
    this._pendingEncoding = '';
    this._unrefTimer();
    return handle.write(data, encoding, isVector, done);
  } as Method;
}

function patchServers(now: { engine: Engine }): void {
  const prototype = net.Server.prototype as unknown as Methods;
  const listen = prototype['_listen2']!;
  prototype['_listen2'] = function (this: unknown, ...args: unknown[]) {
    const given = args as ListenArguments;
    if (!prepareListen(now.engine, this as ServerInternals, given)) return undefined;
    const isOurs = (this as ServerInternals)._handle instanceof TcpHandle;
    return listen.apply(this, isOurs ? boundArguments(given) : given);
  };
}

function patchTls(now: { engine: Engine }): void {
  const prototype = tls.TLSSocket.prototype as unknown as Methods;
  const wrapHandle = prototype['_wrapHandle']!;
  prototype['_wrapHandle'] = function (
    this: unknown,
    wrap: unknown,
    given: unknown,
    active: unknown,
  ) {
    const options = (this as { _tlsOptions: { pipe?: unknown } })._tlsOptions;
    let handle = given;
    if (!handle && !options.pipe) handle = new TcpHandle(now.engine);
    else if (handle && !wrap) handle = replacement(now.engine, handle);
    if (handle instanceof TcpHandle) {
      if (handle !== given) (handle as unknown as Record<symbol, unknown>)[OWNER] = this;
      handle.consumer = this as SocketInternals;
    }
    return wrapHandle.call(this, wrap, handle, active);
  };
}
