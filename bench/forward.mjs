/**
 * Frames received and sent back by one core: testpmd's own engines, and a loop in JavaScript over
 * our link, on the same virtual devices.
 *
 *     node bench/forward.mjs [--seconds 2] [--rounds 3] [--json FILE]
 *
 * macswap: net_null gives frames of 64 bytes without end and takes whatever is sent; the addresses
 * are exchanged. csum: net_pcap gives UDP datagrams without end; the sums are checked and made
 * anew. Each program runs by itself, in turns, pinned to one processor; packets for a second of
 * time and of processor time, the median of the rounds. The first second of each is not counted.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Eal, openPort } from 'dpdk-net/dpdk';
import * as L from '../dist/link/layout.gen.js';
import * as Packet from '../dist/testing/packet.js';
import { describeMachine } from './harness/machine.mjs';

const SELF = fileURLToPath(import.meta.url);
const WARMUP_SECONDS = 1;
const FRAMES_IN_FILE = 64;

/** The devices of each case; the name of a file is put in. */
const CASES = {
  macswap: () => 'net_null0,size=64',
  csum: (folder) => `net_pcap0,rx_pcap=${join(folder, 'in.pcap')},infinite_rx=1,tx_pcap=/dev/null`,
};

/** A capture with UDP datagrams of 100 bytes. */
function writeCapture(folder) {
  const header = new Uint32Array([0xa1b2c3d4, 2 | (4 << 16), 0, 0, 65535, 1]);
  const parts = [new Uint8Array(header.buffer)];
  for (let n = 0; n < FRAMES_IN_FILE; n++) {
    const fields = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: n + 1, dstPort: 9 };
    const frame = Packet.udp({ ...fields, payload: 'x'.repeat(100) });
    parts.push(new Uint8Array(new Uint32Array([0, 0, frame.length, frame.length]).buffer), frame);
  }
  writeFileSync(join(folder, 'in.pcap'), Buffer.concat(parts));
}

/** One burst: every frame that came goes back with its addresses exchanged. */
function forwardBurst(link, ring, bytes, flags) {
  const count = link.exchange();
  for (let i = 0; i < count && ring[L.SLOT_COUNT] > 0 && ring[L.TX_COUNT] < L.TX_MAX; i++) {
    const from = L.RX_BASE + i * L.DESCRIPTOR_WORDS;
    const frame = ring[from + L.RX_AT];
    const length = ring[from + L.RX_LENGTH];
    const slot = ring[L.SLOT_BASE + --ring[L.SLOT_COUNT]];
    const at = slot + L.SLOT_TRANSPORT;
    bytes.copyWithin(at, frame, frame + length);
    for (let byte = 0; byte < 6; byte++) {
      bytes[at + byte] = bytes[frame + 6 + byte];
      bytes[at + 6 + byte] = bytes[frame + byte];
    }
    const to = L.TX_BASE + ring[L.TX_COUNT]++ * L.DESCRIPTOR_WORDS;
    ring[to + L.TX_SLOT] = slot;
    ring[to + L.TX_AT] = at;
    ring[to + L.TX_LENGTH] = length;
    ring[to + L.TX_FLAGS] = flags;
    ring[to + L.TX_HEADERS] = 14 | (20 << 8) | (8 << 16);
  }
  return count;
}

/** The child that is ours: packets and seconds as a line of JSON. */
function forward(device, name, seconds) {
  const port = openPort({ device, heapBytes: 1 << 20, join: false, segmentBytes: 0 });
  const [link] = port.links;
  const flags = name === 'csum' ? L.TX_IP_SUM | L.TX_UDP_SUM : 0;
  const run = (ms) => {
    const start = process.hrtime.bigint();
    const cpu = process.cpuUsage();
    const end = start + BigInt(ms) * 1_000_000n;
    const before = link.counters().txFrames;
    while (process.hrtime.bigint() < end) {
      for (let i = 0; i < 256; i++) forwardBurst(link, link.ring, link.arena.bytes, flags);
    }
    const { user, system } = process.cpuUsage(cpu);
    const packets = link.counters().txFrames - before;
    const passed = Number(process.hrtime.bigint() - start) / 1e9;
    return { packets, seconds: passed, cpuSeconds: (user + system) / 1e6 };
  };
  run(WARMUP_SECONDS * 1000);
  console.log(JSON.stringify(run(seconds * 1000)));
  port.close();
}

/** testpmd with one forwarding core; its totals, less those of a run that only warms up. */
function testpmd(device, name, seconds) {
  const long = testpmdRun(device, name, WARMUP_SECONDS + seconds);
  const short = testpmdRun(device, name, WARMUP_SECONDS);
  const difference = (key) => long[key] - short[key];
  return {
    packets: difference('packets'),
    seconds,
    cpuSeconds: difference('cpuSeconds'),
  };
}

function testpmdRun(device, name, seconds) {
  const eal = ['--no-huge', '--no-pci', '-m', '256', '--no-shconf', '--no-telemetry'];
  const cores = ['--lcores=0@0,1@0', `--file-prefix=nic-forward-${process.pid}`];
  const engine = [
    `--forward-mode=${name}`,
    '--total-num-mbufs=8192',
    '--stats-period=1',
    '--auto-start',
  ];
  const command = ['dpdk-testpmd', ...eal, ...cores, `--vdev=${device}`, '--', ...engine];
  // It stops at the end of its input, which is when the sleep ends.
  const started = spawnSync(
    'bash',
    ['-c', 'time (sleep "$0" | timeout 60 "$@")', `${seconds}`, ...command],
    { encoding: 'utf8', env: { ...process.env, TIMEFORMAT: 'cpu %U %S' } },
  );
  const output = `${started.stdout}\n${started.stderr}`;
  const packets = Number(output.match(/Accumulated[\s\S]*?TX-packets:\s*(\d+)/)?.[1] ?? Number.NaN);
  const [, user, system] = output.match(/cpu ([\d.]+) ([\d.]+)/) ?? [];
  return { packets, cpuSeconds: Number(user) + Number(system) };
}

function ours(device, name, seconds) {
  const child = spawnSync(
    'taskset',
    ['-c', '0', process.execPath, SELF, 'child', device, name, `${seconds}`],
    {
      encoding: 'utf8',
    },
  );
  const line = child.stdout.trim().split('\n').at(-1);
  if (child.status !== 0 || !line) throw new Error(child.stderr);
  return JSON.parse(line);
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function main(values) {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-'));
  writeCapture(folder);
  const results = [];
  for (const [name, deviceOf] of Object.entries(CASES)) {
    const runs = { ours: [], testpmd: [] };
    for (let round = 0; round < Number(values.rounds); round++) {
      runs.ours.push(ours(deviceOf(folder), name, Number(values.seconds)));
      runs.testpmd.push(testpmd(deviceOf(folder), name, Number(values.seconds)));
    }
    for (const [who, list] of Object.entries(runs)) {
      const perSecond = median(list.map(({ packets, seconds }) => packets / seconds));
      const perCpuSecond = median(list.map(({ packets, cpuSeconds }) => packets / cpuSeconds));
      results.push({ name, who, perSecond, perCpuSecond });
      const million = (value) => (value / 1e6).toFixed(2);
      console.log(
        `${name.padEnd(8)} ${who.padEnd(8)} ${million(perSecond)} million packets/s, ${million(perCpuSecond)} per processor second`,
      );
    }
  }
  rmSync(folder, { recursive: true });
  if (values.json === undefined) return;
  const report = { machine: describeMachine(Eal.state().version), results };
  mkdirSync(dirname(resolve(values.json)), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
if (positionals[0] === 'child') forward(positionals[1], positionals[2], Number(positionals[3]));
else main(values);
