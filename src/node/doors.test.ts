import assert from 'node:assert/strict';
import kernelDgram from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import kernelNet from 'node:net';
import { after, test } from 'node:test';
import { openStack, parseConfig } from '../index.ts';
import dgram, { createSocket } from './dgram.ts';
import { assertNoLeaks, closed, contents, listening } from './fixture.ts';
import net, { connect, createServer, isIP, Socket } from './net.ts';
import { TcpHandle } from './tcp-handle.ts';

// Nothing of Node's is replaced here: only who imports from these doors is on the stack.
const config = 'dpdk.port = "loopback"\ntcp.time_wait = "50ms"';
const running = openStack(parseConfig(config, 'test'));
after(() => assertNoLeaks(running));

function isOnStack(socket: object): boolean {
  return (socket as { _handle?: unknown })._handle instanceof TcpHandle;
}

test('dpdk-net/net: an echo over the stack', async () => {
  const server = createServer((socket) => socket.pipe(socket));
  const port = await listening(server);
  assert.ok(isOnStack(server));
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  assert.ok(client instanceof Socket && client instanceof kernelNet.Socket && isOnStack(client));
  client.end('hello');
  assert.equal((await contents(client)).toString(), 'hello');
  await closed(server);
});

test('dpdk-net/net: has what node:net has', () => {
  assert.equal(isIP('::1'), 6);
  const missing = Object.keys(kernelNet).filter((name) => !(name in net) && !name.startsWith('_'));
  assert.deepEqual(missing, []);
  assert.deepEqual(
    Object.keys(kernelDgram).filter((name) => !(name in dgram) && !name.startsWith('_')),
    [],
  );
});

test('dpdk-net/net: resetAndDestroy()', async () => {
  const server = createServer((socket) => socket.resetAndDestroy());
  const port = await listening(server);
  const client = connect(port, '127.0.0.1').resume();
  const [error] = await once(client, 'end').catch((e) => [e]);
  assert.equal(error.code, 'ECONNRESET');
  await closed(server);
});

test("node:net beside it is the kernel's", async () => {
  const server = kernelNet.createServer((socket) => socket.end('kernel'));
  const port = await listening(server, '127.0.0.1');
  assert.equal(isOnStack(server), false);
  const client = kernelNet.connect(port, '127.0.0.1');
  assert.equal((await contents(client)).toString(), 'kernel');
  await closed(server);
});

test('http over a connection of dpdk-net/net', async () => {
  const server = createServer();
  const web = http.createServer((_request, response) => response.end('ok'));
  server.on('connection', (socket) => web.emit('connection', socket));
  const port = await listening(server);
  const request = http.get({ createConnection: () => connect(port, '127.0.0.1') });
  const [response] = await once(request, 'response');
  assert.equal((await contents(response)).toString(), 'ok');
  await closed(server);
});

test('dpdk-net/dgram: a datagram and its answer, both families', async () => {
  for (const [type, address] of [
    ['udp4', '127.0.0.1'],
    ['udp6', '::1'],
  ] as const) {
    const server = createSocket(type, (message, from) => {
      server.send(`re: ${message}`, from.port, from.address);
    });
    server.bind(0);
    await once(server, 'listening');
    assert.equal(running.stack.counts().udpSockets, 1);
    const client = createSocket({ type });
    client.send('q', server.address().port, address);
    const [message] = await once(client, 'message');
    assert.equal(String(message), 're: q');
    client.close();
    server.close();
  }
});
