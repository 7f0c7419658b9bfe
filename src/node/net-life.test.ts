import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { after, test } from 'node:test';
import { WRITABLE } from '../base/events.ts';
import { nowMicros } from '../runtime/now.ts';
import type { EventOwner } from '../runtime/poll-loop.ts';
import { assertNoLeaks, closed, contents, installLoopback, listening } from './fixture.ts';

const loopback = installLoopback();
after(() => assertNoLeaks(loopback));

test('resetAndDestroy() reaches the peer as ECONNRESET, once', async () => {
  const server = net.createServer();
  const port = await listening(server);
  const accepted = once(server, 'connection');
  const client = net.connect(port, '127.0.0.1');
  const [socket] = (await accepted) as [net.Socket];
  const errors: unknown[] = [];
  client.on('error', (error: NodeJS.ErrnoException) => errors.push([error.code, error.syscall]));
  if (client.connecting) await once(client, 'connect');
  client.resume();
  socket.resetAndDestroy();
  await new Promise((resolve) => client.on('close', resolve));
  assert.deepEqual(errors, [['ECONNRESET', 'read']]);
  await closed(server);
});

test('a refused connection has the error that Node makes of it', async () => {
  const client = net.connect(1, '127.0.0.1');
  const [error] = await once(client, 'error').catch((e) => [e]);
  assert.equal(error.message, 'connect ECONNREFUSED 127.0.0.1:1');
  assert.equal(error.code, 'ECONNREFUSED');
  assert.equal(error.syscall, 'connect');
  assert.equal(error.port, 1);
  assert.equal(error.address, '127.0.0.1');
});

test('two listeners on one port: EADDRINUSE', async () => {
  const server = net.createServer();
  const port = await listening(server);
  for (const host of [undefined, '127.0.0.1', '0.0.0.0']) {
    const second = net.createServer();
    second.listen(port, host);
    const [error] = await once(second, 'error').catch((e) => [e]);
    assert.equal(error.code, 'EADDRINUSE');
    assert.equal(error.syscall, 'listen');
  }
  await closed(server);
});

test('a foreign address to listen on: EADDRNOTAVAIL', async () => {
  const server = net.createServer();
  server.listen(0, '192.0.2.1');
  const [error] = await once(server, 'error').catch((e) => [e]);
  assert.equal(error.code, 'EADDRNOTAVAIL');
});

test('a destination without a route: ENETUNREACH', async () => {
  const client = net.connect(80, '192.0.2.1');
  const [error] = await once(client, 'error').catch((e) => [e]);
  assert.equal(error.code, 'ENETUNREACH');
});

test('a silent connection times out', async () => {
  const server = net.createServer();
  const port = await listening(server);
  const client = net.connect({ port, host: '127.0.0.1', timeout: 20 });
  await once(client, 'timeout');
  client.destroy();
  await closed(server);
});

test('an abort signal ends a connection and a listener', async () => {
  const serverAbort = new AbortController();
  const server = net.createServer();
  server.listen({ port: 0, signal: serverAbort.signal });
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const clientAbort = new AbortController();
  const client = net.connect({ port, host: '127.0.0.1', signal: clientAbort.signal });
  await once(client, 'connect');
  clientAbort.abort();
  const [error] = await once(client, 'error').catch((e) => [e]);
  assert.equal(error.name, 'AbortError');
  serverAbort.abort();
  await once(server, 'close');
});

test('promises and nextTicks run between two events', async () => {
  const order: string[] = [];
  const server = net.createServer((socket) => {
    order.push('connection');
    process.nextTick(() => order.push('tick'));
    Promise.resolve().then(() => order.push('promise'));
    socket.destroy();
  });
  const port = await listening(server);
  const clients = [1, 2, 3].map(() => net.connect(port, '127.0.0.1').resume());
  await Promise.all(clients.map((client) => once(client, 'close')));
  assert.deepEqual(order, [
    'connection',
    'tick',
    'promise',
    'connection',
    'tick',
    'promise',
    'connection',
    'tick',
    'promise',
  ]);
  await closed(server);
});

test('nothing calls back from inside the call', async () => {
  const server = net.createServer((socket) => socket.resume());
  const port = await listening(server);
  const client = net.connect(port, '127.0.0.1');
  let isInside = true;
  client.on('connect', () => assert.equal(isInside, false));
  isInside = false;
  await once(client, 'connect');
  isInside = true;
  client.write('x', () => assert.equal(isInside, false));
  client.end(() => assert.equal(isInside, false));
  client.on('close', () => assert.equal(isInside, false));
  client.destroySoon();
  isInside = false;
  await once(client, 'close');
  await closed(server);
});

test('getConnections() counts, and close() waits for the last', async () => {
  const server = net.createServer();
  const port = await listening(server);
  const accepted = once(server, 'connection');
  const client = net.connect(port, '127.0.0.1');
  await accepted;
  const count = await new Promise((resolve) => server.getConnections((_e, n) => resolve(n)));
  assert.equal(count, 1);
  let isClosed = false;
  server.close(() => {
    isClosed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(isClosed, false);
  client.destroy();
  await once(server, 'close');
});

test("a Unix socket stays the kernel's", async () => {
  const server = net.createServer((socket) => socket.pipe(socket));
  const path = `\0dpdk-net-test-${process.pid}`;
  server.listen(path);
  await once(server, 'listening');
  const client = net.connect(path);
  client.end('unix');
  assert.equal((await contents(client)).toString(), 'unix');
  await closed(server);
});

test('a socket of the stack is refused by IPC, loudly', async () => {
  const server = net.createServer();
  const port = await listening(server);
  const accepted = once(server, 'connection');
  const client = net.connect(port, '127.0.0.1');
  const [socket] = (await accepted) as [net.Socket];
  const child = spawn(process.execPath, ['-e', 'process.on("message", () => {})'], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  assert.throws(() => child.send('take it', socket), { code: 'ERR_INVALID_HANDLE_TYPE' });
  assert.throws(() => child.send('take it', server), { code: 'ERR_INVALID_HANDLE_TYPE' });
  child.disconnect();
  await once(child, 'exit');
  socket.destroy();
  client.destroy();
  await closed(server);
});

test('a connection that is reset in the burst that makes room: the write fails, nothing throws', async () => {
  const server = net.createServer((socket) => socket.pause());
  const port = await listening(server);
  const accepted = once(server, 'connection');
  const client = net.connect(port, '127.0.0.1');
  await once(client, 'connect');
  const [peer] = (await accepted) as [net.Socket];
  const failed = once(client, 'error').catch((error) => [error]);
  while (client.writableLength < 1 << 20) client.write(Buffer.alloc(1 << 20));
  const handle = (client as unknown as { _handle: EventOwner })._handle;
  const ours = loopback.stack.tcp.connections.find((c) => c?.socket?.owner === handle)!.socket!;
  // What a burst does, told in one go: it reads no more, so that nobody hears of it in between.
  loopback.loop.stop();
  peer.resetAndDestroy();
  for (let now = nowMicros(); ours.connection !== null; now += 1000) loopback.stack.poll(now);
  handle.onEvents(WRITABLE | ours.takeEvents(), ours);
  loopback.loop.start();
  const [error] = await failed;
  assert.match(error.code, /^(ECONNRESET|EPIPE)$/);
  await closed(server);
});
