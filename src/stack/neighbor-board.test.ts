/**
 * Several stacks over one device, each a queue: what one learns of neighbors all know.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Address, Prefix } from '../base/address.ts';
import type { Link } from '../link/link.ts';
import { createPair } from '../link/pair.ts';
import { Random } from '../link/random.ts';
import { NeighborBoard, type NeighborBoardMemory } from '../net/neighbor/board.ts';
import { Arena } from '../storage/arena.ts';
import { type Decoded, decode } from '../testing/decode.ts';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import * as Build from '../testing/packet.ts';
import type { UdpSocket } from '../udp/socket.ts';
import { createStack, type Stack } from './stack.ts';

const QUEUES = 4;
const DESTINATIONS = 1000;
const OUR_MAC = '02:00:00:00:00:02';
const OUR_IP = '10.0.0.2';
/** Microseconds. */
const START = 5e6;
const MS = 1000;

/** The stack of one queue, the test on the other end of its wire. */
class Queue {
  readonly stack: Stack;
  readonly wire: Link;
  readonly socket: UdpSocket;
  now = START;

  constructor(memory: NeighborBoardMemory, queue: number) {
    const arena = Arena.allocate(24 << 20);
    const random = new Random(queue + 1);
    const board = new NeighborBoard(memory, queue);
    this.stack = createStack({ arena, heapBytes: 1 << 20, random: () => random.next(), board });
    const macs = [Uint8Array.of(2, 0, 0, 0, 0, 2), Uint8Array.of(2, 0, 0, 0, 0, 1)] as const;
    const [ours, wire] = createPair(arena, { macs });
    this.wire = wire;
    const addresses = [Prefix.parse(`${OUR_IP}/16`), Prefix.parse('fd00::2/64')];
    this.stack.attach(ours, { addresses });
    this.socket = this.stack.udp.open();
    this.turn();
    this.turn();
  }

  /** Sends a datagram of one byte to a neighbor, at the next turn. */
  send(to: string): void {
    this.socket.send(Uint8Array.of(1), 0, 1, Address.parse(to), 9);
  }

  /** One poll; returns what the queue has sent. */
  turn(now: number = this.now): Decoded[] {
    this.now = now;
    while (this.stack.poll(now) > 0);
    // What its timers had to say leaves with one more.
    this.stack.poll(now);
    return receiveFrames(this.wire).map(({ bytes }) => decode(bytes));
  }

  gets(...frames: Uint8Array[]): Decoded[] {
    for (const frame of frames) sendFrame(this.wire, frame, { sums: false });
    this.wire.exchange();
    return this.turn();
  }
}

const ipOf = (i: number): string => `10.0.${1 + (i >> 8)}.${i & 255}`;

function macOf(ip: string): string {
  const [, , c, d] = ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `02:00:00:01:${c}:${d}`;
}

function reply(ip: string, mac: string = macOf(ip)): Uint8Array {
  const from = { senderIp: ip, senderMac: mac, srcMac: mac };
  return Build.arp({ operation: 'reply', ...from, targetIp: OUR_IP, targetMac: OUR_MAC });
}

/** The addresses that frames ask for on the wire. */
function askedIn(frames: Decoded[]): string[] {
  return frames.filter(({ arp }) => arp?.operation === 'request').map(({ arp }) => arp!.targetIp);
}

const isDatagram = ({ udp }: Decoded): boolean => udp !== undefined;

function makeQueues(count: number): Queue[] {
  const random = new Random(99);
  const memory = NeighborBoard.allocate(count, () => random.next());
  return Array.from({ length: count }, (_, queue) => new Queue(memory, queue));
}

interface WorkerTask {
  readonly memory: NeighborBoardMemory;
  readonly queue: number;
  readonly sent: SharedArrayBuffer;
}

/** In a thread of its own: sends to every destination, answers what its queue asks. */
async function work({ memory, queue: number, sent }: WorkerTask): Promise<void> {
  const queue = new Queue(memory, number);
  const total = new Int32Array(sent);
  let requests = 0;
  const turn = (): void => {
    const frames = queue.turn();
    Atomics.add(total, 0, frames.filter(isDatagram).length);
    const asked = askedIn(frames);
    requests += asked.length;
    if (asked.length > 0) {
      const more = queue.gets(...asked.map((ip) => reply(ip)));
      Atomics.add(total, 0, more.filter(isDatagram).length);
      requests += askedIn(more).length;
    }
  };
  for (let i = 0; i < DESTINATIONS; i++) {
    queue.send(ipOf(i));
    turn();
  }
  while (Atomics.load(total, 0) < QUEUES * DESTINATIONS) {
    turn();
    await new Promise((resolve) => setImmediate(resolve));
  }
  parentPort!.postMessage(requests);
}

if (isMainThread) declareTests();
else await work(workerData as WorkerTask);

function declareTests(): void {
  test('four queues and a thousand new destinations make a thousand requests', () => {
    const queues = makeQueues(QUEUES);
    const counts = new Map<string, number>();
    let datagrams = 0;
    const turn = (queue: Queue, now: number): void => {
      const frames = queue.turn(now);
      datagrams += frames.filter(isDatagram).length;
      for (const ip of askedIn(frames)) {
        counts.set(ip, (counts.get(ip) ?? 0) + 1);
        // As without receive hashes: every answer comes to the first queue.
        datagrams += queues[0]!.gets(reply(ip)).filter(isDatagram).length;
      }
    };
    for (let i = 0; i < DESTINATIONS; i++) {
      for (const queue of queues) queue.send(ipOf(i));
      for (const queue of queues) turn(queue, START + i * 10);
    }
    for (const queue of queues) turn(queue, START + DESTINATIONS * 10);
    assert.equal(counts.size, DESTINATIONS);
    assert.deepEqual([...new Set(counts.values())], [1]);
    assert.equal(datagrams, QUEUES * DESTINATIONS);
  });

  test('four threads and a thousand new destinations make a thousand requests', async () => {
    const random = new Random(7);
    const memory = NeighborBoard.allocate(QUEUES, () => random.next());
    const sent = new SharedArrayBuffer(4);
    const workers = Array.from(
      { length: QUEUES },
      (_, queue) =>
        new Worker(new URL(import.meta.url), {
          workerData: { memory, queue, sent } satisfies WorkerTask,
        }),
    );
    const requests = await Promise.all(workers.map((worker) => once(worker, 'message')));
    assert.equal(
      requests.flat().reduce((sum: number, count: number) => sum + count, 0),
      DESTINATIONS,
    );
  });

  test('who waits for another queue to be answered looks within a millisecond', () => {
    const [a, b] = makeQueues(2) as [Queue, Queue];
    a.send('10.0.0.9');
    assert.deepEqual(askedIn(a.turn()), ['10.0.0.9']);
    b.send('10.0.0.9');
    assert.deepEqual(b.turn(), []);
    assert.ok(b.stack.pollAt() <= START + MS);
    a.gets(reply('10.0.0.9'));
    const [datagram] = b.turn(START + MS);
    assert.equal(datagram!.ethernet.dst, macOf('10.0.0.9'));
    assert.ok(b.stack.pollAt() > START + 2 * MS);
  });

  test('a question that its owner can not repeat is repeated by another queue', () => {
    const [a, b] = makeQueues(2) as [Queue, Queue];
    a.send('10.0.0.9');
    b.send('10.0.0.9');
    assert.deepEqual(askedIn([...a.turn(), ...b.turn()]), ['10.0.0.9']);
    assert.deepEqual(askedIn(b.turn(START + 999 * MS)), []);
    assert.deepEqual(askedIn(b.turn(START + 1000 * MS)), ['10.0.0.9']);
  });

  test('an answer that nobody asked for is believed by no queue', () => {
    const [a, b] = makeQueues(2) as [Queue, Queue];
    a.gets(reply('10.0.0.9'));
    b.send('10.0.0.9');
    assert.deepEqual(askedIn(b.turn()), ['10.0.0.9']);
    assert.equal(a.stack.report().drops['arp_unsolicited'], 1);
  });

  test('a new MAC that one queue accepts is used by all', () => {
    const [a, b] = makeQueues(2) as [Queue, Queue];
    a.send('10.0.0.9');
    a.turn();
    a.gets(reply('10.0.0.9'));
    b.send('10.0.0.9');
    assert.equal(b.turn()[0]!.ethernet.dst, macOf('10.0.0.9'));
    const elsewhere = '02:00:00:01:77:77';
    const from = { senderIp: '10.0.0.9', senderMac: elsewhere, srcMac: elsewhere };
    a.gets(Build.arp({ operation: 'request', ...from, targetIp: OUR_IP }));
    b.turn();
    b.send('10.0.0.9');
    assert.equal(b.turn()[0]!.ethernet.dst, elsewhere);
  });

  test('what one queue gets confirmed the others need not probe', () => {
    const [a, b] = makeQueues(2) as [Queue, Queue];
    a.send('10.0.0.9');
    a.turn();
    a.gets(reply('10.0.0.9'));
    const later = START + 60_000 * MS;
    b.turn(later);
    a.turn(later);
    // As TCP does with each acknowledgment: a gets through to the neighbor.
    const known = a.stack.net.neighbors.find(a.stack.net.nics[0]!, 0, 0, 0xffff, 0x0a000009)!;
    known.confirm(a.stack.clock.ms);
    b.send('10.0.0.9');
    assert.equal(b.turn(later).filter(isDatagram).length, 1);
    a.turn(later + MS);
    // Without a's word a probe would be due five seconds after the datagram.
    assert.deepEqual(b.turn(later + 2 * MS), []);
    assert.deepEqual(b.turn(later + 5001 * MS), []);
  });

  test('IPv6 neighbors are shared as well', () => {
    const [a, b] = makeQueues(2) as [Queue, Queue];
    a.send('fd00::9');
    assert.equal(a.turn().length, 1);
    const body = Uint8Array.of(
      ...[0x60, 0, 0, 0],
      ...Build.addressBytes('fd00::9'),
      ...[2, 1, 2, 0, 0, 1, 0, 9],
    );
    const to = { src: 'fd00::9', dst: 'fd00::2', hops: 255, type: 136 };
    const advertisement = Build.icmp({ ...to, srcMac: '02:00:00:01:00:09', body });
    // The answer comes to the queue that did not ask.
    b.gets(advertisement);
    assert.equal(a.turn().filter(isDatagram)[0]?.ethernet.dst, '02:00:00:01:00:09');
    b.send('fd00::9');
    assert.equal(b.turn().filter(isDatagram)[0]?.ethernet.dst, '02:00:00:01:00:09');
  });
}
