/**
 * The devices on which a program idles, what a client of each is, and how it asks.
 * @module
 */
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { at } from '../../tools/house/root.mjs';
import { Child } from '../harness/children.mjs';

const PATIENCE_MS = 60_000;
const KERNEL = '10.78.0.1';
const CLI = [process.execPath, at('lib/cli/main.js'), 'run', '--quiet', '--config'];
const SERVER = at('examples/http/server.js');
const sets = (settings) => settings.flatMap((setting) => ['--set', setting]);
const ip = (line) => execFileSync('ip', line.split(' '));

/** Milliseconds of so many round trips. A ping waits for its reply before the next leaves. */
async function ping(address, count, intervalMs) {
  const args = ['-n', '-c', `${count}`, '-i', `${intervalMs / 1000}`, '-W', '5', address];
  const { stdout } = await promisify(execFile)('ping', args);
  return [...stdout.matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms));
}

async function started(command) {
  const child = new Child(command, { cpu: '0-1023', namespace: null });
  await child.firstLine(PATIENCE_MS);
  return child;
}

/** What `npm start` runs: a TAP device, which wakes whoever sleeps. */
const tap = {
  name: 'npm start: net_tap, woken by its interrupt',
  what: 'ping from the kernel',
  async start() {
    const server = await started([...CLI, at('examples/dpdk-net.toml'), SERVER]);
    return { idle: [server], ask: (n, ms) => ping('10.77.0.2', n, ms), kernel: '10.77.0.1' };
  },
};

const packetSocket = {
  name: 'net_af_packet, without an interrupt',
  what: 'ping from the kernel',
  async start() {
    ip('link add idle1 type veth peer name idle2');
    for (const name of ['idle1', 'idle2']) ip(`link set ${name} up`);
    ip(`addr add ${KERNEL}/24 dev idle1`);
    const settings = ['dpdk.vdev=net_af_packet0,iface=idle2', 'network.ip=10.78.0.2/24'];
    const server = await started([...CLI, '/dev/null', ...sets(settings), SERVER]);
    return { idle: [server], ask: (n, ms) => ping('10.78.0.2', n, ms), kernel: KERNEL };
  },
};

const memif = {
  name: 'net_memif, both ends ours, without an interrupt',
  what: 'connect() of a program that slept as well: two sleeps each way',
  async start(folder) {
    const end = (role, address, ...program) => {
      const device = `dpdk.vdev=net_memif0,role=${role},id=0,socket=${join(folder, 'idle.sock')}`;
      const settings = sets([device, `network.ip=${address}/24`]);
      return started([...CLI, '/dev/null', ...settings, ...program]);
    };
    const server = await end('server', '10.79.0.1', SERVER);
    const program = [at('bench/idle/connects.mjs'), '10.79.0.1', '8080'];
    const client = await end('client', '10.79.0.2', ...program);
    const ask = async (count, intervalMs) => {
      client.say(JSON.stringify({ count, intervalMs }));
      const { times } = await client.firstLine(PATIENCE_MS + count * intervalMs);
      return times;
    };
    return { idle: [server, client], ask, kernel: null };
  },
};

export const DEVICES = [tap, packetSocket, memif];
export { ping };
