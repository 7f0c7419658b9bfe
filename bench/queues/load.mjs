/**
 * The load of the queue benchmark: a thread for each queue of the server, all with the same load,
 * on our stack over memif or on the kernel. `node load.mjs '{"queues", "cpus", "one", "address",
 * "config", "settings", "firstMs", "runMs"}'`; without "config" it is the kernel.
 *
 * Speaks as measure.mjs does; `units` are all threads', `parts` each one's.
 * @module
 */
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { configFrom, readSource } from '../../dist/config/config.js';
import { Queues } from '../../dist/runtime/queues.js';
import { endWithParent, say, settings } from '../measure.mjs';

const given = settings();
const SCRIPT = new URL('./load-thread.mjs', import.meta.url);

/** What each thread is to serve: a queue of the device, or nothing for the kernel. */
function tickets() {
  if (given.config === undefined) return Array.from({ length: given.queues }, () => null);
  const source = readSource(given.config, given.settings);
  const queues = new Queues(configFrom(source), source);
  return Array.from({ length: given.queues }, (_, queue) => queues.ticket(queue));
}

async function ask(worker, question) {
  worker.postMessage(question);
  const [answer] = await once(worker, 'message');
  return answer;
}

async function main() {
  const workers = tickets().map((ticket, queue) => {
    const { one, address, cpus } = given;
    return new Worker(SCRIPT, { workerData: { ticket, one, address, cpu: cpus[queue] } });
  });
  const all = (question) => Promise.all(workers.map((worker) => ask(worker, question)));
  await all('open');
  await all('start');
  await sleep(given.firstMs);
  say({ begin: given.one.name });
  const start = performance.now();
  const before = await all('units');
  await sleep(given.runMs);
  const after = await all('units');
  const seconds = (performance.now() - start) / 1000;
  const parts = after.map((units, i) => units - before[i]);
  const units = parts.reduce((sum, part) => sum + part, 0);
  say({ end: given.one.name, units, seconds, parts });
  say({ done: true });
}

endWithParent();
await main();
