import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, test } from 'node:test';
import { contents } from './fixture.ts';

// Each program here is a process of its own that knows nothing of the stack.
const register = new URL(`./register${extname(import.meta.url)}`, import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-'));
after(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly out: string;
  readonly error: string;
  readonly code: number | null;
}

/** Runs a program under the registered stack, without a kernel route to any network. */
async function run(name: string, program: string, flags: string[] = []): Promise<Outcome> {
  const path = join(folder, name);
  writeFileSync(path, program);
  const environment = { ...process.env };
  for (const key of ['DPDK_NET_CONFIG', 'NODE_TEST_CONTEXT']) delete environment[key];
  const child = spawn(process.execPath, ['--import', register, ...flags, path], {
    env: environment,
    timeout: 120_000,
  });
  child.stdin.end('from stdin\n');
  const exit = once(child, 'exit');
  const [out, error] = await Promise.all([contents(child.stdout), contents(child.stderr)]);
  const [code] = await exit;
  return { out: String(out), error: String(error), code };
}

async function prints(name: string, program: string, expected: string): Promise<void> {
  assert.deepEqual(await run(name, program), { out: `${expected}\n`, error: '', code: 0 });
}

test('CommonJS: require() of http, destructured', () =>
  prints(
    'cjs.cjs',
    `const { createServer, get } = require('http');
    const server = createServer((q, r) => r.end('cjs')).listen(0, () => {
      get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => {
        response.on('data', (d) => console.log(String(d))).on('end', () => server.close());
      });
    });`,
    'cjs',
  ));

test('ESM: named imports of net', () =>
  prints(
    'esm.mjs',
    `import { connect, createServer } from 'node:net';
    const server = createServer((s) => s.end(s.constructor.name)).listen(0, () => {
      connect(server.address().port, '127.0.0.1')
        .on('data', (d) => console.log(String(d))).on('close', () => server.close());
    });`,
    'Socket',
  ));

test('the kernel sees nothing of it: no descriptor is a socket', () =>
  prints(
    'fds.cjs',
    `const { readdirSync, readlinkSync } = require('fs');
    const sockets = () => readdirSync('/proc/self/fd').filter((fd) => {
      try { return fd > 2 && readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); }
      catch { return false; }
    }).length;
    const before = sockets();
    const server = require('net').createServer((socket) => {
      console.log(sockets() - before);
      socket.end();
      server.close();
    }).listen(0, () => require('net').connect(server.address().port, '127.0.0.1').resume());`,
    '0',
  ));

test('a worker has a stack of its own', () =>
  prints(
    'worker.cjs',
    `const { isMainThread, parentPort, Worker } = require('worker_threads');
    if (isMainThread) {
      new Worker(__filename).on('message', (m) => console.log(m));
    } else {
      const net = require('net');
      const server = net.createServer((s) => s.end('worker')).listen(0, () => {
        net.connect(server.address().port, '127.0.0.1')
          .on('data', (d) => parentPort.postMessage(String(d))).on('close', () => server.close());
      });
    }`,
    'worker',
  ));

test("stdin and stdout are the kernel's", () =>
  prints('stdio.cjs', `process.stdin.pipe(process.stdout);`, 'from stdin'));

test('a listener keeps the process alive, an unreferenced one does not', async () => {
  await prints(
    'unref.cjs',
    `require('net').createServer().listen(0).unref(); process.on('exit', () => console.log('gone'));`,
    'gone',
  );
  const alive = await run(
    'ref.cjs',
    `require('net').createServer().listen(0);
    setTimeout(() => { console.log('alive'); process.exit(0); }, 200).unref();`,
  );
  assert.equal(alive.out, 'alive\n');
});

test('an idle connection that nobody reads does not keep the process alive', () =>
  prints(
    'idle.cjs',
    `const net = require('net');
    const server = net.createServer({ pauseOnConnect: true }, () => {
      server.close();
      server.unref();
    }).listen(0, () => {
      const client = net.connect(server.address().port, '127.0.0.1', () => client.pause());
      client.unref();
    });
    process.on('exit', () => console.log('gone'));`,
    'gone',
  ));

test('an exception in a listener is uncaught, and a program that catches it goes on', () =>
  prints(
    'uncaught.cjs',
    `const net = require('net');
    process.on('uncaughtException', (error) => console.log(error.message));
    let count = 0;
    const server = net.createServer((socket) => {
      socket.destroy();
      if (++count === 3) server.close();
      throw new Error('thrown ' + count);
    }).listen(0, () => {
      for (let i = 0; i < 3; i++) net.connect(server.address().port, '127.0.0.1').resume();
    });`,
    'thrown 1\nthrown 2\nthrown 3',
  ));

test('a TcpStream talks to a node:net server on the same stack; what a handler throws loses nothing', () =>
  prints(
    'stream.mjs',
    `import net from 'node:net';
    import { connect } from '${register.replace('register', 'stream')}';
    process.on('uncaughtException', (error) => console.log(error.message));
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, () => {
      const stream = connect({ port: server.address().port, host: '127.0.0.1' }, {
        open(stream) { stream.write('one'); throw new Error('thrown in open'); },
        data(stream, bytes) { stream.end(); throw new Error('thrown in data: ' + bytes); },
        close(stream, error) { server.close(); throw new Error('thrown in close: ' + error); },
      });
    });`,
    'thrown in open\nthrown in data: one\nthrown in close: null',
  ));

test('a callback of dns.lookup() that throws is uncaught, and goes no further', () =>
  prints(
    'lookup.cjs',
    `process.on('uncaughtException', (error) => console.log(error.message));
    require('dns').lookup('localhost', () => { throw new Error('thrown once'); });`,
    'thrown once',
  ));

test('a configuration that is not there is an error that says so', async () => {
  const path = join(folder, 'none.cjs');
  writeFileSync(path, '');
  const child = spawn(process.execPath, ['--import', register, path], {
    env: { ...process.env, DPDK_NET_CONFIG: join(folder, 'none.toml') },
  });
  const exit = once(child, 'exit');
  const error = String(await contents(child.stderr));
  const [code] = await exit;
  assert.equal(code, 1);
  assert.match(error, /none\.toml/);
});

test('a Node whose private names have changed is refused, by version', async () => {
  const path = join(folder, 'changed.mjs');
  const program = `import net from 'node:net';
    delete net.Server.prototype._listen2;
    await import(${JSON.stringify(register)});`;
  writeFileSync(path, program);
  const child = spawn(process.execPath, [path]);
  const exit = once(child, 'exit');
  const error = String(await contents(child.stderr));
  const [code] = await exit;
  assert.equal(code, 1);
  assert.match(error, /_listen2 is not where it was/);
  assert.ok(error.includes(process.version));
});
