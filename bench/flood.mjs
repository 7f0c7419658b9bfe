/**
 * A SYN flood from random forged addresses, while connections echo and others open and close.
 *
 *     node --expose-gc bench/flood.mjs [--seconds 4]
 *
 * One process, one core: client and server joined by a memory pair as in pair.mjs, and on the
 * server a second link that brings bursts of 64 forged SYNs. The flood takes half of the
 * processor: after every turn of the two stacks bursts are served until as much time has gone into
 * them. So the flood is as fast as this core can serve it in half of its time, and the time of the
 * other half is known. Goodput per processor share: round trips by the time that did not go into
 * bursts, against the same without a flood, both with the same opening and closing beside it.
 * @module
 */
import { performance } from 'node:perf_hooks';
import {
  Address,
  allocateSimdArena,
  CLOSED,
  CONNECTED,
  createPair,
  Prefix,
  READABLE,
} from 'dpdk-net/stack';
import { SynFlood } from 'dpdk-net/testing';
import { saveFigures, settingsOf } from './harness/alone.mjs';
import { verdict } from './harness/verdict.mjs';
import { makeScratch, makeStack } from './lean/machine.mjs';
import { serve } from './lean/services.mjs';
import { MESSAGE_BYTES, PORTS } from './programs.mjs';

const MIB = 1 << 20;
const ECHOES = 100;
/** Connections that open, echo once and close: one begins with every eighth turn. */
const MOST_OPENERS = 256;
const BURST = 64;
const WARMUP_MS = 2000;
/** Windows without and with a flood take turns, so that a machine that gets slower does so for both. */
const ROUNDS = 24;
/** By how much the heap of V8 may breathe. */
const MOST_GROWTH_MB = 8;
/** So many were open at once before, or a few more. */
const MOST_RECORDS = 1.01;

function makeBench() {
  const arena = allocateSimdArena(256 * MIB);
  const [a, b] = createPair(arena);
  const heapBytes = 64 * MIB;
  // TIME-WAIT is short, so that the connections which come and go leave no memory to be told apart.
  const tcp = { timeWaitMs: 100 };
  const client = makeStack(a, '10.0.0.1/24', { arena, heapBytes, tcp });
  const server = makeStack(b, '10.0.0.2/24', { arena, heapBytes, tcp: { maxHalfOpen: 1024 } });
  const flood = new SynFlood(arena, { dst: '10.0.0.2', dstPort: PORTS.echo, seed: 1 });
  const nic = server.attach(flood);
  // The forged addresses lie behind a router, as they would.
  server.addRoute(Prefix.parse('0.0.0.0/0'), Address.parse('10.0.0.1'), server.net.nics[0]);
  serve(server);
  return { client, server, flood, nic, scratch: makeScratch(client) };
}

/** The legitimate programs: `trips` by those that stay, connects by those that come and go. */
class Clients {
  trips = 0;
  connected = 0;
  failed = 0;
  #bench;
  #openers = new Set();

  constructor(bench) {
    this.#bench = bench;
  }

  start() {
    for (let i = 0; i < ECHOES; i++) this.#connect();
  }

  /** One more that comes and goes. */
  open() {
    if (this.#openers.size < MOST_OPENERS) this.#openers.add(this.#connect());
  }

  #connect() {
    const socket = this.#bench.client.tcp.connect({
      address: Address.parse('10.0.0.2'),
      port: PORTS.echo,
    });
    socket.owner = this;
    return socket;
  }

  onEvents(events, socket) {
    const { scratch } = this.#bench;
    const isOpener = this.#openers.has(socket);
    if (events & CONNECTED) {
      if (isOpener) this.connected++;
      socket.write(scratch, 0, MESSAGE_BYTES);
    }
    if (events & READABLE) {
      const length = socket.read(scratch);
      if (!isOpener) {
        this.trips += length / MESSAGE_BYTES;
        socket.write(scratch, 0, length);
      } else if (length > 0) {
        this.#openers.delete(socket);
        socket.close();
      }
    }
    if (events & CLOSED && socket.error !== '') {
      if (!isOpener) throw new Error(`an established connection ended: ${socket.error}`);
      this.failed++;
      this.#openers.delete(socket);
    }
  }
}

/** Milliseconds of processor time: what others do on this machine is not counted. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function turn(stack, now) {
  stack.poll(now);
  for (let s = stack.nextEvent(); s !== null; s = stack.nextEvent()) {
    s.owner.onEvents(s.takeEvents(), s);
  }
  stack.poll(now);
}

/** Runs for `ms`; the flood takes `share` of the processor. Figures of the time. */
function run({ client, server, flood, nic }, clients, ms, share) {
  const before = { trips: clients.trips, connected: clients.connected, failed: clients.failed };
  const sent = flood.sent;
  const end = performance.now() + ms;
  const begin = cpuMs();
  let floodMs = 0;
  let cpu = begin;
  for (let now = performance.now(); now < end; now = performance.now()) {
    for (let i = 0; i < 8; i++) {
      turn(client, now * 1000);
      turn(server, now * 1000);
    }
    clients.open();
    const served = cpuMs();
    cpu = served;
    flood.burst = BURST;
    while (floodMs + cpu - served < (cpu - begin) * share) {
      for (let i = 0; i < 8; i++) {
        flood.exchange();
        server.net.receive(nic);
      }
      cpu = cpuMs();
    }
    flood.burst = 0;
    floodMs += cpu - served;
  }
  const seconds = (cpu - begin - floodMs) / 1000;
  return {
    tripsPerSecond: (clients.trips - before.trips) / seconds,
    connected: clients.connected - before.connected,
    failed: clients.failed - before.failed,
    syns: flood.sent - sent,
    floodMs,
    totalMs: cpu - begin,
  };
}

/** What memory is in use: JavaScript's after a collection, and what the server remembers. */
function memory({ server }) {
  globalThis.gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    heapMb: (heapUsed + external + arrayBuffers) / 1e6,
    records: server.tcp.connections.length,
    paths: server.net.paths.size,
    neighbors: server.net.neighbors.size,
  };
}

export function runFlood(seconds, tell) {
  const bench = makeBench();
  const clients = new Clients(bench);
  clients.start();
  run(bench, clients, WARMUP_MS, 0);
  run(bench, clients, WARMUP_MS, 0.5);
  const start = memory(bench);
  const rounds = [];
  const windowMs = (seconds * 500) / ROUNDS;
  for (let round = 0; round < ROUNDS; round++) {
    const quiet = run(bench, clients, windowMs, 0);
    const flooded = run(bench, clients, windowMs, 0.5);
    rounds.push({ quiet, flooded });
  }
  const end = memory(bench);
  const sum = (which, key) => rounds.reduce((total, round) => total + round[which][key], 0);
  const connected = sum('flooded', 'connected');
  const failed = sum('flooded', 'failed');
  const syns = sum('flooded', 'syns');
  const ratios = rounds.map(({ quiet, flooded }) => flooded.tripsPerSecond / quiet.tripsPerSecond);
  const result = {
    syns,
    nsPerSyn: (sum('flooded', 'floodMs') * 1e6) / syns,
    synsPerSecond: (syns * 1000) / sum('flooded', 'totalMs'),
    connected,
    connectedPercent: (100 * connected) / (connected + failed),
    goodput: ratios.sort((x, y) => x - y)[ratios.length >> 1],
    start,
    end,
    cookies: bench.server.report().tcp,
  };
  report(result, tell);
  return result;
}

function report(r, tell) {
  const fixed = (n, digits = 0) => n.toFixed(digits);
  tell(
    `flood: ${fixed(r.syns / 1e6, 2)} M SYNs, ${fixed(r.synsPerSecond / 1e3)} k a second in half of a core, ${fixed(r.nsPerSyn)} ns each`,
  );
  tell(`connects meanwhile: ${r.connected}, successful ${fixed(r.connectedPercent, 3)} %`);
  tell(
    `goodput of ${ECHOES} connections per processor share: ${fixed(100 * r.goodput, 1)} % of that without a flood`,
  );
  for (const [when, m] of Object.entries({ before: r.start, after: r.end })) {
    tell(
      `memory ${when}: ${fixed(m.heapMb, 1)} MB, ${m.records} connection records, ${m.paths} paths, ${m.neighbors} neighbors`,
    );
  }
}

/** What is asked for of a server under a flood. */
function limits({ connectedPercent, goodput, start, end }) {
  const isFlat =
    end.heapMb - start.heapMb <= MOST_GROWTH_MB && end.records <= start.records * MOST_RECORDS;
  return [
    ['at least 99 % of the legitimate connects succeed', connectedPercent >= 99],
    ['goodput at least 90 % of that without a flood', goodput >= 0.9],
    [`memory flat: at most ${MOST_GROWTH_MB} MB more, no more connection records`, isFlat],
  ];
}

if (process.argv[1]?.endsWith('flood.mjs')) {
  const { seconds, json } = settingsOf({ full: { seconds: 8 }, quick: { seconds: 3 } });
  const result = runFlood(seconds, (line) => console.log(line));
  saveFigures(json, result);
  if (!verdict(limits(result), console.log)) process.exitCode = 1;
}
