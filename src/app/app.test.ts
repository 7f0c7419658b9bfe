import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Address } from '../base/address.ts';
import { parseConfig } from '../config/config.ts';
import { DpdkApp } from './app.ts';
import { Logger } from './logger.ts';
import type { AppWorker, WorkerContext } from './worker-context.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-app-'));
process.env['XDG_RUNTIME_DIR'] = folder;
after(() => rmSync(folder, { recursive: true }));

const CONFIG = `
dpdk.port = "loopback"
routes.kernel = []
[[listeners]]
name = "front"
port = 80
`;

const lines: string[] = [];
const logger = new Logger({
  level: 'info',
  format: 'text',
  write: (line) => void lines.push(line),
});
const options = { logger, signals: false };
const appOf = (text: string): DpdkApp => new DpdkApp(parseConfig(text, 'a.toml'), options);

test('a worker gets its stack and listeners, and everything is closed when it is stopped', async () => {
  const app = appOf(CONFIG);
  let seen: WorkerContext | null = null;
  const running = app.run(async (context) => {
    seen = context;
    const { stack, listeners, running: own } = context;
    const client = stack.tcp.connect({ address: Address.parse('127.0.0.1'), port: 80 });
    own.loop.hold();
    while (client.stateName !== 'ESTABLISHED') await new Promise(setImmediate);
    own.loop.release();
    assert.equal(listeners.get('front')!.waiting, 1);
    setImmediate(() => void app.stop());
  });
  await running;
  assert.deepEqual([seen!.port, seen!.queueId, seen!.lcore], ['port0', 0, -1]);
  assert.ok(seen!.signal.aborted);
  assert.equal(app.stacks.length, 0);
  assert.match(lines.at(-1)!, /closed connections=2 reset=\d left=0 slots=0/);
  await assert.rejects(
    app.run(() => {}),
    /has run; make another/,
  );
});

test('an application whose worker returns has ended, when it has no listeners', async () => {
  let ran = 0;
  await appOf('dpdk.port = "loopback"').run(() => void ran++);
  assert.equal(ran, 1);
});

test("a worker's error ends the application, and is told", async () => {
  const order: string[] = [];
  const app = appOf(CONFIG).use({
    name: 'cache',
    needs: ['listeners'],
    start: ({ stacks }) => void order.push(`start with ${stacks.length}`),
    stop: () => void order.push('stop'),
  });
  await assert.rejects(
    app.run(() => Promise.reject(new Error('mine'))),
    { message: 'mine' },
  );
  assert.deepEqual(order, ['start with 1', 'stop']);
  assert.equal(app.stacks.length, 0);
});

test('a subsystem that does not start leaves nothing open', async () => {
  const app = appOf(CONFIG).use({
    name: 'bad',
    needs: ['control'],
    start: () => {
      throw new Error('no luck');
    },
  });
  await assert.rejects(
    app.run(() => assert.fail('the worker ran')),
    { message: 'no luck' },
  );
  assert.equal(app.stacks.length, 0);
});

test('several ports: a stack and a worker for each', async () => {
  const ports: string[] = [];
  const app = appOf(`
    [[ports]]
    name = "a"
    device = "loopback"
    [[listeners]]
    port = 80
    on = "a"
  `);
  const worker: AppWorker = ({ port, listeners }) => {
    ports.push(`${port} ${[...listeners.keys()]}`);
    void app.stop();
  };
  await app.run(worker);
  assert.deepEqual(ports, ['a app-80']);
});

test('the admin server is open while it runs, and closed when it has ended', async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  free.close();
  await once(free, 'close');
  const url = `http://127.0.0.1:${port}/api/queues`;
  const app = appOf(`admin.listen = "127.0.0.1:${port}"\n${CONFIG}`);
  let queues: Record<string, unknown>[] = [];
  await app.run(async ({ running, metrics }) => {
    running.loop.hold();
    queues = (await (await fetch(url)).json()) as Record<string, unknown>[];
    assert.equal(metrics().queue, 0);
    running.loop.release();
    setImmediate(() => void app.stop());
  });
  assert.deepEqual(
    queues.map(({ port: name, queue, device }) => [name, queue, device]),
    [['port0', 0, 'loopback']],
  );
  await assert.rejects(fetch(url), { name: 'TypeError' });
});

test('measurements go to the collector of the configuration, the last when it ends', async () => {
  const bodies: string[] = [];
  const collector = createHttpServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const { port } = collector.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1/metrics`;
  await appOf(`opentelemetry = { url = "${url}", interval = "1h" }\ndpdk.port = "loopback"`).run(
    () => {},
  );
  collector.close();
  collector.closeAllConnections();
  assert.equal(bodies.length, 1);
  assert.match(bodies[0]!, /port0/);
});

test('the worker may be a module; one without a default export is refused', async () => {
  const file = join(folder, 'worker.mjs');
  writeFileSync(file, 'export default ({ port }) => { globalThis.workerRan = port; };');
  await appOf('dpdk.port = "loopback"').run(pathToFileURL(file));
  assert.equal((globalThis as { workerRan?: string }).workerRan, 'port0');
  const none = join(folder, 'none.mjs');
  writeFileSync(none, 'export const a = 1;');
  await assert.rejects(appOf(CONFIG).run(pathToFileURL(none)), /none\.mjs is no worker/);
});

test('fromConfig() rejects with every fault of the file', async () => {
  const file = join(folder, 'faulty.toml');
  writeFileSync(file, '[dpdk]\nport = "loopback"\nprot = 1\n');
  await assert.rejects(DpdkApp.fromConfig(file), /faulty\.toml:3:1: unknown key 'prot'/);
});
