/**
 * Jumbo frames between two stacks of ours over a memif, whose own buffers hold 2 KiB.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Datagrams } from './kit/datagrams.mjs';
import { NOTHING, OURS, Ours, THEIRS } from './kit/ours.mjs';
import { Pattern } from './kit/pattern.mjs';

const BYTES = 8_000_000;
const JUMBO = 9000;
const DATAGRAMS = 100;
const DATAGRAM_BYTES = 8900;
const PATIENCE_MS = 200_000;

/** Two stacks, each on one end, and the address of each. */
async function pair(name, rxBuffers) {
  const common = { mtu: JUMBO, port: rxBuffers };
  const socket = `dpdk-net-jumbo-${process.pid}-${name}`;
  const open = (number, role, ends) =>
    new Ours({
      ...common,
      device: `net_memif${number},role=${role},id=0,socket=${socket}`,
      addresses: [`${ends[4]}/24`, `${ends[6]}/64`],
    });
  const server = { ours: open(0, 'server', OURS), ends: OURS };
  const client = { ours: open(1, 'client', THEIRS), ends: THEIRS };
  await Promise.all([server, client].map(({ ours }) => ours.port.linkUp(PATIENCE_MS)));
  return [server, client];
}

/** That many bytes arrive as they were sent, and both ends close in order. */
async function transfer(from, to, family, port) {
  const listener = to.ours.listen(port);
  const [out, into] = await Promise.all([
    from.ours.connect(to.ends[family], port),
    listener.accept(PATIENCE_MS),
  ]);
  const arriving = into.digest(PATIENCE_MS);
  await out.sendPattern(BYTES, PATIENCE_MS);
  assert.deepEqual(await arriving, { bytes: BYTES, sha256: Pattern.digest(BYTES) });
  into.close();
  await out.digest(PATIENCE_MS);
  out.close();
  assert.deepEqual(await Promise.all([out.closed(), into.closed()]), ['', '']);
  listener.close();
}

/** Datagrams, one after the other, each in one frame. */
async function exchangeDatagrams(from, to, family, port) {
  const [sender, receiver] = [new Datagrams(from.ours), new Datagrams(to.ours, port)];
  const pattern = new Pattern(family);
  const framesBefore = to.ours.link.counters().rxFrames;
  for (let i = 0; i < DATAGRAMS; i++) {
    const bytes = pattern.next(DATAGRAM_BYTES);
    const arriving = receiver.receive(PATIENCE_MS);
    await sender.send(bytes, to.ends[family], port);
    assert.deepEqual(new Uint8Array((await arriving).bytes), bytes);
  }
  const frames = to.ours.link.counters().rxFrames - framesBefore;
  assert.ok(frames >= DATAGRAMS && frames < 2 * DATAGRAMS, `${frames} frames, so they were cut`);
  sender.close();
  receiver.close();
}

async function talksJumbo(one, other) {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ]) {
    for (const family of [4, 6]) {
      await transfer(from, to, family, 5000 + family);
      await exchangeDatagrams(from, to, family, 6000 + family);
    }
  }
}

function closeBoth(ends) {
  for (const { ours } of ends.toReversed()) assert.deepEqual(ours.close(), NOTHING);
}

test('memif: jumbo frames, each in a buffer of its own', async () => {
  const ends = await pair('whole', {});
  await talksJumbo(...ends);
  for (const { ours } of ends) assert.equal(ours.link.counters().rxGathered, 0);
  closeBoth(ends);
});

test('memif: jumbo frames in buffers of 2 KiB come as chains and are delivered whole', async () => {
  const ends = await pair('chains', { rxBufferBytes: 2048 });
  await talksJumbo(...ends);
  for (const { ours } of ends) {
    const { rxGathered, rxChainTooLong } = ours.link.counters();
    assert.ok(rxGathered > 500, `${rxGathered} frames came as chains`);
    assert.equal(rxChainTooLong, 0);
  }
  closeBoth(ends);
});
