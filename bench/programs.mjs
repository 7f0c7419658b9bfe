/**
 * The benchmarks: what runs on our stack and on the kernel alike. A load of the same name is in
 * lean/loads.mjs (the stack's own sockets) and in peers/loads.mjs (node:net).
 * @module
 */

/** Bytes of one echo message. */
export const MESSAGE_BYTES = 64;
/** Bytes handed to one write() of a stream. */
export const CHUNK_BYTES = 65536;
/** Connections that `connect` has under way at a time. */
const PARALLEL = 16;

export const PORTS = { echo: 7007, stream: 7019, duplex: 7020, connect: 7007, http: 8080 };

export const REQUEST = Buffer.from(
  'GET / HTTP/1.1\r\nHost: bench\r\nConnection: keep-alive\r\n\r\n',
);

/** Name on the command line -> cases; one client process runs the cases of a program in turn. */
export const PROGRAMS = {
  echo: [
    { name: 'echo, 1 connection', load: 'echo', connections: 1, unit: 'round trips/s' },
    { name: 'echo, 100 connections', load: 'echo', connections: 100, unit: 'round trips/s' },
    { name: 'echo, 1,000 connections', load: 'echo', connections: 1000, unit: 'round trips/s' },
  ],
  stream: [
    { name: 'stream, one way', load: 'stream', connections: 1, unit: 'bytes/s' },
    { name: 'stream, both ways', load: 'duplex', connections: 1, unit: 'bytes/s' },
  ],
  connect: [
    { name: 'connect, echo, close', load: 'connect', connections: PARALLEL, unit: 'cycles/s' },
  ],
  http: [10, 100, 1000, 2000].map((connections) => ({
    name: `http, ${connections.toLocaleString('en-US')} connections`,
    load: 'http',
    connections,
    unit: 'requests/s',
  })),
};

/**
 * How much longer than the others a program warms up before its first case: all of Node's code
 * for making connections and for HTTP has to be compiled. After one second, connect-close on the
 * kernel does a third of what it does after four.
 */
export const WARMUP = { echo: 1, stream: 1, connect: 3, http: 3, pair: 0.75 };
