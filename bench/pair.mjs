/**
 * Both ends in one process on one core, joined by a memory pair with 1,514-byte frames and
 * checksums in software: the stack alone, without a device, a kernel or Node's streams.
 *
 *     node bench/pair.mjs [case ...] [--seconds 2] [--warmup 1.5]
 * @module
 */
import { parseArgs } from 'node:util';
import { Address, allocateSimdArena, createPair } from 'dpdk-net/stack';
import { makeLoad } from './lean/loads.mjs';
import { Machine, makeStack } from './lean/machine.mjs';
import { serve } from './lean/services.mjs';
import { measure } from './measure.mjs';

const SERVER = Address.parse('10.0.0.2');
const MIB = 1 << 20;

const trips = 'round trips/s';
const cycles = 'cycles/s';
const echo = { load: 'echo', unit: trips };
const stream = { load: 'stream', connections: 1, unit: 'bytes/s' };
const connect = { load: 'connect', connections: 16, unit: cycles };

/** Name on the command line -> case; `idle`: connections that do nothing meanwhile. */
export const PAIR_CASES = {
  echo1: { ...echo, name: 'pair echo, 1 connection', connections: 1 },
  echo100: { ...echo, name: 'pair echo, 100 active', connections: 100 },
  echo1000: { ...echo, name: 'pair echo, 1,000 active', connections: 1000 },
  echo10000: { ...echo, name: 'pair echo, 10,000 active', connections: 10_000 },
  idle10000: { ...echo, name: 'pair echo, 1 active among 10,000', connections: 10_000, active: 1 },
  bulk: { ...stream, name: 'pair bulk, 1,514-byte frames' },
  bulktso: {
    ...stream,
    name: 'pair bulk, 64 KiB segments, trusted',
    link: { segmentBytes: 65_435, wire: 'trusted' },
  },
  connect: { ...connect, name: 'pair connect, echo, close' },
  connectidle: { ...connect, name: 'pair connect, echo, close beside 1,000 idle', idle: 1000 },
};

/** Two stacks joined by a pair, the server's services listening: { machine, client, server }. */
function joined({ connections, link = {}, idle = 0 }) {
  const heapBytes = (64 + Math.ceil((connections + idle) / 1024)) * MIB;
  const arena = allocateSimdArena((heapBytes + 4 * MIB) * 2 + 64 * MIB);
  const buffers = { receiveBufferBytes: MIB, sendBufferBytes: MIB };
  const [a, b] = createPair(arena, link);
  const client = makeStack(a, '10.0.0.1/24', { arena, heapBytes, tcp: buffers });
  const server = makeStack(b, '10.0.0.2/24', { arena, heapBytes, tcp: buffers });
  serve(server);
  return { machine: new Machine(client, server), client, server };
}

/** Runs one case as measure() does: lines of JSON on standard output. */
export async function runPair(one, times) {
  const { machine, client } = joined(one);
  const context = { machine, stack: client, address: SERVER };
  if (one.idle !== undefined) {
    await makeLoad(context, { load: 'echo', connections: one.idle }).open();
  }
  const wait = (ms) => machine.wait(ms);
  await measure([one], () => makeLoad(context, one), wait, times);
}

if (process.argv[1]?.endsWith('pair.mjs')) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '2' },
      warmup: { type: 'string', default: '1.5' },
    },
  });
  const runMs = Number(values.seconds) * 1000;
  const firstMs = Number(values.warmup) * 1000;
  const names = positionals.length > 0 ? positionals : Object.keys(PAIR_CASES);
  for (const name of names) {
    const one = PAIR_CASES[name];
    if (one === undefined) {
      console.error(`no case '${name}'; there are ${Object.keys(PAIR_CASES).join(', ')}`);
      process.exit(2);
    }
    await runPair(one, { firstMs, warmupMs: firstMs, runMs });
  }
}
