import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import type { DpdkLink } from './link.ts';
import { openPort } from './open-port.ts';
import type { Port } from './port.ts';
import type { QueueFigures } from './queue-worker.ts';

const SMALL = { heapBytes: 1 << 20, join: false };
const SCRIPT = new URL(`./queue-worker${import.meta.url.slice(-3)}`, import.meta.url);

function start(link: DpdkLink, cpu = -1): Worker {
  return new Worker(SCRIPT, { workerData: { description: link.description, cpu } });
}

async function ask(worker: Worker, message: 'figures' | 'stop'): Promise<QueueFigures> {
  worker.postMessage(message);
  const [figures] = (await once(worker, 'message')) as [QueueFigures];
  return figures;
}

/** Asks until the workers together have received `least` frames. */
async function receivedBy(workers: Worker[], least: number): Promise<QueueFigures[]> {
  for (;;) {
    const figures = await Promise.all(workers.map((worker) => ask(worker, 'figures')));
    if (figures.reduce((sum, { received }) => sum + received, 0) >= least) return figures;
  }
}

function sum(port: Port, name: 'rxHandedOver' | 'rxTakenOver' | 'rxHandoverFull'): number {
  return port.counters().reduce((all, counters) => all + counters[name]!, 0);
}

/** Stops the sending and waits until everything that was sent has arrived or was counted. */
async function settle(port: Port, workers: Worker[]): Promise<QueueFigures[]> {
  await Promise.all(workers.map((worker) => ask(worker, 'stop')));
  for (;;) {
    const figures = await Promise.all(workers.map((worker) => ask(worker, 'figures')));
    const sent = figures.reduce((all, one) => all + one.sent, 0);
    const received = figures.reduce((all, one) => all + one.received, 0);
    if (received + sum(port, 'rxHandoverFull') === sent) return figures;
  }
}

/** Stops the sending and waits until nothing moves any more. */
async function rest(workers: Worker[]): Promise<void> {
  await Promise.all(workers.map((worker) => ask(worker, 'stop')));
  let last = -1;
  for (let quiet = 0; quiet < 5; quiet++) {
    const figures = await Promise.all(workers.map((worker) => ask(worker, 'figures')));
    const received = figures.reduce((all, one) => all + one.received, 0);
    if (received !== last) quiet = 0;
    last = received;
  }
}

async function end(workers: Worker[]): Promise<void> {
  const ended = workers.map((worker) => once(worker, 'exit'));
  for (const worker of workers) worker.postMessage('end');
  await Promise.all(ended);
}

function assertNothingInUse(port: Port): void {
  assert.deepEqual(
    port.usage().filter(({ inUse }) => inUse !== 0),
    [],
  );
}

test('four workers, one flow in ten astray: every frame in its place and in order', async () => {
  const port = openPort({ device: 'net_ring0', queues: 4, astray: 0.1, ...SMALL });
  const workers = port.links.map((link) => start(link));
  await receivedBy(workers, 8000);
  const figures = await settle(port, workers);
  for (const { misplaced, disordered } of figures) {
    assert.deepEqual({ misplaced, disordered }, { misplaced: 0, disordered: 0 });
  }
  const lcores = figures.map(({ lcore }) => lcore.lcore);
  assert.equal(new Set(lcores).size, 4);
  assert.ok(lcores.every((lcore) => lcore > 0));
  assert.ok(sum(port, 'rxHandedOver') > sum(port, 'rxTakenOver'));
  await end(workers);
  port.device.stop();
  assertNothingInUse(port);
  port.close();
});

test('four workers while the table changes: nothing is lost or overtaken', async () => {
  const port = openPort({ device: 'net_ring4', queues: 4, ...SMALL });
  const workers = port.links.map((link) => start(link));
  const steering = port.steering!;
  for (let round = 1; round <= 30; round++) {
    await receivedBy(workers, round * 200);
    for (let n = 0; n < 20; n++) steering.assign((round * 37 + n * 11) % 128, (round + n) % 4);
  }
  const figures = await settle(port, workers);
  assert.deepEqual(
    figures.map(({ disordered }) => disordered),
    [0, 0, 0, 0],
  );
  assert.ok(steering.changes > 50);
  assert.ok(steering.isSettled);
  await end(workers);
  port.close();
});

test('a worker is pinned to the processor that it asks for', async () => {
  const port = openPort({ device: 'net_ring1', queues: 2, ...SMALL });
  const worker = start(port.links[1]!, 0);
  const { lcore } = await ask(worker, 'figures');
  assert.equal(lcore.cpu, 0);
  await end([worker]);
  port.close();
});

test('a processor that is not there is an error with its name', async () => {
  const port = openPort({ device: 'net_ring2', queues: 2, ...SMALL });
  const worker = start(port.links[1]!, 1023);
  const [error] = (await once(worker, 'error')) as [Error];
  assert.match(error.message, /pthread_setaffinity_np/);
  port.close();
});

test('a worker that was killed under load: its queue serves again, no slot is lost', async () => {
  const port = openPort({ device: 'net_ring3', queues: 3, ...SMALL });
  const workers = port.links.map((link) => start(link));
  for (let kill = 0; kill < 2; kill++) {
    const queue = kill % 3;
    await receivedBy(workers, 1000);
    const dead = port.links[queue]!;
    const { heapAt, heapBytes } = dead.description;
    dead.arena.bytes.fill(0x55, heapAt, heapAt + 100_000);
    await workers[queue]!.terminate();
    const link = port.reclaim(queue);
    assert.notEqual(link.description.handle, dead.description.handle);
    assert.equal(dead.exchange(), -1);
    assert.ok(link.arena.bytes.subarray(heapAt, heapAt + heapBytes).every((byte) => byte === 0));
    workers[queue] = start(link);
    const { received } = await ask(workers[queue]!, 'figures');
    await receivedBy([workers[queue]!], received + 500);
  }
  await rest(workers);
  await end(workers);
  port.device.stop();
  assertNothingInUse(port);
  port.close();
});
