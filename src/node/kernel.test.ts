import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { after, test } from 'node:test';
import { assertNoLeaks, closed, contents, installLoopback, listening } from './fixture.ts';
import { TcpHandle } from './tcp-handle.ts';

// 127.0.0.1 is the kernel's here, ::1 the stack's: both can be told apart in one process.
const loopback = installLoopback(['127.0.0.0/8']);
after(() => assertNoLeaks(loopback));

function isOnStack(socket: net.Socket | net.Server): boolean {
  return (socket as unknown as { _handle: unknown })._handle instanceof TcpHandle;
}

test("a listener on a kernel route, and its clients, are the kernel's", async () => {
  const server = net.createServer((socket) => socket.pipe(socket));
  const port = await listening(server, '127.0.0.1');
  assert.equal(isOnStack(server), false);
  const client = net.connect(port, '127.0.0.1');
  await once(client, 'connect');
  assert.equal(isOnStack(client), false);
  client.end('kernel');
  assert.equal((await contents(client)).toString(), 'kernel');
  await closed(server);
});

test("a listener on everything is the stack's", async () => {
  const server = net.createServer((socket) => socket.pipe(socket));
  const port = await listening(server);
  assert.equal(isOnStack(server), true);
  const client = net.connect(port, '::1');
  await once(client, 'connect');
  assert.equal(isOnStack(client), true);
  client.end('stack');
  assert.equal((await contents(client)).toString(), 'stack');
  await closed(server);
});

test('http to a kernel route, with the stack beside it', async () => {
  const server = http.createServer((_request, response) => response.end('from the kernel'));
  const port = await listening(server, '127.0.0.1');
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(await response.text(), 'from the kernel');
  server.closeAllConnections();
  await closed(server);
});

test('of several addresses, one of the kernel and one of the stack', async () => {
  const server = net.createServer((socket) => socket.end('found'));
  const port = await listening(server, '127.0.0.1');
  const client = net.connect({
    port,
    host: 'two.example',
    autoSelectFamily: true,
    lookup: (_name, _options, done) =>
      (done as (error: null, list: object[]) => void)(null, [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ]),
  });
  assert.equal((await contents(client)).toString(), 'found');
  await closed(server);
});

test('a refused kernel connection', async () => {
  const client = net.connect(1, '127.0.0.1');
  const [error] = await once(client, 'error').catch((e) => [e]);
  assert.equal(error.message, 'connect ECONNREFUSED 127.0.0.1:1');
});

test('a datagram to a kernel route from a socket bound to everything', async () => {
  const server = dgram.createSocket('udp4');
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('message', (message, from) => server.send(message, from.port, from.address));
  const client = dgram.createSocket('udp4');
  client.send('to the kernel', server.address().port, '127.0.0.1');
  const [message] = await once(client, 'message');
  assert.equal(String(message), 'to the kernel');
  client.close();
  server.close();
  await once(server, 'close');
});

test("a child's stdio and IPC are untouched", async () => {
  const script = 'process.on("message", (m) => { console.log(m); process.disconnect(); })';
  const child = spawn(process.execPath, ['-e', script], {
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
  });
  child.send('over the pipe');
  assert.equal((await contents(child.stdout!)).toString(), 'over the pipe\n');
  if (child.exitCode === null) await once(child, 'exit');
  assert.equal(child.exitCode, 0);
});
