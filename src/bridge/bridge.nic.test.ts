/**
 * The main thread as a server and a client over a TAP device with two queues: its sockets live on
 * two lcores, the Linux kernel is the peer.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { after } from 'node:test';
import { Address } from '../base/address.ts';
import { enterNamespace } from '../dpdk/test-namespace.ts';
import { Lcore } from '../lcore/lcore.ts';
import { openLcores } from '../lcore/lcores.ts';
import { Acceptor, pattern, readAll, untilInUse, Watcher, writeAll } from './fixture.ts';
import type { BridgeSocket } from './socket.ts';

const OURS = '10.77.0.2';
const THEIRS = Address.parse('10.77.0.1');
const MEGABYTES = pattern(4 << 20);
const FUNCTIONS = new URL(`../lcore/test-functions${import.meta.url.slice(-3)}`, import.meta.url);

await enterNamespace();

const lcores = await openLcores({
  config: {
    text: `dpdk = { vdev = "net_tap0,iface=dtap0", memory = "64MiB" }
           network.ip = "10.77.0.2/24"
           tap.host_ip = "10.77.0.1/24"
           queues.count = 2`,
    source: 'bridge.toml',
  },
  restart: true,
});
const bridge = lcores.bridge();
after(async () => {
  const { reports, slots } = await lcores.close();
  assert.equal(reports.length, 2);
  for (const { left } of reports) {
    assert.deepEqual(left, { connections: 0, timers: 0, heapBytes: 0 });
  }
  assert.equal(slots, 0);
});

async function kernelClient(port: number): Promise<Socket> {
  const socket = connect(port, OURS).setNoDelay();
  await once(socket, 'connect');
  return socket;
}

async function heard(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** As many connections, and both ends of each: by chance both queues have some (all but 2^-23). */
async function connections(
  port: number,
  acceptor: Acceptor,
): Promise<{ client: Socket; server: BridgeSocket; serverSees: Watcher }[]> {
  const clients = await Promise.all(Array.from({ length: 24 }, () => kernelClient(port)));
  const all = [];
  for (let i = 0; i < clients.length; i++) {
    const server = await acceptor.next();
    const client = clients.find(({ localPort }) => localPort === server.remotePort)!;
    all.push({ client, server, serverSees: new Watcher(server) });
  }
  assert.deepEqual([...new Set(all.map(({ server }) => server.queue))].sort(), [0, 1]);
  return all;
}

test('the lcores are known to DPDK, and serve a queue each', () => {
  const ids = Lcore.workers.map(({ id }) => id);
  assert.equal(new Set(ids).size, 2);
  assert.ok(ids.every((id) => id > 0));
  assert.deepEqual(Lcore.workers.map(({ queue }) => queue).sort(), [0, 1]);
});

test('a bridged listener on both queues: megabytes both ways at once', async () => {
  const listener = await bridge.listen({ port: 7 });
  const acceptor = new Acceptor(listener);
  const all = await connections(7, acceptor);
  const one = (queue: number): (typeof all)[number] =>
    all.find(({ server }) => server.queue === queue)!;
  for (const { client, server, serverSees } of [one(0), one(1)]) {
    const back = heard(client);
    client.end(MEGABYTES);
    const [there] = await Promise.all([
      readAll(server, serverSees),
      writeAll(server, serverSees, MEGABYTES).then(() => server.shutdown()),
    ]);
    assert.ok(MEGABYTES.equals(there));
    assert.ok(MEGABYTES.equals(await back));
  }
  for (const { client } of all) client.destroy();
  for (const { server, serverSees } of all) {
    server.close();
    await serverSees.closed();
  }
  await acceptor.close();
  await untilInUse(bridge, 0);
});

test('connections from both queues to the kernel, as streams', async () => {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, String(THEIRS));
  await once(echo, 'listening');
  const { port } = echo.address() as AddressInfo;
  for (const queue of [0, 1]) {
    const stream = (await bridge.connect({ address: THEIRS, port, queue })).stream();
    stream.end(MEGABYTES);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    assert.ok(MEGABYTES.equals(Buffer.concat(chunks)));
  }
  echo.close();
  await untilInUse(bridge, 0);
});

test('datagrams of many senders reach one socket, and are answered', async () => {
  const ours = await bridge.bind({ port: 7 });
  const watcher = new Watcher(ours);
  const into = new Uint8Array(65535);
  const replies = Array.from({ length: 24 }, async (_, number) => {
    const socket = createSocket('udp4');
    const text = `${number} ${'x'.repeat(100 * number)}`;
    socket.send(text, 7, OURS);
    const [reply] = (await once(socket, 'message')) as [Buffer];
    assert.equal(String(reply), text);
    socket.close();
  });
  const answering = watcher.until(() => {
    for (let count = ours.receive(into); count >= 0; count = ours.receive(into)) {
      ours.send(into, 0, count, ours.fromAddress(), ours.fromPort);
    }
    return ours.closed;
  });
  await Promise.all(replies);
  ours.close();
  await Promise.all([answering, watcher.closed()]);
  await untilInUse(bridge, 0);
});

test("who does not read closes the peer's window", async () => {
  const listener = await bridge.listen({ port: 7 });
  const acceptor = new Acceptor(listener);
  const client = await kernelClient(7);
  const server = await acceptor.next();
  const serverSees = new Watcher(server);
  const bytes = Buffer.concat(Array.from({ length: 4 }, () => MEGABYTES));
  client.end(bytes);
  // The kernel probes a window that is closed.
  const timers = (): string =>
    execFileSync('ss', ['-tnoH', `sport = :${client.localPort}`], { encoding: 'utf8' });
  while (!timers().includes('persist')) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(server.readable, 65536);
  assert.ok(bytes.equals(await readAll(server, serverSees)));
  server.close();
  await Promise.all([serverSees.closed(), acceptor.close()]);
  await untilInUse(bridge, 0);
});

test('hundreds of connections opened and closed leave nothing', async () => {
  const listener = await bridge.listen({ port: 7 });
  const acceptor = new Acceptor(listener);
  const talk = async (number: number): Promise<void> => {
    const client = await kernelClient(7);
    client.end(`this is ${number}`);
    assert.equal(String(await heard(client)), `this is ${number}`);
  };
  const serve = async (socket: BridgeSocket): Promise<void> => {
    const watcher = new Watcher(socket);
    socket.write(await readAll(socket, watcher));
    socket.close();
    await watcher.closed();
  };
  for (let round = 0; round < 6; round++) {
    const talks = Array.from({ length: 50 }, (_, i) => talk(round * 50 + i));
    for (let i = 0; i < 50; i++) void serve(await acceptor.next());
    await Promise.all(talks);
  }
  await acceptor.close();
  await untilInUse(bridge, 0);
});

test('a worker that dies takes its own connections, and its queue serves again', async () => {
  const listener = await bridge.listen({ port: 7 });
  const acceptor = new Acceptor(listener);
  const all = await connections(7, acceptor);
  const lost = all.filter(({ server }) => server.queue === 0);
  const kept = all.filter(({ server }) => server.queue === 1);
  const lcore = lcores.all.find(({ queue }) => queue === 0)!;
  const resets = lost.map(({ client }) => once(client, 'error'));
  await assert.rejects(lcore.run({ module: FUNCTIONS, name: 'crashLater' }), { code: 'ECANCELED' });
  for (const { server, serverSees } of lost) {
    await serverSees.closed();
    assert.equal(server.error, 'ECONNABORTED');
  }
  while (!listener.queues.includes(0)) await new Promise((resolve) => setImmediate(resolve));
  for (const { client } of lost) client.write('is anybody there?');
  for (const [error] of await Promise.all(resets)) assert.equal(error.code, 'ECONNRESET');
  const more = await connections(7, acceptor);
  for (const { client, server, serverSees } of [...kept, ...more]) {
    client.write('hello');
    await serverSees.until(() => server.readable === 5);
    client.destroy();
    server.abort();
    await serverSees.closed();
  }
  await acceptor.close();
  await untilInUse(bridge, 0);
});
