import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { after, test } from 'node:test';
import { assertNoLeaks, closed, contents, installLoopback, listening } from './fixture.ts';

const loopback = installLoopback();
after(() => assertNoLeaks(loopback));

function echoServer(options: net.ServerOpts = {}): net.Server {
  return net.createServer(options, (socket) => socket.pipe(socket));
}

test('an echo comes back, over the stack and not over the kernel', async () => {
  const server = echoServer();
  const port = await listening(server);
  const client = net.connect(port, '127.0.0.1');
  client.end('hello');
  assert.equal((await contents(client)).toString(), 'hello');
  assert.equal(client.bytesRead, 5);
  assert.equal(client.bytesWritten, 5);
  await closed(server);
});

test('addresses are those of a dual-stack listener', async () => {
  const server = net.createServer();
  const port = await listening(server);
  assert.deepEqual(server.address(), { address: '::', family: 'IPv6', port });
  const accepted = once(server, 'connection');
  const client = net.connect({ port, host: '127.0.0.1' });
  const [socket] = (await accepted) as [net.Socket];
  if (client.connecting) await once(client, 'connect');
  assert.equal(socket.remoteAddress, '::ffff:127.0.0.1');
  assert.equal(socket.localAddress, '::ffff:127.0.0.1');
  assert.equal(socket.remoteFamily, 'IPv6');
  assert.equal(socket.remotePort, client.localPort);
  assert.equal(client.remoteAddress, '127.0.0.1');
  assert.equal(client.remoteFamily, 'IPv4');
  assert.equal(client.remotePort, port);
  client.destroy();
  socket.destroy();
  await closed(server);
});

for (const [listen, connect] of [
  ['::1', '::1'],
  ['0.0.0.0', '127.0.0.1'],
  ['127.0.0.1', '0.0.0.0'],
  ['::', '::'],
] as const) {
  test(`a listener on ${listen} is reached at ${connect}`, async () => {
    const server = echoServer();
    const port = await listening(server, listen);
    const client = net.connect(port, connect);
    client.end('x');
    assert.equal((await contents(client)).toString(), 'x');
    await closed(server);
  });
}

test('a listener with ipv6Only is not reached over IPv4', async () => {
  const server = echoServer();
  server.listen({ port: 0, host: '::', ipv6Only: true });
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect(port, '127.0.0.1');
  const [error] = await once(client, 'error').catch((e) => [e]);
  assert.equal(error.code, 'ECONNREFUSED');
  await closed(server);
});

test('half-open: the server answers after the client has ended', async () => {
  const server = net.createServer({ allowHalfOpen: true }, async (socket) => {
    const asked = await contents(socket);
    socket.end(`you said ${asked}`);
  });
  const port = await listening(server);
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.end('this');
  assert.equal((await contents(client)).toString(), 'you said this');
  await closed(server);
});

test('50 MB arrive whole through a reader that pauses', async () => {
  const chunk = randomBytes(1 << 20);
  const rounds = 50;
  const sent = createHash('sha256');
  const received = createHash('sha256');
  const server = net.createServer((socket) => {
    let pauses = 0;
    socket.on('data', (data) => {
      received.update(data);
      if (pauses++ % 16 !== 0) return;
      socket.pause();
      setImmediate(() => socket.resume());
    });
    socket.on('end', () => socket.end());
  });
  const port = await listening(server);
  const client = net.connect(port, '127.0.0.1');
  client.resume();
  let waits = 0;
  for (let i = 0; i < rounds; i++) {
    sent.update(chunk);
    if (!client.write(chunk)) {
      waits++;
      await once(client, 'drain');
    }
  }
  client.end();
  await once(client, 'close');
  assert.ok(waits > 0);
  assert.equal(client.bytesWritten, rounds << 20);
  assert.equal(received.digest('hex'), sent.digest('hex'));
  await closed(server);
});

test('a reader that stopped holds the writer back until it goes on', async () => {
  const server = net.createServer({ pauseOnConnect: true });
  const port = await listening(server);
  const accepted = once(server, 'connection');
  const client = net.connect(port, '127.0.0.1');
  const [socket] = (await accepted) as [net.Socket];
  const total = 4 << 20;
  client.end(Buffer.alloc(total, 7));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(client.writableFinished, false);
  assert.equal(socket.bytesRead, 0);
  socket.resume();
  assert.equal((await contents(socket)).length, total);
  await closed(server);
});

test('strings of every encoding and vectors of writes arrive in order', async () => {
  const server = net.createServer();
  const port = await listening(server);
  const accepted = once(server, 'connection');
  const client = net.connect(port, '127.0.0.1');
  const [socket] = (await accepted) as [net.Socket];
  client.write('ä', 'utf8');
  client.write('ä', 'latin1');
  client.write('ab', 'utf16le');
  client.write('6162', 'hex');
  client.write('YQ==', 'base64');
  client.cork();
  client.write('one ');
  client.write(Buffer.from('two '));
  client.uncork();
  client.write('€'.repeat(50_000));
  client.end();
  const expected = Buffer.concat([
    Buffer.from('ä'),
    Buffer.from('ä', 'latin1'),
    Buffer.from('ab', 'utf16le'),
    Buffer.from('abaone two '),
    Buffer.from('€'.repeat(50_000)),
  ]);
  assert.ok((await contents(socket)).equals(expected));
  await closed(server);
});

test("onread: the program's own buffer, never more than it holds, none after false", async () => {
  const text = 'abcdefghijklmnopqrstuvwxyz';
  const server = net.createServer((socket) => socket.end(text));
  const port = await listening(server);
  const sizes: number[] = [];
  let got = '';
  const client = net.connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.alloc(10),
      callback: (length, buffer) => {
        sizes.push(length);
        got += Buffer.from(buffer).toString('latin1', 0, length);
        if (sizes.length !== 1) return true;
        setTimeout(() => client.resume(), 10);
        return false;
      },
    },
  });
  await once(client, 'close');
  assert.deepEqual(sizes, [10, 10, 6]);
  assert.equal(got, text);
  await closed(server);
});

test('a socket connects again after it was closed', async () => {
  const server = echoServer();
  const port = await listening(server);
  const client = new net.Socket();
  for (let round = 0; round < 3; round++) {
    client.connect(port, '127.0.0.1');
    client.resume();
    client.end('x');
    await once(client, 'close');
  }
  await closed(server);
});

test('of several addresses the first that answers is taken', async () => {
  const server = echoServer();
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
  client.once('connect', () => client.end('hi'));
  assert.equal((await contents(client)).toString(), 'hi');
  assert.deepEqual(client.autoSelectFamilyAttemptedAddresses, [`::1:${port}`, `127.0.0.1:${port}`]);
  await closed(server);
});

test('an async context reaches the data of a connection made in it', async () => {
  const storage = new AsyncLocalStorage<string>();
  const server = echoServer();
  const port = await listening(server);
  const seen: unknown[] = [];
  await storage.run('mine', async () => {
    const client = net.connect(port, '127.0.0.1', () => seen.push(storage.getStore()));
    client.on('data', () => seen.push(storage.getStore()));
    client.on('close', () => seen.push(storage.getStore()));
    client.end('x');
    await once(client, 'close');
  });
  assert.deepEqual(seen, ['mine', 'mine', 'mine']);
  await closed(server);
});

test('a thousand connections come and go', async () => {
  const server = echoServer();
  const port = await listening(server);
  const one = async (): Promise<void> => {
    const client = net.connect(port, '127.0.0.1');
    client.end('ping');
    assert.equal((await contents(client)).toString(), 'ping');
  };
  for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 100 }, one));
  await closed(server);
});
