/**
 * A worker that crashes under load: `dpdk-net run --queues 2` with `[workers] restart` over af_packet,
 * echoes of the kernel on all connections without a pause. Counts the connections of the
 * other worker that ended, and the time until the crashed queue serves again. Runs in the kernel's
 * namespace: `node crash.mjs '{"host", "namespace", "cpus"}'`, the last two the server's.
 * @module
 */
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { at } from '../../tools/house/root.mjs';
import { Child } from '../harness/children.mjs';
import { say, settings } from '../measure.mjs';

const CONNECTIONS = 64;
const PORT = 7007;
const PATIENCE_MS = 60_000;
/** Between two new connections: how exactly the return of the queue is seen. */
const PROBE_MS = 5;
/** Of load before the crash, and after the return. */
const LOAD_MS = 1000;
const message = Buffer.alloc(64, 'x');

/** A connection whose worker is known; `load()` echoes without a pause. */
class Client {
  worker = '';
  echoes = 0;
  hasEnded = false;
  #socket;

  static async open(host) {
    const client = new Client();
    client.#socket = net.connect({ host, port: PORT, noDelay: true });
    client.#socket
      .on('error', () => {})
      .once('close', () => {
        client.hasEnded = true;
      });
    await once(client.#socket, 'connect');
    client.#socket.write('who');
    const [data] = await once(client.#socket, 'data');
    client.worker = String(data).trim();
    return client;
  }

  load() {
    this.#socket.on('data', (data) => {
      this.echoes += data.length / message.length;
      this.#socket.write(data);
    });
    this.#socket.write(message);
  }

  crash() {
    this.#socket.write('crash');
  }

  end() {
    this.#socket.destroy();
  }
}

/** Milliseconds until a connection is served by a worker that was not there before. */
async function untilServed(host, known, start) {
  for (let found = ''; found === '' || known.has(found); ) {
    await sleep(PROBE_MS);
    const opened = Client.open(host).catch(() => null);
    // A probe that is lost with the worker would be sent again after a second: the next one tells sooner.
    const client = await Promise.race([opened, sleep(100, null)]);
    found = client?.worker ?? '';
    void opened.then((late) => late?.end());
  }
  return performance.now() - start;
}

async function startServer({ host, namespace, cpus }) {
  const sets = [
    'dpdk.vdev=net_af_packet0,iface=veth0,qpairs=2',
    `network.ip=${host}/24`,
    'workers.restart=true',
  ].flatMap((setting) => ['--set', setting]);
  const cli = [process.execPath, at('lib/cli/main.js'), 'run', '--quiet', '--queues', '2'];
  const program = at('bench/queues/crash-server.cjs');
  const server = new Child([...cli, '--config', '/dev/null', ...sets, program], {
    cpu: cpus,
    namespace,
  });
  await server.firstLine(PATIENCE_MS);
  await sleep(LOAD_MS);
  return server;
}

/** { kept, keptEnded, lost, servedAgainMs, echoes }: echoes are of those kept, in a second after the return. */
async function runCrash(given) {
  const { host } = given;
  const server = await startServer(given);
  const clients = [];
  while (clients.length < CONNECTIONS) clients.push(await Client.open(host));
  const workers = new Set(clients.map(({ worker }) => worker));
  for (const client of clients) client.load();
  await sleep(LOAD_MS);
  const [victim] = workers;
  const kept = clients.filter(({ worker }) => worker !== victim);
  const lost = clients.filter(({ worker }) => worker === victim);
  lost[0].crash();
  const servedAgainMs = await untilServed(host, workers, performance.now());
  const before = kept.reduce((sum, { echoes }) => sum + echoes, 0);
  await sleep(LOAD_MS);
  const echoes = kept.reduce((sum, client) => sum + client.echoes, 0) - before;
  const keptEnded = kept.filter(({ hasEnded }) => hasEnded).length;
  for (const client of clients) client.end();
  await server.end();
  return { kept: kept.length, keptEnded, lost: lost.length, servedAgainMs, echoes };
}

say(await runCrash(settings()));
process.exit(0);
