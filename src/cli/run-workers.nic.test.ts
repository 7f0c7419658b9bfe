/**
 * `dpdk-net run --queues 2` over a TAP device: one sharded listener, and what the crash of one
 * worker means to the connections of the other.
 * @module
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { enterNamespace } from '../dpdk/test-namespace.ts';
import { type RunningCommand, startCommand } from './running.ts';

await enterNamespace();

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-workers-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(
  join(folder, 'dpdk-net.toml'),
  `dpdk = { vdev = "net_tap0,iface=dtap0", memory = "32MiB" }
   network.ip = "10.77.0.2/24"
   tap.host_ip = "10.77.0.1/24"
   workers.restart = true`,
);
writeFileSync(
  join(folder, 'server.cjs'),
  `const { threadId } = require('node:worker_threads');
   require('node:net').createServer((socket) => {
     socket.on('error', () => {}).on('data', (data) => {
       if (String(data) === 'crash') throw new Error('as told');
       socket.write(threadId + ' ' + data);
     });
   }).listen(7, () => console.log('listening'));
   const udp = require('node:dgram').createSocket('udp4').bind(7);
   udp.on('message', (data, { port, address }) => udp.send([threadId + ' ', data], port, address));`,
);

async function serve(): Promise<RunningCommand> {
  const server = startCommand(folder, ['run', '--queues', '2', 'server.cjs']);
  await server.says('listening', 2);
  return server;
}

/** A connection, and who serves it. */
interface Client {
  readonly socket: Socket;
  readonly worker: string;
}

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [reply] = (await once(socket, 'data')) as [Buffer];
  return String(reply);
}

async function clientOf(): Promise<Client> {
  const socket = connect(7, '10.77.0.2').setNoDelay();
  await once(socket, 'connect');
  const [worker] = (await ask(socket, 'who')).split(' ');
  return { socket, worker: worker! };
}

/** Enough clients for both workers to have several: one queue alone has all with 2^-24. */
const clients = (): Promise<Client[]> => Promise.all(Array.from({ length: 24 }, clientOf));

const serving = (all: readonly Client[]): string[] => [...new Set(all.map(({ worker }) => worker))];

test('one listener on two queues; when it ends every connection is told', async () => {
  const server = await serve();
  const all = await clients();
  assert.equal(serving(all).length, 2);
  const ends = all.map(({ socket }) => once(socket.resume(), 'close'));
  server.child.kill('SIGTERM');
  assert.equal(await server.ended(), 0);
  await Promise.all(ends);
  assert.match(server.output(), /24 connections ended, 0 of them reset/);
  assert.match(server.output(), /left: 0 connections, 0 timers, 0 slots\n$/);
});

test('datagrams of 8 KB, in fragments, reach the worker of their flow', async () => {
  const server = await serve();
  const payload = Buffer.from(Array.from({ length: 8192 }, (_, i) => i & 0xff));
  const workers = new Set<string>();
  for (let i = 0; i < 24; i++) {
    const socket = createSocket('udp4');
    const replies: string[] = [];
    for (let round = 0; round < 2; round++) {
      socket.send(payload, 7, '10.77.0.2');
      const [reply] = (await once(socket, 'message')) as [Buffer];
      const end = reply.indexOf(' ');
      assert.equal(Buffer.compare(reply.subarray(end + 1), payload), 0);
      replies.push(reply.toString('latin1', 0, end));
    }
    socket.close();
    assert.equal(replies[0], replies[1], 'one flow, one worker');
    workers.add(replies[0]!);
  }
  assert.equal(workers.size, 2);
  server.child.kill('SIGTERM');
  assert.equal(await server.ended(), 0);
});

test('a worker that crashes takes only its own connections, and is there again', async () => {
  const server = await serve();
  const all = await clients();
  const [first, second] = serving(all);
  const lost = all.filter(({ worker }) => worker === first);
  const kept = all.filter(({ worker }) => worker === second);
  const failures = lost.map(({ socket }) => once(socket, 'error'));
  lost[0]!.socket.write('crash');
  for (const [error] of await Promise.all(failures)) assert.equal(error.code, 'ECONNRESET');
  for (const { socket } of kept) assert.equal(await ask(socket, 'still'), `${second} still`);
  await server.says('listening', 3);
  const more = await clients();
  assert.equal(serving(more).length, 2);
  assert.ok(!serving(more).includes(first!));
  for (const { socket } of kept) assert.equal(await ask(socket, 'still'), `${second} still`);
  // What waits in reserve for a queue is there again, too.
  for (const { socket } of [...kept, ...more]) socket.on('error', () => {});
  more[0]!.socket.write('crash');
  await server.says('listening', 4);
  const last = await clients();
  assert.equal(serving(last).length, 2);
  assert.ok(!serving(last).includes(more[0]!.worker));
  for (const { socket } of [...kept, ...more, ...last]) socket.destroy();
  server.child.kill('SIGTERM');
  assert.equal(await server.ended(), 0);
  assert.match(server.output(), /Error: as told\n/);
  assert.match(server.output(), /left: 0 connections, 0 timers, 0 slots\n$/);
});
