import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import test from 'node:test';
import { openPort } from './open-port.ts';
import { enterNamespace, ip } from './test-namespace.ts';

const CLOSE_ON_EXEC = 0o2000000;
const NO_HEAP = { heapBytes: 1 << 20 };

/** What a child process would inherit: 'number target' of each descriptor but the standard ones. */
function inheritable(): string[] {
  const found: string[] = [];
  for (const fd of readdirSync('/proc/self/fd')) {
    if (Number(fd) < 3) continue;
    try {
      const flags = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').match(/^flags:\s+(\d+)/m)![1]!;
      if ((Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0) continue;
      found.push(`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`);
    } catch {
      // The folder's own descriptor, closed meanwhile.
    }
  }
  return found;
}

await enterNamespace();

const before = inheritable();

test('EAL, tap, af_packet and memif open nothing that a child process inherits', async () => {
  const socket = `dpdk-net-test-${process.pid}-i`;
  ip('link set lo up');
  const tap = openPort({ device: 'net_tap0,iface=dtap0', ...NO_HEAP });
  const packet = openPort({ device: 'net_af_packet0,iface=lo', ...NO_HEAP });
  const memif = (role: string, index: number) =>
    openPort({ device: `net_memif${index},role=${role},id=0,socket=${socket}`, ...NO_HEAP });
  const server = memif('server', 0);
  const client = memif('client', 1);
  await Promise.all([server.linkUp(120_000), client.linkUp(120_000)]);
  assert.deepEqual(inheritable(), before);
  for (const port of [client, server, packet, tap]) port.close();
});

test('tap: the interface goes with us though a child process of ours stays', async () => {
  const port = openPort({ device: 'net_tap1,iface=dtap1', ...NO_HEAP });
  const other = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    await once(other, 'spawn');
    port.close();
    assert.doesNotMatch(ip('-o link'), /dtap1/);
    assert.equal(other.exitCode, null);
  } finally {
    other.kill('SIGKILL');
  }
});
