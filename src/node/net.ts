/**
 * `dpdk-net/net`: Node's net, with the stack underneath.
 *
 * The classes are Node's own with handles of ours, so their behaviour is Node's; programs that
 * import from here use the stack while the rest of the process stays with the kernel. They use
 * the stack that was opened last in this thread.
 * @module
 */
import net from 'node:net';
import { currentEngine } from './engine.ts';
import {
  boundArguments,
  type ListenArguments,
  patchInstanceOf,
  patchWrite,
  prepareConnect,
  prepareListen,
  replacement,
} from './intercept.ts';
import { guardIpc } from './ipc.ts';
import { REINITIALIZE, type SocketInternals } from './natives.ts';
import { TcpHandle } from './tcp-handle.ts';

export {
  BlockList,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
  SocketAddress,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
} from 'node:net';

type Method = (...args: unknown[]) => unknown;

/** A method of the class above that its public type does not have. */
function inherited(prototype: object, name: string | symbol): Method {
  return (prototype as Record<string | symbol, Method>)[name]!;
}

export class Socket extends net.Socket {
  override connect(...args: unknown[]): this {
    prepareConnect(currentEngine(), this as unknown as SocketInternals, args);
    return inherited(net.Socket.prototype, 'connect').apply(this, args) as this;
  }

  [REINITIALIZE](handle: unknown): unknown {
    const ours = replacement(currentEngine(), handle);
    return inherited(net.Socket.prototype, REINITIALIZE).call(this, ours);
  }
}

export class Server extends net.Server {
  /** Where lib/net.js binds and listens. */
  _listen2(...args: ListenArguments): unknown {
    if (!prepareListen(currentEngine(), this as never, args)) return undefined;
    const isOurs = (this as { _handle?: unknown })._handle instanceof TcpHandle;
    const listen = inherited(net.Server.prototype, '_listen2');
    return listen.apply(this, isOurs ? boundArguments(args) : args);
  }
}

/** As node:net's createServer(). */
export function createServer(
  options?: net.ServerOpts | ((socket: net.Socket) => void),
  listener?: (socket: net.Socket) => void,
): Server {
  return typeof options === 'function' ? new Server(options) : new Server(options, listener);
}

/** As node:net's connect(): (options), (port, host), (path), each with a listener. */
export function connect(...args: unknown[]): Socket {
  const normalize = inherited(net, '_normalizeArgs');
  const normalized = normalize(args) as [net.NetConnectOpts, unknown];
  const socket = new Socket(normalized[0] as net.SocketConstructorOpts);
  if (normalized[0].timeout) socket.setTimeout(normalized[0].timeout);
  return socket.connect(normalized);
}

export { connect as createConnection, Socket as Stream };

patchInstanceOf();
patchWrite();
guardIpc();

export default {
  ...net,
  Socket,
  Stream: Socket,
  Server,
  createServer,
  connect,
  createConnection: connect,
};
