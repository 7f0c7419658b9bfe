import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { Address } from '../base/address.ts';
import { type ReceivedFrame, receiveFrames, sendFrame } from '../testing/frames.ts';
import * as Packet from '../testing/packet.ts';
import { kernelSetup } from './kernel-peer.ts';
import { openPort } from './open-port.ts';
import type { Port } from './port.ts';
import { enterNamespace, ip } from './test-namespace.ts';

const SMALL = { heapBytes: 1 << 20, join: false, rxDescriptors: 256, txDescriptors: 256 };
const OURS = '10.9.9.2';
const KERNEL = '10.9.9.1';
const FLOWS = 64;
const PER_FLOW = 20;

interface Arrival extends ReceivedFrame {
  readonly queue: number;
}

/** Exchanges on all queues until `enough` says so; a long time without is an error. */
async function collect(port: Port, enough: (all: Arrival[]) => boolean): Promise<Arrival[]> {
  const all: Arrival[] = [];
  const deadline = Date.now() + 120_000;
  while (!enough(all)) {
    if (Date.now() > deadline) throw new Error(`only ${all.length} frames came`);
    for (const [queue, link] of port.links.entries()) {
      for (const frame of receiveFrames(link)) all.push({ ...frame, queue });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return all;
}

/** UDP to our port 7, after `at`: IPv4 without options. */
function isOurs({ bytes }: ReceivedFrame): boolean {
  return bytes[12] === 8 && bytes[23] === 17 && bytes[30] === 10 && bytes[33] === 2;
}

/** A datagram of the flow `srcPort` with its number. */
function datagram(srcPort: number, number: number): Uint8Array {
  const payload = String(number).padStart(6, '0');
  return Packet.udp({ src: KERNEL, dst: OURS, srcPort, dstPort: 7, payload });
}

/** Checks queue, order and number of all datagrams, told apart by their source port. */
function checkDatagrams(port: Port, arrivals: Arrival[], flows: number): void {
  const next = new Map<number, number>();
  const [ours, kernel] = [Address.parse(OURS), Address.parse(KERNEL)];
  for (const { bytes, queue, hash } of arrivals.filter(isOurs)) {
    const srcPort = (bytes[34]! << 8) | bytes[35]!;
    assert.equal(queue, port.steering!.queueOf(ours, kernel, 7, srcPort));
    assert.equal(hash, port.steering!.hashOf(ours, kernel, 7, srcPort));
    const number = Number(Buffer.from(bytes.subarray(42, 48)).toString());
    assert.equal(number, next.get(srcPort) ?? 0);
    next.set(srcPort, number + 1);
  }
  assert.equal(next.size, flows);
  for (const count of next.values()) assert.equal(count, PER_FLOW);
}

/** Sends from many sockets of the kernel and checks what comes; every queue gets some. */
async function kernelSpreads(port: Port): Promise<void> {
  const sockets: Socket[] = [];
  for (let flow = 0; flow < FLOWS; flow++) {
    const socket = createSocket('udp4');
    socket.bind(0, KERNEL);
    await once(socket, 'listening');
    sockets.push(socket);
  }
  const all: Arrival[] = [];
  for (let number = 0; number < PER_FLOW; number++) {
    for (const socket of sockets) socket.send(String(number).padStart(6, '0'), 7, OURS);
    let ours = 0;
    all.push(
      ...(await collect(port, (some) => {
        ours = some.filter(isOurs).length;
        return ours === FLOWS;
      })),
    );
  }
  checkDatagrams(port, all, FLOWS);
  for (const socket of sockets) socket.close();
  assert.ok(new Set(all.filter(isOurs).map(({ queue }) => queue)).size > 1);
}

await enterNamespace();

test('tap, 16 queues: each flow of the kernel has one queue, ours', async () => {
  const port = openPort({ device: 'net_tap0,iface=dtap0', queues: 16, ...SMALL });
  assert.equal(port.links.length, 16);
  for (const line of kernelSetup('dtap0', port.links[0]!)) ip(line);
  await kernelSpreads(port);
  port.close();
});

test('af_packet, 4 queue pairs with fan-out: the same, whatever the kernel chooses', async () => {
  ip('link add v0 type veth peer name v1');
  ip('link set v0 up');
  const port = openPort({ device: 'net_af_packet0,iface=v0,qpairs=4', queues: 4, ...SMALL });
  assert.equal(port.links.length, 4);
  for (const line of kernelSetup('v1', port.links[0]!)) {
    ip(line.replace('addr add', 'addr replace'));
  }
  await kernelSpreads(port);
  port.close();
});

test('memif, 4 rings each way: the receiver finds the queue, not the sender', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-'));
  const socket = join(folder, 'x.sock');
  const [server, client] = ['server', 'client'].map((role, n) =>
    openPort({
      device: `net_memif${n},role=${role},id=0,socket=${socket}`,
      queues: 4,
      astray: 0.1,
      ...SMALL,
    }),
  ) as [Port, Port];
  await Promise.all([server.linkUp(), client.linkUp()]);
  const all: Arrival[] = [];
  for (let number = 0; number < PER_FLOW; number++) {
    for (let flow = 0; flow < FLOWS; flow++) {
      // One ring for a flow, but any.
      assert.ok(sendFrame(client.links[(flow * 7) % 4]!, datagram(1000 + flow, number)));
    }
    for (const link of client.links) link.exchange();
    let ours = 0;
    all.push(
      ...(await collect(server, (some) => {
        ours = some.filter(isOurs).length;
        return ours === FLOWS;
      })),
    );
  }
  checkDatagrams(server, all, FLOWS);
  client.close();
  server.close();
  rmSync(folder, { recursive: true });
});

test('vhost and virtio-user, 2 queues: the card in software and its driver', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-'));
  const socket = join(folder, 'vhost.sock');
  const host = openPort({ device: `net_vhost0,iface=${socket},queues=2`, queues: 2, ...SMALL });
  const guest = openPort({
    device: `net_virtio_user0,path=${socket},queues=2,queue_size=256`,
    queues: 2,
    ...SMALL,
  });
  await Promise.all([host.linkUp(), guest.linkUp()]);
  for (const [from, to] of [
    [guest, host],
    [host, guest],
  ] as const) {
    const all: Arrival[] = [];
    for (let number = 0; number < PER_FLOW; number++) {
      for (let flow = 0; flow < FLOWS; flow++) {
        assert.ok(sendFrame(from.links[flow % 2]!, datagram(1000 + flow, number)));
      }
      for (const link of from.links) link.exchange();
      all.push(
        ...(await collect(to, (some) => {
          for (const link of from.links) link.exchange();
          return some.filter(isOurs).length === FLOWS;
        })),
      );
    }
    checkDatagrams(to, all, FLOWS);
  }
  guest.close();
  host.close();
  rmSync(folder, { recursive: true });
});

test('8 KB of fragmented UDP on 4 queues: each datagram whole on the queue of its addresses', async () => {
  const port = openPort({ device: 'net_tap1,iface=dtap1', queues: 4, astray: 0.1, ...SMALL });
  for (const line of kernelSetup('dtap1', port.links[0]!)) ip(line.replaceAll('9.9.', '9.8.'));
  const sockets = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const socket = createSocket('udp4').bind(0, '10.9.8.1');
      await once(socket, 'listening');
      return socket;
    }),
  );
  const bytes = new Map<number, number>();
  const queues = new Set<number>();
  const BYTES = 8192 + 8;
  for (const socket of sockets) socket.send(Buffer.alloc(8192, 1), 7, '10.9.8.2');
  await collect(port, (some) => {
    bytes.clear();
    for (const { bytes: frame, queue } of some.filter(isOurs)) {
      const view = new DataView(frame.buffer);
      const id = view.getUint16(18);
      bytes.set(id, (bytes.get(id) ?? 0) + view.getUint16(16) - 20);
      queues.add(queue);
    }
    return bytes.size === sockets.length && [...bytes.values()].every((sum) => sum === BYTES);
  });
  const [ours, kernel] = [Address.parse('10.9.8.2'), Address.parse('10.9.8.1')];
  assert.deepEqual([...queues], [port.steering!.queueOf(ours, kernel, 0, 0)]);
  for (const socket of sockets) socket.close();
  port.close();
});
