/**
 * Bulk data between our stack and the kernel over a TAP device: each way, both families, over a
 * clean wire, through a router that loses packets, and with faults of every kind.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, test } from 'node:test';
import { NAMESPACE } from './kit/enter.mjs';
import { Kernel, sh } from './kit/kernel.mjs';
import { INTERFACE, NOTHING, OURS, Ours, THEIRS } from './kit/ours.mjs';
import { Pattern } from './kit/pattern.mjs';
import * as Peer from './kit/peer-tcp.mjs';

const MB = 1_000_000;
const isLong = process.env.DPDK_NET_LONG === '1';
const BULK = 100 * MB;
/** Through losses a transfer waits for timers most of its time. */
const LOSSY = isLong ? 100 * MB : 4 * MB;
const PATIENCE_MS = 280_000;

const digests = new Map();
function digest(bytes) {
  if (!digests.has(bytes)) digests.set(bytes, Pattern.digest(bytes));
  return digests.get(bytes);
}

/** Sends to the kernel and receives from it; reports both speeds. */
async function transferBothWays(t, ours, kernel, { family, host, bytes }) {
  const where = `IPv${family}`;
  let before = now(ours);
  await kernel.run(Peer.listen, { host, port: 5001 });
  const arriving = kernel.run(Peer.sink, { port: 5001 }, PATIENCE_MS);
  const out = await ours.connect(host, 5001);
  await out.sendPattern(bytes, PATIENCE_MS);
  assert.deepEqual(await arriving, { bytes, sha256: digest(bytes) });
  assert.deepEqual(await out.digest(), { bytes: 0, sha256: Pattern.digest(0) });
  out.close();
  report(t, `${where} to the kernel`, bytes, before, ours);

  const listener = ours.listen(5002);
  before = now(ours);
  const leaving = kernel.run(Peer.source, { host: OURS[family], port: 5002, bytes }, PATIENCE_MS);
  const conversation = await listener.accept();
  assert.deepEqual(await conversation.digest(PATIENCE_MS), { bytes, sha256: digest(bytes) });
  conversation.shutdown();
  await leaving;
  conversation.close();
  assert.equal(await conversation.closed(), '');
  listener.close();
  report(t, `${where} from the kernel`, bytes, before, ours);
}

/** Where the clocks and counters stand. */
function now(ours) {
  const { user, system } = process.cpuUsage();
  return { ms: performance.now(), cpuMs: (user + system) / 1000, tcp: ours.stack.report().tcp };
}

const INTERESTING = /retransmits|timeouts|fast_recoveries|out_of_order|duplicates|probes/;

function report(t, what, bytes, before, ours) {
  const { ms, cpuMs, tcp } = now(ours);
  const changes = Object.keys(tcp)
    .filter((name) => INTERESTING.test(name) && tcp[name] !== (before.tcp[name] ?? 0))
    .map((name) => `${name.replace('tcp_', '')} ${tcp[name] - (before.tcp[name] ?? 0)}`);
  const seconds = (ms - before.ms) / 1000;
  const figures = [
    `${(bytes / MB / seconds).toFixed(1)} MB/s`,
    `${seconds.toFixed(2)} s`,
    `${((cpuMs - before.cpuMs) / 1000).toFixed(2)} s CPU`,
  ];
  t.diagnostic(`${what}: ${[...figures, ...changes].join(', ')}`);
}

const kernel = new Kernel();
after(() => kernel.close());

/** What a kernel connection in TIME-WAIT would do to the next test, which has the same ports. */
const tcp = { timeWaitMs: 0 };

for (const family of [4, 6]) {
  test(`tap: ${BULK / MB} MB each way over IPv${family} arrive as they were sent`, async (t) => {
    const ours = new Ours({ tcp });
    await transferBothWays(t, ours, kernel, { family, host: THEIRS[family], bytes: BULK });
    assert.deepEqual(ours.close(), NOTHING);
  });
}

/**
 * Losses as on a real path: packets vanish in a router between us and the peer. Dropped in the
 * peer's own output path its TCP would notice.
 */
function makeLossyPath() {
  const far = `${NAMESPACE}-far`;
  sh(`ip netns add ${far}`);
  sh(`ip link add name near0 type veth peer name far0 netns ${far}`);
  // No packets of 64 KB: a loss is then that of one segment.
  const lines = [
    'link set dev near0 gso_max_segs 1 up',
    'address add 10.78.0.1/24 dev near0',
    'address add fd78::1/64 dev near0 nodad',
  ];
  const farLines = [
    'link set dev lo up',
    'link set dev far0 gso_max_segs 1 up',
    'address add 10.78.0.2/24 dev far0',
    'address add fd78::2/64 dev far0 nodad',
    'route add default via 10.78.0.1',
    'route add default via fd78::1',
  ];
  for (const line of lines) sh(`ip ${line}`);
  for (const line of farLines) sh(`ip -n ${far} ${line}`);
  sh('sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
  const rules = `
    table inet lossy {
      chain forward {
        type filter hook forward priority 0;
        numgen random mod 100 < 3 counter drop
      }
    }`;
  execFileSync('nft', ['-f', '-'], { input: rules });
  return far;
}

test('tap: transfers survive a router that loses 3 % in each direction', async (t) => {
  const far = makeLossyPath();
  const peer = new Kernel(far);
  const ours = new Ours({ tcp });
  ours.routeAll(THEIRS[4]);
  ours.routeAll(THEIRS[6]);
  await transferBothWays(t, ours, peer, { family: 4, host: '10.78.0.2', bytes: LOSSY });
  await transferBothWays(t, ours, peer, { family: 6, host: 'fd78::2', bytes: LOSSY });
  const [, packets] = sh('nft list table inet lossy').match(/counter packets (\d+)/);
  t.diagnostic(`${packets} packets were lost`);
  assert.ok(Number(packets) > 50);
  assert.deepEqual(ours.close(), NOTHING);
  peer.close();
});

const FAULTS = {
  'reordering and duplication': { reorder: 0.05, reorderDepth: 4, duplicate: 0.03 },
  corruption: { corrupt: 0.01 },
  'all faults at once': { loss: 0.01, corrupt: 0.01, duplicate: 0.02, reorder: 0.03 },
};

for (const [what, faults] of Object.entries(FAULTS)) {
  test(`tap: transfers survive ${what}`, async (t) => {
    const ours = new Ours({ tcp, faults: { in: faults, out: faults } });
    for (const family of [4, 6]) {
      await transferBothWays(t, ours, kernel, { family, host: THEIRS[family], bytes: LOSSY });
    }
    const { lost, corrupted, duplicated, reordered } = ours.faulty.received;
    t.diagnostic(`received: ${JSON.stringify({ lost, corrupted, duplicated, reordered })}`);
    assert.deepEqual(ours.close(), NOTHING);
    assert.ok(lost + corrupted + duplicated + reordered > 50);
  });
}

test('tap: the interface is gone in the end', () => {
  assert.doesNotMatch(sh('ip -o link'), new RegExp(INTERFACE));
});
