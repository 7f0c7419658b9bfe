/**
 * Bulk on one connection over memif, with segmentation and joining done by the addon (TSO and GRO
 * in software) against without.
 *
 *     npm run bench -- offload [--quick] [--json FILE]
 *
 * One process on one core has both ends of two memifs, one with and one without; windows of the
 * two take turns, so that whatever else runs on the machine is in both. What counts is the ratio of
 * the bytes for a processor second, and what a megabyte costs: frames on the wire, segments that
 * the receiving stack sees, and calls of the addon. Each end's part of the processor time is told by the time of
 * its turns: a connection whose ends have a core each moves what the slower of them can.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPort } from 'dpdk-net/dpdk';
import { Address } from 'dpdk-net/stack';
import { saveFigures, settingsOf } from './harness/alone.mjs';
import { describeMachine } from './harness/machine.mjs';
import { raisePriority } from './harness/priority.mjs';
import { median } from './harness/statistics.mjs';
import { verdict } from './harness/verdict.mjs';
import { makeLoad } from './lean/loads.mjs';
import { Machine, makeStack, turn } from './lean/machine.mjs';
import { serve } from './lean/services.mjs';
import { profile } from './offload/profile.mjs';

const MIB = 1 << 20;
const HEAP_BYTES = 48 * MIB;
const WARMUP_MS = 1000;
const PROFILE_MS = 1500;
const TURNS = 16;
const LEAST_GBIT = 8;

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

/** Polls both ends for some time; milliseconds of each end's turns. */
function pollFor(ms, server, client) {
  const spent = { server: 0, client: 0 };
  let now = performance.now();
  for (const end = now + ms; now < end; ) {
    for (let i = 0; i < TURNS; i++) {
      turn(client, now * 1000);
      const between = performance.now();
      turn(server, between * 1000);
      const after = performance.now();
      spent.client += between - now;
      spent.server += after - between;
      now = after;
    }
  }
  return spent;
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
  const runs = { both: [], sender: [], receiver: [] };
  return { name, sides, links, calls, server, client, load, totals: emptyTotals(), runs };
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
function window(ends, ms) {
  const before = snapshot(ends);
  const cpu = process.cpuUsage();
  const { server, client } = pollFor(ms, ends.server, ends.client);
  const { user, system } = process.cpuUsage(cpu);
  const after = snapshot(ends);
  const cpuSeconds = (user + system) / 1e6;
  for (const key of Object.keys(before)) ends.totals[key] += after[key] - before[key];
  ends.totals.cpuSeconds += cpuSeconds;
  const gbit = ((after.bytes - before.bytes) * 8) / 1e9;
  const part = cpuSeconds / (server + client);
  ends.runs.both.push(gbit / cpuSeconds);
  ends.runs.sender.push(gbit / (part * server));
  ends.runs.receiver.push(gbit / (part * client));
}

function resultOf({ name, totals, runs }) {
  const perMegabyte = (count) => count / (totals.bytes / 1e6);
  return {
    name,
    gbitPerCpuSecond: median(runs.both),
    gbitPerSenderSecond: median(runs.sender),
    gbitPerReceiverSecond: median(runs.receiver),
    packetsPerMegabyte: perMegabyte(totals.packets),
    segmentsPerMegabyte: perMegabyte(totals.segments),
    callsPerMegabyte: perMegabyte(totals.calls),
  };
}

function line(result) {
  const columns = [
    result.name.padEnd(10),
    `Gbit per processor second: ${result.gbitPerCpuSecond.toFixed(2)} of both ends, ${result.gbitPerSenderSecond.toFixed(2)} of the sender's, ${result.gbitPerReceiverSecond.toFixed(2)} of the receiver's;`,
    `${result.packetsPerMegabyte.toFixed(0)} packets`,
    `${result.segmentsPerMegabyte.toFixed(0)} segments seen`,
    `${result.callsPerMegabyte.toFixed(1)} addon calls per megabyte`,
  ];
  return columns.join('  ');
}

async function main() {
  const { seconds, rounds, json } = settingsOf({
    full: { seconds: 0.4, rounds: 15 },
    quick: { seconds: 0.3, rounds: 3 },
  });
  raisePriority(-20);
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-'));
  const all = [
    await makeEnds('with', folder, 0, {}),
    await makeEnds('without', folder, 1, { segmentBytes: 0, join: false }),
  ];
  for (let round = 0; round < rounds; round++) for (const ends of all) window(ends, seconds * 1000);
  const results = all.map(resultOf);
  for (const [i, { server, client }] of all.entries()) {
    results[i].profile = await profile(folder, () => pollFor(PROFILE_MS, server, client));
  }
  const [offloaded, plain] = results;
  const ratio = offloaded.gbitPerCpuSecond / plain.gbitPerCpuSecond;
  const perCore = Math.min(offloaded.gbitPerSenderSecond, offloaded.gbitPerReceiverSecond);
  for (const result of results) {
    console.log(line(result));
    const parts = result.profile?.map(([what, percent]) => `${what} ${percent.toFixed(0)} %`);
    console.log(`${' '.repeat(12)}${parts?.join(', ') ?? 'no profile: perf is not there'}`);
  }
  console.log(`with against without: ${ratio.toFixed(2)} times`);
  console.log(
    `one connection, MTU 1500, a core for each end: ${perCore.toFixed(2)} Gbit/s per core`,
  );
  saveFigures(json, { machine: describeMachine(null), results, ratio, perCore });
  const limits = [
    [
      `at least ${LEAST_GBIT} Gbit/s per core, each end on a core of its own`,
      perCore >= LEAST_GBIT,
    ],
  ];
  if (!verdict(limits, console.log)) process.exitCode = 1;
  for (const { sides } of all) for (const port of sides) port.close();
  rmSync(folder, { recursive: true });
  process.exit();
}

await main();
