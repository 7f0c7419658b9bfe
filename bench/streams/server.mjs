/**
 * The server process on `dpdk-net/stream`, the twin of peers/server.mjs: under `dpdk-net run`.
 * @module
 */
import { listen } from 'dpdk-net/stream';
import { endWithParent, say } from '../measure.mjs';
import { CHUNK_BYTES, PORTS } from '../programs.mjs';

const BACKLOG = 4096;
const chunk = Buffer.alloc(CHUNK_BYTES, 'x');

const echo = {
  open: (stream) => stream.socket.setNoDelay(true),
  data: (stream, bytes) => {
    if (!stream.write(bytes)) stream.pause();
  },
  drain: (stream) => stream.resume(),
};

/** Writes what there is room for, whenever there is. */
const source = {
  open: pump,
  drain: pump,
  data() {},
};

function pump(stream) {
  while (!stream.isOver && stream.write(chunk));
}

for (const [port, handlers] of [
  [PORTS.echo, echo],
  [PORTS.stream, source],
  [PORTS.duplex, source],
]) {
  listen({ port, backlog: BACKLOG }, handlers);
}
say({ ready: true });
endWithParent();
