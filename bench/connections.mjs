/**
 * What connections cost: memory of an idle one, and the time a packet takes among many.
 *
 *     node --expose-gc --max-old-space-size=8192 bench/connections.mjs [--most 1000000]
 *
 * Both ends are in one process, joined by a memory pair, so 1,000,000 connections are 2,000,000
 * sockets; a figure per connection is that of one end. The time is compared with a second pair of
 * stacks that has the active connections only: windows of the two take turns, so that a machine
 * that gets slower does so for both.
 * @module
 */
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Address, allocateSimdArena, createPair, READABLE } from 'dpdk-net/stack';
import { Machine, makeScratch, makeStack } from './lean/machine.mjs';
import { say } from './measure.mjs';

const SERVER = Address.parse('10.0.0.2');
const MIB = 1 << 20;
const HEAP = 32 * MIB;
/** Connections of one server port: fewer than there are client ports. */
const PER_PORT = 40_000;
const FIRST_PORT = 7;
const MESSAGE_BYTES = 64;
const OPENING = 128;
/** The echo rate among idle connections is that of this many. */
const ACTIVE = 100;
/** After this many connections are taken for granted; below it the tables' first sizes show. */
const LEAST_FOR_MEMORY = 10_000;

class Echo {
  #scratch;
  constructor(scratch) {
    this.#scratch = scratch;
  }
  onEvents(events, socket) {
    if (events & READABLE) {
      const length = socket.read(this.#scratch);
      if (length > 0) socket.write(this.#scratch, 0, length);
    }
  }
}

class Acceptor {
  #service;
  constructor(service) {
    this.#service = service;
  }
  onEvents(_events, listener) {
    for (let s = listener.accept(); s !== null; s = listener.accept()) s.owner = this.#service;
  }
}

/** Two stacks and the connections between them. */
export class Crowd {
  sockets = [];
  answers = 0;
  machine;
  #client;
  #scratch;
  #cursor = 0;
  #active = 0;
  #connected = 0;
  #owner;
  #stopped = true;

  constructor(most) {
    const arena = allocateSimdArena((HEAP + 4 * MIB) * 2 + 64 * MIB);
    const [a, b] = createPair(arena);
    const options = { arena, heapBytes: HEAP };
    this.#client = makeStack(a, '10.0.0.1/24', options);
    const server = makeStack(b, '10.0.0.2/24', options);
    const acceptor = new Acceptor(new Echo(makeScratch(server)));
    for (let port = 0; port * PER_PORT < most; port++) {
      server.tcp.listen({ port: FIRST_PORT + port, backlog: 1 << 20 }).owner = acceptor;
    }
    this.stacks = [this.#client, server];
    this.machine = new Machine(this.#client, server);
    this.#scratch = makeScratch(this.#client);
    this.#owner = { onEvents: (events, socket) => this.#onEvents(events, socket) };
  }

  /** Opens connections until there are `count`. */
  async grow(count) {
    await this.machine.until(() => {
      while (this.sockets.length < count && this.sockets.length - this.#connected < OPENING) {
        const port = FIRST_PORT + Math.floor(this.sockets.length / PER_PORT);
        const socket = this.#client.tcp.connect({ address: SERVER, port });
        socket.owner = this.#owner;
        this.sockets.push(socket);
      }
      return this.#connected === count;
    });
    await this.machine.wait(50);
  }

  /** Round trips on the first `active` connections in turn, `outstanding` at a time. */
  async echo(active, outstanding, ms) {
    this.#active = active;
    this.#cursor = 0;
    this.#stopped = false;
    for (let i = 0; i < Math.min(active, outstanding); i++) this.#next();
    const before = this.answers;
    const segments = this.#segments();
    const start = performance.now();
    const cpu = process.cpuUsage();
    await this.machine.wait(ms);
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (performance.now() - start) / 1000;
    const answers = this.answers - before;
    const packets = this.#segments() - segments;
    this.#stopped = true;
    await this.machine.wait(5);
    return {
      rate: answers / seconds,
      perCpu: (answers * 1e6) / (user + system),
      ns: ((user + system) * 1000) / packets,
    };
  }

  /** Segments that both ends received. */
  #segments() {
    return this.stacks.reduce((sum, stack) => sum + stack.report().tcp.tcp_segments_in, 0);
  }

  #next() {
    const socket = this.sockets[this.#cursor];
    this.#cursor = (this.#cursor + 1) % this.#active;
    socket.write(this.#scratch, 0, MESSAGE_BYTES);
  }

  #onEvents(events, socket) {
    if (events & READABLE) {
      socket.read(this.#scratch);
      this.answers++;
      if (!this.#stopped) this.#next();
    } else this.#connected++;
  }
}

async function memory() {
  for (let i = 0; i < 2; i++) {
    globalThis.gc();
    await pause(20);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Garbage collections since the last call, and the milliseconds they stopped us. */
class Collections {
  #observer = new PerformanceObserver(() => {});

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  take() {
    const entries = this.#observer.takeRecords();
    return { count: entries.length, ms: entries.reduce((sum, { duration }) => sum + duration, 0) };
  }
}

/**
 * Windows of the crowd and of the small one in turn: the median ratio of the two. What is compared
 * is the time of a segment: connections that wait longer for their turn than an ACK is delayed
 * take three segments for an echo, the others two.
 */
async function compare(crowd, small, active, { windows, windowMs }, collections) {
  const found = [];
  for (let i = -1; i < windows; i++) {
    collections.take();
    const many = await crowd.echo(active, ACTIVE, windowMs);
    many.collections = collections.take();
    const few = await small.echo(Math.min(active, ACTIVE), ACTIVE, windowMs);
    few.collections = collections.take();
    if (i >= 0) found.push({ many, few, ratio: few.ns / many.ns });
  }
  found.sort((a, b) => a.ratio - b.ratio);
  return { ...found[found.length >> 1], ratios: found.map(({ ratio }) => ratio) };
}

/**
 * Grows a crowd to `most` by powers of ten; tells each step: `count` connections, `bytes` of memory
 * of one end of one, `idle` as 100 of them echo, `inTurn` as all of them do, 100 at a time.
 */
export async function measureConnections(most, times, tell) {
  const collections = new Collections();
  const small = new Crowd(ACTIVE);
  const crowd = new Crowd(most);
  await small.grow(ACTIVE);
  await crowd.grow(10);
  await small.echo(ACTIVE, ACTIVE, times.firstMs);
  await crowd.echo(10, 10, times.firstMs);
  const empty = await memory();
  for (let count = 10; count <= most; count *= 10) {
    const start = performance.now();
    await crowd.grow(count);
    const openSeconds = (performance.now() - start) / 1000;
    const bytes = count < LEAST_FOR_MEMORY ? null : ((await memory()) - empty) / (count - 10) / 2;
    const idle = await compare(crowd, small, Math.min(ACTIVE, count), times, collections);
    const inTurn = await compare(crowd, small, count, times, collections);
    tell({ count, bytes, openSeconds, idle, inTurn });
  }
}

if (process.argv[1]?.endsWith('connections.mjs')) {
  const { values } = parseArgs({
    options: {
      most: { type: 'string', default: '1000000' },
      window: { type: 'string', default: '300' },
      windows: { type: 'string', default: '5' },
    },
  });
  const times = { firstMs: 1500, windows: Number(values.windows), windowMs: Number(values.window) };
  await measureConnections(Number(values.most), times, (step) => say(step));
}
