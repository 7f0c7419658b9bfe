/**
 * Server and clients in one ordinary Node program, on the kernel's loopback or, with `register`, on
 * the stack's: what a unit of work costs in processor time on either. One line of JSON.
 *
 *     node both-ends.mjs '{"load": "http", "connections": 100, "units": 50000}'
 *     node both-ends.mjs '{"load": "echo", "connections": 16, "units": 50000, "perSecond": 10000}'
 *
 * `sockets`: 'net', or 'stream' for `dpdk-net/stream` (echo only). `perSecond`: units begin at that rate, whether earlier ones are done or not, and the time from
 * when one should have begun to its end is told; else each connection begins one when one is done.
 * @module
 */
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { ResponseCounter } from '../http-response.mjs';
import { MESSAGE_BYTES, REQUEST } from '../programs.mjs';

const given = JSON.parse(process.argv[2]);
const { load, connections, units, perSecond = 0, sockets: kind = 'net' } = given;
/** Units before it counts: until the code is compiled. */
const warmUnits = given.warmUnits ?? 20_000;
const BACKLOG = 4096;
const SHARES = { p50: 0.5, p99: 0.99, p999: 0.999 };

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ['gc'] });

const LOADS = {
  echo: {
    server: () =>
      net.createServer({ noDelay: true }, (socket) => {
        socket.on('error', () => {});
        socket.on('data', (data) => socket.write(data));
      }),
    message: Buffer.alloc(MESSAGE_BYTES, 'x'),
    counter: () => {
      let bytes = 0;
      return (data) => {
        bytes += data.length;
        const whole = Math.floor(bytes / MESSAGE_BYTES);
        bytes -= whole * MESSAGE_BYTES;
        return whole;
      };
    },
  },
  http: {
    // A busy machine may stand still for longer than Node keeps a connection.
    server: () =>
      http.createServer({ keepAliveTimeout: 0 }, (_request, response) => {
        response.end('Hello, world!\n');
      }),
    message: REQUEST,
    counter: () => {
      const responses = new ResponseCounter();
      return (data) => responses.take(data, data.length);
    },
  },
};

const { server: makeServer, message, counter } = LOADS[load];

/** Server and connections of node:net; stream-ends.mjs has those of TcpStream. */
const netEnds = {
  async serve() {
    const server = makeServer().listen({ port: 0, backlog: BACKLOG });
    await once(server, 'listening');
    return server.address().port;
  },
  async connectTo(port, hear) {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    socket.on('data', (data) => hear(socket, data));
    return socket;
  },
};

async function streamEnds() {
  const { serveEcho, connectTo } = await import('./stream-ends.mjs');
  return { serve: () => serveEcho(BACKLOG), connectTo };
}

const { serve, connectTo } = kind === 'stream' ? await streamEnds() : netEnds;
const port = await serve();

let done = 0;
/** Each knows in `begun` when the units that are under way on it should have begun. */
const sockets = [];
const latencies = [];
let isCounting = false;

for (let i = 0; i < connections; i++) {
  const count = counter();
  const socket = await connectTo(port, (own, data) => {
    for (let finished = count(data); finished > 0; finished--) {
      done++;
      if (perSecond === 0) own.write(message);
      else if (isCounting) latencies.push(performance.now() - own.begun.shift());
      else own.begun.shift();
    }
  });
  socket.begun = [];
  sockets.push(socket);
}

/** Begins what is due, turn by turn, until `count` more units are done. */
async function paced(count) {
  const startMs = performance.now();
  const first = done;
  for (let begun = 0; done - first < count; await turn()) {
    const due = Math.min(count, ((performance.now() - startMs) / 1000) * perSecond);
    for (; begun < due; begun++) {
      const socket = sockets[begun % connections];
      socket.begun.push(startMs + (begun / perSecond) * 1000);
      socket.write(message);
    }
  }
}

async function closed(count) {
  const first = done;
  while (done - first < count) await turn();
}

const run = perSecond === 0 ? closed : paced;
if (perSecond === 0) for (const socket of sockets) socket.write(message);
await run(warmUnits);
isCounting = true;
const before = { cpu: process.cpuUsage(), ms: performance.now(), done, collections };
await run(units);
const { user, system } = process.cpuUsage(before.cpu);
const seconds = (performance.now() - before.ms) / 1000;
await turn();

latencies.sort((a, b) => a - b);
const percentiles = Object.entries(SHARES).map(([name, share]) => [
  name,
  latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))],
]);
console.log(
  JSON.stringify({
    units: done - before.done,
    cpuSeconds: (user + system) / 1e6,
    seconds,
    collections: collections - before.collections,
    ...(perSecond === 0 ? {} : { latencyMs: Object.fromEntries(percentiles) }),
  }),
);
process.exit(0);
