/**
 * `dpdk-net run` over a TAP device, with the Linux kernel and its programs as peers.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { enterNamespace, ip } from '../dpdk/test-namespace.ts';
import { type RunningCommand, startCommand, startProgram } from './running.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = fileURLToPath(import.meta.url.replace(/run\.nic\.test\.(ts|js)$/, 'main.$1'));
const CONFIG = `${root}examples/dpdk-net.toml`;
const SERVER = `${root}examples/http/server.js`;

async function serve(...settings: string[]): Promise<RunningCommand> {
  const running = startCommand(root, ['run', '--config', CONFIG, ...settings, SERVER]);
  await running.says('listening on port 8080');
  return running;
}

/** Sends `signal`; what it brings is told with the program's own words when it is not `wanted`. */
async function endsBy(
  running: RunningCommand,
  signal: NodeJS.Signals,
  wanted: number | NodeJS.Signals,
): Promise<void> {
  assert.equal(await running.end(signal), wanted, running.output());
}

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', timeout: 120_000 });

const interfaces = (): string[] =>
  (JSON.parse(ip('-j link')) as { ifname: string }[]).map(({ ifname }) => ifname);

/** At least two replies: a slow one is not waited for with the next request. */
const ANSWERED = / ([2-9]|\d\d+) received/;
const NOTHING_LEFT = /left: 0 connections, 0 timers, 0 slots\n$/;

await enterNamespace();

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-run-'));
after(() => rmSync(folder, { recursive: true }));

test('curl gets the page and ping an answer, over IPv4 and IPv6', async () => {
  const running = await serve();
  assert.match(run('curl', '-s', 'http://10.77.0.2:8080/'), /Hello from ::ffff:10\.77\.0\.2/);
  assert.match(run('curl', '-sg', 'http://[fd77::2]:8080/'), /Hello from fd77::2/);
  assert.match(run('ping', '-c', '2', '-i', '0.2', '-w', '100', '10.77.0.2'), ANSWERED);
  assert.match(run('ping', '-6', '-c', '2', '-i', '0.2', '-w', '100', 'fd77::2'), ANSWERED);
  const banner = running.output();
  assert.match(banner, /driver net_tap, .*MTU 1500/);
  assert.match(banner, /checksums sent: \w+, checksums received: \w+, segmentation: \w+/);
  assert.match(banner, /interface dtap0 10\.77\.0\.1\/24 fd77::1\/64/);
  await endsBy(running, 'SIGTERM', 0);
  assert.match(running.output(), NOTHING_LEFT);
});

test('dpdk-net ping gets its answers from the kernel, over IPv4 and IPv6', () => {
  for (const address of ['10.77.0.1', 'fd77::1']) {
    const args = ['--count', '2', '--interval', '0.1', '--size', '4000', address];
    const told = run(process.execPath, main, 'ping', '--config', CONFIG, ...args);
    assert.match(told, /4008 bytes from .*\n4008 bytes from .*icmp_seq=2/);
    assert.match(told, /2 packets transmitted, 2 received, 0% packet loss/);
  }
});

test('Ctrl-C ends every connection; the interface goes, and a second run works at once', async () => {
  for (let round = 0; round < 2; round++) {
    const running = await serve();
    const sockets = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const socket = connect(8080, '10.77.0.2');
        await once(socket, 'connect');
        return socket;
      }),
    );
    const ends = sockets.map((socket) => once(socket.resume(), 'close'));
    await endsBy(running, 'SIGINT', 0);
    await Promise.all(ends);
    assert.match(running.output(), /40 connections ended, 0 of them reset/);
    assert.match(running.output(), NOTHING_LEFT);
    assert.deepEqual(interfaces(), ['lo']);
  }
});

test('peers that keep their side open are reset', async () => {
  const running = await serve();
  const socket = connect({ port: 8080, host: '10.77.0.2', allowHalfOpen: true });
  await once(socket, 'connect');
  await endsBy(running, 'SIGTERM', 0);
  assert.match(running.output(), /1 connections ended, 1 of them reset/);
  const failure = once(socket, 'error') as Promise<[NodeJS.ErrnoException]>;
  socket.write('anybody there?');
  assert.match((await failure)[0].code!, /^(EPIPE|ECONNRESET)$/);
});

test('a killed server leaves nothing that is in the way of the next', async () => {
  const running = await serve();
  await endsBy(running, 'SIGKILL', 'SIGKILL');
  const next = await serve();
  assert.match(run('curl', '-s', 'http://10.77.0.2:8080/'), /Hello/);
  await endsBy(next, 'SIGTERM', 0);
});

test('a stale interface is replaced; one that is in use is left alone, and its holder named', async () => {
  ip('tuntap add dev dtap0 mode tap');
  const running = await serve();
  assert.match(run('curl', '-s', 'http://10.77.0.2:8080/'), /Hello/);
  const second = startCommand(root, ['run', '--config', CONFIG, SERVER]);
  const [status] = (await once(second.child, 'close')) as [number];
  assert.equal(status, 1);
  const holder = `dtap0 is in use by process ${running.child.pid} (`;
  assert.ok(second.output().includes(holder), second.output());
  assert.match(run('curl', '-s', 'http://10.77.0.2:8080/'), /Hello/);
  await endsBy(running, 'SIGTERM', 0);
});

test("an MTU and a MAC address of the configuration are the device's", async () => {
  const running = await serve(
    '--set',
    'network.mtu=1400',
    '--set',
    'network.mac=02:00:00:00:07:02',
  );
  assert.match(running.output(), /MAC 02:00:00:00:07:02, MTU 1400/);
  assert.match(run('curl', '-s', 'http://10.77.0.2:8080/'), /Hello/);
  assert.match(ip('neigh show 10.77.0.2'), /02:00:00:00:07:02/);
  await endsBy(running, 'SIGTERM', 0);
});

test('examples/echo: three megabytes come back as they went', async () => {
  const file = join(folder, 'input');
  writeFileSync(file, Buffer.alloc(3 << 20, 'three megabytes '));
  const running = startProgram(root, ['examples/echo/server.js', CONFIG, '7']);
  await running.says('echo on port 7');
  const command = `timeout 100 nc -N 10.77.0.2 7 < '${file}' | cmp - '${file}' && echo same`;
  assert.equal(run('bash', '-c', command), 'same\n');
  await endsBy(running, 'SIGINT', 0);
  assert.deepEqual(interfaces(), ['lo']);
});

test('examples/echo: a connection that is open when the process ends gets its FIN', async (t) => {
  const running = startProgram(root, ['examples/echo/server.js', CONFIG, '7']);
  await running.says('echo on port 7');
  const socket = connect(7, '10.77.0.2');
  t.after(() => socket.destroy());
  socket.write('hello');
  await once(socket, 'data');
  // once() rejects with the socket's error.
  const ended = once(socket, 'end');
  await endsBy(running, 'SIGINT', 0);
  await ended;
});
