/**
 * How flows share a bottleneck, in the simulator: each has a fair share of 125 kbit/s over a round trip
 * of 400 ms, the queue holds what is in flight in that time (one BDP) and drops what comes when it
 * is full; ACKs come up to 40 ms later, or flows march in step and the same ones always lose. All
 * begin at once; counted are 200 s after the first 30. Jain's index is over the bytes of each flow.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { jain, shares } from 'dpdk-net/testing';

const IS_LONG = process.env.DPDK_NET_LONG === '1';
const FLOWS = IS_LONG ? 64 : 16;
const SEEDS = IS_LONG ? [1, 2, 3] : [1];
const BITS_PER_SECOND = FLOWS * 125_000;
const RTT_SECONDS = 0.4;
const SECONDS = 200;

for (const seed of SEEDS) {
  test(`${FLOWS} flows share a bottleneck with a Jain index of at least 0.97 (seed ${seed})`, () => {
    const bytes = shares({
      loss: 0,
      reorder: 0,
      rttUs: RTT_SECONDS * 1e6,
      ackJitterUs: 40_000,
      bitsPerSecond: BITS_PER_SECOND,
      queueBytes: (BITS_PER_SECOND / 8) * RTT_SECONDS,
      flows: FLOWS,
      settleSeconds: 30,
      seconds: SECONDS,
      seed,
    });
    const used = (bytes.reduce((sum, one) => sum + one, 0) * 8) / SECONDS / BITS_PER_SECOND;
    assert.ok(used > 0.8, `${used} of the bottleneck`);
    const index = jain(bytes);
    assert.ok(index >= 0.97, `Jain's index ${index}`);
  });
}
