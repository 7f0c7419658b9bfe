import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { Address } from '../base/address.ts';
import { parseConfig } from '../config/config.ts';
import { openStack } from '../runtime/open-stack.ts';
import type { CaptureEvent } from './capture.ts';
import { AttachError, attach, ControlClient } from './client.ts';
import type { ConnectionReport } from './connections.ts';
import { controlFolder, processesIn, socketOf } from './folder.ts';
import { eachFrame } from './frame-ring.ts';
import { openControl, reporterOf } from './process.ts';
import {
  type ListenerReport,
  type QueueReport,
  StackReporter,
  type StatsReport,
} from './report.ts';
import { answerOver, remoteReporter } from './reporter.ts';
import { ControlServer } from './server.ts';
import { version } from './version.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-control-'));
after(() => rmSync(folder, { recursive: true }));

const running = openStack(parseConfig('dpdk.port = "loopback"\nroutes.kernel = []', 'a.toml'));
after(() => running.close());
const { stack, loop } = running;
loop.hold();
const listener = stack.tcp.listen({ port: 80 });
const client = stack.tcp.connect({ address: Address.parse('127.0.0.1'), port: 80 });
while (client.stateName !== 'ESTABLISHED') await new Promise(setImmediate);
client.write(Buffer.from('hello'));
loop.wake();
loop.release();

const options = { version, title: 'test', folder };

test('a process is found by its user, asked, and gone when it has closed', async () => {
  const control = openControl({
    ...options,
    reporters: () => [reporterOf(running)],
    devices: () => [],
  })!;
  assert.equal(control.path, socketOf(folder, process.pid));
  const attached = await attach(null, folder);
  assert.equal(statSync(control.path).mode & 0o777, 0o600);
  const { dpdkNet, pid, title } = attached.hello;
  assert.deepEqual([dpdkNet, pid, title], [version, process.pid, 'test']);
  const [queue] = await attached.ask<QueueReport[]>('queues');
  assert.deepEqual([queue!.port, queue!.queue, queue!.device], ['port0', 0, 'loopback']);
  const [listening] = await attached.ask<ListenerReport[]>('listeners');
  assert.deepEqual([listening!.address, listening!.tcpPort, listening!.waiting], ['*', 80, 1]);
  const [stats] = await attached.ask<StatsReport[]>('stats');
  assert.equal(stats!.counts.connections, 2);
  assert.deepEqual(await attached.ask('neighbors'), []);
  attached.close();
  control.close();
  assert.equal(existsSync(control.path), false);
  await assert.rejects(attach(null, folder), /no process of this user runs on dpdk-net/);
});

test('connections are filtered where they are', async () => {
  const control = openControl({
    ...options,
    reporters: () => [reporterOf(running)],
    devices: () => [],
  })!;
  const attached = await attach(process.pid, folder);
  const count = async (filter: Record<string, unknown>): Promise<number> =>
    (await attached.ask<ConnectionReport[]>('connections', filter)).length;
  assert.equal(await count({}), 2);
  assert.equal(await count({ limit: 1 }), 1);
  assert.equal(await count({ skip: 1 }), 1);
  assert.equal(await count({ state: 'established', port: 80 }), 2);
  assert.equal(await count({ state: 'listen' }), 0);
  assert.equal(await count({ address: '127.0.0.0/8' }), 2);
  assert.equal(await count({ address: '10.0.0.1' }), 0);
  const [one] = await attached.ask<ConnectionReport[]>('connections', { port: client.localPort });
  const ends = [one!.localPort, one!.remotePort].sort();
  assert.deepEqual(ends, [80, client.localPort].sort());
  assert.equal(one!.info.state, 'ESTABLISHED');
  await assert.rejects(attached.ask('connections', { address: 'nowhere' }), /nowhere/);
  await assert.rejects(
    attached.ask('conections'),
    /unknown method 'conections'; there is .*connections/,
  );
  attached.close();
  control.close();
});

test('what is no request is refused, and a line without end hung up on', async () => {
  const control = new ControlServer({ ...options, methods: {} });
  const socket = connect(control.path).setEncoding('utf8');
  let text = '';
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write('nonsense\n7\n{"id":3}\nnull\n');
  socket.write('x'.repeat(100_000));
  await once(socket, 'end');
  const lines = text.trimEnd().split('\n');
  assert.equal(lines.length, 6, text);
  assert.match(lines[1]!, /not valid JSON/);
  for (const line of [2, 3, 4]) assert.match(lines[line]!, /a request is \{/);
  assert.match(lines[5]!, /too long/);
  control.close();
});

test('a method that goes on tells events until it is cancelled or the client is gone', async () => {
  let ended = 0;
  const streams = {
    count: (_: unknown, emit: (event: unknown) => boolean) => {
      emit(1);
      emit(2);
      return () => {
        ended++;
      };
    },
  };
  const control = new ControlServer({ ...options, methods: {}, streams });
  const attached = await ControlClient.open(control.path);
  const events: unknown[] = [];
  const listening = attached.listen('count', {}, (event) => events.push(event));
  while (events.length < 2) await new Promise(setImmediate);
  attached.close();
  await assert.rejects(listening, AttachError);
  while (ended === 0) await new Promise(setImmediate);
  assert.deepEqual([events, ended], [[1, 2], 1]);
  control.close();
});

test('the socket of a killed process is removed; a number used again is no process of ours', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  writeFileSync(socketOf(folder, child.pid!), '');
  assert.deepEqual(processesIn(folder), [child.pid]);
  await assert.rejects(attach(child.pid!, folder), AttachError);
  assert.equal(existsSync(socketOf(folder, child.pid!)), false);
  writeFileSync(socketOf(folder, child.pid!), '');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.deepEqual(processesIn(folder), []);
});

test('of several processes one has to be chosen', async () => {
  const control = openControl({ ...options, reporters: () => [], devices: () => [] })!;
  const child = spawn(process.execPath, [
    '-e',
    `require('node:net').createServer((s) => s.write('{"protocol":2,"pid":1,"title":"other"}\\n'))
       .listen(process.argv[1] + '/' + process.pid + '.sock', () => console.log('up'))`,
    folder,
  ]);
  await once(child.stdout, 'data');
  await assert.rejects(
    attach(null, folder),
    /several processes run: .*\(test\).*choose one with --pid/,
  );
  (await attach(process.pid, folder)).close();
  child.kill();
  await once(child, 'exit');
  control.close();
});

test("the folder is the user's alone, or none", () => {
  const open = join(folder, 'open');
  mkdirSync(open);
  chmodSync(open, 0o755);
  assert.notEqual(controlFolder({ XDG_RUNTIME_DIR: open }), join(open, 'dpdk-net'));
  chmodSync(open, 0o700);
  const own = controlFolder({ XDG_RUNTIME_DIR: open });
  assert.equal(own, join(open, 'dpdk-net'));
  assert.equal(statSync(own).mode & 0o777, 0o700);
  chmodSync(own, 0o777);
  assert.throws(
    () => controlFolder({ XDG_RUNTIME_DIR: open }),
    /does not belong to this user alone/,
  );
});

test('the stack of a worker answers through a message port', async () => {
  const { port1, port2 } = new MessageChannel();
  const place = { port: 'a', queue: 3, worker: 4, core: 2, numa: 0 };
  answerOver(port2, new StackReporter(running, place));
  const remote = remoteReporter(port1);
  const queue = (await remote.ask('queue', {})) as QueueReport;
  assert.deepEqual([queue.port, queue.queue, queue.worker, queue.core], ['a', 3, 4, 2]);
  await assert.rejects(remote.ask('connections', { address: 'x' }), /x/);
  const unanswered = remote.ask('stats', {});
  port2.close();
  await Promise.allSettled([unanswered]);
  port1.close();
});

after(() => listener.close());

test('a capture reaches the client whole, of this thread and of a worker', async () => {
  const { port1, port2 } = new MessageChannel();
  const place = { port: 'port0', queue: 1, worker: 1, core: -1, numa: -1 };
  answerOver(port2, new StackReporter(running, place));
  const reporters = [reporterOf(running), remoteReporter(port1)];
  const control = openControl({ ...options, reporters: () => reporters, devices: () => [] })!;
  const attached = await attach(process.pid, folder);
  const frames = new Map<number, string[]>();
  const lost: number[] = [];
  const begun = new Set<number>();
  const listening = attached.listen('capture', { filter: 'tcp' }, (event, records) => {
    const { queue, lost: count } = event as CaptureEvent;
    begun.add(queue);
    lost.push(count);
    const list = frames.get(queue) ?? [];
    frames.set(queue, list);
    eachFrame(records, (_time, direction, bytes, length) => {
      list.push(`${direction} ${length} ${Buffer.from(bytes).toString('latin1')}`);
    });
    if ([0, 1].every((each) => frames.get(each)?.some((frame) => frame.endsWith('again')))) {
      attached.close();
    }
  });
  while (begun.size < 2) await new Promise(setImmediate);
  client.write(Buffer.from('again'));
  loop.hold();
  loop.wake();
  await assert.rejects(listening, AttachError);
  loop.release();
  // One may have begun a little before the other.
  const fromThere = (queue: number): string[] => {
    const list = frames.get(queue)!;
    return list.slice(list.findIndex((frame) => frame.endsWith('again')));
  };
  const [local, remote] = [fromThere(0), fromThere(1)];
  const common = Math.min(local.length, remote.length);
  assert.ok(common > 0);
  assert.deepEqual(local.slice(0, common), remote.slice(0, common));
  assert.ok(local.every((frame) => Number(frame.split(' ')[1]) >= 54));
  assert.ok(lost.every((count) => count === 0));
  port1.close();
  control.close();
});
