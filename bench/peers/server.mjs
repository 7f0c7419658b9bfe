/**
 * The server process in plain Node: echo, a source that never ends, source and sink.
 * Knows nothing of dpdk-net, and runs on the kernel and on our stack alike.
 * @module
 */
import net from 'node:net';
import { endWithParent, say } from '../measure.mjs';
import { CHUNK_BYTES, PORTS } from '../programs.mjs';

const BACKLOG = 4096;
const chunk = Buffer.alloc(CHUNK_BYTES, 'x');

function echo(socket) {
  socket.on('error', () => {});
  socket.on('data', (data) => socket.write(data));
}

/** Keeps a few chunks queued, so that the kernel is never out of data. */
function source(socket) {
  const pump = () => {
    while (socket.writable && socket.writableLength < 4 * CHUNK_BYTES) socket.write(chunk, pump);
  };
  socket.on('error', () => {});
  socket.on('data', () => {});
  pump();
}

let listening = 0;
const services = [
  [PORTS.echo, echo],
  [PORTS.stream, source],
  [PORTS.duplex, source],
];
for (const [port, service] of services) {
  net.createServer({ noDelay: true }, service).listen({ port, backlog: BACKLOG }, () => {
    listening++;
    if (listening === services.length) say({ ready: true });
  });
}
endWithParent();
