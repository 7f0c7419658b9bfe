/**
 * Connections between two ports with several queues each, joined by memif, while one flow in ten comes
 * to a wrong queue: each port's queues accept as many as they open. A thread for each queue, each
 * with a stack of its own, as `dpdk-net run --queues N` has them.
 *
 *     node bench/queues/astray.mjs [--queues 2] [--connections 1000000] [--json FILE]
 *
 * Every connection sends three numbered segments at once, has them echoed, compares, and closes. A
 * segment that arrives ahead of another of its flow, a connection that fails or a wrong byte
 * ends in the figures.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { configFrom } from '../../dist/config/config.js';
import { Queues } from '../../dist/runtime/queues.js';
import { saveFigures, settingsOf } from '../harness/alone.mjs';

const SCRIPT = new URL('./astray-queue.mjs', import.meta.url);
const ADDRESSES = ['10.99.0.1', '10.99.0.2'];
/** A run of the test takes a second, the long one a minute; so long after the last news it is stuck. */
const STUCK_MS = 120_000;

/** One port with its queues. */
function openSide(side, queues, socket) {
  const source = {
    text: `
      dpdk = { vdev = "net_memif${side},role=${['server', 'client'][side]},id=0,socket=${socket}", memory = "48MiB" }
      network.ip = "${ADDRESSES[side]}/24"
      queues.count = ${queues}
      workers.pin = false
      tcp = { time_wait = "100ms", no_delay = true, first_ephemeral_port = 1024, last_ephemeral_port = 65535 }`,
    source: 'astray.toml',
    settings: [],
    environment: {},
  };
  return new Queues(configFrom(source), source);
}

/** Collects what the workers say: { done(count), figures } of each. */
class Crew {
  done = 0;
  #workers;
  #figures = [];

  constructor(tickets, connections) {
    this.finished = new Promise((resolve, reject) => {
      let watch = setTimeout(reject, STUCK_MS, new Error('nothing moves any more'));
      this.#workers = tickets.map(({ ticket, peer }, i) => {
        const share = Math.ceil((connections - i) / tickets.length);
        const worker = new Worker(SCRIPT, { workerData: { ticket, peer, connections: share } });
        worker.on('error', reject);
        worker.on('message', ({ done, figures }) => {
          clearTimeout(watch);
          watch = setTimeout(reject, STUCK_MS, new Error('nothing moves any more'));
          if (figures !== undefined) this.#figures.push(figures);
          this.done += done ?? 0;
          if (this.done === connections) this.#tell('report');
          if (this.#figures.length < tickets.length) return;
          clearTimeout(watch);
          resolve(this.#figures);
        });
        return worker;
      });
    });
  }

  #tell(message) {
    this.done = 0;
    for (const worker of this.#workers) worker.postMessage(message);
  }

  async end() {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/**
 * `connections` from each of the two ports to the other. Returns the sum of all queues' figures:
 * opened, failed, accepted, wrong (answers), probes (before the others), outOfOrder, handedOver, handoverFull, and seconds.
 */
export async function runAstray(queues, connections) {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-'));
  const start = performance.now();
  const cpu = process.cpuUsage();
  const sides = [0, 1].map((side) => openSide(side, queues, join(folder, 'astray.sock')));
  const tickets = sides.flatMap((side, i) =>
    Array.from({ length: queues }, (_, queue) => ({
      ticket: side.ticket(queue),
      peer: ADDRESSES[1 - i],
    })),
  );
  const crew = new Crew(tickets, 2 * connections);
  const all = await crew.finished;
  const { user, system } = process.cpuUsage(cpu);
  await crew.end();
  for (const [i, side] of sides.entries()) {
    for (let queue = 0; queue < queues; queue++) sides[i].renew(queue);
    side.close();
  }
  rmSync(folder, { recursive: true });
  const keys = Object.keys(all[0]);
  const sums = keys.map((key) => [key, all.reduce((sum, one) => sum + one[key], 0)]);
  return {
    queues,
    connections,
    ...Object.fromEntries(sums),
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: (user + system) / 1e6,
  };
}

/** What is asked for, as verdict() takes it. */
export function astrayLimits({ queues, connections, ...found }) {
  const of = `${queues} queues, one flow in ten astray:`;
  const { opened, accepted, probes, failed, wrong, outOfOrder, handedOver } = found;
  return [
    [
      `${of} ${connections} connections in and as many out, each echoed`,
      opened === 2 * connections && accepted === opened + probes && failed === 0 && wrong === 0,
    ],
    [`${of} no segment ahead of another of its flow`, outOfOrder === 0 && handedOver > 0],
  ];
}

/** The figures of runAstray() in a line. */
export function astrayLine(found) {
  const { queues, connections, seconds, cpuSeconds, handedOver, frames } = found;
  const rate = Math.round((2 * connections) / cpuSeconds);
  return [
    `astray, ${queues} queues: ${connections} in, ${connections} out in ${seconds.toFixed(0)} s`,
    `${rate} for each processor second (both ends)`,
    `failed ${found.failed}, wrong bytes ${found.wrong}, out of order ${found.outOfOrder}`,
    `handed over ${((100 * handedOver) / frames).toFixed(0)} % of ${frames} frames, dropped there ${found.handoverFull}`,
  ].join('; ');
}

if (process.argv[1]?.endsWith('astray.mjs')) {
  const { queues, connections, json } = settingsOf({
    full: { queues: 2, connections: 1_000_000 },
    quick: { connections: 20_000 },
  });
  const found = await runAstray(queues, connections);
  console.log(astrayLine(found));
  saveFigures(json, found);
  process.exitCode = astrayLimits(found).every(([, holds]) => holds) ? 0 : 1;
}
