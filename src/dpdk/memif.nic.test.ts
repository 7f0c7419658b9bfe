import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import { linkCompliance } from '../testing/link-compliance.ts';
import * as Packet from '../testing/packet.ts';
import { openPort } from './open-port.ts';
import type { Port } from './port.ts';
import { sendUnsummed } from './raw-frames.ts';

/** An abstract socket: no file is left behind. */
const SOCKET = `dpdk-net-test-${process.pid}`;
const NO_HEAP = { heapBytes: 1 << 20 };
const CHILD = fileURLToPath(new URL(`./memif-child${import.meta.url.slice(-3)}`, import.meta.url));
/** The long run of this test sets it to 100. */
const KILLS = Number(process.env['DPDK_NET_KILLS'] ?? 8);

function open(index: number, role: 'server' | 'client', socket: string): Port {
  return openPort({ device: `net_memif${index},role=${role},id=0,socket=${socket}`, ...NO_HEAP });
}

function child(...args: string[]): ChildProcess {
  return spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

test('memif: both ends in one process, in order, both ways', async () => {
  const a = open(0, 'server', `${SOCKET}-a`);
  const b = open(1, 'client', `${SOCKET}-a`);
  await Promise.all([a.linkUp(120_000), b.linkUp(120_000)]);
  const frame = Packet.udp({
    src: '10.0.0.1',
    dst: '10.0.0.2',
    srcPort: 1,
    dstPort: 2,
    payload: 'x',
  });
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    for (let round = 0; round < 500; round++) {
      for (let i = 0; i < 16; i++) sendUnsummed(from.links[0]!, frame);
      from.links[0]!.exchange();
      to.links[0]!.exchange();
    }
    while (from.links[0]!.counters().txFrames !== to.links[0]!.counters().rxFrames) {
      from.links[0]!.exchange();
      to.links[0]!.exchange();
    }
    assert.equal(to.links[0]!.counters().rxFrames, 8000);
  }
  b.close();
  a.close();
});

/** Sends back what a child process counts; the child's exit status says whether it was right. */
async function echoFor(port: Port, other: ChildProcess): Promise<number | null> {
  while (other.exitCode === null && other.signalCode === null) {
    for (const { bytes } of receiveFrames(port.links[0]!)) sendFrame(port.links[0]!, bytes);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return other.exitCode;
}

test('memif: another process gets its frames back, all and in order', async () => {
  const port = open(4, 'server', `${SOCKET}-c`);
  assert.equal(await echoFor(port, child('client', `${SOCKET}-c`, 'count', '20000')), 0);
  port.close();
});

test('memif: a client may come before its server', async () => {
  const port = open(2, 'client', `${SOCKET}-b`);
  assert.equal(port.device.link.up, false);
  assert.equal(port.links[0]!.exchange(), 0);
  assert.equal(await echoFor(port, child('server', `${SOCKET}-b`, 'count', '2000')), 0);
  port.close();
});

/**
 * Exchanges traffic with whoever is there until `done` says so; `received` counts what came.
 * The peer starts within that time, too.
 */
async function pollUntil(port: Port, done: (received: number) => boolean): Promise<void> {
  const link = port.links[0]!;
  const frame = new Uint8Array(1500).fill(9);
  const deadline = Date.now() + 180_000;
  let received = 0;
  while (!done(received)) {
    for (let burst = 0; burst < 64; burst++) {
      for (let i = 0; i < 4 && sendFrame(link, frame); i++);
      received += Math.max(link.exchange(), 0);
    }
    if (Date.now() > deadline) {
      const state = port.device.link.up ? 'up' : 'down';
      assert.fail(`the peer is not served: link ${state}, ${received} frames came`);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets a peer in another process flood us and kills it under traffic, KILLS times. */
async function killPeers(port: Port, role: 'client' | 'server', socket: string): Promise<void> {
  for (let kill = 0; kill < KILLS; kill++) {
    const peer = child(role, socket, 'flood');
    try {
      // A different number of frames each time, so that the end comes at any point of a burst.
      await pollUntil(port, (received) => received > 1000 + kill * 37);
    } finally {
      peer.kill('SIGKILL');
    }
    await pollUntil(port, () => peer.signalCode !== null);
  }
}

test('memif: a server outlives clients killed under traffic and serves the next', async () => {
  const port = open(5, 'server', `${SOCKET}-d`);
  await killPeers(port, 'client', `${SOCKET}-d`);
  port.close();
});

test('memif: a client outlives servers killed under traffic and finds the next', async () => {
  const port = open(6, 'client', `${SOCKET}-e`);
  await killPeers(port, 'server', `${SOCKET}-e`);
  port.close();
});

/** Waits until the kernel has a socket with this abstract name, or has none any more. */
async function untilNamed(name: string, wanted: boolean): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (readFileSync('/proc/net/unix', 'utf8').includes(`@${name}`) !== wanted) {
    assert.ok(Date.now() < deadline, `${name} is ${wanted ? 'not there' : 'still there'}`);
    await sleep(20);
  }
}

test('memif: a child process of ours does not keep the sockets', async () => {
  const socket = `${SOCKET}-g`;
  const a = open(2, 'server', socket);
  const b = open(3, 'client', socket);
  await Promise.all([a.linkUp(120_000), b.linkUp(120_000)]);
  const other = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    await once(other, 'spawn');
    b.close();
    a.close();
    // Also of the accepted connection, which has the listening socket's name.
    await untilNamed(socket, false);
    open(2, 'server', socket).close();
    assert.equal(other.exitCode, null);
  } finally {
    other.kill('SIGKILL');
  }
});

test('memif: a client does not wait for a server that does not accept', async () => {
  const socket = `${SOCKET}-h`;
  const server = child('server', socket, 'flood');
  try {
    await untilNamed(socket, true);
    server.kill('SIGSTOP');
    // The driver's backlog holds two.
    const clients = child('client', socket, 'crowd', '4');
    try {
      const signal = AbortSignal.timeout(100_000);
      const [line] = await once(clients.stdout!, 'data', { signal });
      assert.equal(String(line), 'open\n');
      server.kill('SIGCONT');
      const [status] = await once(clients, 'exit', { signal: AbortSignal.timeout(150_000) });
      assert.equal(status, 0);
    } finally {
      clients.kill('SIGKILL');
    }
  } finally {
    server.kill('SIGKILL');
  }
});

const ends: Port[] = [];
for (const { name, check } of linkCompliance(() => {
  for (const end of ends.splice(0).reverse()) end.close();
  ends.push(open(0, 'server', `${SOCKET}-f`), open(1, 'client', `${SOCKET}-f`));
  while (ends.some((end) => !end.device.link.up));
  return [ends[0]!.links[0]!, ends[1]!.links[0]!];
})) {
  test(`memif: ${name}`, check);
}
