/**
 * Frames received and sent back by one core: testpmd's own engines, and a loop in JavaScript over
 * our link, on the same virtual devices.
 *
 *     npm run bench -- forward [--quick] [--json FILE]
 *
 * macswap: the addresses are exchanged; csum: the sums are checked and made anew. net_null gives
 * frames of 64 bytes without end and takes whatever is sent; what is sent to net_ring comes back,
 * and as many frames go round in it; net_pcap gives UDP datagrams without end, and counts what is sent.
 * Each program runs by itself, by turns, its forwarding thread pinned to the last processor; packets
 * for a second of time and for a processor second of that thread, the median of the rounds. The first
 * second of each does not count. (testpmd is asked by its commands: with --stats-period it does
 * not read them, and ends with nothing but a signal.)
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Eal } from 'dpdk-net/dpdk';
import { writeCapture } from './forward/capture.mjs';
import { ours, testpmd } from './forward/programs.mjs';
import { saveFigures, settingsOf } from './harness/alone.mjs';
import { killChildren } from './harness/children.mjs';
import { allowedCpus, describeMachine } from './harness/machine.mjs';
import { raisePriority } from './harness/priority.mjs';
import { median, readable } from './harness/statistics.mjs';

const { seconds, rounds, json } = settingsOf({
  full: { seconds: 2, rounds: 3 },
  quick: { seconds: 1, rounds: 1 },
});

/** Engine, device; `seeded`: the frames have to be put in first. */
const CASES = [
  { engine: 'macswap', device: () => 'net_null0,size=64' },
  { engine: 'macswap', device: () => 'net_ring0', seeded: true },
  { engine: 'csum', device: () => 'net_ring0', seeded: true },
  {
    engine: 'csum',
    device: (file) => `net_pcap0,rx_pcap=${file},infinite_rx=1,tx_pcap=/dev/null`,
  },
];
const WAYS = { testpmd, ours };

async function main() {
  const folder = mkdtempSync(`${tmpdir()}/dpdk-net-`);
  process.once('exit', () => {
    killChildren();
    rmSync(folder, { recursive: true, force: true });
  });
  raisePriority(-20);
  const file = writeCapture(folder);
  const cpu = allowedCpus().at(-1);
  const results = [];
  for (const { engine, device, seeded = false } of CASES) {
    const given = { engine, device: device(file), seeded, seconds, cpu };
    const runs = { testpmd: [], ours: [] };
    for (let round = 0; round < rounds; round++) {
      for (const [who, run] of Object.entries(WAYS)) runs[who].push(await run(given));
    }
    const name = `${engine} on ${given.device.split(/\d/)[0]}`;
    results.push(resultOf(name, runs));
  }
  saveFigures(json, { machine: describeMachine(Eal.state().version), results });
}

function resultOf(name, runs) {
  const figures = Object.entries(runs).map(([who, list]) => {
    const perSecond = median(list.map(({ packets, seconds: s }) => packets / s));
    const perCpuSecond = median(list.map(({ packets, cpuSeconds }) => packets / cpuSeconds));
    console.log(
      `${name.padEnd(20)} ${who.padEnd(8)} ${readable(perSecond)} packets/s, ${readable(perCpuSecond)} for each processor second`,
    );
    return [who, { perSecond, perCpuSecond }];
  });
  const { testpmd: theirs, ours: our } = Object.fromEntries(figures);
  const share = our.perCpuSecond / theirs.perCpuSecond;
  console.log(`${name.padEnd(20)} ours is ${share.toFixed(2)} of testpmd's\n`);
  return { name, ...Object.fromEntries(figures), share };
}

await main();
process.exit();
