import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { after, test } from 'node:test';
import { assertNoLeaks, closed, contents, installLoopback, listening } from './fixture.ts';
import type { TcpHandle } from './tcp-handle.ts';

const loopback = installLoopback();
after(() => assertNoLeaks(loopback));

function get(options: http.RequestOptions): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    http.get(options, resolve).on('error', reject);
  });
}

function isLent(socket: object): boolean {
  return (socket as { _handle: TcpHandle })._handle.isLent;
}

test('http.get() of an http.createServer()', async () => {
  const server = http.createServer((request, response) => {
    response.setHeader('x-from', request.socket.remoteAddress ?? '');
    response.end(`hello ${request.url}`);
  });
  const port = await listening(server);
  const response = await get({ port, host: '127.0.0.1', path: '/there', agent: false });
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['x-from'], '::ffff:127.0.0.1');
  assert.equal((await contents(response)).toString(), 'hello /there');
  await closed(server);
});

test('a keep-alive Agent uses one connection for many requests', async () => {
  let connections = 0;
  const server = http.createServer((_request, response) => response.end('ok'));
  server.on('connection', () => connections++);
  const port = await listening(server);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < 50; i++) {
    const response = await get({ port, host: '127.0.0.1', agent });
    assert.equal((await contents(response)).toString(), 'ok');
  }
  assert.equal(connections, 1);
  agent.destroy();
  await closed(server);
});

test('a large body goes up and comes back', async () => {
  const server = http.createServer((request, response) => request.pipe(response));
  const port = await listening(server);
  const body = Buffer.alloc(8 << 20, 'x');
  const request = http.request({ port, host: '127.0.0.1', method: 'POST', agent: false });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  assert.ok((await contents(response)).equals(body));
  await closed(server);
});

test('fetch() fetches, streams and aborts', async () => {
  const server = http.createServer((request, response) => {
    if (request.url === '/endless') response.write('never ends');
    else response.end(JSON.stringify({ url: request.url }));
  });
  const port = await listening(server);
  const response = await fetch(`http://127.0.0.1:${port}/json`);
  assert.deepEqual(await response.json(), { url: '/json' });
  const abort = new AbortController();
  const endless = await fetch(`http://127.0.0.1:${port}/endless`, { signal: abort.signal });
  abort.abort();
  await assert.rejects(endless.text(), { name: 'AbortError' });
  server.closeAllConnections();
  await closed(server);
});

test('an upgrade hands the socket over with what has been read', async () => {
  const server = http.createServer();
  const lent: unknown[] = [];
  server.on('connection', (socket) => lent.push(isLent(socket)));
  server.on('upgrade', (_request, socket, head) => {
    lent.push(isLent(socket));
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n',
    );
    socket.write(head);
    socket.pipe(socket);
  });
  const port = await listening(server);
  const request = http.request({
    port,
    host: '127.0.0.1',
    headers: { connection: 'Upgrade', upgrade: 'echo' },
  });
  request.end();
  const [, socket] = await once(request, 'upgrade');
  socket.write('ping');
  const [data] = await once(socket, 'data');
  assert.equal(String(data), 'ping');
  // The parser has let go: what follows takes the short way up.
  assert.deepEqual(lent, [true, false]);
  socket.destroy();
  await closed(server);
});

test('a server that hangs up gives the client "socket hang up"', async () => {
  const server = http.createServer((request) => request.socket.destroy());
  const port = await listening(server);
  await assert.rejects(get({ port, host: '127.0.0.1', agent: false }), { code: 'ECONNRESET' });
  await closed(server);
});

test('a thousand concurrent requests over fifty connections', async () => {
  const server = http.createServer((_request, response) => response.end('x'.repeat(100)));
  const port = await listening(server);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 50 });
  const one = async (): Promise<number> =>
    (await contents(await get({ port, host: '127.0.0.1', agent }))).length;
  const lengths = await Promise.all(Array.from({ length: 1000 }, one));
  assert.ok(lengths.every((length) => length === 100));
  agent.destroy();
  await closed(server);
});

test('http2 without TLS', async () => {
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    stream.respond({ ':status': 200 });
    stream.end(`h2 ${headers[':path']}`);
  });
  const port = await listening(server);
  const client = http2.connect(`http://127.0.0.1:${port}`);
  const streams = ['/a', '/b', '/c'].map((path) => client.request({ ':path': path }));
  const bodies = await Promise.all(streams.map((stream) => contents(stream)));
  assert.deepEqual(bodies.map(String), ['h2 /a', 'h2 /b', 'h2 /c']);
  client.close();
  await once(client, 'close');
  await closed(server);
});

/** A server that echoes, and a stream to it that has written `bytes` bytes, one at a time. */
async function echoing(bytes: number): Promise<[http2.Http2Server, http2.ClientHttp2Stream]> {
  const server = http2.createServer();
  server.on('stream', (stream) => stream.pipe(stream));
  const port = await listening(server);
  const client = http2.connect(`http://127.0.0.1:${port}`);
  const stream = client.request({ ':method': 'POST' });
  for (let i = 0; i < bytes; i++) stream.write('x');
  stream.on('close', () => client.close());
  return [server, stream];
}

test('an HTTP/2 stream that is destroyed amid its echo lets the session end', async () => {
  const [server, stream] = await echoing(24_000);
  await once(stream, 'data');
  stream.destroy();
  await once(stream, 'close');
  await closed(server);
});

test('what an HTTP/2 stream wrote before it was destroyed is sent', async () => {
  const server = http2.createServer();
  server.on('stream', (stream) => {
    stream.respond();
    stream.write('a word');
    stream.destroy();
  });
  const port = await listening(server);
  const client = http2.connect(`http://127.0.0.1:${port}`);
  const stream = client.request();
  const [headers] = await once(stream, 'response');
  assert.equal((headers as http2.IncomingHttpHeaders)[':status'], 200);
  stream.resume();
  await once(stream, 'close');
  client.close();
  await closed(server);
});

test('a session destroyed with a code tells the other side this code', async () => {
  const server = http2.createServer();
  server.on('session', (session) => session.on('error', () => {}));
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    // Node takes the code alone; its type declaration wants an error before it.
    const session = stream.session as unknown as { destroy(code: number): void };
    session.destroy(http2.constants.NGHTTP2_REFUSED_STREAM);
  });
  const port = await listening(server);
  const client = http2.connect(`http://127.0.0.1:${port}`);
  const failure = once(client, 'error');
  const stream = client.request();
  stream.on('error', () => {});
  const [error] = await failure;
  assert.equal((error as Error).message, 'Session closed with error code 7');
  await closed(server);
});
