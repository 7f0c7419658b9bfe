import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { openPort, type Port } from '../dpdk/index.ts';
import type { Stack } from '../stack/stack.ts';
import type { TcpListener } from '../tcp/listener.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { memifStack, PORT, pumpSockets, SURVIVOR } from './memif-stack.ts';

const PEER = fileURLToPath(new URL(`./memif-peer${import.meta.url.slice(-3)}`, import.meta.url));
/** The long run of this test sets it to 100. */
const KILLS = Number(process.env['DPDK_NET_KILLS'] ?? 3);
const CONNECTIONS = 4;
const PATIENCE_MS = 180_000;

/** What one kill came to, in ms: until the next peer's data, until the dead one's end. */
interface Round {
  readonly servedMs: number;
  readonly endedMs: number;
  readonly errors: readonly string[];
}

class Survivor {
  readonly stack: Stack;
  readonly #listener: TcpListener;
  sockets: TcpSocket[] = [];

  constructor(port: Port) {
    this.stack = memifStack(port, SURVIVOR);
    this.#listener = this.stack.tcp.listen({ port: PORT });
  }

  /** Polls, accepts, reads and writes until `done(bytes of the sockets accepted in here)`. */
  async until(what: string, done: (received: number) => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    let received = 0;
    while (!done(received)) {
      assert.ok(Date.now() < deadline, `${what}: ${JSON.stringify(this.stack.report())}`);
      for (let i = 0; i < 64; i++) {
        this.stack.poll(performance.now() * 1000);
        for (let s = this.#listener.accept(); s !== null; s = this.#listener.accept()) {
          this.sockets.push(s);
        }
        received += pumpSockets(this.sockets);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function peerOf(role: 'client' | 'server', socket: string): ChildProcess {
  return spawn(process.execPath, [PEER, role, socket, `${CONNECTIONS}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function killPeers(
  role: 'client' | 'server',
  other: 'client' | 'server',
  socket: string,
): Promise<void> {
  const port = openPort({
    device: `net_memif${role === 'server' ? 0 : 1},role=${role},id=0,socket=${socket}`,
    heapBytes: 8 << 20,
  });
  const survivor = new Survivor(port);
  const rounds: Round[] = [];
  let killed: { sockets: TcpSocket[]; at: number } | null = null;
  for (let kill = 0; kill <= KILLS; kill++) {
    const peer = peerOf(other, socket);
    try {
      survivor.sockets = [];
      const { sockets, at } = killed ?? { sockets: [], at: Date.now() };
      await survivor.until(
        'the next peer is not served',
        (n) => n > 100_000 + kill * 3700 && survivor.sockets.length >= CONNECTIONS,
      );
      const servedMs = Date.now() - at;
      await survivor.until('a connection does not end', () => sockets.every((s) => s.error !== ''));
      if (killed !== null) {
        rounds.push({ servedMs, endedMs: Date.now() - at, errors: sockets.map((s) => s.error) });
      }
    } finally {
      peer.kill('SIGKILL');
    }
    killed = { sockets: survivor.sockets, at: Date.now() };
    await survivor.until('the kill', () => peer.signalCode !== null);
  }
  for (const { errors } of rounds) {
    assert.deepEqual(errors, new Array(errors.length).fill('ECONNRESET'));
  }
  const median = (of: (round: Round) => number): number =>
    rounds.map(of).sort((a, b) => a - b)[rounds.length >> 1]!;
  console.log(
    `${rounds.length} kills; served again after ${median((r) => r.servedMs)} ms, ` +
      `old connections ended after ${median((r) => r.endedMs)} ms (medians, of busy machines)`,
  );
  survivor.stack.close();
  port.close();
}

test('memif server: its connections to killed peers end, and the next peer is served', async () => {
  await killPeers('server', 'client', `dpdk-net-test-${process.pid}-s`);
});

test('memif client: its connections to killed peers end, and the next peer is served', async () => {
  await killPeers('client', 'server', `dpdk-net-test-${process.pid}-c`);
});

test('memif: without a next peer the user timeout ends the connections', async () => {
  const socket = `dpdk-net-test-${process.pid}-t`;
  const port = openPort({
    device: `net_memif2,role=server,id=0,socket=${socket}`,
    heapBytes: 8 << 20,
  });
  const survivor = new Survivor(port);
  const peer = peerOf('client', socket);
  try {
    await survivor.until('the peer is not served', (received) => received > 100_000);
    for (const one of survivor.sockets) one.setUserTimeout(500);
  } finally {
    peer.kill('SIGKILL');
  }
  const { sockets } = survivor;
  await survivor.until('a connection does not end', () => sockets.every((s) => s.error !== ''));
  assert.deepEqual(
    sockets.map((s) => s.error),
    new Array(sockets.length).fill('ETIMEDOUT'),
  );
  survivor.stack.close();
  port.close();
});
