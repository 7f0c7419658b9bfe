import assert from 'node:assert/strict';
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import test from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Address, Prefix } from '../base/address.ts';
import { READABLE, WRITABLE } from '../base/events.ts';
import { createPair } from '../link/pair.ts';
import { Arena } from '../storage/arena.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { SEGMENTS_IN } from '../tcp/stats.ts';
import { createStack, type Stack } from './stack.ts';

const SEGMENTS = 1_000_000;

/** One for all tests: a fresh ArrayBuffer per test would make V8 collect on its own account. */
const arena = Arena.allocate(128 << 20);

interface Fixture {
  stacks: [Stack, Stack];
  sockets: [TcpSocket, TcpSocket];
  /** In the arena: bytes move between it and the buffers without a view being made. */
  scratch: Uint8Array;
  /** Microseconds. */
  now: number;
}

/** Kept alive: optimized code that knows a dead stack would be thrown away with it. */
const fixtures: Fixture[] = [];

/** Two stacks with one connection between them. */
function connected(version: 4 | 6): Fixture {
  const links = createPair(arena);
  let seed = 1;
  const random = (): number => (seed = Math.imul(seed, 0x5851f42d) + 1);
  const stacks = links.map((link, i) => {
    const stack = createStack({ arena, heapBytes: 8 << 20, random });
    stack.attach(link, {
      addresses: [Prefix.parse(`10.0.0.${i + 1}/24`), Prefix.parse(`fd00::${i + 1}/64`)],
    });
    return stack;
  }) as [Stack, Stack];
  const listener = stacks[1].tcp.listen({ port: 7 });
  const address = Address.parse(version === 4 ? '10.0.0.2' : 'fd00::2');
  const client = stacks[0].tcp.connect({ address, port: 7 });
  let server: TcpSocket | null = null;
  for (let i = 0; i < 100 && server === null; i++) {
    for (const stack of stacks) stack.poll(1000 + i);
    server = listener.accept();
  }
  assert.ok(server !== null, 'the connection is open');
  const at = arena.reserve(65536);
  const scratch = arena.bytes.subarray(at, at + 65536);
  const fixture: Fixture = { stacks, sockets: [client, server], scratch, now: 2000 };
  fixtures.push(fixture);
  return fixture;
}

/** What each socket does with its events. */
type Program = (socket: TcpSocket, events: number, scratch: Uint8Array) => void;

function run(fixture: Fixture, program: Program, segments: number): void {
  const [a, b] = fixture.stacks;
  const { scratch } = fixture;
  const goal = a.tcp.stats[SEGMENTS_IN]! + b.tcp.stats[SEGMENTS_IN]! + segments;
  for (let i = 0; a.tcp.stats[SEGMENTS_IN]! + b.tcp.stats[SEGMENTS_IN]! < goal; i++) {
    if (i === 20 * segments) throw new Error('the segments stopped flowing');
    // A virtual microsecond per turn: a float64 clock reading would be garbage of the test's own.
    fixture.now++;
    turn(a, program, scratch, fixture.now);
    turn(b, program, scratch, fixture.now);
  }
}

function turn(stack: Stack, program: Program, scratch: Uint8Array, now: number): void {
  stack.poll(now);
  for (let source = stack.nextEvent(); source !== null; source = stack.nextEvent()) {
    program(source as TcpSocket, source.takeEvents(), scratch);
  }
}

/** V8's own collector, to start from an empty nursery: set-up and warm-up are not measured. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * Garbage collections that `body` caused: scavenges, which come when the nursery is full. A full
 * collection V8 also starts by the clock, or because ArrayBuffers came and went. Node tells of
 * them a little later.
 */
async function collections(body: () => void): Promise<number> {
  collect();
  await setTimeout(50);
  let count = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as PerformanceEntry & { detail: { kind: number } }).detail;
      if (kind === constants.NODE_PERFORMANCE_GC_MINOR) count++;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  body();
  await setTimeout(50);
  observer.disconnect();
  return count;
}

/**
 * The collections of a million segments once the compiler is done: unoptimized code boxes
 * numbers, whatever we write, and when it is optimized depends on what else the machine does.
 * So up to five times a million; garbage per segment would show every time (see the last test).
 */
async function steadyCollections(fixture: Fixture, program: Program): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5 && least > 0; round++) {
    least = Math.min(least, await collections(() => run(fixture, program, SEGMENTS)));
  }
  return least;
}

const echo: Program = (socket, events, scratch) => {
  if (events & READABLE) {
    const n = socket.read(scratch);
    if (n > 0) socket.write(scratch, 0, n);
  }
};

for (const version of [4, 6] as const) {
  test(`a million segments of echo cause no garbage collection (IPv${version})`, async () => {
    const fixture = connected(version);
    fixture.sockets[0].write(fixture.scratch, 0, 64);
    assert.equal(await steadyCollections(fixture, echo), 0);
  });
}

test('a million segments of bulk transfer cause no garbage collection', async () => {
  const fixture = connected(4);
  const [client, server] = fixture.sockets;
  const bulk: Program = (socket, events, scratch) => {
    if (socket === client && events & WRITABLE) while (socket.write(scratch) === scratch.length);
    if (socket === server && events & READABLE) while (socket.read(scratch) > 0);
  };
  while (client.write(fixture.scratch) === fixture.scratch.length);
  assert.equal(await steadyCollections(fixture, bulk), 0);
});

test('the count of collections is not zero by itself: one small object per segment shows', async () => {
  const fixture = connected(4);
  const keep: unknown[] = [];
  const wasteful: Program = (socket, events, scratch) => {
    keep[0] = { socket, events, garbage: [events, events, events, events, events, events] };
    echo(socket, events, scratch);
  };
  fixture.sockets[0].write(fixture.scratch, 0, 64);
  assert.ok((await steadyCollections(fixture, wasteful)) > 0);
});
