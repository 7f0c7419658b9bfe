import assert from 'node:assert/strict';
import test from 'node:test';
import { Address } from '../base/address.ts';
import { decode } from '../testing/decode.ts';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import * as Packet from '../testing/packet.ts';
import { openPort } from './open-port.ts';
import type { Port } from './port.ts';

const SOCKET = `dpdk-net-buffers-${process.pid}`;
const ENDS = { src: '10.0.0.1', dst: '10.0.0.2', dstPort: 80 };

interface Pair {
  readonly from: Port;
  readonly to: Port;
}

/** Two ports with two queues; the receiving one has 192 buffers a queue and 64 that they share. */
async function pair(index: number): Promise<Pair> {
  const device = (n: number, role: string): string =>
    `net_memif${n},role=${role},id=0,socket=${SOCKET}-${index}`;
  const common = { queues: 2, heapBytes: 1 << 20, join: false };
  const few = { rxDescriptors: 64, rxBuffers: 128, sharedBuffers: 64 };
  const to = openPort({ device: device(index, 'server'), ...common, ...few });
  const from = openPort({ device: device(index + 1, 'client'), ...common });
  await Promise.all([from.linkUp(120_000), to.linkUp(120_000)]);
  return { from, to };
}

/** The number `count` of a flow that belongs to queue 1 of the receiver. */
function frameOf(to: Port, count: number): Uint8Array {
  const [local, remote] = [Address.parse(ENDS.dst), Address.parse(ENDS.src)];
  let srcPort = 1024;
  while (to.steering!.queueOf(local, remote, ENDS.dstPort, srcPort) !== 1) srcPort++;
  return Packet.udp({ ...ENDS, srcPort, payload: String(count) });
}

/**
 * Sends up to `count` frames on queue 0 while the receiver's queue 0 is polled and its queue 1, whose
 * they are, is not; until nothing moves any more. Returns how many were taken.
 */
function fill({ from, to }: Pair, first: number, count: number): number {
  let sent = 0;
  for (let quiet = 0; quiet < 100; quiet++) {
    while (sent < count && sendFrame(from.links[0]!, frameOf(to, first + sent))) {
      sent++;
      quiet = 0;
    }
    from.links[0]!.exchange();
    assert.deepEqual(receiveFrames(to.links[0]!), []);
  }
  return sent;
}

/** Lets the receiver's queue 1 take its frames until there are `count`; their numbers. */
function takeAll({ from, to }: Pair, count: number): number[] {
  const numbers: number[] = [];
  while (numbers.length < count) {
    from.links[0]!.exchange();
    to.links[0]!.exchange();
    for (const { bytes } of receiveFrames(to.links[1]!)) {
      numbers.push(Number(Buffer.from(decode(bytes).payload).toString()));
    }
  }
  return numbers;
}

/** Slots in use when the queues and the device have given everything back, of all pools. */
function closeAndCount(port: Port): number {
  for (const link of port.links) link.close();
  port.device.detach();
  const inUse = port.usage().reduce((sum, pool) => sum + pool.inUse, 0);
  port.close();
  return inUse;
}

test('buffers: a queue that has none left borrows, then leaves frames in the device; none is lost', async () => {
  const ends = await pair(0);
  const { from, to } = ends;
  let total = 0;
  for (let round = 0; round < 3; round++) {
    const sent = fill(ends, total, 5000);
    assert.ok(sent > 256 && sent < 5000, `${sent} were taken`);
    const [stalled] = to.counters();
    assert.ok(stalled!.rxNoBuffers! > 0);
    assert.ok(to.usage().at(-1)!.inUse > 0);
    const numbers = takeAll(ends, sent);
    assert.deepEqual(
      numbers,
      Array.from({ length: sent }, (_, i) => total + i),
    );
    total += sent;
    const [first, second] = to.counters();
    assert.equal(first!.rxHandedOver, total);
    assert.equal(first!.rxHandoverFull, 0);
    assert.equal(second!.rxTakenOver, total);
    assert.ok(first!.rxBorrowed! > round * 60);
  }
  assert.equal(closeAndCount(from), 0);
  assert.equal(closeAndCount(to), 0);
});
