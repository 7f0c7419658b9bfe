/**
 * `dpdk-net/dgram`: Node's dgram, with the stack underneath.
 *
 * Node's own class with handles of ours; it uses the stack that was opened last in this thread.
 * @module
 */
import dgram from 'node:dgram';
import { currentEngine } from './engine.ts';
import { DGRAM_STATE } from './natives.ts';
import { adoptUdp } from './udp-handle.ts';

type Listener = (message: Buffer, from: dgram.RemoteInfo) => void;

const Base = dgram.Socket as unknown as new (
  type: dgram.SocketType | dgram.SocketOptions,
  listener?: Listener,
) => dgram.Socket;

export { Batch, type BatchHandlers, onBatches, Peer, sendMany } from './dgram-batch.ts';

export class Socket extends Base {
  constructor(type: dgram.SocketType | dgram.SocketOptions, listener?: Listener) {
    super(type, listener);
    const state = (this as unknown as Record<symbol, { handle: object | null }>)[DGRAM_STATE]!;
    // An aborted signal has closed it already.
    if (state.handle === null) return;
    const name = typeof type === 'string' ? type : type.type;
    adoptUdp(currentEngine(), state.handle, name === 'udp6');
  }
}

/** As node:dgram's createSocket(). */
export function createSocket(
  type: dgram.SocketType | dgram.SocketOptions,
  listener?: Listener,
): Socket {
  return new Socket(type, listener);
}

export default { ...dgram, Socket, createSocket };
