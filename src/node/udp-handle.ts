/**
 * Node's native UDP class with its methods replaced in place.
 *
 * lib/dgram.js makes its handle before it knows an address, and nothing else uses the class, so
 * replacing the prototype's methods is all it takes. The originals stay for kernel routes.
 * @module
 */
import type { Address } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import type { UdpSocket } from '../udp/socket.ts';
import { Datagrams, type UdpHandle } from './datagrams.ts';
import type { Engine } from './engine.ts';
import { EBADF, EINVAL, ENOTSUP, errnoFrom } from './errno.ts';
import { parseAddress } from './names.ts';
import { type Request, type SocketName, UDP } from './natives.ts';

type Method = (this: UdpHandle, ...args: never[]) => unknown;
type Methods = Record<string, Method>;

/** What fits the int of setsockopt(). */
const LARGEST_BUFFER = 0x7fffffff;

const DATAGRAMS = Symbol('dpdk-net datagrams');

let installed: { engine: Engine } | null = null;

/** The methods of Node's own class, also those it inherits, before any is replaced. */
function originalsOf(prototype: Record<string, unknown>): Methods {
  const originals: Methods = {};
  for (let level: object | null = prototype; level !== null; level = Object.getPrototypeOf(level)) {
    if (level === Object.prototype) break;
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value === 'function' && name !== 'constructor')
        originals[name] ??= value as Method;
    }
  }
  return originals;
}

/** Puts every UDP handle of this thread on `engine`. Once: a second call changes engines. */
export function interceptUdp(engine: Engine): void {
  if (installed !== null) {
    installed.engine = engine;
    return;
  }
  installed = { engine };
  const prototype = UDP.prototype as Methods;
  const originals = originalsOf(prototype);
  replace(prototype, udpMethods(originals, installed), originals);
}

/** Puts one UDP handle on `engine`, as lib/dgram.js has just made it for its type. */
export function adoptUdp(engine: Engine, handle: object, v6: boolean): void {
  if (installed !== null) return;
  const originals = originalsOf(UDP.prototype);
  const methods = udpMethods(originals, { engine });
  replace(handle, methods, originals);
  if (!v6) return;
  const { bind6, connect6, send6 } = methods;
  Object.assign(handle, { bind: bind6, connect: connect6, send: send6 });
}

function replace(target: object, methods: Methods, originals: Methods): void {
  for (const [name, method] of Object.entries(methods)) {
    // A method that this Node does not have is none that its lib/dgram.js calls.
    if (originals[name] === undefined) continue;
    Object.defineProperty(target, name, { value: method, writable: true, configurable: true });
  }
}

function udpMethods(originals: Methods, now: { engine: Engine }): Methods {
  /** Ours for `handle`, made when it is first asked for. */
  const of = (handle: UdpHandle): Datagrams => {
    const holder = handle as { [DATAGRAMS]?: Datagrams };
    holder[DATAGRAMS] ??= new Datagrams(now.engine, handle);
    return holder[DATAGRAMS];
  };
  const native = (handle: UdpHandle, name: string, ...args: unknown[]): unknown =>
    (originals[name] as (this: UdpHandle, ...args: unknown[]) => unknown).apply(handle, args);
  const context: Context = { now, of, native };
  return {
    ...addressMethods(context),
    ...sendMethods(context),
    ...lifeMethods(context),
    ...optionMethods(context),
  };
}

interface Context {
  readonly now: { engine: Engine };
  of(handle: UdpHandle): Datagrams;
  native(handle: UdpHandle, name: string, ...args: unknown[]): unknown;
}

function addressMethods({ now, of, native }: Context): Methods {
  const isKernel = (address: string): boolean => {
    const parsed = parseAddress(address);
    return parsed !== null && now.engine.isKernel(parsed);
  };
  const bind = (v6: boolean) =>
    function (this: UdpHandle, address: string, port: number, flags: number): unknown {
      const datagrams = of(this);
      if (!isKernel(address)) return datagrams.bind(address, port, flags, v6);
      datagrams.isKernel = true;
      return native(this, v6 ? 'bind6' : 'bind', address, port, flags);
    };
  const connect = (v6: boolean) =>
    function (this: UdpHandle, address: string, port: number): unknown {
      const datagrams = of(this);
      if (!datagrams.isKernel && !isKernel(address)) return datagrams.connect(address, port);
      // Connected to a kernel route it is the kernel's altogether; a port of its own was not asked for.
      if (!datagrams.isKernel) moveToKernel(datagrams, this, native);
      return native(this, v6 ? 'connect6' : 'connect', address, port);
    };
  const name = (which: 'getsockname' | 'getpeername') =>
    function (this: UdpHandle, out: SocketName): unknown {
      const datagrams = of(this);
      if (datagrams.isKernel) return native(this, which, out);
      return which === 'getsockname' ? datagrams.sockname(out) : datagrams.peername(out);
    };
  return {
    bind: bind(false),
    bind6: bind(true),
    connect: connect(false),
    connect6: connect(true),
    disconnect(this: UdpHandle): unknown {
      const datagrams = of(this);
      return datagrams.isKernel ? native(this, 'disconnect') : datagrams.disconnect();
    },
    getsockname: name('getsockname'),
    getpeername: name('getpeername'),
  };
}

function moveToKernel(datagrams: Datagrams, handle: UdpHandle, native: Context['native']): void {
  const wasReceiving = datagrams.isReceiving;
  openKernelSide(datagrams, handle, native);
  datagrams.close();
  datagrams.isReceiving = wasReceiving;
  datagrams.isKernel = true;
}

/** Binds the native handle to a port of its own, once. Returns 0 or an errno. */
function openKernelSide(
  datagrams: Datagrams,
  handle: UdpHandle,
  native: Context['native'],
): number {
  if (datagrams.hasKernelSide) return 0;
  const errno = datagrams.isV6
    ? native(handle, 'bind6', '::', 0, 0)
    : native(handle, 'bind', '0.0.0.0', 0, 0);
  if (errno !== 0) return errno as number;
  datagrams.hasKernelSide = true;
  if (datagrams.isReceiving) native(handle, 'recvStart');
  return 0;
}

function sendMethods({ now, of, native }: Context): Methods {
  const send = (name: 'send' | 'send6') =>
    function (
      this: UdpHandle,
      request: Request,
      chunks: Uint8Array[],
      ...rest: unknown[]
    ): unknown {
      const datagrams = of(this);
      if (datagrams.isKernel) return native(this, name, request, chunks, ...rest);
      // (count, hasCallback) when connected, else (count, port, address, hasCallback).
      if (rest.length < 4) return datagrams.send(request, chunks, null, rest[1] === true);
      const [, port, address, hasCallback] = rest as [number, number, string, boolean];
      const parsed = parseAddress(address);
      if (parsed !== null && now.engine.isKernel(parsed)) {
        const errno = openKernelSide(datagrams, this, native);
        return errno !== 0 ? errno : native(this, name, request, chunks, ...rest);
      }
      return datagrams.send(request, chunks, { address, port }, hasCallback);
    };
  return {
    send: send('send'),
    send6: send('send6'),
    getSendQueueSize(this: UdpHandle): unknown {
      return of(this).isKernel ? native(this, 'getSendQueueSize') : of(this).bytesWaiting;
    },
    getSendQueueCount(this: UdpHandle): unknown {
      return of(this).isKernel ? native(this, 'getSendQueueCount') : of(this).sendsWaiting;
    },
  };
}

function lifeMethods({ of, native }: Context): Methods {
  const receive = (name: 'recvStart' | 'recvStop') =>
    function (this: UdpHandle): unknown {
      const datagrams = of(this);
      if (datagrams.isKernel || datagrams.hasKernelSide) native(this, name);
      return datagrams.isKernel ? 0 : datagrams.receive(name === 'recvStart');
    };
  return {
    recvStart: receive('recvStart'),
    recvStop: receive('recvStop'),
    open(this: UdpHandle, fd: number): unknown {
      of(this).isKernel = true;
      return native(this, 'open', fd);
    },
    close(this: UdpHandle, callback?: () => void): unknown {
      of(this).close();
      return native(this, 'close', callback);
    },
    ref(this: UdpHandle): unknown {
      of(this).setReferenced(true);
      return native(this, 'ref');
    },
    unref(this: UdpHandle): unknown {
      of(this).setReferenced(false);
      return native(this, 'unref');
    },
  };
}

function optionMethods({ of, native }: Context): Methods {
  /** A method for bound sockets of ours: EBADF before that, as from a handle without descriptor. */
  const bound = (name: string, apply: (socket: UdpSocket, ...args: never[]) => number) =>
    function (this: UdpHandle, ...args: never[]): unknown {
      const datagrams = of(this);
      if (datagrams.isKernel) return native(this, name, ...args);
      if (datagrams.socket === null) return EBADF;
      return apply(datagrams.socket, ...args);
    };
  const inRange = (value: number, least: number): boolean => value >= least && value <= 255;
  return {
    setTTL: bound('setTTL', (socket, ttl: number) => {
      if (!inRange(ttl, 1)) return EINVAL;
      socket.hops = ttl;
      return 0;
    }),
    setBroadcast: bound('setBroadcast', (socket, on: number) => {
      socket.broadcast = on !== 0;
      return 0;
    }),
    setMulticastTTL: bound('setMulticastTTL', (_socket, ttl: number) =>
      inRange(ttl, 0) ? 0 : EINVAL,
    ),
    setMulticastLoopback: bound('setMulticastLoopback', () => 0),
    ...groupMethods({ of, native } as Context),
    bufferSize(this: UdpHandle, size: number, isReceive: boolean, failure: object): unknown {
      const datagrams = of(this);
      if (datagrams.isKernel) return native(this, 'bufferSize', size, isReceive, failure);
      const isBound = datagrams.socket !== null;
      if (isBound && size <= LARGEST_BUFFER) return datagrams.bufferSize(size, isReceive);
      Object.assign(failure, {
        errno: isBound ? EINVAL : EBADF,
        code: isBound ? 'EINVAL' : 'EBADF',
        message: isBound ? 'invalid argument' : 'bad file descriptor',
        syscall: isReceive ? 'uv_recv_buffer_size' : 'uv_send_buffer_size',
      });
      return undefined;
    },
  };
}

/** Groups: a bad address is EINVAL even before an unbound socket is EBADF. */
function groupMethods({ of, native }: Context): Methods {
  const membership = (name: 'addMembership' | 'dropMembership') =>
    function (this: UdpHandle, group: string, local?: string): unknown {
      const datagrams = of(this);
      if (datagrams.isKernel) return native(this, name, group, local);
      const address = parseAddress(group);
      if (address === null || (local && parseAddress(local) === null)) return EINVAL;
      if (datagrams.socket === null) return EBADF;
      return change(datagrams.socket, name, address);
    };
  const sourceMembership = (name: string) =>
    function (this: UdpHandle, source: string, group: string, local?: string): unknown {
      if (of(this).isKernel) return native(this, name, source, group, local);
      const isBad = parseAddress(source) === null || parseAddress(group) === null;
      // Source filters (RFC 4607) need IGMPv3, which the stack does not speak.
      if (isBad) return EINVAL;
      return of(this).socket === null ? EBADF : ENOTSUP;
    };
  return {
    addMembership: membership('addMembership'),
    dropMembership: membership('dropMembership'),
    addSourceSpecificMembership: sourceMembership('addSourceSpecificMembership'),
    dropSourceSpecificMembership: sourceMembership('dropSourceSpecificMembership'),
    setMulticastInterface(this: UdpHandle, local: string): unknown {
      const datagrams = of(this);
      if (datagrams.isKernel) return native(this, 'setMulticastInterface', local);
      const address = parseAddress(local);
      if (address === null || address.isMulticast) return EINVAL;
      return datagrams.socket === null ? EBADF : 0;
    },
  };
}

function change(socket: UdpSocket, name: string, group: Address): number {
  if (!group.isMulticast) return EINVAL;
  try {
    if (name === 'addMembership') socket.joinGroup(group);
    else socket.leaveGroup(group);
  } catch (error) {
    if (error instanceof StackError) return errnoFrom(error);
    throw error;
  }
  return 0;
}
