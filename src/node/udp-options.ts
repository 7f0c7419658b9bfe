/**
 * The options of a UDP handle: hops, broadcast, buffers, groups.
 * @module
 */
import type { Address } from '../base/address.ts';
import type { Nic } from '../net/nic.ts';
import type { UdpSocket } from '../udp/socket.ts';
import type { Datagrams, UdpHandle } from './datagrams.ts';
import type { Engine } from './engine.ts';
import { EADDRNOTAVAIL, EBADF, EINVAL, ENODEV, errnoFrom } from './errno.ts';
import { parseAddress } from './names.ts';

export type Method = (this: UdpHandle, ...args: never[]) => unknown;
export type Methods = Record<string, Method>;

/** What the methods of every kind work with. */
export interface Context {
  readonly now: { engine: Engine };
  /** Ours for a handle. */
  of(handle: UdpHandle): Datagrams;
  /** The method that Node's class had under that name. */
  native(handle: UdpHandle, name: string, ...args: unknown[]): unknown;
}

/** What fits the int of setsockopt(). */
const LARGEST_BUFFER = 0x7fffffff;

export function optionMethods(context: Context): Methods {
  const { of, native } = context;
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
    setMulticastTTL: bound('setMulticastTTL', (socket, ttl: number) => {
      if (!inRange(ttl, 0)) return EINVAL;
      socket.groupHops = ttl;
      return 0;
    }),
    setMulticastLoopback: bound('setMulticastLoopback', (socket, on: number) => {
      socket.groupLoopback = on !== 0;
      return 0;
    }),
    ...groupMethods(context),
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
function groupMethods({ now, of, native }: Context): Methods {
  const nicOf = (text: string | undefined): Nic | null => findNic(now.engine, text);
  const membership = (name: 'addMembership' | 'dropMembership') =>
    function (this: UdpHandle, group: string, local?: string): unknown {
      const datagrams = of(this);
      if (datagrams.isKernel) return native(this, name, group, local);
      const address = parseAddress(group);
      if (address === null || (local && parseAddress(local) === null)) return EINVAL;
      if (address.version === 6 && !datagrams.isV6 && datagrams.socket !== null) return EINVAL;
      return attempt(datagrams.socket, ({ groups }) => {
        if (name === 'addMembership') groups.join(address, nicOf(local));
        else groups.leave(address, nicOf(local));
      });
    };
  const sourceMembership = (name: string) =>
    function (this: UdpHandle, source: string, group: string, local?: string): unknown {
      const datagrams = of(this);
      if (datagrams.isKernel) return native(this, name, source, group, local);
      const from = parseAddress(source);
      const address = parseAddress(group);
      if (from === null || address === null) return EINVAL;
      if (local && parseAddress(local) === null) return EINVAL;
      return attempt(datagrams.socket, ({ groups }) => {
        if (name === 'addSourceSpecificMembership') groups.joinSource(address, from, nicOf(local));
        else groups.leaveSource(address, from, nicOf(local));
      });
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
      if (address === null) return EINVAL;
      const errno = attempt(datagrams.socket, (socket) => socket.setGroupNic(nicOf(local)));
      return errno === ENODEV ? EADDRNOTAVAIL : errno;
    },
  };
}

/** What setsockopt() would return: ENODEV where there is no such interface. */
function attempt(socket: UdpSocket | null, apply: (socket: UdpSocket) => void): number {
  if (socket === null) return EBADF;
  try {
    apply(socket);
  } catch (error) {
    return error instanceof NoInterface ? ENODEV : errnoFrom(error);
  }
  return 0;
}

class NoInterface extends Error {}

/**
 * The interface that Node means by an address of ours, by '::%eth0' or '::%2' (our links counted
 * from 1); null: any. Throws NoInterface.
 */
function findNic({ stack }: Engine, text: string | undefined): Nic | null {
  const address: Address | null = text ? parseAddress(text) : null;
  if (text === undefined || address === null) return null;
  const { net } = stack;
  const [, zone] = text.split('%');
  if (zone !== undefined) {
    const nic = net.nics.find(({ link, index }) => link.name === zone || `${index + 1}` === zone);
    return nic ?? null;
  }
  if (address.isAny) return null;
  const nic = net.localNic(address.w0, address.w1, address.w2, address.w3);
  if (nic === null) throw new NoInterface(text);
  return nic;
}
