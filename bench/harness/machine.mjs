/**
 * Where the figures come from: processor, kernel, versions, commit.
 * @module
 */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { ask } from '../../tools/house/command.mjs';
import { at } from '../../tools/house/root.mjs';

/** Above this load the figures say more about the other programs than about ours. */
const BUSY_LOAD = 0.5;

/** The processors this process may use, lowest first. */
export function allowedCpus() {
  const list = readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:\s+(\S+)/m)[1];
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** For the JSON file. `dpdk`: its version, or why it is not there. */
export function describeMachine(dpdk) {
  const [load] = os.loadavg();
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: allowedCpus().length,
    memoryGb: Math.round(os.totalmem() / 1e9),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    v8: process.versions.v8,
    dpdk,
    commit: commit(),
    hugepages: hugepages(),
    loadAtStart: Number(load.toFixed(2)),
    date: new Date().toISOString(),
  };
}

/** A sentence when other programs are using the machine, else null. */
export function busy() {
  const [load] = os.loadavg();
  if (load < BUSY_LOAD) return null;
  return `other programs are running (load ${load.toFixed(1)}): the figures will be too low and uneven`;
}

function commit() {
  const { status, stdout } = ask('git', ['describe', '--always', '--dirty'], { cwd: at('.') });
  return status === 0 ? stdout.trim() : 'none';
}

function hugepages() {
  return Number(
    readFileSync('/proc/meminfo', 'utf8').match(/^HugePages_Total:\s+(\d+)/m)?.[1] ?? 0,
  );
}
