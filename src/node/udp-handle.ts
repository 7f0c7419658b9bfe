/**
 * Node's native UDP class with its methods replaced in place.
 *
 * lib/dgram.js makes its handle before it knows an address, and nothing else uses the class, so
 * replacing the prototype's methods is all it takes. The originals stay for kernel routes.
 * @module
 */
import { Datagrams, type UdpHandle } from './datagrams.ts';
import type { Engine } from './engine.ts';
import { parseAddress } from './names.ts';
import { type Request, type SocketName, UDP } from './natives.ts';
import { type Context, type Method, type Methods, optionMethods } from './udp-options.ts';

const DATAGRAMS = Symbol('dpdk-net datagrams');

/** Ours for a handle that is on a stack; null: the kernel's. */
export function datagramsOf(handle: object): Datagrams | null {
  return (handle as { [DATAGRAMS]?: Datagrams })[DATAGRAMS] ?? null;
}

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
