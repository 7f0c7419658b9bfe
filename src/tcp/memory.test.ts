import assert from 'node:assert/strict';
import test from 'node:test';
import { Address } from '../base/address.ts';
import { READABLE } from '../base/events.ts';
import type { EventHandler, Host, Network } from '../testing/network.ts';
import { simulate } from '../testing/network.ts';
import { echo, serve, type Transfer, transfer } from '../testing/programs.ts';
import { TcpPeer } from '../testing/tcp-peer.ts';
import { ACK } from '../wire/tcp.ts';
import type { TcpSocket } from './socket.ts';

const KIB = 1024;
const MS = 1000;
const FIRST = 64 * KIB;
const SERVER = Address.parse('10.0.0.2');

function hosts(network: Network, faults: object, heapBytes?: number): [Host, Host] {
  const options = heapBytes === undefined ? {} : { heapBytes };
  const pair: [Host, Host] = [network.addHost('a', options), network.addHost('b', options)];
  network.join(pair[0], '10.0.0.1/24', pair[1], '10.0.0.2/24', { both: faults });
  return pair;
}

function connect(host: Host): TcpSocket {
  return host.stack.tcp.connect({ address: SERVER, port: 7 });
}

/** Sends `bytes` to a program that does `read` with each event; the receiver's socket at the end. */
function sent(bytes: number, read: (socket: TcpSocket) => void, us: number): TcpSocket {
  let receiver: TcpSocket | null = null;
  simulate({ seed: 1 }, (network) => {
    const [a, b] = hosts(network, { delay: 25 * MS });
    serve(b, 7, (socket) => {
      receiver = socket;
      const own: EventHandler = (events) => {
        if (events & READABLE) read(socket);
      };
      socket.owner = own;
    });
    transfer(connect(a), new Uint8Array(bytes));
    network.runFor(us);
    assert.ok(receiver !== null);
    receiver = { limit: receiver.connection!.rcvLimit } as unknown as TcpSocket;
  });
  return receiver!;
}

function limitAfter(bytes: number, read: (socket: TcpSocket) => void, us: number): number {
  return (sent(bytes, read, us) as unknown as { limit: number }).limit;
}

const all = (socket: TcpSocket): void => {
  const into = new Uint8Array(64 * KIB);
  while (socket.read(into) > 0);
};

test('the receive limit grows with what the program reads in a round trip', () => {
  // 3 MB over 50 ms: with 64 KiB that would be two seconds and a half.
  assert.ok(limitAfter(3_000_000, all, 1_500_000) >= 8 * FIRST);
});

test('the window stays ahead of a peer in slow start', () => {
  const tcp = TcpPeer.established({
    windowScale: 7,
    rttMs: 100,
    tcp: { receiveBufferBytes: 1 << 22 },
  });
  let from = 0;
  let offered = FIRST - 1;
  for (let window = 10; window <= 640; window *= 2) {
    assert.ok(offered >= window * KIB, `${offered} bytes for ${window} segments of 1 KiB`);
    for (let i = 0; i < window; i++, from += KIB) {
      tcp.gets({ flags: ACK, seq: tcp.theirs(from), data: '.'.repeat(KIB) });
      while (tcp.socket!.readable > 0) tcp.read();
    }
    offered = tcp.sent.at(-1)!.window << tcp.socket!.connection!.rcvWndScale;
    tcp.sent.length = 0;
    // A little more than the handshake took: queues have filled.
    tcp.after(105);
  }
});

test('the receive limit of a program that does not read stays', () => {
  assert.equal(
    limitAfter(3_000_000, () => {}, 1_500_000),
    FIRST,
  );
});

test('the receive limit of a slow sender stays', () => {
  const tcp = TcpPeer.established({ windowScale: 7, rttMs: 100 });
  for (let trip = 0; trip < 20; trip++) {
    for (let i = 0; i < 8; i++) {
      tcp.gets({
        flags: ACK,
        seq: tcp.theirs((trip * 8 + i) * KIB),
        ack: tcp.ours(0),
        data: '.'.repeat(KIB),
      });
      tcp.read();
    }
    tcp.after(100);
  }
  assert.equal(tcp.socket!.connection!.rcvLimit, FIRST);
});

test('under pressure the window closes as data comes, and never moves back', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  const { memory } = tcp.stack.tcp;
  tcp.gets({ flags: ACK, data: 'x'.repeat(1000) });
  const before = tcp.sends({ flags: ACK });
  const scale = tcp.stack.tcp.connections[0]!.rcvWndScale;
  const edge = before.ack + (before.window << scale);
  memory.press(tcp.stack.tcp);
  for (let at = 1000; at < 40_000; at += 1000) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: 'x'.repeat(1000) });
  }
  const last = tcp.sent.at(-1)!;
  assert.equal(last.ack, tcp.theirs(40_000));
  assert.equal(last.ack + (last.window << scale), edge);
  assert.equal(tcp.read().length, 40_000);
  tcp.sent.splice(0);
  // There is no pressure in truth, so it ends: the window opens again.
  tcp.gets({ flags: ACK, seq: tcp.theirs(40_000), data: 'x'.repeat(1000) });
  tcp.read();
  tcp.after(100);
  assert.equal(memory.pressure, 0);
  const after = tcp.sent.at(-1)!;
  assert.ok(after.ack + (after.window << scale) > edge);
});

test('under pressure data out of order is taken only where there is room already', () => {
  const tcp = TcpPeer.established({ mss: 1000, sack: true });
  const stack = tcp.stack.tcp;
  stack.heap.live += stack.heap.budget;
  tcp.pump();
  assert.equal(stack.memory.pressure, 1);
  tcp.gets({ flags: ACK, seq: tcp.theirs(5000), data: 'y'.repeat(1000) });
  assert.deepEqual(tcp.sends({ ack: tcp.theirs(0) }).sack, []);
  assert.equal(tcp.stack.report().drops['tcp_no_buffer'], 1);
  stack.heap.live -= stack.heap.budget;
});

/** `count` echo connections of `bytes` each, all at once: what each got back. */
function echoed(seed: number, count: number, bytes: number, heapBytes: number): Host[] {
  let pair: Host[] = [];
  simulate({ seed }, (network) => {
    pair = hosts(network, { delay: 2 * MS, jitter: 4 * MS, loss: 0.05 }, heapBytes);
    serve(pair[1]!, 7, echo);
    const given = Uint8Array.from({ length: bytes }, (_, i) => (i * 31) & 0xff);
    const transfers: Transfer[] = [];
    for (let i = 0; i < count; i++) transfers.push(transfer(connect(pair[0]!), given));
    network.run(() => transfers.every(({ ended }) => ended), { timeoutUs: 3600e6 });
    for (const { received } of transfers) assert.deepEqual(received, given);
    network.run(() => pair.every(({ stack }) => stack.counts().heapBytes === 0));
  });
  return pair;
}

for (const seed of [1, 2, 3]) {
  test(`30 connections with loss get through a budget of two of them (seed ${seed})`, () => {
    const ends = echoed(seed, 30, 24 * KIB, 64 * KIB);
    const report = ends.map(({ stack }) => stack.report());
    const sum = (name: string): number =>
      report.reduce((total, { tcp }) => total + (tcp[name] ?? 0), 0);
    assert.ok(sum('tcp_memory_pressures') > 0, 'memory was short');
    assert.ok(sum('tcp_writes_refused') > 0, 'writes were refused');
  });
}

test('data out of order of others makes room for data in order', () => {
  const pruned = [4, 5, 6].map((seed) => {
    const ends = echoed(seed, 40, 16 * KIB, 24 * KIB);
    return ends.reduce(
      (n, { stack }) => n + (stack.report().tcp['tcp_out_of_order_pruned'] ?? 0),
      0,
    );
  });
  assert.ok(
    pruned.some((n) => n > 0),
    `${pruned}`,
  );
});
