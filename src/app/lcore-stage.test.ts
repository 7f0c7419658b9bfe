/**
 * An application with two queues: a worker in a thread for each, without a device.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseConfig } from '../config/config.ts';
import { DpdkApp } from './app.ts';
import { Logger } from './logger.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-app-queues-'));
process.env['XDG_RUNTIME_DIR'] = folder;
after(() => rmSync(folder, { recursive: true }));

const WORKER = new URL('./test-worker.js', import.meta.url);
const CONFIG = `
dpdk = { port = "loopback", memory = "16MiB" }
queues.count = 2
`;
const FRONT = `
[[listeners]]
name = "front"
port = 80
`;

interface Told {
  readonly app: DpdkApp;
  readonly lines: string[];
  /** Resolves when so many lines were told that match. */
  says(pattern: RegExp, times: number): Promise<void>;
}

function appOf(text: string, what: string): Told {
  process.env['DPDK_NET_TEST_WORKER'] = what;
  const lines: string[] = [];
  let check = (): void => {};
  const write = (line: string): void => {
    lines.push(line);
    check();
  };
  const logger = new Logger({ level: 'info', format: 'text', write });
  const app = new DpdkApp(parseConfig(text, 'a.toml'), { logger, signals: false });
  const says = (pattern: RegExp, times: number): Promise<void> =>
    new Promise((resolve) => {
      check = () => {
        if (lines.filter((line) => pattern.test(line)).length >= times) resolve();
      };
      check();
    });
  return { app, lines, says };
}

test('each queue has a worker with its stack, listeners, log and counters, until it is stopped', async () => {
  const { app, lines, says } = appOf(`shutdown.drain = "1ms"\n${CONFIG}${FRONT}`, '');
  const ended = app.run(WORKER);
  await Promise.race([says(/ up /, 2), ended]);
  assert.equal(app.stacks.length, 0);
  await app.stop();
  await ended;
  for (const queue of [0, 1]) {
    const up = lines.filter((line) => line.includes(` up port=port0 queue=${queue} `));
    assert.equal(up.length, 1);
    assert.match(up[0]!, /isMainThread=false names=front isOwn=true waiting=1\n$/);
  }
  assert.match(lines[0]!, /open port=port0 device=loopback queues=2/);
  assert.equal(
    lines.filter((line) => /closed connections=\d reset=\d left=0\n/.test(line)).length,
    2,
  );
  assert.match(lines.at(-1)!, /closed queues=2 slots=0/);
});

test('it has ended when all workers have returned, and there are no listeners', async () => {
  const { app, lines } = appOf(CONFIG, 'return');
  await app.run(WORKER);
  assert.match(lines.at(-1)!, /closed queues=2 slots=0/);
});

test("a worker's error ends the application, and is told", async () => {
  const { app, lines } = appOf(CONFIG + FRONT, 'throw');
  await assert.rejects(app.run(WORKER), { name: 'RangeError', message: 'mine' });
  assert.match(lines.at(-1)!, /closed queues=2 slots=0/);
});

test('so does a crash; with [workers] restart the queue has another worker instead', async () => {
  const first = join(folder, 'first');
  await assert.rejects(appOf(CONFIG + FRONT, `crash ${first}`).app.run(WORKER), {
    code: 'ECANCELED',
    message: /crashed as told/,
  });
  assert.ok(existsSync(first));
  const text = `workers.restart = true\n${CONFIG}${FRONT}`;
  const { app, lines, says } = appOf(text, `crash ${join(folder, 'second')}`);
  const ended = app.run(WORKER);
  await Promise.race([says(/ up /, 2), ended]);
  assert.equal(lines.filter((line) => /worker-restarts queue=1 /.test(line)).length, 1);
  await app.stop();
  await ended;
});

test('what can not run is refused before anything is opened', async () => {
  const { app, lines } = appOf(CONFIG, '');
  await assert.rejects(
    app.run(() => assert.fail('the worker ran')),
    { message: /^port port0 has 2 queues, and a function can not cross threads: give a module/ },
  );
  const byHand = new DpdkApp({ ...app.config }, { signals: false });
  await assert.rejects(byHand.run(WORKER), {
    message: /loadConfig\(\) or parseConfig\(\), as it is/,
  });
  const two = `
    [[ports]]
    name = "a"
    device = "loopback"
    [[ports]]
    name = "b"
    device = "net_null0"
    ip = "10.0.0.1/24"
    queues.count = 2
  `;
  const ports = appOf(two.replace('queues.count', 'queues'), '').app;
  await assert.rejects(ports.run(WORKER), { message: /^port b has 2 queues, and is one of 2/ });
  const none = new URL('./logger.js', import.meta.url);
  const other = appOf(CONFIG, '');
  await assert.rejects(other.app.run(none), { message: /logger\.js is no worker/ });
  assert.deepEqual(lines, []);
});
