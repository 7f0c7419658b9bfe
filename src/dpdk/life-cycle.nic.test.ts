import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { Eal } from './eal.ts';
import { EthDev } from './eth-dev.ts';
import { type DpdkLink, openPort } from './index.ts';

const NO_HEAP = { heapBytes: 1 << 20 };

test('EAL starts once per process, and a second start says so', () => {
  assert.equal(Eal.state().state, 'never');
  const eal = Eal.init({ logLevel: 'info' });
  assert.equal(Eal.current, eal);
  assert.equal(Eal.state().state, 'running');
  assert.throws(() => Eal.init(), { name: 'DpdkError', code: 'EALREADY', message: /Eal\.current/ });
});

test('EAL leaves no folder behind', () => {
  const folder = `/var/run/dpdk/dpdk-net-${process.pid}`;
  assert.equal(existsSync(folder), false);
});

test('the main thread is not pinned to a CPU', () => {
  const allowed = (file: string): string[] =>
    spawnSync('grep', ['Cpus_allowed_list', file], { encoding: 'utf8' }).stdout.split(/\s+/);
  assert.deepEqual(
    allowed(`/proc/${process.pid}/task/${process.pid}/status`),
    allowed('/proc/self/status'),
  );
});

test('an unknown driver is named, with what to do', () => {
  assert.throws(() => openPort({ device: 'net_nosuch0' }), {
    name: 'DpdkError',
    message: /net_nosuch0[\s\S]*no such driver/,
  });
});

test('a bad option of a driver is refused with its log', () => {
  assert.throws(
    () => openPort({ device: 'net_null9,colour=blue' }),
    (error: Error & { log: string[] }) => {
      assert.ok(error.log.length > 0);
      return true;
    },
  );
});

test('more queues than the device has are cut to what it has, with a notice', () => {
  const port = openPort({ device: 'net_pcap9,tx_pcap=/dev/null', queues: 4, ...NO_HEAP });
  assert.equal(port.links.length, 1);
  assert.equal(port.steering, null);
  assert.match(port.notices.join(), /queues cut to 1 of 4/);
  port.close();
});

test('too large a memory is refused, with its bound', () => {
  assert.throws(() => openPort({ device: 'net_null8', heapBytes: 2 ** 31 }), {
    name: 'DpdkError',
    code: 'EFBIG',
    message: /arenaCreate[\s\S]*2 GiB/,
  });
  assert.deepEqual(EthDev.list(), []);
});

test('a closed port leaves no view into memory that is gone', () => {
  const port = openPort({ device: 'net_null0', ...NO_HEAP });
  const link = port.links[0]!;
  assert.ok(link.exchange() > 0);
  port.close();
  assert.equal(link.exchange(), -1);
  assert.equal(link.arena.bytes.length, 0);
  assert.equal(link.ring.length, 0);
  assert.throws(() => link.arena.view.getUint8(0), TypeError);
  port.close();
});

test('a device that is open is refused to a second, and goes on', () => {
  const port = openPort({ device: 'net_null0', ...NO_HEAP });
  assert.throws(() => openPort({ device: 'net_null0', ...NO_HEAP }), { code: 'EBUSY' });
  assert.equal(port.links[0]!.exchange(), 64);
  port.close();
});

test('ports open and close a hundred times without using memory up', () => {
  for (let round = 0; round < 100; round++) {
    const port = openPort({ device: `net_ring${round % 3}`, heapBytes: 16 << 20 });
    assert.equal(port.links[0]!.exchange(), 0);
    port.close();
  }
  assert.deepEqual(EthDev.list(), []);
});

test('a worker uses a queue through its description, and the memory outlives the port', async () => {
  const port = openPort({ device: 'net_null1', ...NO_HEAP });
  const { description } = port.links[0] as DpdkLink;
  const script = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { Eal, openLink } = await import(workerData.index);
    const link = openLink(workerData.description);
    const { lcore } = Eal.registerThread();
    parentPort.postMessage({ lcore, received: link.exchange() });
    parentPort.once('message', () => {
      link.arena.bytes[0] = 1; // The port is closed: still our memory.
      parentPort.postMessage({ received: link.exchange() });
      parentPort.close();
    });`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
    workerData: {
      description,
      index: new URL(`./index${import.meta.url.slice(-3)}`, import.meta.url).href,
    },
  });
  const next = (): Promise<{ lcore: number; received: number }> =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
  const first = await next();
  assert.equal(first.received, 64);
  assert.ok(first.lcore > 0);
  port.close();
  worker.postMessage('go on');
  assert.equal((await next()).received, -1);
  await worker.terminate();
});

test('closing EAL ends it for the process', () => {
  const port = openPort({ device: 'net_null0', ...NO_HEAP });
  Eal.current!.close();
  assert.equal(port.links[0]!.exchange(), -1);
  assert.equal(Eal.state().state, 'stopped');
  assert.throws(() => openPort({ device: 'net_null0' }), { code: 'EALREADY' });
  const folders = existsSync('/var/run/dpdk') ? readdirSync('/var/run/dpdk') : [];
  assert.ok(!folders.includes(`dpdk-net-${process.pid}`));
});
