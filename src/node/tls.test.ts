import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { assertNoLeaks, closed, contents, installLoopback, listening } from './fixture.ts';

const loopback = installLoopback();
after(() => assertNoLeaks(loopback));

/** A fresh self-signed certificate for localhost. */
function certificate(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = [
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
  ];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync(
    'openssl',
    ['req', ...kind, ...subject, '-days', '2', '-keyout', key, '-out', cert],
    {
      stdio: 'ignore',
    },
  );
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return pair;
}

const identity = certificate();
const trust = { ca: identity.cert, servername: 'localhost' };

test("tls: an echo, the peer's certificate and addresses", async () => {
  const server = tls.createServer(identity, (socket) => socket.pipe(socket));
  const port = await listening(server);
  const client = tls.connect({ port, host: '127.0.0.1', ...trust });
  await once(client, 'secureConnect');
  assert.equal(client.authorized, true);
  assert.equal(client.remotePort, port);
  assert.equal(client.remoteAddress, '127.0.0.1');
  client.end('secret');
  assert.equal((await contents(client)).toString(), 'secret');
  await closed(server);
});

test('tls: 8 MB each way', async () => {
  const server = tls.createServer(identity, (socket) => socket.pipe(socket));
  const port = await listening(server);
  const client = tls.connect({ port, host: '127.0.0.1', ...trust });
  const body = Buffer.alloc(8 << 20, 'abc');
  client.end(body);
  assert.ok((await contents(client)).equals(body));
  await closed(server);
});

test('tls: a connected socket is upgraded (STARTTLS)', async () => {
  const server = net.createServer((socket) => {
    socket.once('data', () => {
      socket.write('ready');
      const secure = new tls.TLSSocket(socket, { isServer: true, ...identity });
      secure.on('data', (data) => secure.end(`secure ${data}`));
    });
  });
  const port = await listening(server);
  const plain = net.connect(port, '127.0.0.1');
  plain.write('starttls');
  await once(plain, 'data');
  const client = tls.connect({ socket: plain, ...trust });
  client.write('hello');
  assert.equal((await contents(client)).toString(), 'secure hello');
  await closed(server);
});

test('tls: a reset below is ECONNRESET above', async () => {
  const server = tls.createServer(identity);
  const raw: net.Socket[] = [];
  server.on('connection', (socket: net.Socket) => raw.push(socket));
  const port = await listening(server);
  const accepted = once(server, 'secureConnection');
  const client = tls.connect({ port, host: '127.0.0.1', ...trust });
  await once(client, 'secureConnect');
  const [secure] = (await accepted) as [tls.TLSSocket];
  secure.on('error', () => {});
  client.resume();
  const failed = once(client, 'error').catch((error) => [error]);
  raw[0]!.resetAndDestroy();
  const [error] = await failed;
  assert.equal(error.code, 'ECONNRESET');
  await closed(server);
});

test('tls: a refused connection', async () => {
  const client = tls.connect({ port: 1, host: '127.0.0.1', ...trust });
  const [error] = await once(client, 'error').catch((e) => [e]);
  assert.equal(error.code, 'ECONNREFUSED');
});

test('https: server, client, keep-alive and addresses', async () => {
  const server = https.createServer(identity, (request, response) => {
    response.end(`${request.socket.remoteAddress} ${request.url}`);
  });
  const port = await listening(server);
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ...trust });
  for (const path of ['/1', '/2', '/3']) {
    const request = https.get({ port, host: '127.0.0.1', path, agent });
    const [response] = await once(request, 'response');
    assert.equal((await contents(response)).toString(), `::ffff:127.0.0.1 ${path}`);
  }
  agent.destroy();
  await closed(server);
});

test('http2 over TLS, chosen by ALPN', async () => {
  const server = http2.createSecureServer({ ...identity, allowHTTP1: true });
  server.on('stream', (stream, headers) => stream.end(`h2 ${headers[':path']}`));
  const port = await listening(server as unknown as net.Server);
  const client = http2.connect(`https://127.0.0.1:${port}`, trust);
  const stream = client.request({ ':path': '/x' });
  assert.equal((await contents(stream)).toString(), 'h2 /x');
  client.close();
  await once(client, 'close');
  await closed(server as unknown as net.Server);
});
