/**
 * The examples over a TAP device: `dpdk-net run` on our side, the kernel's programs on the other.
 */
import './kit/enter.mjs';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Program, run } from './kit/program.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { WebSocket } = createRequire(`${ROOT}examples/ws/server.js`)('ws');
const RUN = [process.execPath, 'lib/cli/main.js', 'run', '--config', 'examples/dpdk-net.toml'];
const OURS = '10.77.0.2';
const THEIRS = '10.77.0.1';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-examples-'));
after(() => rmSync(folder, { recursive: true }));

const IDENTITY = { KEY: join(folder, 'key.pem'), CERT: join(folder, 'cert.pem') };
const names = ['-subj', '/CN=localhost', '-addext', `subjectAltName=DNS:localhost,IP:${OURS}`];
const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const files = ['-keyout', IDENTITY.KEY, '-out', IDENTITY.CERT];
execFileSync('openssl', ['req', ...kind, ...names, '-days', '2', ...files], { stdio: 'ignore' });

const curl = (...args) =>
  run('curl', '-sS', '--max-time', '150', '--cacert', IDENTITY.CERT, ...args);

/** Runs an example's server on the stack while `use(port)` talks to it. */
async function serving(file, environment, use) {
  const program = new Program([...RUN, `examples/${file}`], environment);
  try {
    const [, port] = await program.says(/listening on port (\d+)/);
    await use(Number(port));
    program.signal('SIGTERM');
    const { code, output } = await program.ended();
    assert.equal(code, 0, output);
    assert.match(output, /left: 0 connections, 0 timers, 0 slots/);
  } finally {
    program.kill();
  }
}

test('express, with curl', () =>
  serving('express/server.js', {}, async (port) => {
    const base = `http://${OURS}:${port}`;
    const hello = JSON.parse(await curl(`${base}/hello/you`));
    assert.deepEqual(hello, { hello: 'you', from: `::ffff:${THEIRS}` });
    const json = ['-H', 'content-type: application/json', '-d', '{"numbers":[1,2,39]}'];
    assert.equal(await curl(...json, `${base}/sum`), '{"sum":42}');
    assert.match(await curl('-w', '%{http_code}', `${base}/none`), /404$/);
  }));

test('fastify, with curl: a body that is checked', () =>
  serving('fastify/server.js', {}, async (port) => {
    const url = `http://${OURS}:${port}/join`;
    const post = (body) => curl('-H', 'content-type: application/json', '-d', body, url);
    assert.equal(await post('{"words":["a","b"]}'), '{"joined":"a b"}');
    assert.equal(JSON.parse(await post('{"words":5')).statusCode, 400);
  }));

test('ws, with two clients on the kernel', () =>
  serving('ws/server.js', {}, async (port) => {
    const join = async () => {
      const client = new WebSocket(`ws://${OURS}:${port}`);
      const [hello] = await once(client, 'message');
      assert.equal(String(hello), `hello ::ffff:${THEIRS}`);
      return client;
    };
    const clients = [await join(), await join()];
    for (const message of ['short', 'x'.repeat(300_000)]) {
      const heard = Promise.all(clients.map((client) => once(client, 'message')));
      clients[0].send(message);
      for (const [said] of await heard) assert.ok(String(said) === message);
    }
    const closed = clients.map((client) => once(client, 'close'));
    for (const client of clients) client.close();
    await Promise.all(closed);
  }));

test('tls, with openssl s_client', () =>
  serving('tls/server.js', IDENTITY, async (port) => {
    const trust = ['-CAfile', IDENTITY.CERT, '-verify_return_error'];
    const client = spawn(
      'openssl',
      ['s_client', '-quiet', '-connect', `${OURS}:${port}`, ...trust],
      {
        stdio: ['pipe', 'pipe', 'ignore'],
        timeout: 180_000,
      },
    );
    client.stdin.write('over TLS\n');
    const [said] = await once(client.stdout, 'data');
    assert.equal(String(said), 'over TLS\n');
    client.kill();
    await once(client, 'close');
  }));

test('https, with curl', () =>
  serving('https/server.js', IDENTITY, async (port) => {
    const page = await curl(`https://${OURS}:${port}/page`);
    assert.equal(page, `GET /page from ::ffff:${THEIRS} over TLSv1.3\n`);
  }));

test('http2, with curl: over HTTP/2 and HTTP/1.1', () =>
  serving('http2/server.js', IDENTITY, async (port) => {
    const base = `https://${OURS}:${port}`;
    const pages = await curl('--http2', `${base}/a`, `${base}/b`);
    assert.equal(pages, '/a over HTTP/2.0\n/b over HTTP/2.0\n');
    assert.equal(await curl('--http1.1', `${base}/c`), '/c over HTTP/1.1\n');
  }));

test('events, with curl', () =>
  serving('events/server.js', {}, async (port) => {
    const program = new Program(['curl', '-sSN', '--max-time', '150', `http://${OURS}:${port}/`]);
    await program.says(/(id: \d+\ndata: \S+\n\n){3}/);
    program.kill();
    await program.ended();
  }));

test('proxy: from the stack to a server of the kernel', async () => {
  const server = createServer((request, response) => {
    response.setHeader('x-forwarded', request.headers['x-forwarded-for']);
    request.pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const TARGET = `http://127.0.0.1:${server.address().port}`;
  const file = join(folder, 'body');
  const body = 'y'.repeat(500_000);
  writeFileSync(file, body);
  try {
    await serving('proxy/server.js', { TARGET }, async (port) => {
      const answer = await curl('-i', '-H', 'expect:', '-d', `@${file}`, `http://${OURS}:${port}/`);
      assert.match(answer, new RegExp(`x-forwarded: ::ffff:${THEIRS}`));
      assert.ok(answer.endsWith(body));
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('grpc, with a client on the kernel', () =>
  serving('grpc/server.js', {}, async (port) => {
    const client = await run(process.execPath, 'examples/grpc/client.js', `${OURS}:${port}`);
    assert.equal(client, 'hello gRPC\nsum 500500\n');
  }));

test('redis: ioredis on the stack, redis-server on the kernel', async () => {
  const args = ['--port', '6379', '--bind', '0.0.0.0', '--protected-mode', 'no', '--save', ''];
  const server = new Program(['redis-server', ...args, '--dir', folder]);
  try {
    await server.says(/Ready to accept connections/);
    const REDIS = `redis://${THEIRS}:6379`;
    const program = new Program([...RUN, 'examples/redis/visits.js'], { REDIS });
    const { code, output } = await program.ended(180_000);
    assert.equal(code, 0, output);
    assert.match(output, /visits 1000\npage unharmed\nnews good\n/);
  } finally {
    server.kill();
  }
});

test('bridge: an echo server in the main thread', async () => {
  const program = new Program([
    process.execPath,
    'examples/bridge/echo.js',
    'examples/dpdk-net.toml',
    '0',
  ]);
  try {
    const [, port] = await program.says(/listening on port (\d+), on queues 0/);
    const socket = connect(Number(port), OURS);
    socket.end('x'.repeat(500_000));
    let length = 0;
    for await (const chunk of socket) length += chunk.length;
    assert.equal(length, 500_000);
    program.signal('SIGTERM');
    const { code, output } = await program.ended();
    assert.equal(code, 0, output);
  } finally {
    program.kill();
  }
});
