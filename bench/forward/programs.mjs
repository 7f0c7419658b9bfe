/**
 * Runs testpmd and our own forwarding on a device: { packets, seconds, cpuSeconds } of each.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { at } from '../../tools/house/root.mjs';
import { Child } from '../harness/children.mjs';

const PATIENCE_MS = 30_000;
const WARMUP_MS = 1000;

/** Our loop, in a process of its own. */
export async function ours({ cpu, ...given }) {
  const command = [process.execPath, at('bench/forward/ours.mjs'), JSON.stringify(given)];
  const child = new Child(command, { cpu, namespace: null });
  const figures = await child.firstLine(PATIENCE_MS + given.seconds * 1000);
  await child.end();
  return figures;
}

/** testpmd, whose forwarding thread has the processor; its main thread sleeps. */
export async function testpmd({ engine, device, seeded, seconds, cpu }) {
  const eal = ['--no-huge', '--no-pci', '-m', '256', '--no-shconf', '--no-telemetry'];
  const cores = [`--lcores=0@${cpu},1@${cpu}`, `--file-prefix=nic-forward-${process.pid}`];
  const command = [
    'stdbuf',
    '-oL',
    'dpdk-testpmd',
    ...eal,
    ...cores,
    `--vdev=${device}`,
    '--',
    '-i',
  ];
  const child = new Child([...command, '--total-num-mbufs=8192'], { cpu, namespace: null });
  try {
    await child.firstLine(PATIENCE_MS);
    child.say(`set fwd ${engine}`);
    if (engine === 'csum') child.say('csum set ip sw 0\ncsum set udp sw 0');
    child.say(seeded ? 'start tx_first 8' : 'start');
    const before = await totals(child);
    await sleep(WARMUP_MS);
    const first = await totals(child);
    await sleep(seconds * 1000);
    const last = await totals(child);
    if (!(first.packets > before.packets)) throw new Error(`testpmd sends nothing on ${device}`);
    const passed = (key) => last[key] - first[key];
    return {
      packets: passed('packets'),
      seconds: passed('seconds'),
      cpuSeconds: passed('cpuSeconds'),
    };
  } finally {
    child.say('stop\nquit');
    await child.end();
  }
}

/** What it has sent so far, when, and what its forwarding thread has used of the processor. */
async function totals(child) {
  const told = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('testpmd does not answer')), PATIENCE_MS);
    child.onMessage((line) => {
      const [, packets] = /TX-packets:\s*(\d+)/.exec(line) ?? [];
      if (packets === undefined) return;
      clearTimeout(timer);
      resolve(Number(packets));
    });
  });
  child.say('show port stats 0');
  const packets = await told;
  return { packets, seconds: performance.now() / 1000, cpuSeconds: workerSeconds(child.pid) };
}

/** Of the thread that DPDK calls lcore-worker-1. */
function workerSeconds(pid) {
  const folder = `/proc/${pid}/task`;
  for (const thread of readdirSync(folder)) {
    if (!readFileSync(`${folder}/${thread}/comm`, 'utf8').includes('worker')) continue;
    return Number(readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
  }
  throw new Error('testpmd has no forwarding thread');
}
