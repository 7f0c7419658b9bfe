import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Address } from '../base/address.ts';
import type { Faults } from '../link/faulty-path.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { type JoinOptions, Network, simulate } from './network.ts';
import { echo, serve, type Transfer, transfer } from './programs.ts';

const PORT = 7;

function twoHosts(network: Network, options: JoinOptions = {}) {
  const a = network.addHost('a');
  const b = network.addHost('b');
  const wire = network.join(a, '10.0.0.1/24 fd00::1/64', b, '10.0.0.2/24 fd00::2/64', options);
  return { a, b, wire };
}

/** Both directions at once, over a wire with `faults`. */
function transferBothWays(seed: number, faults: Faults, bytes: number, options: JoinOptions = {}) {
  simulate({ seed }, (network) => {
    const { a, b, wire } = twoHosts(network, { both: faults, ...options });
    const [there, back] = [network.random.bytes(bytes), network.random.bytes(bytes)];
    let server: Transfer | null = null;
    serve(b, PORT, (socket) => {
      server = transfer(socket, back);
    });
    const address = Address.parse(seed % 2 === 0 ? '10.0.0.2' : 'fd00::2');
    const socket = a.stack.tcp.connect({ address, port: PORT });
    const client = transfer(socket, there);
    network.run(() => client.closed && (server?.closed ?? false));
    assert.equal(socket.error, '');
    assert.deepEqual(client.received, back);
    assert.deepEqual((server as Transfer | null)?.received, there);
    assert.ok(wire.faults.sent.entered > 0);
  });
}

test('two hosts talk over a clean wire', () => {
  transferBothWays(1, {}, 1_000_000);
  transferBothWays(2, {}, 1_000_000, { segmentBytes: 60_000 });
  transferBothWays(3, {}, 1_000_000, { segmentBytes: 60_000, wire: 'trusted' });
});

test('a transfer survives loss', () => {
  for (const seed of [1, 2]) transferBothWays(seed, { loss: 0.05, delay: 5000 }, 200_000);
});

test('a transfer survives reordering and duplication', () => {
  for (const seed of [1, 2]) {
    transferBothWays(seed, { reorder: 0.1, duplicate: 0.1, delay: 1000 }, 200_000);
  }
});

test('a transfer survives corruption, and no wrong byte comes through', () => {
  for (const wire of ['checksummed', 'trusted'] as const) {
    for (const seed of [1, 2])
      transferBothWays(seed, { corrupt: 0.03, delay: 1000 }, 200_000, { wire });
  }
});

test('a transfer survives everything at once, jitter and a bottleneck included', () => {
  const faults = { loss: 0.02, corrupt: 0.01, duplicate: 0.02, reorder: 0.05, delay: 10_000 };
  const bottleneck = { jitter: 2000, bitsPerSecond: 20e6, queueBytes: 50_000 };
  for (const seed of [1, 2, 3]) transferBothWays(seed, { ...faults, ...bottleneck }, 200_000);
});

test('the same seed gives the same run', () => {
  const run = (seed: number): string => {
    const network = new Network({ seed });
    const { a, b, wire } = twoHosts(network, { both: { loss: 0.1, delay: 3000, jitter: 500 } });
    serve(b, PORT, echo);
    const socket = a.stack.tcp.connect({ address: Address.parse('10.0.0.2'), port: PORT });
    const client = transfer(socket, network.random.bytes(50_000));
    network.run(() => client.ended);
    network.close();
    return JSON.stringify([network.clock.now(), wire.faults.sent, a.stack.report()]);
  };
  assert.equal(run(5), run(5));
  assert.notEqual(run(5), run(6));
});

test('a tidy end leaves nothing behind', () => {
  simulate({ seed: 1 }, (network) => {
    const { a, b, wire } = twoHosts(network);
    const listener = serve(b, PORT, echo);
    const address = Address.parse('10.0.0.2');
    const sockets = Array.from({ length: 50 }, () => a.stack.tcp.connect({ address, port: PORT }));
    const clients = sockets.map((socket: TcpSocket) =>
      transfer(socket, network.random.bytes(5000)),
    );
    network.run(() => clients.every(({ closed }) => closed));
    listener.close();
    network.runFor(300e6);
    for (const { stack } of [a, b]) {
      const { connections, halfOpen, timeWait, listeners, heapBytes } = stack.counts();
      assert.deepEqual([connections, halfOpen, timeWait, listeners, heapBytes], [0, 0, 0, 0, 0]);
    }
    for (const end of [wire.faults, ...wire.ends]) assert.equal(end.idleSlots, end.totalSlots);
  });
});

test('a failure names the seed', () => {
  assert.throws(
    () =>
      simulate({ seed: 77 }, (network) => {
        const { a } = twoHosts(network, { both: { loss: 1 } });
        a.stack.tcp.connect({ address: Address.parse('10.0.0.2'), port: PORT });
        network.run(() => false, { timeoutUs: 1e6 });
      }),
    /seed 77: .* at 1?[0-9.]+ s, a \{/,
  );
});
