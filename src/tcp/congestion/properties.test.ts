/**
 * What holds for every congestion control, over a network that mistreats what passes.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Address } from '../../base/address.ts';
import type { Faults } from '../../link/faulty-path.ts';
import { type Network, simulate } from '../../testing/network.ts';
import { serve, type Transfer, transfer } from '../../testing/programs.ts';
import type { Connection } from '../connection.ts';
import type { TcpOptions } from '../options.ts';
import { CONGESTION_NAMES, type CongestionName } from './algorithms.ts';
import { MOST_WINDOW } from './congestion.ts';

interface Run {
  readonly flows: readonly CongestionName[];
  readonly bytes: number;
  readonly there: Faults;
  readonly back?: Faults;
  readonly tcp?: Partial<TcpOptions>;
}

interface Seen {
  readonly network: Network;
  readonly connections: readonly Connection[];
  readonly servers: readonly Transfer[];
  /** Runs until all has arrived, asking `look` every 5 ms. */
  readonly finish: (look?: (c: Connection) => void) => void;
}

/** Transfers of random bytes, one per flow, from one host to the other. */
function run(
  seed: number,
  { flows, bytes, there, back = {}, tcp = {} }: Run,
  body: (seen: Seen) => void,
) {
  simulate({ seed, arenaBytes: 64 << 20 }, (network) => {
    const a = network.addHost('a', { tcp });
    const b = network.addHost('b', { tcp });
    network.join(a, '10.0.0.1/24', b, '10.0.0.2/24', { there, back });
    const servers: Transfer[] = [];
    serve(b, 7, (socket) => servers.push(transfer(socket, new Uint8Array(0))));
    const payload = network.random.bytes(bytes);
    const connections = flows.map((congestion) => {
      const address = Address.parse('10.0.0.2');
      const socket = a.stack.tcp.connect({ address, port: 7, congestion });
      transfer(socket, payload);
      return socket.connection!;
    });
    const done = (): boolean =>
      servers.length === flows.length && servers.every(({ received }) => received.length === bytes);
    const finish = (look?: (c: Connection) => void): void => {
      const end = network.clock.now() + 120e6;
      while (!done()) {
        assert.ok(network.clock.now() < end, `not done at ${network}`);
        network.runFor(5000);
        if (look !== undefined) for (const c of connections) if (c.cwnd > 0) look(c);
      }
      for (const { received } of servers) assert.deepEqual(received, payload);
    };
    body({ network, connections, servers, finish });
  });
}

const within = (c: Connection): void => {
  assert.ok(c.cwnd >= c.mss && c.cwnd <= MOST_WINDOW, `cwnd ${c.cwnd}`);
  assert.ok(c.ssthresh >= 2 * c.mss && c.ssthresh <= MOST_WINDOW, `ssthresh ${c.ssthresh}`);
};

const FAULTS = { loss: 0.03, reorder: 0.05, duplicate: 0.03, delay: 10_000, jitter: 500 };

for (const name of CONGESTION_NAMES) {
  test(`${name}: all arrives intact under loss, reordering and duplication, within its bounds`, () => {
    for (const pacing of [false, true]) {
      const there = { ...FAULTS, bitsPerSecond: 20e6, queueBytes: 60_000 };
      run(11, { flows: [name], bytes: 400_000, there, back: FAULTS, tcp: { pacing } }, (seen) => {
        seen.finish(within);
      });
    }
  });

  test(`${name}: it recovers from timeouts on a path that loses nearly half`, () => {
    const there = { loss: 0.4, delay: 5000 };
    run(5, { flows: [name], bytes: 60_000, there }, (seen) => seen.finish(within));
  });

  test(`${name}: without SACK and timestamps it ends as well`, () => {
    const tcp = { sack: false, timestamps: false };
    run(7, { flows: [name], bytes: 200_000, there: { ...FAULTS, jitter: 0 }, tcp }, (seen) => {
      seen.finish(within);
    });
  });

  test(`${name}: changed to each of the others on the way, nothing is lost of the stream`, () => {
    const there = { loss: 0.01, delay: 10_000, bitsPerSecond: 20e6, queueBytes: 60_000 };
    run(13, { flows: [name], bytes: 600_000, there }, ({ connections, finish }) => {
      const socket = connections[0]!.socket!;
      let looks = 0;
      finish((c) => {
        within(c);
        const next = CONGESTION_NAMES[looks++ % CONGESTION_NAMES.length]!;
        if (looks % 2 === 0 && c.socket !== null) socket.setCongestion(next);
      });
    });
  });
}

for (const name of ['cubic', 'newreno', 'bbr'] as const) {
  test(`${name}: two flows share a bottleneck fairly`, () => {
    const there = { delay: 10_000, bitsPerSecond: 20e6, queueBytes: 50_000 };
    run(3, { flows: [name, name], bytes: 20 << 20, there }, ({ network, servers }) => {
      network.runFor(1e6);
      const before = servers.map(({ received }) => received.length);
      network.runFor(6e6);
      const [x, y] = servers.map(({ received }, i) => received.length - before[i]!) as [
        number,
        number,
      ];
      assert.ok(x + y > 0.85 * 6 * 2.5e6, `${x} + ${y} bytes`);
      assert.ok((x + y) ** 2 / (2 * (x * x + y * y)) > 0.95, `${x} and ${y} bytes`);
    });
  });
}
