/**
 * What other stacks did at the same work as `pair`, on a machine of this kind (2 cores at 2.5 GHz),
 * medians of 3: both ends in one process on one core, 1,514-byte frames, checksums in software.
 * They were measured at another time, not by this harness: to be read beside ours, never as a ratio.
 * @module
 */

/** Stack -> case of pair.mjs -> figure. */
export const MEASURED_ELSEWHERE = {
  'smoltcp 0.13': {
    echo1: 1.48e6,
    echo100: 1.98e6,
    echo1000: 0.67e6,
    echo10000: 0.08e6,
    idle10000: 1490,
    bulk: 5.2e9,
    connect: 462e3,
    connectidle: 4.7e3,
  },
  'lwIP 2.2': {
    echo1: 1.5e6,
    echo100: 1.21e6,
    echo1000: 0.14e6,
    echo10000: 7.5e3,
    idle10000: 1.51e6,
    bulk: 2.85e9,
    connect: 395e3,
    connectidle: 114e3,
  },
  'tcpip.js (lwIP in WASM)': { echo1: 67e3, bulk: 35e6, connect: 7.5e3 },
};
