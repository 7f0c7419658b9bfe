/**
 * Datagrams in fragments on several queues: each reaches the stack that its flow belongs to.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Address, Prefix } from '../base/address.ts';
import { createPair } from '../link/pair.ts';
import { Random } from '../link/random.ts';
import { NeighborBoard } from '../net/neighbor/board.ts';
import { Relay } from '../net/relay.ts';
import { Arena } from '../storage/arena.ts';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import type { UdpSocket } from '../udp/socket.ts';
import { createStack, type Stack } from './stack.ts';

const QUEUES = 4;
const PORT = 5000;
const BYTES = 8192;
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 2);

interface Queue {
  readonly stack: Stack;
  readonly socket: UdpSocket;
  readonly wire: ReturnType<typeof createPair>[1];
}

/** Flows belong to queues by the remote port; all fragments come to the first queue. */
function makeQueues(): Queue[] {
  const random = new Random(3);
  const memory = NeighborBoard.allocate(QUEUES, () => random.next());
  const rings = Relay.allocate(QUEUES);
  return Array.from({ length: QUEUES }, (_, queue) => {
    const arena = Arena.allocate(24 << 20);
    const board = new NeighborBoard(memory, queue);
    const owner = (_packet: unknown, _local: number, remote: number): number => remote % QUEUES;
    const relay = new Relay({ memory: rings, queue, owner });
    const options = { arena, heapBytes: 4 << 20, board, relay };
    const stack = createStack({ ...options, random: () => random.next() });
    const macs = [MAC, Uint8Array.of(2, 0, 0, 0, 0, 1)] as const;
    const [ours, wire] = createPair(arena, { macs });
    stack.attach(ours, { addresses: [Prefix.parse('10.0.0.2/24'), Prefix.parse('fd00::2/64')] });
    const socket = stack.udp.open();
    socket.bind(null, PORT);
    return { stack, socket, wire };
  });
}

const patternOf = (seed: number): Uint8Array =>
  Uint8Array.from({ length: BYTES }, (_, i) => (i * 7 + (i >> 8) + seed) & 0xff);

/** Frames of datagrams of 8 KB, each from another port, as a stack of the peer cuts them. */
function datagrams(to: string, from: string, ports: readonly number[]): Uint8Array[] {
  const arena = Arena.allocate(24 << 20);
  const random = new Random(4);
  const stack = createStack({ arena, heapBytes: 1 << 20, random: () => random.next() });
  const [ours, wire] = createPair(arena);
  const nic = stack.attach(ours, { addresses: [Prefix.parse(from)] });
  stack.net.addNeighbor(nic, Address.parse(to), 0x0200, 2);
  const payload = new Uint8Array(BYTES);
  const frames: Uint8Array[] = [];
  for (const port of ports) {
    payload.set(patternOf(port));
    const socket = stack.udp.open();
    socket.bind(null, port);
    socket.send(payload, 0, BYTES, Address.parse(to), PORT);
    stack.poll(1e6);
    frames.push(...receiveFrames(wire).map(({ bytes }) => bytes));
    socket.close();
  }
  return frames;
}

function sendAll(queues: Queue[], frames: readonly Uint8Array[]): void {
  const [first] = queues as [Queue];
  for (const frame of frames) {
    sendFrame(first.wire, frame, { sums: false });
    first.wire.exchange();
    first.stack.poll(2e6);
  }
}

for (const [version, to, from] of [
  [4, '10.0.0.2', '10.0.0.1/24'],
  [6, 'fd00::2', 'fd00::1/64'],
] as const) {
  test(`every datagram of 8 KB reaches its queue, whole (IPv${version})`, () => {
    const queues = makeQueues();
    const ports = Array.from({ length: 40 }, (_, i) => 2000 + i);
    const frames = datagrams(to, from, ports);
    assert.ok(frames.length > 5 * ports.length);
    const into = new Uint8Array(BYTES + 1);
    const seen: number[] = [];
    const each = frames.length / ports.length;
    for (let i = 0; i < ports.length; i++) {
      sendAll(queues, frames.slice(i * each, (i + 1) * each));
      for (const [queue, { stack, socket }] of queues.entries()) {
        stack.poll(2e6);
        for (let length = socket.receive(into); length >= 0; length = socket.receive(into)) {
          assert.equal(length, BYTES);
          assert.equal(socket.fromPort % QUEUES, queue);
          assert.deepEqual(into.slice(0, BYTES), patternOf(socket.fromPort));
          seen.push(socket.fromPort);
        }
      }
    }
    assert.deepEqual(seen.sort(), ports);
    const relayed = queues.map(({ stack }) => stack.report().net['relayed_in'] ?? 0);
    assert.deepEqual(relayed, [0, 10, 10, 10]);
  });
}

test('a ring that is full drops, and says so', () => {
  const queues = makeQueues();
  const ports = Array.from({ length: 60 }, (_, i) => 2001 + QUEUES * i);
  sendAll(queues, datagrams('10.0.0.2', '10.0.0.1/24', ports));
  const { drops, net } = queues[0]!.stack.report();
  assert.ok(drops['relay_full']! > 0);
  assert.equal(drops['relay_full']! + net['relayed_out']!, ports.length);
});
