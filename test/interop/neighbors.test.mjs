/**
 * Below TCP: who is at which hardware address, ICMP errors, and a path with a narrow place.
 */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Datagrams } from './kit/datagrams.mjs';
import { NAMESPACE } from './kit/enter.mjs';
import { Kernel, sh } from './kit/kernel.mjs';
import { INTERFACE, NOTHING, OURS, Ours, THEIRS } from './kit/ours.mjs';
import { Pattern } from './kit/pattern.mjs';
import * as Peer from './kit/peer-tcp.mjs';
import * as PeerUdp from './kit/peer-udp.mjs';

const MB = 1_000_000;
const PORT = 5004;
const PATIENCE_MS = 120_000;
const isLong = process.env.DPDK_NET_LONG === '1';

const kernel = new Kernel();
const ours = new Ours({ tcp: { timeWaitMs: 0 } });
after(() => {
  kernel.close();
  assert.deepEqual(ours.close(), NOTHING);
});

/** An established connection to `peer` at `host`. */
async function connected(peer, host) {
  await peer.run(Peer.listen, { host, port: PORT });
  const [conversation] = await Promise.all([
    ours.connect(host, PORT),
    peer.run(Peer.keepAccepted, { port: PORT }),
  ]);
  return conversation;
}

/** `bytes` each way at the same time, while `disturb()` happens. */
async function transfer(peer, conversation, bytes, disturb = async () => {}) {
  const expected = { bytes, sha256: Pattern.digest(bytes) };
  const [there, here] = await Promise.all([
    peer.run(Peer.digest, {}, PATIENCE_MS),
    conversation.digest(PATIENCE_MS),
    peer.run(Peer.sendPattern, { bytes }, PATIENCE_MS),
    conversation.sendPattern(bytes, PATIENCE_MS),
    disturb(),
  ]);
  assert.deepEqual([there, here], [expected, expected]);
  conversation.close();
  assert.equal(await conversation.closed(), '');
}

const counter = (name) => ours.stack.report().net[name] ?? 0;

/** The kernel's view of its neighbors on the wire, by address. */
function kernelNeighbors() {
  const list = JSON.parse(sh(`ip -j neighbor show dev ${INTERFACE}`));
  return new Map(list.map((entry) => [entry.dst, entry]));
}

test('of all addresses of the network only ours are answered for', async () => {
  const v4 = Array.from({ length: 250 }, (_, index) => `10.77.0.${index + 2}`);
  const v6 = Array.from({ length: 50 }, (_, index) => `fd77::${(index + 2).toString(16)}`);
  await kernel.run(PeerUdp.sweep, { hosts: [...v4, ...v6] });
  await sleep(300);
  const known = [...kernelNeighbors().values()].filter(({ lladdr }) => lladdr !== undefined);
  assert.deepEqual(known.map(({ dst }) => dst).sort(), ['10.77.0.2', 'fd77::2']);
});

for (const family of [4, 6]) {
  test(`ip neigh flush during a transfer does no harm (IPv${family})`, async () => {
    const conversation = await connected(kernel, THEIRS[family]);
    await transfer(kernel, conversation, 10 * MB, async () => {
      for (let i = 1; i <= 9; i++) {
        sh(`ip -${family} neighbor flush dev ${INTERFACE}`);
        await conversation.hasRead(i * MB, PATIENCE_MS);
      }
    });
    // The last megabyte came after the last flush.
    assert.ok(kernelNeighbors().has(OURS[family]));
  });

  test(`new hardware addresses, announced during a transfer (IPv${family})`, async (t) => {
    sh(`sysctl -qw net.ipv4.conf.${INTERFACE}.arp_notify=1`);
    sh(`sysctl -qw net.ipv6.conf.${INTERFACE}.ndisc_notify=1`);
    const macs = [0, 1, 2].map((n) => `02:00:00:00:01:${family}${n}`);
    const ms = await changeAddressDuringTransfer(family, macs);
    t.diagnostic(`${ms.toFixed(0)} ms for 10 MB each way and three changes`);
    sh(`sysctl -qw net.ipv4.conf.${INTERFACE}.arp_notify=0`);
    sh(`sysctl -qw net.ipv6.conf.${INTERFACE}.ndisc_notify=0`);
  });
}

/** The changes follow each other sooner than announcements are believed (arp locktime). */
async function changeAddressDuringTransfer(family, macs) {
  const conversation = await connected(kernel, THEIRS[family]);
  const start = performance.now();
  await transfer(kernel, conversation, 10 * MB, async () => {
    for (const mac of macs) {
      await sleep(30);
      sh(`ip link set dev ${INTERFACE} address ${mac}`);
    }
  });
  return performance.now() - start;
}

for (const family of isLong ? [4, 6] : []) {
  test(`new hardware addresses that nobody announces are found out (IPv${family})`, async (t) => {
    const macs = [0, 1, 2].map((n) => `02:00:00:00:02:${family}${n}`);
    const ms = await changeAddressDuringTransfer(family, macs);
    t.diagnostic(`${ms.toFixed(0)} ms for 10 MB each way and three changes`);
  });

  test(`connect() to a reachable neighbor that has changed silently (IPv${family})`, async (t) => {
    await transfer(kernel, await connected(kernel, THEIRS[family]), MB);
    // The kernel has our last ACK, and is silent.
    await sleep(100);
    const before = counter('neighbors_learned');
    sh(`ip link set dev ${INTERFACE} address 02:00:00:00:03:0${family}`);
    const start = performance.now();
    const conversation = await connected(kernel, THEIRS[family]);
    t.diagnostic(`connected after ${(performance.now() - start).toFixed(0)} ms`);
    assert.equal(counter('neighbors_learned') - before, 1);
    await transfer(kernel, conversation, MB);
  });
}

for (const family of [4, 6]) {
  test(`port unreachable, both ways (IPv${family})`, async () => {
    const args = { host: OURS[family], port: 9 };
    assert.equal(await kernel.run(PeerUdp.refused, args), 'refused');

    const socket = new Datagrams(ours);
    socket.connect(THEIRS[family], 9);
    await socket.send(Buffer.from('?'));
    assert.equal(await socket.failed(), 'ECONNREFUSED');
    socket.close();
  });
}

/**
 * Us -1500- this namespace -1300- mid -1500- far: neither end can see the narrow place, each has
 * to be told of it by the router before it.
 */
function makeNarrowPath() {
  const mid = `${NAMESPACE}-mid`;
  const far = `${NAMESPACE}-far`;
  const forwarding = 'net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1';
  sh(`ip netns add ${mid}`);
  sh(`ip netns add ${far}`);
  sh(`ip link add name mid0 mtu 1300 type veth peer name near0 mtu 1300 netns ${mid}`);
  sh(`ip -n ${mid} link add name far0 type veth peer name mid0 netns ${far}`);
  sh(`sysctl -qw ${forwarding}`);
  sh(`ip netns exec ${mid} sysctl -qw ${forwarding}`);
  const configure = (where, device, subnet, host) => {
    const ip = where === '' ? 'ip' : `ip -n ${where}`;
    sh(`${ip} link set dev ${device} up`);
    sh(`${ip} address add 10.${subnet}.0.${host}/24 dev ${device}`);
    sh(`${ip} address add fd${subnet}::${host}/64 dev ${device} nodad`);
  };
  configure('', 'mid0', 81, 1);
  configure(mid, 'near0', 81, 2);
  configure(mid, 'far0', 82, 1);
  configure(far, 'mid0', 82, 2);
  sh('ip route add 10.82.0.0/24 via 10.81.0.2');
  sh('ip route add fd82::/64 via fd81::2');
  sh(`ip -n ${mid} route add 10.77.0.0/24 via 10.81.0.1`);
  sh(`ip -n ${mid} route add fd77::/64 via fd81::1`);
  sh(`ip -n ${far} route add default via 10.82.0.1`);
  sh(`ip -n ${far} route add default via fd82::1`);
  return far;
}

test('a path with a narrow place: bulk data with DF in both directions', async (t) => {
  const peer = new Kernel(makeNarrowPath());
  t.after(() => peer.close());
  ours.routeAll(THEIRS[4]);
  ours.routeAll(THEIRS[6]);
  for (const host of ['10.82.0.2', 'fd82::2']) {
    const before = counter('path_mtu_lowered');
    const conversation = await connected(peer, host);
    const start = performance.now();
    await transfer(peer, conversation, 5 * MB);
    t.diagnostic(`${host}: 5 MB each way in ${(performance.now() - start).toFixed(0)} ms`);
    assert.equal(counter('path_mtu_lowered') - before, 1);
    const cached = sh(`ip -n ${NAMESPACE}-far route get ${host.includes(':') ? OURS[6] : OURS[4]}`);
    assert.match(cached, /mtu 1300/);
  }
  // Datagrams have no DF: they arrive in fragments, and come back so.
  const socket = new Datagrams(ours, 6000);
  for (const host of ['10.82.0.2', 'fd82::2']) {
    const bytes = Buffer.alloc(4000, 'y');
    const { port } = await peer.run(PeerUdp.echo, { host });
    await socket.send(bytes, host, port);
    assert.deepEqual((await socket.receive()).bytes, bytes);
  }
  socket.close();
});
