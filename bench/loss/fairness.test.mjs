import assert from 'node:assert/strict';
import test from 'node:test';
import { jain, shares } from 'dpdk-net/testing';

/** The same share of bottleneck and queue for each flow, however many there are. */
const FLOWS = process.env.DPDK_NET_LONG === '1' ? 64 : 16;
const BITS_PER_SECOND = FLOWS * 125_000;

test(`${FLOWS} flows share a bottleneck with a Jain index of at least 0.97`, () => {
  const bytes = shares({
    loss: 0,
    reorder: 0,
    rttUs: 400_000,
    ackJitterUs: 40_000,
    bitsPerSecond: BITS_PER_SECOND,
    queueBytes: FLOWS * 6250,
    flows: FLOWS,
    settleSeconds: 30,
    seconds: 200,
    seed: 1,
  });
  const used = (bytes.reduce((sum, one) => sum + one, 0) * 8) / 200 / BITS_PER_SECOND;
  assert.ok(used > 0.8, `${used} of the bottleneck`);
  const index = jain(bytes);
  assert.ok(index >= 0.97, `Jain's index ${index}`);
});
