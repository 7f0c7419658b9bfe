/**
 * The commands that ask a running process, against one over a TAP device.
 * @module
 */
import assert from 'node:assert/strict';
import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  execFileSync,
  spawn,
  spawnSync,
} from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { enterNamespace } from '../dpdk/test-namespace.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = fileURLToPath(import.meta.url.replace(/attached\.nic\.test\.(ts|js)$/, 'main.$1'));

await enterNamespace();

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-attached-'));
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});
const env = { ...process.env, XDG_RUNTIME_DIR: folder };
const sockets = (): string[] => readdirSync(join(folder, 'dpdk-net'));

const ask = (...args: string[]): string =>
  execFileSync(process.execPath, [main, ...args], { encoding: 'utf8', env, timeout: 120_000 });

writeFileSync(join(folder, 'index.html'), 'hello');
const config = join(folder, 'site.toml');
writeFileSync(
  config,
  `${readFileSync(`${root}examples/dpdk-net.toml`, 'utf8')}
     [admin]
     listen = "127.0.0.1:9464"
     [[listeners]]
     service = "static"
     port = 8080
     root = "."
     [[listeners]]
     service = "echo"
     port = 7`,
);

async function serve(...settings: string[]): Promise<ChildProcess> {
  const args = [main, 'start', '--config', config, ...settings];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  for (;;) {
    assert.equal(child.exitCode, null, text);
    const socket = connect(8080, '10.77.0.2');
    const connected = await new Promise<boolean>((resolve) => {
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    });
    socket.destroy();
    if (connected) return child;
    await delay(10);
  }
}

const LIVE =
  '"$0" "$1" capture --count 4 --snaplen 60 port 8080 | tshark -r - -T fields -e tcp.port';

/** Starts a command that listens; resolves to its output when it has ended by itself. */
function listen(...args: string[]): Promise<{ stdout: Buffer; stderr: string }> {
  return ending(spawn(process.execPath, [main, ...args], { env }));
}

function ending(
  child: ChildProcessWithoutNullStreams,
): Promise<{ stdout: Buffer; stderr: string }> {
  children.push(child);
  const out: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  return once(child, 'close').then(() => ({ stdout: Buffer.concat(out), stderr }));
}

test('a running process is asked; one that was killed is not, and the next starts at once', async () => {
  const child = await serve();
  const socket = connect(8080, '10.77.0.2');
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [page] = (await once(socket, 'data')) as [Buffer];
  assert.match(page.toString(), /^HTTP\/1\.1 200 OK\r\n/);
  const echo = connect(7, '10.77.0.2');
  echo.end('come back');
  assert.equal(String(((await once(echo, 'data')) as [Buffer])[0]), 'come back');
  assert.match(
    ask('queues'),
    /^port0 +0 +0 +any +\S+ +net_tap0 +net_tap +10\.77\.0\.2\/24 fd77::2\/64$/m,
  );
  const { localPort } = socket;
  const filter = ['--state', 'established', '--port', `${localPort}`];
  const text = ask('connections', ...filter, '--address', '10.77.0.0/24', '--details');
  const ends = new RegExp(
    `^ESTABLISHED +0 +0 +10\\.77\\.0\\.2:8080 +10\\.77\\.0\\.1:${localPort}$`,
    'm',
  );
  assert.match(text, ends);
  assert.match(text, /^ {5}cubic ts sack wscale:\d+,\d+ rto:\d+ rtt:\d+\.\d+\/\d+\.\d+ mss:1448 /m);
  assert.match(
    ask('neighbors'),
    /^10\.77\.0\.1 +([0-9a-f]{2}:){5}\S+ +(reachable|stale|delay|probe) +\d+\.\d s ago/m,
  );
  const stats = ask('stats');
  assert.match(stats, /^port0 queue 0\n {2}now\n +\d+ {2}connections$/m);
  assert.match(stats, /^ +\d+ {2}delivered +Packets handed to a transport\.$/m);
  const metrics = await (await fetch('http://127.0.0.1:9464/metrics')).text();
  assert.match(
    metrics,
    /^dpdk_net_frames_in_total\{port="port0",queue="0",worker="0"\} [1-9]\d*$/m,
  );
  socket.destroy();
  assert.deepEqual(sockets(), [`${child.pid}.sock`]);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.equal(sockets().length, 1);
  const nobody = spawnSync(process.execPath, [main, 'stats'], { encoding: 'utf8', env });
  assert.equal(nobody.status, 1);
  assert.match(nobody.stderr, /^dpdk-net: no process of this user runs on dpdk-net; start one/);
  const two = ['--set', 'queues.count=2'];
  const next = await serve(...two);
  const queues2 = ask('queues', '--pid', `${next.pid}`);
  const planned2 = ask('start', '--config', config, '--dry-run', ...two);
  assert.ok(planned2.startsWith(queues2), `${planned2}\n${queues2}`);
  assert.match(queues2, /^port0 +0 +1 .*\nport0 +1 +2 /m);
  assert.deepEqual(sockets(), [`${next.pid}.sock`]);
  next.kill('SIGTERM');
  await once(next, 'close');
  assert.deepEqual(sockets(), []);
});

test('capture and trace follow the frames of a running process; tshark reads along', async () => {
  const child = await serve();
  const file = join(folder, 'frames.pcapng');
  const ended: boolean[] = [];
  const filter = ['tcp', 'and', 'port', '8080'];
  const commands = [
    listen('capture', '--write', file, '--count', '12', ...filter),
    ending(spawn('bash', ['-c', LIVE, process.execPath, main], { env })),
    listen('trace', '--count', '12', ...filter),
    listen('top', '--interval', '0.1', '--count', '2', '--json'),
  ];
  for (const command of commands) void command.then(() => ended.push(true));
  // Whichever of them is ready when, there are frames until all have enough.
  while (ended.length < commands.length) {
    const socket = connect(8080, '10.77.0.2');
    await once(socket, 'connect');
    socket.end('GET / HTTP/1.0\r\n\r\n');
    await once(socket.resume(), 'close');
  }
  const [written, piped, traced, rates] = await Promise.all(commands);
  assert.equal(written!.stderr, 'dpdk-net: 12 frames, 0 lost\n');
  const fields = ['-T', 'fields', '-e', 'tcp.port', '-e', 'tcp.checksum.status', '-e', 'frame.len'];
  const checked = ['-o', 'tcp.check_checksum:TRUE', '-r', file, ...fields];
  const frames = execFileSync('tshark', checked, { encoding: 'utf8', stdio: 'pipe' })
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  assert.equal(frames.length, 12);
  for (const [ports, good] of frames) {
    assert.match(ports!, /\b8080\b/);
    assert.equal(good, '1');
  }
  assert.match(piped!.stdout.toString(), /^(8080,\d+\n|\d+,8080\n){4}$/);
  const text = traced!.stdout.toString();
  assert.match(
    text,
    /^\d+\.\d{6} port0\/0 [<>] 10\.77\.0\.\d\.\d+ > 10\.77\.0\.\d\.\d+ .*seq \d+/m,
  );
  assert.match(text, /^\d+\.\d{6} port0\/0 = 8080 - \d+ \S+ -> \S+$/m);
  const looks = rates!.stdout.toString().trimEnd().split('\n');
  assert.equal(looks.length, 2);
  const [look] = JSON.parse(looks[1]!) as { port: string; framesIn: number }[];
  assert.deepEqual([look!.port, look!.framesIn >= 0], ['port0', true]);
  child.kill('SIGTERM');
  await once(child, 'close');
});

test('trace says why a frame was dropped', async () => {
  const child = await serve();
  const events = listen('trace', '--json', '--count', '40', 'udp');
  let isOver = false;
  void events.then(() => {
    isOver = true;
  });
  const socket = createSocket('udp4');
  while (!isOver) {
    // Nobody listens there.
    socket.send('x', 9, '10.77.0.2');
    await delay(10);
  }
  socket.close();
  const told = (await events).stdout.toString().trimEnd().split('\n');
  const drops = told.map(
    (line) => JSON.parse(line) as { kind: string; drop?: string; text: string },
  );
  const drop = drops.find(({ kind }) => kind === 'drop');
  assert.equal(drop?.drop, 'udp_no_socket');
  child.kill('SIGTERM');
  await once(child, 'close');
});
