/**
 * How flows share a bottleneck, in the simulator: each has a fair share of 125 kbit/s over a round trip
 * of 400 ms, the queue holds what is in flight in that time (one BDP) and drops what comes when it
 * is full; ACKs come up to 40 ms later, or flows march in step and the same ones always lose. All
 * begin at once; counted are 200 s after the first 30. Jain's index is over the bytes of each flow.
 * @module
 */
import { jain, shares } from 'dpdk-net/testing';

/** What the index has to be. */
export const LEAST_INDEX = 0.97;
const BITS_PER_SECOND_EACH = 125_000;
const RTT_SECONDS = 0.4;
const SECONDS = 200;

/** Jain's index of the flows, and the part of the bottleneck that all used together. */
export function fairness({ flows, seed }) {
  const bitsPerSecond = flows * BITS_PER_SECOND_EACH;
  const bytes = shares({
    loss: 0,
    reorder: 0,
    rttUs: RTT_SECONDS * 1e6,
    ackJitterUs: 40_000,
    bitsPerSecond,
    queueBytes: (bitsPerSecond / 8) * RTT_SECONDS,
    flows,
    settleSeconds: 30,
    seconds: SECONDS,
    seed,
  });
  const used = (bytes.reduce((sum, one) => sum + one, 0) * 8) / SECONDS / bitsPerSecond;
  return { flows, seed, index: jain(bytes), used };
}
