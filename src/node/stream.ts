/**
 * `dpdk-net/stream`: TCP connections without Node's streams.
 *
 *     import { connect, listen } from 'dpdk-net/stream';
 *     listen({ port: 7 }, { data: (stream, bytes) => void stream.write(bytes) });
 *
 * They are on the stack that was opened last in this thread, which is also the one under `register`
 * and `dpdk-net run`, and share its ports with node:net. All of them are the stack's: the routes
 * that leave something to the kernel are not asked. Nothing of Node's is changed by the import.
 * @module
 */
import dns from 'node:dns';
import { Address } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import type { ListenOptions } from '../tcp/listener.ts';
import type { ConnectOptions } from '../tcp/listeners.ts';
import { addressError, errnoOf } from './errno.ts';
import { destination, parseAddress } from './names.ts';
import { currentHost, type StreamHost } from './stream-host.ts';
import { TcpStreamListener } from './stream-listener.ts';
import { type StreamHandlers, TcpStream } from './tcp-stream.ts';

export type { TcpSocket } from '../tcp/socket.ts';
export { type StreamHandlers, TcpStream, TcpStreamListener };

export interface StreamConnectOptions {
  /** An address, or a name that Node's dns.lookup() knows; default: this host. */
  readonly host?: string;
  readonly port: number;
  readonly localAddress?: string;
  readonly localPort?: number;
  /** Small segments do not wait for one another; default: the stack's. */
  readonly noDelay?: boolean;
  /** By name; default: the stack's. */
  readonly congestion?: string;
  /**
   * Data to begin with, in the SYN where the peer is known to take it (TCP Fast Open): it may arrive
   * twice, so it must do no harm then.
   */
  readonly fastOpen?: Uint8Array;
}

export interface StreamListenOptions {
  /** Default: every address of both families. */
  readonly host?: string;
  /** 0: a free one. */
  readonly port: number;
  readonly backlog?: number;
  readonly ipv6Only?: boolean;
  readonly reusePort?: boolean;
  readonly congestion?: string;
  /** Connections that may be in use before their handshake is over (TCP Fast Open); default: the stack's. */
  readonly fastOpen?: number;
}

/**
 * Listens; `handlers` are those of the connections that come, open() first. Throws an error with
 * Node's code and syscall 'listen'.
 */
export function listen(options: StreamListenOptions, handlers: StreamHandlers): TcpStreamListener {
  const host = currentHost();
  const { host: name, ipv6Only, port, ...rest } = options;
  const address = name === undefined ? null : parseAddress(name);
  const given: ListenOptions = { ...rest, address, port, v6Only: ipv6Only ?? false };
  if (name !== undefined && address === null) throw failure('EINVAL', 'listen', name, port);
  try {
    return new TcpStreamListener(host, host.stack.tcp.listen(given), handlers);
  } catch (error) {
    throw failureOf(error, 'listen', name ?? '::', port);
  }
}

/**
 * Connects. What goes wrong is told to the handler close(): an error with Node's code, syscall,
 * address and port. The stream can be written at once.
 */
export function connect(options: StreamConnectOptions, handlers: StreamHandlers): TcpStream {
  const host = currentHost();
  const stream = new TcpStream(host, handlers, false);
  const name = options.host ?? '::';
  const address = parseAddress(name);
  if (address !== null) {
    open(host, stream, destination(address), options);
    return stream;
  }
  dns.lookup(name, (error, found) => {
    if (stream.isOver) return;
    if (error !== null) stream.fail(error);
    else open(host, stream, destination(Address.parse(found)), options);
  });
  return stream;
}

function open(
  { stack, loop }: StreamHost,
  stream: TcpStream,
  address: Address,
  { host: _, noDelay, localAddress, ...rest }: StreamConnectOptions,
): void {
  const given: ConnectOptions = { ...rest, address };
  try {
    if (localAddress !== undefined) given.localAddress = Address.parse(localAddress);
    const socket = stack.tcp.connect(given);
    if (noDelay !== undefined) socket.setNoDelay(noDelay);
    // A SYN takes only so much.
    stream.attach(socket, rest.fastOpen?.subarray(socket.bytesWritten));
  } catch (error) {
    stream.fail(failureOf(error, 'connect', `${address}`, rest.port));
    return;
  }
  loop.wake();
}

function failure(code: string, syscall: string, address: string, port: number): Error {
  return addressError(errnoOf(code), syscall, address, port);
}

/** A StackError as Node would put it; anything else is thrown on. */
function failureOf(
  error: unknown,
  syscall: string,
  address: string,
  port: number,
): NodeJS.ErrnoException {
  if (error instanceof StackError) return failure(error.code, syscall, address, port);
  throw error;
}
