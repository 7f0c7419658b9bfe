/**
 * What an idle program costs, and what its sleep adds to the first packet.
 *
 *     node bench/idle.mjs [--seconds 60] [--packets 200]
 *
 * In a network namespace of its own: `dpdk-net run` of the example server on a TAP device, which
 * has a receive interrupt, and on af_packet over a veth pair, which has none. Processor time is the
 * process's own over a silence; then one ping after it; then pings far enough apart that
 * each finds the loop asleep, beside pings to the kernel's own end of the same wire, which sleeps nowhere.
 * @module
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { at } from '../tools/house/root.mjs';

const OURS = '10.77.0.2';
const KERNEL = '10.77.0.1';
const TICKS_PER_SECOND = 100;
/** Further apart than the 100 ms after which the loop sleeps longest. */
const INTERVAL = '0.25';
const DEVICES = [
  {
    name: 'net_tap, woken by its interrupt',
    setup: [],
    config: `dpdk.vdev = "net_tap0,iface=idle0"\ntap.host_ip = "${KERNEL}/24"\n`,
  },
  {
    name: 'net_af_packet, without an interrupt',
    setup: [
      'link add idle1 type veth peer name idle2',
      'link set idle1 up',
      'link set idle2 up',
      `addr add ${KERNEL}/24 dev idle1`,
    ],
    config: 'dpdk.vdev = "net_af_packet0,iface=idle2"\n',
  },
];

const ip = (line) => execFileSync('ip', line.split(' '));

/** User and system seconds of a process so far. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Round trips in milliseconds, sorted. Throws when none is answered. */
function ping(address, count, interval) {
  const args = ['-n', '-c', String(count), '-i', interval, '-W', '5', address];
  const told = execFileSync('ping', args, { encoding: 'utf8' });
  return [...told.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms)).sort((a, b) => a - b);
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];

async function measure({ name, setup, config }, folder, { seconds, packets }) {
  for (const line of setup) ip(line);
  const file = join(folder, 'idle.toml');
  writeFileSync(file, `network.ip = "${OURS}/24"\n${config}`);
  const args = [at('lib/cli/main.js'), 'run', '-q', '-c', file, at('examples/http/server.js')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  ping(OURS, 3, '0.2');
  await delay(1000);
  const before = cpuSeconds(child.pid);
  await delay(seconds * 1000);
  const share = (cpuSeconds(child.pid) - before) / seconds;
  const [first] = ping(OURS, 1, '1');
  const asleep = ping(OURS, packets, INTERVAL);
  const kernel = ping(KERNEL, packets, INTERVAL);
  child.kill('SIGTERM');
  await once(child, 'close');
  const of = (trips) => `p50 ${quantile(trips, 0.5)} ms, p99 ${quantile(trips, 0.99)} ms`;
  console.log(`${name}`);
  console.log(`  idle for ${seconds} s       ${(100 * share).toFixed(2)} % of a core`);
  console.log(`  first ping after it  ${first} ms`);
  console.log(`  ping to a sleeper    ${of(asleep)} (${asleep.length} of ${packets} answered)`);
  console.log(`  ping within kernel   ${of(kernel)}`);
}

async function main() {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, packets: { type: 'string' } },
  });
  if (process.env.DPDK_NET_IDLE === undefined) {
    const env = { ...process.env, DPDK_NET_IDLE: '1' };
    const args = ['-n', process.execPath, ...process.argv.slice(1)];
    const { status } = spawnSync('unshare', args, { env, stdio: 'inherit' });
    process.exitCode = status ?? 1;
    return;
  }
  ip('link set lo up');
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-idle-'));
  const lengths = { seconds: Number(values.seconds ?? 60), packets: Number(values.packets ?? 200) };
  for (const device of DEVICES) await measure(device, folder, lengths);
  rmSync(folder, { recursive: true });
}

await main();
