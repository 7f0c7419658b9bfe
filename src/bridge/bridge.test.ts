import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { after, before } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Address } from '../base/address.ts';
import { CLOSED, ENDED, FAILED, FLUSHED, READABLE } from '../base/events.ts';
import { Lcore } from '../lcore/lcore.ts';
import { type Lcores, openLcores, portsOf } from '../lcore/lcores.ts';
import type { Bridge } from './bridge.ts';
import { Acceptor, pattern, readAll, untilInUse, Watcher, writeAll } from './fixture.ts';
import type { BridgeSocket } from './socket.ts';

const HOME = Address.parse('127.0.0.1');
const EXTENSION = import.meta.url.slice(-3);
const FUNCTIONS = new URL(`../lcore/test-functions${EXTENSION}`, import.meta.url);
const CONFIG = {
  text: 'dpdk = { port = "loopback", memory = "32MiB" }\nqueues.count = 2',
  source: 'bridge.toml',
};

let lcores: Lcores;
let bridge: Bridge;
before(async () => {
  lcores = await openLcores({ config: CONFIG });
  bridge = lcores.bridge();
});
after(async () => {
  const { reports } = await lcores.close();
  assert.deepEqual(
    reports.map(({ left }) => left),
    Array.from({ length: 2 }, () => ({ connections: 0, timers: 0, heapBytes: 0 })),
  );
});

interface Pair {
  readonly acceptor: Acceptor;
  readonly client: BridgeSocket;
  readonly server: BridgeSocket;
  readonly clientSees: Watcher;
  readonly serverSees: Watcher;
}

/** Both ends of a connection over the loopback of a queue. */
async function connected(queue: number, over: Bridge = bridge): Promise<Pair> {
  const listener = await over.listen({ port: 0 });
  const acceptor = new Acceptor(listener);
  const client = await over.connect({ address: HOME, port: listener.port, queue });
  const clientSees = new Watcher(client);
  const server = await acceptor.next();
  return { acceptor, client, server, clientSees, serverSees: new Watcher(server) };
}

async function close({ acceptor, client, server, clientSees, serverSees }: Pair): Promise<void> {
  client.close();
  server.close();
  await Promise.all([clientSees.closed(), serverSees.closed(), acceptor.close()]);
}

/** Nothing is left in the stacks either: TIME-WAIT is not counted. */
async function assertStacksEmpty(): Promise<void> {
  for (const lcore of lcores.all) {
    const { listeners, udpSockets } = await lcore.run<Record<string, number>>({
      module: FUNCTIONS,
      name: 'counts',
    });
    assert.deepEqual({ listeners, udpSockets }, { listeners: 0, udpSockets: 0 });
  }
}

test('the lcores of the queues serve them', () => {
  assert.deepEqual(
    Lcore.workers.map(({ queue, state }) => ({ queue, state })),
    [0, 1].map((queue) => ({ queue, state: 'waiting' })),
  );
  assert.deepEqual(bridge.queues, [0, 1]);
});

for (const queue of [0, 1]) {
  test(`queue ${queue}: bytes both ways, both ends known, an orderly end, nothing left`, async () => {
    const pair = await connected(queue);
    const { client, server, clientSees, serverSees } = pair;
    assert.equal(server.queue, queue);
    assert.equal(client.remotePort, server.localPort);
    assert.equal(client.localPort, server.remotePort);
    assert.ok(server.remoteAddress.equals(client.localAddress));
    const there = pattern(300_000);
    const back = pattern(200_001);
    const [heardThere, heardBack] = await Promise.all([
      readAll(server, serverSees),
      readAll(client, clientSees),
      writeAll(client, clientSees, there).then(() => client.shutdown()),
      writeAll(server, serverSees, back).then(() => server.shutdown()),
    ]);
    assert.ok(there.equals(heardThere));
    assert.ok(back.equals(heardBack));
    assert.equal(client.bytesWritten, server.bytesRead);
    assert.ok(client.ended && server.ended);
    await close(pair);
    assert.equal(client.error, '');
    assert.notEqual(clientSees.seen & ENDED, 0);
    assert.notEqual(clientSees.seen & FLUSHED, 0);
    assert.throws(() => client.write(there), { code: 'EPIPE' });
    await untilInUse(bridge, 0);
    await assertStacksEmpty();
  });
}

test('lent views: what is committed arrives, what is consumed is gone', async () => {
  const pair = await connected(0);
  const { client, server, serverSees } = pair;
  const room = client.reserve();
  assert.ok(room.length >= 65536);
  room.set([1, 2, 3, 4]);
  client.commit(3);
  await serverSees.until(() => server.readable === 3);
  assert.deepEqual([...server.peek()], [1, 2, 3]);
  server.consume(2);
  assert.deepEqual([...server.peek()], [3]);
  assert.throws(() => server.consume(2), { code: 'EINVAL' });
  server.consume(1);
  assert.equal(server.peek().length, 0);
  await close(pair);
  await untilInUse(bridge, 0);
});

test('who does not read stops who writes, and nothing is lost', async () => {
  const pair = await connected(1);
  const { client, server, clientSees, serverSees } = pair;
  const bytes = pattern(24 << 20);
  let written = 0;
  // As long as the stacks' buffers and the pipes take more.
  for (let quiet = 0; quiet < 50; quiet++) {
    const count = client.write(bytes, written);
    written += count;
    if (count > 0) quiet = 0;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(written < bytes.length, `${written} bytes on their way to somebody who does not read`);
  await serverSees.until(() => server.readable === 65536);
  const rest = writeAll(client, clientSees, bytes.subarray(written)).then(() => client.shutdown());
  assert.ok(bytes.equals(await readAll(server, serverSees)));
  await rest;
  await close(pair);
  await untilInUse(bridge, 0);
});

test('close() with unread input, and abort(), reset the other end', async () => {
  for (const end of ['close', 'abort'] as const) {
    const pair = await connected(0);
    const { client, server, clientSees, serverSees, acceptor } = pair;
    await writeAll(client, clientSees, Buffer.from('unread'));
    await serverSees.until(() => server.readable === 6);
    server[end]();
    assert.equal(server.readable, 0);
    await clientSees.closed();
    assert.equal(client.error, 'ECONNRESET');
    client.close();
    await Promise.all([serverSees.closed(), acceptor.close()]);
  }
  await untilInUse(bridge, 0);
});

test('what was received before the end can be read after it', async () => {
  const pair = await connected(0);
  const { client, server, clientSees, serverSees, acceptor } = pair;
  await writeAll(client, clientSees, Buffer.from('last words'));
  client.close();
  await serverSees.until(() => (serverSees.seen & ENDED) !== 0);
  server.shutdown();
  await Promise.all([serverSees.closed(), clientSees.closed(), acceptor.close()]);
  await untilInUse(bridge, 1);
  assert.equal(server.ended, false);
  assert.equal(String(await readAll(server, serverSees)), 'last words');
  assert.equal(server.ended, true);
  await untilInUse(bridge, 0);
});

test('refused: a connection to nobody, a port in use, more sockets than slots', async () => {
  await assert.rejects(bridge.connect({ address: HOME, port: 9 }), { code: 'ECONNREFUSED' });
  const listener = await bridge.listen({ port: 0 });
  await assert.rejects(bridge.listen({ port: listener.port }), { code: 'EADDRINUSE' });
  const acceptor = new Acceptor(listener);
  await acceptor.close();
  await untilInUse(bridge, 0);
  const small = lcores.bridge({ sockets: 1 });
  const only = await small.listen({ port: 0 });
  await assert.rejects(small.connect({ address: HOME, port: only.port }), { code: 'ENOBUFS' });
  await new Acceptor(only).close();
  small.close();
});

test('connections for which there is no slot wait until there is', async () => {
  const small = lcores.bridge({ sockets: 3 });
  const listener = await small.listen({ port: 0 });
  const acceptor = new Acceptor(listener);
  const clients = await Promise.all(
    [1, 2, 3, 4, 5].map(() => bridge.connect({ address: HOME, port: listener.port, queue: 0 })),
  );
  const watchers = clients.map((client) => new Watcher(client));
  for (let i = 0; i < clients.length; i++) {
    const server = await acceptor.next();
    const watcher = new Watcher(server);
    server.abort();
    await watcher.closed();
  }
  await Promise.all([...watchers.map((watcher) => watcher.closed()), acceptor.close()]);
  await untilInUse(small, 0);
  await untilInUse(bridge, 0);
  small.close();
});

test('connections that nobody accepts are reset when the listener closes', async () => {
  const listener = await bridge.listen({ port: 0 });
  const acceptor = new Acceptor(listener);
  const client = await bridge.connect({ address: HOME, port: listener.port });
  const watcher = new Watcher(client);
  await acceptor.close();
  await watcher.closed();
  assert.equal(client.error, 'ECONNRESET');
  await untilInUse(bridge, 0);
});

test('datagrams: one socket on all queues, of every size, to whom it says', async () => {
  const server = await bridge.bind();
  const client = await bridge.bind({ address: HOME });
  assert.deepEqual([server.closed, client.closed], [false, false]);
  const serverSees = new Watcher(server);
  const clientSees = new Watcher(client);
  const into = new Uint8Array(65535);
  for (const length of [0, 1, 31, 32, 33, 1472, 9000, 65507]) {
    const bytes = pattern(length);
    assert.equal(client.send(bytes, 0, length, HOME, server.localPort), length);
    let count = -1;
    await serverSees.until(() => {
      count = server.receive(into);
      return count >= 0;
    });
    assert.ok(bytes.equals(into.subarray(0, count)));
    assert.equal(server.fromPort, client.localPort);
    assert.ok(server.fromAddress().equals(HOME));
  }
  server.send(Buffer.from('hello'), 0, 5, HOME, client.localPort);
  await clientSees.until(() => (clientSees.seen & READABLE) !== 0);
  assert.equal(client.receive(new Uint8Array(2)), 2);
  assert.equal(client.truncated, true);
  assert.equal(client.receive(into), -1);
  client.send(into, 0, 65520, HOME, server.localPort);
  await clientSees.until(() => (clientSees.seen & FAILED) !== 0);
  assert.equal(client.error, 'EMSGSIZE');
  server.close();
  client.close();
  await Promise.all([serverSees.closed(), clientSees.closed()]);
  assert.throws(() => client.send(into, 0, 1, HOME, 9), { code: 'EBADF' });
  await untilInUse(bridge, 0);
  await assertStacksEmpty();
});

test('a stream: what is written comes back through a pipeline, then both ends are over', async () => {
  const listener = await bridge.listen({ port: 0 });
  const acceptor = new Acceptor(listener);
  const client = (await bridge.connect({ address: HOME, port: listener.port })).stream();
  const server = (await acceptor.next()).stream();
  server.pipe(server);
  const bytes = pattern(1_000_000);
  const closed = Promise.all([once(client, 'close'), once(server, 'close')]);
  client.end(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of client) chunks.push(chunk as Buffer);
  assert.ok(bytes.equals(Buffer.concat(chunks)));
  await closed;
  await acceptor.close();
  await untilInUse(bridge, 0);
});

test('a stream that is destroyed resets; the other one gets the error', async () => {
  const listener = await bridge.listen({ port: 0 });
  const acceptor = new Acceptor(listener);
  const client = (await bridge.connect({ address: HOME, port: listener.port })).stream();
  const server = (await acceptor.next()).stream();
  const failed = once(client, 'error');
  client.resume();
  server.on('error', () => {});
  server.destroy(new Error('no more'));
  const [error] = (await failed) as [Error & { code: string }];
  assert.equal(error.code, 'ECONNRESET');
  await acceptor.close();
  await untilInUse(bridge, 0);
});

test('1,000 connections opened and closed leave nothing', async () => {
  const listener = await bridge.listen({ port: 0 });
  const acceptor = new Acceptor(listener);
  const serve = async (): Promise<void> => {
    for (let i = 0; i < 1000; i++) {
      const socket = await acceptor.next();
      const watcher = new Watcher(socket);
      void readAll(socket, watcher).then((bytes) => {
        socket.write(bytes);
        socket.close();
      });
    }
  };
  const talk = async (number: number): Promise<void> => {
    const socket = await bridge.connect({ address: HOME, port: listener.port });
    const watcher = new Watcher(socket);
    const text = Buffer.from(`this is ${number}`);
    socket.write(text);
    socket.shutdown();
    assert.ok(text.equals(await readAll(socket, watcher)));
    socket.close();
    await watcher.closed();
  };
  const serving = serve();
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 50 }, (_, i) => talk(round * 50 + i)));
  }
  await serving;
  await acceptor.close();
  await untilInUse(bridge, 0);
  await assertStacksEmpty();
});

test("a worker thread of the program's own has a bridge; when it dies its peers are reset", async () => {
  const listener = await bridge.listen({ port: 0 });
  const acceptor = new Acceptor(listener);
  const index = new URL(`./index${EXTENSION}`, import.meta.url);
  const script = `
    const { workerData } = require('node:worker_threads');
    import(${JSON.stringify(index.href)}).then(async ({ Address, Bridge }) => {
      const bridge = new Bridge(workerData.ticket);
      const address = Address.parse('127.0.0.1');
      const socket = await bridge.connect({ address, port: workerData.port });
      await bridge.listen({ port: 0 });
      await bridge.bind();
      socket.write(Buffer.from('from a thread'));
    });`;
  const ticket = lcores.bridgeTicket();
  const worker = new Worker(script, {
    eval: true,
    workerData: { ticket, port: listener.port },
    transferList: portsOf(ticket),
  });
  const socket = await acceptor.next();
  const watcher = new Watcher(socket);
  await watcher.until(() => socket.readable === 13);
  assert.equal(socket.read(new Uint8Array(13)), 13);
  await worker.terminate();
  await watcher.closed();
  assert.equal(socket.error, 'ECONNRESET');
  await acceptor.close();
  await untilInUse(bridge, 0);
  await assertStacksEmpty();
});

test('a bridge that is closed lets go of everything, on both sides', async () => {
  const other = lcores.bridge();
  const { client, clientSees, acceptor } = await connected(0);
  const listener = await other.listen({ port: 0 });
  const theirs = await bridge.connect({ address: HOME, port: listener.port });
  const theirsSee = new Watcher(theirs);
  const server = await new Acceptor(listener).next();
  other.close();
  await theirsSee.closed();
  assert.equal(theirs.error, 'ECONNRESET');
  while (!server.closed) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(server.error, 'ECONNABORTED');
  assert.equal(listener.closed, true);
  await assert.rejects(other.connect({ address: HOME, port: 9 }), { code: 'ECONNABORTED' });
  client.abort();
  await Promise.all([clientSees.closed(), acceptor.close()]);
  await untilInUse(bridge, 0);
});

test('a worker that is killed: what lived there fails, the rest goes on', async () => {
  const own = await openLcores({ config: CONFIG, restart: true });
  const over = own.bridge();
  const lost = await connected(0, over);
  const kept = await connected(1, over);
  const waiting = over.connect({ address: Address.parse('127.0.0.1'), port: 9, queue: 1 });
  await assert.rejects(waiting, { code: 'ECONNREFUSED' });
  const handle = own.all[0]!.launch({ module: FUNCTIONS, name: 'crashLater' });
  await assert.rejects(handle.wait(), { code: 'ECANCELED' });
  await Promise.all([lost.clientSees.closed(), lost.serverSees.closed()]);
  assert.equal(lost.client.error, 'ECONNABORTED');
  assert.throws(() => lost.client.write(Buffer.from('x')), { code: 'EPIPE' });
  await writeAll(kept.client, kept.clientSees, Buffer.from('still here'));
  await kept.serverSees.until(() => kept.server.readable === 10);
  assert.deepEqual([kept.client.error, kept.serverSees.seen & CLOSED], ['', 0]);
  // Another worker has the queue, and the listeners listen there again.
  while (!over.queues.includes(0)) await new Promise((resolve) => setImmediate(resolve));
  while (own.all[0]!.state !== 'waiting') await new Promise((resolve) => setImmediate(resolve));
  const address = HOME;
  const port = kept.server.localPort;
  let again: BridgeSocket | null = null;
  while (again === null) again = await over.connect({ address, port, queue: 0 }).catch(() => null);
  assert.equal((await kept.acceptor.next()).queue, 0);
  const { slots } = await own.close();
  assert.equal(slots, 0);
});
