/**
 * A connection of an lcore's stack, used by the main thread: over the bridge, and over messages, by
 * turns in one process. Round trips of 64 bytes, and megabytes echoed with 256 KiB under way.
 *
 *     node bench/bridge.mjs [rounds]
 * @module
 */
import { MessageChannel } from 'node:worker_threads';
import { Address } from '../lib/bridge/index.js';
import { openLcores } from '../lib/lcore/index.js';

const ROUNDS = Number(process.argv[2] ?? 5);
const TRIPS = 1000;
const MEGABYTES = 8;
const UNDER_WAY = 256 << 10;
const MODULE = new URL('./layer/relay.mjs', import.meta.url);

const lcores = await openLcores({
  config: { text: 'dpdk = { port = "loopback", memory = "64MiB" }', source: 'bench.toml' },
});
const [lcore] = lcores.all;
const to = await lcore.run({ module: MODULE, name: 'echo' });

/** Both ways: send(bytes), and onBytes(count) is called with what came back. */
async function overBridge() {
  const bridge = lcores.bridge();
  const socket = await bridge.connect({ address: Address.parse('127.0.0.1'), port: to });
  socket.setNoDelay(true);
  const into = new Uint8Array(65536);
  const way = { name: 'bridge', onBytes: () => {}, send: (bytes) => flush(bytes) };
  let rest = null;
  const flush = (bytes) => {
    const taken = socket.write(bytes);
    rest = taken < bytes.length ? bytes.subarray(taken) : null;
  };
  socket.owner = {
    onEvents() {
      if (rest !== null) flush(rest);
      for (let count = socket.read(into); count > 0; count = socket.read(into)) way.onBytes(count);
    },
  };
  way.isReady = () => rest === null;
  return way;
}

async function overMessages() {
  const { port1, port2 } = new MessageChannel();
  const argument = { to, port: port2 };
  await lcore.run({ module: MODULE, name: 'relay', argument, transfer: [port2] });
  const way = { name: 'messages', onBytes: () => {}, isReady: () => true };
  way.send = (bytes) => port1.postMessage(bytes);
  port1.on('message', (bytes) => way.onBytes(bytes.length));
  return way;
}

/** Microseconds of a round trip. */
async function roundTrips(way) {
  const bytes = new Uint8Array(64);
  const start = performance.now();
  for (let i = 0; i < TRIPS; i++) {
    await new Promise((resolve) => {
      way.onBytes = resolve;
      way.send(bytes);
    });
  }
  return ((performance.now() - start) * 1000) / TRIPS;
}

/** Megabytes a second, echoed. */
async function bulk(way) {
  const bytes = new Uint8Array(32 << 10);
  const total = MEGABYTES << 20;
  const start = performance.now();
  let sent = 0;
  let received = 0;
  await new Promise((resolve) => {
    const fill = () => {
      while (way.isReady() && sent < total && sent - received < UNDER_WAY) {
        way.send(bytes);
        sent += bytes.length;
      }
    };
    way.onBytes = (count) => {
      received += count;
      if (received === total) resolve();
      else fill();
    };
    fill();
  });
  return MEGABYTES / ((performance.now() - start) / 1000);
}

const ways = [await overBridge(), await overMessages()];
const figures = { bridge: [[], []], messages: [[], []] };
for (let round = -1; round < ROUNDS; round++) {
  for (const way of ways) {
    const [trip, rate] = [await roundTrips(way), await bulk(way)];
    if (round >= 0) {
      figures[way.name][0].push(trip);
      figures[way.name][1].push(rate);
    }
  }
}
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
for (const [name, [trips, rates]] of Object.entries(figures)) {
  console.log(
    `${name}: ${median(trips).toFixed(1)} us a round trip, ${median(rates).toFixed(0)} MB/s`,
  );
}
await lcores.close(0);
process.exit();
