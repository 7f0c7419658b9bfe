import assert from 'node:assert/strict';
import test from 'node:test';
import { Address, Prefix } from '../../base/address.ts';
import { CLOSED, READABLE } from '../../base/events.ts';
import { RX_MAX } from '../../link/layout.gen.ts';
import { type EventHandler, type Host, Network } from '../../testing/network.ts';
import { echo, serve } from '../../testing/programs.ts';
import { SynFlood } from '../../testing/syn-flood.ts';
import type { TcpSocket } from '../socket.ts';

const CONNECTS = 300;
const SYNS = 60_000;

interface Served {
  readonly network: Network;
  readonly client: Host;
  readonly server: Host;
  readonly flood: SynFlood;
}

/** A client, a server that echoes on port 80, and an attacker on a link of his own. */
function attacked(synCookies: 'auto' | 'never'): Served {
  const network = new Network({ seed: 7, arenaBytes: 64 << 20 });
  const options = { heapBytes: 4 << 20, tcp: { maxHalfOpen: 256, synCookies } };
  const client = network.addHost('client', options);
  const server = network.addHost('server', options);
  network.join(client, '10.0.0.1/24', server, '10.0.0.2/24');
  const flood = new SynFlood(network.arena, { dst: '10.0.0.2', dstPort: 80, seed: 3 });
  server.stack.attach(flood);
  const [nic] = server.stack.net.nics;
  server.stack.addRoute(Prefix.parse('0.0.0.0/0'), Address.parse('10.0.0.1'), nic!);
  serve(server, 80, echo);
  return { network, client, server, flood };
}

/** Connects, sends a byte, waits for its echo, closes. */
function ask(host: Host, tally: { answered: number; ended: number }): void {
  const socket: TcpSocket = host.stack.tcp.connect({
    address: Address.parse('10.0.0.2'),
    port: 80,
  });
  const into = new Uint8Array(16);
  socket.write(Uint8Array.of(42));
  socket.owner = ((events) => {
    if (events & READABLE && socket.read(into) > 0) {
      tally.answered++;
      socket.close();
    }
    if (events & CLOSED) tally.ended++;
  }) satisfies EventHandler;
}

/** One connect every millisecond among 200 SYNs. */
function storm({ network, client, flood }: Served, connects: number): number {
  const tally = { answered: 0, ended: 0 };
  const perMs = Math.ceil(SYNS / CONNECTS);
  for (let ms = 0; ms < connects; ms++) {
    ask(client, tally);
    for (let left = perMs; left > 0; left -= RX_MAX) {
      flood.burst = Math.min(left, RX_MAX);
      network.hosts[1]!.turn(network.clock.now());
      flood.burst = 0;
    }
    network.runFor(1000);
  }
  network.runFor(3_000_000);
  return tally.answered;
}

test('row 9: under a SYN flood every connect succeeds, and memory stays', () => {
  const served = attacked('auto');
  const { server, flood, network } = served;
  storm(served, 20);
  const before = [server.stack.net.paths.size, server.stack.net.neighbors.size];
  assert.equal(storm(served, CONNECTS), CONNECTS);
  assert.ok(flood.sent > SYNS && flood.answered >= flood.sent - 300);
  const { paths, neighbors } = server.stack.net;
  assert.ok(server.stack.tcp.connections.length < 256 + 2 * CONNECTS);
  assert.ok(paths.size <= before[0]! + 1024 && neighbors.size === before[1], 'no neighbor each');
  assert.ok(server.stack.report().tcp['tcp_syn_cookies_received']! >= CONNECTS);
  network.runFor(200e6);
  assert.deepEqual(server.stack.counts().halfOpen, 0);
  network.close();
});

test('row 9: without cookies the same flood keeps others out', () => {
  const served = attacked('never');
  storm(served, 20);
  assert.ok(storm(served, 50) < 25);
  served.network.close();
});
