/**
 * The echo of both-ends.mjs through `dpdk-net/stream`, in place of node:net.
 * @module
 */
import { connect, listen } from 'dpdk-net/stream';

/** A server that echoes; returns its port. */
export function serveEcho(backlog) {
  const data = (stream, bytes) => {
    if (!stream.write(bytes)) throw new Error('the send buffer is smaller than an echo');
  };
  const open = (stream) => stream.socket.setNoDelay(true);
  return listen({ port: 0, backlog }, { open, data }).port;
}

/** A connection whose data goes to `hear`. */
export function connectTo(port, hear) {
  return new Promise((resolve, reject) => {
    connect(
      { host: '127.0.0.1', port, noDelay: true },
      {
        open: resolve,
        data: (stream, bytes) => hear(stream, bytes),
        close: (_, error) => reject(error ?? new Error('a connection ended')),
      },
    );
  });
}
