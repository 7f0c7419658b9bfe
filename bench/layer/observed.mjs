/**
 * What looking at a stack costs it: bulk through its loopback, in windows with somebody who looks and
 * without by turns, on one core. The figure is the median of the ratios of neighbors.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Address } from '../../dist/base/address.js';
import { parseConfig } from '../../dist/config/config.js';
import { StackReporter } from '../../dist/control/report.js';
import { openStack } from '../../dist/runtime/open-stack.js';
import { median } from '../harness/statistics.mjs';

const FULL = { pairs: 40, ms: 1000 };
const QUICK = { pairs: 8, ms: 1000 };
const CHUNK = 65_536;
const PORT = 80;

/** A connection of a stack to itself that carries as much as it can. */
class Bulk {
  bytes = 0;
  #chunk = new Uint8Array(CHUNK);
  #running = openStack(parseConfig('dpdk.port = "loopback"\nroutes.kernel = []', 'a.toml'));
  #isRunning = true;

  async open() {
    const { stack, loop } = this.#running;
    loop.hold();
    const listener = stack.tcp.listen({ port: PORT });
    const to = stack.tcp.connect({ address: Address.parse('127.0.0.1'), port: PORT });
    let from = null;
    while (from === null) {
      await turn();
      from = listener.accept();
    }
    const read = () => {
      for (let n = from.read(this.#chunk); n > 0; n = from.read(this.#chunk)) this.bytes += n;
    };
    const write = () => {
      while (this.#isRunning && to.write(this.#chunk) > 0);
      loop.wake();
    };
    from.owner = { onEvents: read };
    to.owner = { onEvents: write };
    write();
    const place = { port: 'port0', queue: 0, worker: 0, core: -1, numa: -1 };
    return new StackReporter(this.#running, place);
  }

  close() {
    this.#isRunning = false;
    this.#running.loop.release();
    this.#running.close();
  }
}

/**
 * `watch(reporter)` begins to look and returns how to end it: that function returns figures to tell.
 * Exits with 1 where more than `most` of the throughput is lost.
 */
export async function measureObserved(what, most, watch) {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
  });
  const { pairs, ms } = values.quick ? QUICK : FULL;
  const bulk = new Bulk();
  const reporter = await bulk.open();
  const window = async () => {
    const [bytes, from] = [bulk.bytes, process.cpuUsage()];
    const end = performance.now() + ms;
    while (performance.now() < end) await turn();
    const { user, system } = process.cpuUsage(from);
    return (bulk.bytes - bytes) / (user + system);
  };
  await window();
  const ratios = [];
  const told = [];
  for (let pair = 0; pair < pairs; pair++) {
    const before = await window();
    const end = watch(reporter);
    const during = await window();
    told.push(await end());
    const after = await window();
    ratios.push((2 * during) / (before + after));
  }
  bulk.close();
  const cost = 1 - median(ratios);
  const report = { what, cost, most, ratios, told };
  const isKept = cost <= most;
  console.log(
    `${what}: ${(100 * cost).toFixed(2)} % of the bytes for each second of processor time ` +
      `(at most ${100 * most} %: ${isKept ? 'kept' : 'NOT KEPT'}; ${pairs} pairs of ${ms} ms)`,
  );
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  if (!isKept) process.exitCode = 1;
  return report;
}
