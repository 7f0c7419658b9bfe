import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { assertNoLeaks, installLoopback } from './fixture.ts';

const loopback = installLoopback();
after(() => assertNoLeaks(loopback));

async function bound(type: dgram.SocketType, address?: string): Promise<dgram.Socket> {
  const socket = dgram.createSocket(type);
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

async function closed(...sockets: dgram.Socket[]): Promise<void> {
  for (const socket of sockets) {
    socket.close();
    await once(socket, 'close');
  }
}

for (const [type, address] of [
  ['udp4', '127.0.0.1'],
  ['udp6', '::1'],
] as const) {
  test(`${type}: a datagram and its answer`, async () => {
    const server = await bound(type);
    server.on('message', (message, from) => server.send(`re: ${message}`, from.port, from.address));
    const client = dgram.createSocket(type);
    client.send('question', server.address().port, address);
    const [message, from] = await once(client, 'message');
    assert.equal(String(message), 're: question');
    assert.equal(from.address, address);
    assert.equal(from.port, server.address().port);
    assert.equal(from.family, type === 'udp4' ? 'IPv4' : 'IPv6');
    assert.equal(from.size, message.length);
    await closed(server, client);
  });
}

test('an IPv4 sender is ::ffff:... to a dual-stack socket', async () => {
  const server = await bound('udp6');
  const client = dgram.createSocket('udp4');
  client.send('x', server.address().port, '127.0.0.1');
  const [, from] = await once(server, 'message');
  assert.equal(from.address, '::ffff:127.0.0.1');
  assert.equal(from.family, 'IPv6');
  await closed(server, client);
});

test('send() tells its callback how many bytes went, for buffers, strings and lists', async () => {
  const server = await bound('udp4');
  const messages: string[] = [];
  server.on('message', (message) => messages.push(String(message)));
  const client = dgram.createSocket('udp4');
  const { port } = server.address();
  const send = (...args: unknown[]): Promise<number> =>
    new Promise((resolve, reject) => {
      (client.send as (...args: unknown[]) => void).call(client, ...args, (e: Error, n: number) =>
        e ? reject(e) : resolve(n),
      );
    });
  assert.equal(await send(Buffer.from('buffer'), port, '127.0.0.1'), 6);
  assert.equal(await send('string', port), 6);
  assert.equal(await send(['a ', Buffer.from('list')], port), 6);
  assert.equal(await send(Buffer.from('0123456789'), 2, 3, port), 3);
  assert.equal(await send('', port), 0);
  while (messages.length < 5) await once(server, 'message');
  assert.deepEqual(messages, ['buffer', 'string', 'a list', '234', '']);
  await closed(server, client);
});

test('connect(), remoteAddress() and disconnect()', async () => {
  const server = await bound('udp4');
  const client = dgram.createSocket('udp4');
  client.connect(server.address().port, '127.0.0.1');
  await once(client, 'connect');
  assert.equal(client.remoteAddress().port, server.address().port);
  client.send('to whom it is connected');
  const [message] = await once(server, 'message');
  assert.equal(String(message), 'to whom it is connected');
  client.disconnect();
  assert.throws(() => client.remoteAddress(), { code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' });
  await closed(server, client);
});

test('a connected socket is told that nobody listens', async () => {
  const client = dgram.createSocket('udp4');
  client.connect(9, '127.0.0.1');
  await once(client, 'connect');
  client.send('anyone?');
  const [error] = await once(client, 'error').catch((e) => [e]);
  assert.equal(error.code, 'ECONNREFUSED');
  await closed(client);
});

test('the largest datagram arrives, one byte more is EMSGSIZE', async () => {
  const server = await bound('udp4');
  const client = dgram.createSocket('udp4');
  const { port } = server.address();
  client.send(Buffer.alloc(65507, 1), port, '127.0.0.1');
  const [message] = await once(server, 'message');
  assert.equal(message.length, 65507);
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
    client.send(Buffer.alloc(65508), port, '127.0.0.1', (e) => resolve(e!));
  });
  assert.equal(error.code, 'EMSGSIZE');
  await closed(server, client);
});

test('a port in use is EADDRINUSE, unless both ask to share it', async () => {
  const first = await bound('udp4');
  const second = dgram.createSocket('udp4');
  second.bind(first.address().port);
  const [error] = await once(second, 'error').catch((e) => [e]);
  assert.equal(error.code, 'EADDRINUSE');
  await closed(first, second);
});

test('options of an unbound socket are EBADF, of a bound one they work', async () => {
  const socket = dgram.createSocket('udp4');
  assert.throws(() => socket.setTTL(8), { code: 'EBADF' });
  assert.throws(() => socket.setBroadcast(true), { code: 'EBADF' });
  assert.throws(() => socket.addMembership('256.0.0.1'), { code: 'EINVAL' });
  socket.bind(0);
  await once(socket, 'listening');
  assert.equal(socket.setTTL(8), 8);
  assert.throws(() => socket.setTTL(0), { code: 'EINVAL' });
  socket.setBroadcast(true);
  socket.setRecvBufferSize(10_000);
  assert.equal(socket.getRecvBufferSize(), 20_000);
  assert.equal(socket.getSendQueueSize(), 0);
  await closed(socket);
});
