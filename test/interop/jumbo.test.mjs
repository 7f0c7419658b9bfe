/**
 * Jumbo frames against the kernel: whole, and in several receive buffers; and a port whose MTU
 * changes while it runs.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import './kit/enter.mjs';
import { Kernel, sh } from './kit/kernel.mjs';
import { INTERFACE, NOTHING, OURS, Ours, THEIRS } from './kit/ours.mjs';
import { Pattern } from './kit/pattern.mjs';
import * as Peer from './kit/peer-tcp.mjs';

const BYTES = 8_000_000;
const JUMBO = 9000;
/** Without the headers of IP and ICMP. */
const WHOLE = { 4: JUMBO - 28, 6: JUMBO - 48 };

const kernel = new Kernel();
after(() => kernel.close());

/** Whether the kernel gets an answer to a ping of `size` that nobody may cut. */
async function answers(family, size) {
  // One reply is enough: a busy machine may be late with the first.
  const args = ['-c', '1', '-w', '90', '-M', 'do', '-s', `${size}`, OURS[family]];
  try {
    await promisify(execFile)('ping', args);
    return true;
  } catch {
    return false;
  }
}

/** That many bytes to the kernel and back from it, equal to the last one. */
async function transferBothWays(ours, family, port) {
  const host = THEIRS[family];
  const sha256 = Pattern.digest(BYTES);
  await kernel.run(Peer.listen, { host, port });
  const arriving = kernel.run(Peer.sink, { port }, 200_000);
  const out = await ours.connect(host, port);
  await out.sendPattern(BYTES, 200_000);
  assert.deepEqual(await arriving, { bytes: BYTES, sha256 });
  await out.digest();
  out.close();
  const listener = ours.listen(port + 1);
  const args = { host: OURS[family], port: port + 1, bytes: BYTES };
  const leaving = kernel.run(Peer.source, args, 200_000);
  const back = await listener.accept();
  assert.deepEqual(await back.digest(200_000), { bytes: BYTES, sha256 });
  back.shutdown();
  await leaving;
  back.close();
  await back.closed();
  listener.close();
}

/** Pings of the full size, and bulk data both ways, over both families. */
async function talksJumbo(ours) {
  for (const family of [4, 6]) {
    assert.ok(await answers(family, WHOLE[family]), `ping over IPv${family}`);
    await transferBothWays(ours, family, 5000 + family * 10);
  }
}

test('tap: jumbo frames, each in a buffer of its own', async () => {
  const ours = new Ours({ mtu: JUMBO });
  await talksJumbo(ours);
  assert.equal(ours.link.counters().rxGathered, 0);
  assert.deepEqual(ours.close(), NOTHING);
});

test('tap: jumbo frames in buffers of 2 KiB come as chains and are delivered whole', async () => {
  const ours = new Ours({ mtu: JUMBO, port: { rxBufferBytes: 2048 } });
  await talksJumbo(ours);
  const { rxGathered, rxChainTooLong } = ours.link.counters();
  assert.ok(rxGathered > 500, `${rxGathered} frames came as chains`);
  assert.equal(rxChainTooLong, 0);
  assert.deepEqual(ours.close(), NOTHING);
});

test('tap: the MTU changes while the port runs, up and down; too much is refused with the remedy', async () => {
  const ours = new Ours({ mtu: 1500, port: { mtuMax: JUMBO } });
  assert.equal(await answers(4, 1472), true);
  assert.equal(ours.port.setMtu(JUMBO), JUMBO);
  assert.match(sh(`ip link show ${INTERFACE}`), / mtu 9000 /);
  assert.ok(await answers(4, WHOLE[4]));
  await transferBothWays(ours, 4, 5100);
  assert.equal(ours.nic.mtu, JUMBO);
  assert.equal(ours.port.setMtu(1400), 1400);
  assert.ok(await answers(4, 1372));
  await transferBothWays(ours, 4, 5110);
  assert.equal(ours.nic.mtu, 1400);
  assert.throws(() => ours.port.setMtu(9001), /larger buffers[\s\S]*mtuMax: 9001/);
  assert.throws(() => ours.port.setMtu(20), /choose a whole number from 68 to 9000/);
  assert.equal(ours.port.mtu, 1400);
  assert.deepEqual(ours.close(), NOTHING);
});

test('af_packet: jumbo frames over a veth', async () => {
  sh('ip link add jum0 mtu 9000 type veth peer name jum1 mtu 9000');
  // The kernel would hand over segments that it has not cut.
  sh('ip link set jum1 gso_max_segs 1');
  for (const end of ['jum0', 'jum1']) sh(`ip link set ${end} up`);
  sh(`ip addr add ${THEIRS[4]}/24 dev jum1`);
  sh(`ip addr add ${THEIRS[6]}/64 dev jum1 nodad`);
  const device = 'net_af_packet0,iface=jum0,framesz=16384,blocksz=65536,framecnt=256';
  // A receive buffer takes whatever the driver's frames hold.
  const ours = new Ours({ device, mtu: JUMBO, port: { mtuMax: 16_384 } });
  await talksJumbo(ours);
  assert.deepEqual(ours.close(), NOTHING);
});
