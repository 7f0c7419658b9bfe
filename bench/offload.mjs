/**
 * Bulk on one connection over memif, with segmentation and joining done by the addon (TSO and GRO
 * in software) against without.
 *
 *     node bench/offload.mjs [--seconds 0.4] [--rounds 7] [--json FILE]
 *
 * One process on one core has both ends of two memifs, one with and one without; windows of the
 * two take turns, so that whatever else runs on the machine is in both. What counts is the ratio of
 * the bytes for a processor second, and what a megabyte costs: frames on the wire, segments that
 * the receiving stack sees, and calls of the addon.
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openPort } from 'dpdk-net/dpdk';
import { Address } from 'dpdk-net/stack';
import { describeMachine } from './harness/machine.mjs';
import { makeLoad } from './lean/loads.mjs';
import { Machine, makeStack } from './lean/machine.mjs';
import { serve } from './lean/services.mjs';

const MIB = 1 << 20;
const HEAP_BYTES = 48 * MIB;
const WARMUP_MS = 1000;

/** A link that counts its calls of the addon. */
function counted(link) {
  const calls = { count: 0 };
  const exchange = link.exchange.bind(link);
  link.exchange = () => {
    calls.count++;
    return exchange();
  };
  return calls;
}

/** Both ends of a memif with their stacks, and a stream from the client to the server. */
async function makeEnds(name, folder, number, options) {
  const sides = ['server', 'client'].map((role, side) =>
    openPort({
      device: `net_memif${number * 2 + side},role=${role},id=0,socket=${join(folder, name)}`,
      heapBytes: HEAP_BYTES + 8 * MIB,
      eal: { memoryMb: 512 },
      ...options,
    }),
  );
  await sides[1].linkUp(20_000);
  const links = sides.map((port) => port.links[0]);
  const calls = links.map(counted);
  const tcp = { receiveBufferBytes: MIB, sendBufferBytes: MIB };
  const [server, client] = links.map((link, side) =>
    makeStack(link, `10.${number}.0.${side + 1}/24`, { heapBytes: HEAP_BYTES, tcp }),
  );
  serve(server);
  const machine = new Machine(client, server);
  const context = { machine, stack: client, address: Address.parse(`10.${number}.0.1`) };
  const load = makeLoad(context, { load: 'stream', connections: 1 });
  await load.open();
  load.start();
  await machine.wait(WARMUP_MS);
  return { name, sides, links, calls, machine, load, totals: emptyTotals(), rates: [] };
}

function emptyTotals() {
  return { bytes: 0, cpuSeconds: 0, packets: 0, segments: 0, calls: 0 };
}

function snapshot({ links, calls, load }) {
  const counters = links.map((link) => link.counters());
  const frames = counters.reduce((sum, { rxFrames }) => sum + rxFrames, 0);
  const joined = counters.reduce((sum, { rxJoined }) => sum + rxJoined, 0);
  return {
    bytes: load.units,
    packets: frames,
    segments: frames - joined,
    calls: calls.reduce((sum, { count }) => sum + count, 0),
  };
}

/** One window: adds what was done to the totals. */
async function window(ends, ms) {
  const before = snapshot(ends);
  const cpu = process.cpuUsage();
  await ends.machine.wait(ms);
  const { user, system } = process.cpuUsage(cpu);
  const after = snapshot(ends);
  const cpuSeconds = (user + system) / 1e6;
  for (const key of Object.keys(before)) ends.totals[key] += after[key] - before[key];
  ends.totals.cpuSeconds += cpuSeconds;
  ends.rates.push((after.bytes - before.bytes) / cpuSeconds);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function resultOf({ name, totals, rates }) {
  const perMegabyte = (count) => count / (totals.bytes / 1e6);
  return {
    name,
    gbitPerCpuSecond: (median(rates) * 8) / 1e9,
    packetsPerMegabyte: perMegabyte(totals.packets),
    segmentsPerMegabyte: perMegabyte(totals.segments),
    callsPerMegabyte: perMegabyte(totals.calls),
  };
}

function line(result) {
  const columns = [
    result.name.padEnd(10),
    `${result.gbitPerCpuSecond.toFixed(2)} Gbit per processor second (both ends)`,
    `${result.packetsPerMegabyte.toFixed(0)} packets`,
    `${result.segmentsPerMegabyte.toFixed(0)} segments seen`,
    `${result.callsPerMegabyte.toFixed(1)} addon calls per megabyte`,
  ];
  return columns.join('  ');
}

async function main() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '0.4' },
      rounds: { type: 'string', default: '7' },
      json: { type: 'string' },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-'));
  const all = [
    await makeEnds('with', folder, 0, {}),
    await makeEnds('without', folder, 1, { segmentBytes: 0, join: false }),
  ];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const ends of all) await window(ends, Number(values.seconds) * 1000);
  }
  const results = all.map(resultOf);
  const ratio = results[0].gbitPerCpuSecond / results[1].gbitPerCpuSecond;
  for (const result of results) console.log(line(result));
  console.log(`with against without: ${ratio.toFixed(2)} times`);
  if (values.json !== undefined) {
    const report = { machine: describeMachine(null), results, ratio };
    mkdirSync(dirname(resolve(values.json)), { recursive: true });
    writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  for (const { sides } of all) for (const port of sides) port.close();
  rmSync(folder, { recursive: true });
  process.exit();
}

await main();
