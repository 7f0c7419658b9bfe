/**
 * `register` everywhere: however a program is loaded, and however it gets hold of Node's modules,
 * its sockets are the stack's. Every program is a process of its own.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';

const register = new URL('../lib/node/register.js', import.meta.url).href;
const command = fileURLToPath(new URL('../lib/cli/main.js', import.meta.url));
const program = (name) => fileURLToPath(new URL(`register/${name}`, import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-register-'));
after(() => rmSync(folder, { recursive: true }));

const KEY = join(folder, 'key.pem');
const CERT = join(folder, 'cert.pem');
const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
execFileSync('openssl', ['req', ...kind, ...names, '-days', '2', '-keyout', KEY, '-out', CERT], {
  stdio: 'ignore',
});

const CONFIG = join(folder, 'dpdk-net.toml');
writeFileSync(CONFIG, 'dpdk.port = "loopback"\nroutes.kernel = []\n');

const KINDS = ['net', 'http', 'https', 'tls', 'http2', 'dgram', 'dns', 'fetch', 'WebSocket'];
const ALL = `${KINDS.map((name) => `${name} ok`).join('\n')}\n0 sockets of the kernel\n`;

/** Runs `node args` to its end; what it printed. */
async function output(args, environment = {}) {
  const env = { ...process.env, KEY, CERT, ...environment };
  delete env.NODE_TEST_CONTEXT;
  const child = spawn(process.execPath, args, {
    env,
    timeout: 120_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', error: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.error += text;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, `${said.out}\n${said.error}`);
  return said.out;
}

for (const name of ['required.cjs', 'default.mjs', 'named.mjs', 'namespace.mjs']) {
  test(`--import: ${name}`, async () => {
    assert.equal(await output(['--import', register, program(name)]), ALL);
  });
}

test('without register the same program has its sockets from the kernel', async () => {
  const plain = await output([program('required.cjs')]);
  assert.match(plain, /\n[1-9]\d* sockets of the kernel\n$/);
  assert.match(plain, /^net ok\nhttp ok\n/);
});

for (const name of ['required.cjs', 'named.mjs']) {
  test(`NODE_OPTIONS: ${name}`, async () => {
    const options = { NODE_OPTIONS: `--import ${register}` };
    assert.equal(await output([program(name)], options), ALL);
  });

  test(`dpdk-net run: ${name}`, async () => {
    const args = [command, 'run', '--quiet', '--config', CONFIG, program(name)];
    assert.equal(await output(args), ALL);
  });
}

test('the configuration that DPDK_NET_CONFIG names counts: what it leaves to the kernel is there', async () => {
  const file = join(folder, 'kernel.toml');
  writeFileSync(file, 'dpdk.port = "loopback"\nroutes.kernel = ["127.0.0.0/8", "::1/128"]\n');
  const listen = join(folder, 'listen.cjs');
  writeFileSync(
    listen,
    `const net = require('net');
    const kind = (host, done) => {
      const server = net.createServer().listen(0, host, () => {
        console.log(host + ' ' + server._handle.constructor.name);
        server.close(done);
      });
    };
    kind('127.0.0.1', () => kind('0.0.0.0', () => {}));`,
  );
  const out = await output(['--import', register, listen], { DPDK_NET_CONFIG: file });
  assert.equal(out, '127.0.0.1 TCP\n0.0.0.0 TcpHandle\n');
});

for (const format of ['es', 'cjs']) {
  test(`a bundle (${format}) is as good as its parts`, async () => {
    const file = join(folder, format === 'es' ? 'bundle.mjs' : 'bundle.cjs');
    const source = join(folder, `source-${format}.mjs`);
    writeFileSync(
      source,
      `import { createServer, get } from 'http';
      import { isStack } from './part-${format}.mjs';
      const server = createServer((request, response) => response.end(isStack(request.socket)));
      server.listen(0, () => get({ port: server.address().port, agent: false }, (response) => {
        response.setEncoding('utf8').on('data', (text) => console.log(text));
        response.on('end', () => server.close());
      }));`,
    );
    writeFileSync(
      join(folder, `part-${format}.mjs`),
      'export const isStack = (socket) => socket._handle.constructor.name;',
    );
    const bundle = await rollup({ input: source, external: ['http'] });
    await bundle.write({ file, format });
    await bundle.close();
    assert.equal(await output(['--import', register, file]), 'TcpHandle\n');
  });
}

test('child processes inherit it with NODE_OPTIONS, and each has a stack of its own', async () => {
  const options = { NODE_OPTIONS: `--import ${register}` };
  assert.equal(await output([program('child.mjs')], options), `${ALL}code 0\n`.repeat(2));
});
