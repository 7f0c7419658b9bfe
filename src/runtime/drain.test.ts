import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Address, Prefix } from '../base/address.ts';
import type { EventSource } from '../base/events.ts';
import type { Link } from '../link/link.ts';
import { createPair } from '../link/pair.ts';
import { createStack, type Stack } from '../stack/stack.ts';
import { Arena } from '../storage/arena.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { drain, finish } from './drain.ts';
import { nowMicros } from './now.ts';

const SERVER = Address.parse('10.0.0.1');
const NOTHING = { connections: 0, timers: 0, heapBytes: 0 };

const tcp = { receiveBufferBytes: 16 << 10, sendBufferBytes: 16 << 10 };

let seed = 1;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
  return seed;
};

interface World {
  server: Stack;
  client: Stack;
  /** Polls both a few times. */
  run(turns?: number): void;
}

/** A server and a client on one wire; whenever the server exchanges, the client is polled, too. */
function world(): World {
  const arena = Arena.allocate(64 << 20);
  const [a, b] = createPair(arena);
  const client = createStack({ arena, heapBytes: 16 << 20, random, tcp });
  client.attach(b, { addresses: [Prefix.parse('10.0.0.2/24')] });
  const alive: { value: boolean } = { value: true };
  const lively: Link = {
    name: a.name,
    arena: a.arena,
    ring: a.ring,
    mac: a.mac,
    mtu: a.mtu,
    segmentBytes: a.segmentBytes,
    features: a.features,
    exchange: () => {
      if (alive.value) client.poll(nowMicros());
      return a.exchange();
    },
    close: () => a.close(),
  };
  const server = createStack({ arena, heapBytes: 16 << 20, random, tcp });
  server.attach(lively, { addresses: [Prefix.parse('10.0.0.1/24')] });
  const run = (turns = 50): void => {
    for (let i = 0; i < turns; i++) {
      server.poll(nowMicros());
      client.poll(nowMicros());
    }
  };
  return { server, client, run };
}

/** Opens connections from the client to port 80 of the server; returns both ends. */
function connect({ server, client, run }: World, count: number): [TcpSocket[], TcpSocket[]] {
  const listener = server.tcp.listen({ port: 80 });
  const clients: TcpSocket[] = [];
  for (let i = 0; i < count; i++) {
    clients.push(client.tcp.connect({ address: SERVER, port: 80 }));
    // Few packets may wait while the neighbor is still unknown.
    if (i % 10 === 0) run(5);
  }
  run();
  const servers: TcpSocket[] = [];
  for (let socket = listener.accept(); socket !== null; socket = listener.accept())
    servers.push(socket);
  listener.close();
  assert.equal(servers.length, count);
  return [servers, clients];
}

/** Plays a client program that closes when the server has ended. */
function closeWhenEnded(client: Stack): void {
  const poll = client.poll.bind(client);
  client.poll = (now) => {
    const moved = poll(now);
    for (
      let source: EventSource | null = client.nextEvent();
      source !== null;
      source = client.nextEvent()
    ) {
      source.takeEvents();
      const socket = source as TcpSocket;
      if (socket.ended) socket.close();
    }
    return moved;
  };
}

test('a stack without connections is done at once', () => {
  const { server } = world();
  const report = drain(server);
  assert.deepEqual({ ...report, ms: 0 }, { open: 0, reset: 0, ms: 0, left: NOTHING });
});

test('every connection gets a FIN after what was written; nothing is left', () => {
  const w = world();
  const [servers, clients] = connect(w, 100);
  for (const socket of servers) socket.write(new TextEncoder().encode('last words'));
  const heard = clients.map(() => '');
  const poll = w.client.poll.bind(w.client);
  const buffer = new Uint8Array(100);
  w.client.poll = (now) => {
    const moved = poll(now);
    for (const [index, socket] of clients.entries()) {
      const length = socket.read(buffer);
      heard[index] += new TextDecoder().decode(buffer.subarray(0, length));
      if (socket.ended) socket.close();
    }
    return moved;
  };
  const report = drain(w.server);
  assert.equal(report.open, 100);
  assert.equal(report.reset, 0);
  assert.deepEqual(report.left, NOTHING);
  assert.deepEqual(new Set(heard), new Set(['last words']));
});

test('unread input makes the end a RST, as RFC 2525 2.17 asks', () => {
  const w = world();
  const [, clients] = connect(w, 1);
  clients[0]!.write(new TextEncoder().encode('unheard'));
  w.run();
  const report = drain(w.server);
  assert.deepEqual(report.left, NOTHING);
  w.run(3);
  assert.equal(clients[0]!.error, 'ECONNRESET');
});

test('peers that never answer are reset when the deadline is over', () => {
  const w = world();
  const [servers, clients] = connect(w, 200);
  // The client reads nothing and closes nothing: its window closes, our data never leaves.
  const block = new Uint8Array(8 << 10);
  for (const socket of servers) while (socket.write(block) > 0);
  w.run(200);
  const report = drain(w.server, 100);
  assert.equal(report.open, 200);
  assert.equal(report.reset, 200);
  assert.deepEqual(report.left, NOTHING);
  for (let i = 0; i < 20; i++) w.client.poll(nowMicros());
  assert.deepEqual(new Set(clients.map(({ error }) => error)), new Set(['ECONNRESET']));
});

test('peers that have our FIN and keep their side open are not waited for until the deadline', () => {
  const w = world();
  connect(w, 3);
  const report = drain(w.server, 60_000);
  assert.equal(report.reset, 3);
  assert.deepEqual(report.left, NOTHING);
});

test('connections in TIME-WAIT are forgotten without a word', () => {
  const w = world();
  closeWhenEnded(w.client);
  const [servers] = connect(w, 5);
  for (const socket of servers) socket.close();
  w.run(200);
  assert.equal(w.server.counts().timeWait, 5);
  const report = drain(w.server);
  assert.deepEqual({ ...report, ms: 0 }, { open: 0, reset: 0, ms: 0, left: NOTHING });
});

test('after finish() nobody is accepted, who ends in time has ended, and the rest is reset', async () => {
  const w = world();
  const listener = w.server.tcp.listen({ port: 80 });
  const clients = [0, 1].map(() => w.client.tcp.connect({ address: SERVER, port: 80 }));
  w.run();
  const servers = clients.map(() => listener.accept()!);
  // One of our own, to somebody else's listener, has nothing to finish.
  w.client.tcp.listen({ port: 7 });
  const own = w.server.tcp.connect({ address: Address.parse('10.0.0.2'), port: 7 });
  w.run();
  assert.equal(own.stateName, 'ESTABLISHED');
  assert.equal(await finish(w.server, 1), 2);
  const late = w.client.tcp.connect({ address: SERVER, port: 80 });
  w.run();
  assert.equal(late.error, 'ECONNREFUSED');
  // What is there goes on, both ways.
  clients[0]!.write(new TextEncoder().encode('the rest'));
  w.run();
  const buffer = new Uint8Array(100);
  assert.equal(servers[0]!.read(buffer), 8);
  const finished = finish(w.server, 60_000);
  for (const socket of [servers[0]!, clients[0]!]) socket.close();
  w.run();
  assert.equal(await finish(w.server, 1), 1);
  const report = drain(w.server, 100);
  assert.equal(report.reset, 2, 'the one that is overdue, and ours that its peer keeps open');
  assert.deepEqual(report.left, NOTHING);
  assert.equal(await finished, 0);
  w.run();
  assert.equal(clients[0]!.error, '');
  assert.equal(clients[1]!.error, 'ECONNRESET');
});
