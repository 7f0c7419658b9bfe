/** How flows share a bottleneck (fairness.mjs): 16 of them, with DPDK_NET_LONG=1 64. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { fairness, LEAST_INDEX } from './fairness.mjs';

const IS_LONG = process.env.DPDK_NET_LONG === '1';
const FLOWS = IS_LONG ? 64 : 16;
const SEEDS = IS_LONG ? [1, 2, 3] : [1];

for (const seed of SEEDS) {
  test(`${FLOWS} flows share a bottleneck with a Jain index of at least ${LEAST_INDEX} (seed ${seed})`, () => {
    const { flows, index, used } = fairness({ flows: FLOWS, seed });
    assert.equal(flows, FLOWS);
    assert.ok(used > 0.8, `${used} of the bottleneck`);
    assert.ok(index >= LEAST_INDEX, `Jain's index ${index}`);
  });
}
