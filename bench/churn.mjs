/**
 * Connections that open, say something and close, millions of them between two stacks: memory
 * stays, ports come round again, nothing is left.
 *
 *     node --expose-gc bench/churn.mjs [--cycles 10000000]
 *
 * The sides take turns to close first, so both have connections in TIME-WAIT: the client takes
 * ports back from its own (RFC 6056), the server replaces its own when a new SYN comes (RFC 6191).
 * Time is virtual: 20 microseconds a cycle, so that 2 MSL see 3,000,000 cycles and no port could
 * wait that long.
 * @module
 */
import {
  Address,
  allocateSimdArena,
  CLOSED,
  CONNECTED,
  createPair,
  ENDED,
  READABLE,
} from 'dpdk-net/stack';
import { saveFigures, settingsOf } from './harness/alone.mjs';
import { verdict } from './harness/verdict.mjs';
import { makeScratch, makeStack } from './lean/machine.mjs';

const MIB = 1 << 20;
const PORT = 7;
/** A small range of ports, so that they come round soon. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;
const PARALLEL = 32;
const CYCLE_US = 20;
const MESSAGE_BYTES = 64;
const SERVER = Address.parse('10.0.0.2');
/** Turns without a connection that ends, after which something is stuck. */
const MOST_IDLE = 100_000;
/** Times at which memory is looked at. */
const LOOKS = 10;
/** The look from which on memory must be flat, and by how much the heap of V8 may breathe. */
const EARLY = 2;
const MOST_GROWTH_MB = 8;
const MOST_RECORDS = 1.01;

const NOBODY = { onEvents() {} };

class Server {
  #scratch;

  constructor(scratch) {
    this.#scratch = scratch;
  }

  onEvents(events, source) {
    if (source.accept !== undefined) {
      for (let s = source.accept(); s !== null; s = source.accept()) s.owner = this;
      return;
    }
    if (events & READABLE) {
      const length = source.read(this.#scratch);
      // The first byte says who closes first.
      if (length > 0) {
        source.write(this.#scratch, 0, length);
        if (this.#scratch[0] === 1) source.close();
      }
    }
    if (events & ENDED) source.close();
  }
}

class Client {
  done = 0;
  failed = 0;
  begun = 0;
  #stack;
  #scratch;
  #cycles;
  /** Who closes first: 1 the server. */
  #turns = 0;

  constructor(stack, cycles) {
    this.#stack = stack;
    this.#cycles = cycles;
    this.#scratch = makeScratch(stack);
  }

  next() {
    if (this.begun === this.#cycles) return;
    this.begun++;
    this.#stack.tcp.connect({ address: SERVER, port: PORT }).owner = this;
  }

  onEvents(events, socket) {
    if (events & CONNECTED) {
      this.#turns ^= 1;
      this.#scratch[0] = this.#turns;
      socket.write(this.#scratch, 0, MESSAGE_BYTES);
    }
    if (events & READABLE && socket.read(this.#scratch) > 0 && this.#scratch[0] === 0) {
      this.#end(socket);
    } else if (events & ENDED) {
      this.#end(socket);
    } else if (events & CLOSED && socket.error !== '') {
      this.failed++;
      this.#end(socket);
    }
  }

  #end(socket) {
    socket.owner = NOBODY;
    socket.close();
    this.done++;
    this.next();
  }
}

function turn(stack, now) {
  stack.poll(now);
  for (let s = stack.nextEvent(); s !== null; s = stack.nextEvent()) {
    s.owner.onEvents(s.takeEvents(), s);
  }
}

/** What stays in use, JavaScript's memory after a collection where --expose-gc allows it. */
function memoryOf(client, server) {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    megabytes: (heapUsed + arrayBuffers) / 1e6,
    records: client.tcp.connections.length + server.tcp.connections.length,
  };
}

/** Runs `cycles` over so many ports; memory at ten points of the way, and what is left two MSL after the end. */
export function runChurn(cycles, ports) {
  const arena = allocateSimdArena(64 * MIB);
  const [a, b] = createPair(arena);
  const heapBytes = 8 * MIB;
  const tcp = { firstEphemeralPort: FIRST_PORT, lastEphemeralPort: FIRST_PORT + ports - 1 };
  const client = makeStack(a, '10.0.0.1/24', { arena, heapBytes, tcp });
  const server = makeStack(b, '10.0.0.2/24', { arena, heapBytes });
  const service = new Server(makeScratch(server));
  const listener = server.tcp.listen({ port: PORT, backlog: 1024 });
  listener.owner = service;
  const program = new Client(client, cycles);
  for (let i = 0; i < PARALLEL; i++) program.next();
  const memory = [];
  let now = 1e6;
  let idle = 0;
  for (let done = 0; program.done < cycles && idle < MOST_IDLE; ) {
    turn(client, now);
    turn(server, now);
    idle = program.done === done ? idle + 1 : 0;
    now += (program.done - done) * CYCLE_US;
    // Nothing moves: on to the next timer.
    if (idle > 8) now = Math.max(now + 1, Math.min(client.pollAt(), server.pollAt()));
    done = program.done;
    if (done >= ((memory.length + 1) * cycles) / LOOKS) memory.push(memoryOf(client, server));
  }
  // What still waits for a FIN or in TIME-WAIT.
  for (let i = 0; i < 400; i++) {
    now += 1e6;
    for (let j = 0; j < 4; j++) {
      turn(client, now);
      turn(server, now);
    }
  }
  listener.close();
  turn(server, now);
  return {
    done: program.done,
    failed: program.failed,
    seconds: now / 1e6 - 400,
    memory,
    left: [client.counts(), server.counts()],
    reused: server.report().tcp['tcp_time_wait_reused'] ?? 0,
    reports: [client.report(), server.report()],
  };
}

/** What is asked for: memory flat, ports reused, nothing left. */
function limits({ done, failed, memory, left, reused }) {
  const [early, late] = [memory[EARLY], memory.at(-1)];
  const grown = late.megabytes - early.megabytes;
  return [
    ['every connection opened and closed', failed === 0],
    [
      `memory flat: at most ${MOST_GROWTH_MB} MB more at the end than early on`,
      grown <= MOST_GROWTH_MB,
    ],
    [
      'no more connection records at the end than early on, but for a hundredth',
      late.records <= early.records * MOST_RECORDS,
    ],
    ['ports come round again', done <= PORTS || reused > 0],
    ['nothing left', left.every((counts) => Object.values(counts).every((n) => n === 0))],
  ];
}

if (process.argv[1]?.endsWith('churn.mjs')) {
  const { cycles, json } = settingsOf({
    full: { cycles: 10_000_000 },
    quick: { cycles: 1_000_000 },
  });
  const cpu = process.cpuUsage();
  const result = runChurn(cycles, PORTS);
  const { user, system } = process.cpuUsage(cpu);
  const perSecond = (result.done * 1e6) / (user + system);
  console.log(
    `churn: ${result.done} connections opened and closed, ${result.failed} failed, ${Math.round(perSecond)} a second of processor time, both ends`,
  );
  console.log(`ports: 10,000; TIME-WAIT replaced by a new SYN (RFC 6191): ${result.reused}`);
  for (const [i, m] of result.memory.entries()) {
    console.log(
      `memory at ${(i + 1) * LOOKS} %: ${m.megabytes.toFixed(1)} MB, ${m.records} connection records`,
    );
  }
  console.log(`left: ${JSON.stringify(result.left)}`);
  saveFigures(json, { ...result, perSecond });
  if (!verdict(limits(result), console.log)) process.exitCode = 1;
}
