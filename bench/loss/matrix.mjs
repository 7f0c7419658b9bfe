/**
 * Loss, round-trip time and reordering against goodput, in the simulator: a bottleneck of
 * 100 Mbit/s, virtual time, the same seeds give the same figures on every machine.
 * @module
 */
import { bulk } from 'dpdk-net/testing';
import { median } from '../harness/statistics.mjs';

const LOSSES = [0, 0.001, 0.01, 0.03, 0.1, 0.3];
const RTTS_MS = [0.1, 10, 100, 300];
const REORDERS = [0, 0.05];
const PATH = { bitsPerSecond: 100e6, queueBytes: 256 * 1024 };
/** Bytes of a transfer: what takes a while at that loss, and is not all slow start. */
const BYTES = new Map([
  [0, 8e6],
  [0.001, 8e6],
  [0.01, 4e6],
  [0.03, 2e6],
  [0.1, 5e5],
  [0.3, 1e5],
]);
const SEEDS = [1, 2];

/** Every cell: { loss, rttMs, reorder, bytes, bytesPerSecond, seconds, intact, ... }. */
export function matrix({ quick, tell }) {
  const seeds = quick ? SEEDS.slice(0, 1) : SEEDS;
  const share = quick ? 0.1 : 1;
  const cells = [];
  for (const loss of LOSSES) {
    for (const rttMs of RTTS_MS) {
      for (const reorder of REORDERS) {
        const cell = measure({ loss, rttMs, reorder, seeds, bytes: BYTES.get(loss) * share });
        cells.push(cell);
        tell(cell);
      }
    }
  }
  return cells;
}

/** Null when no connection came about. */
function attempt(options) {
  try {
    return bulk(options);
  } catch (error) {
    if (/ended with E(CONNRESET|TIMEDOUT)/.test(error.message)) return null;
    throw error;
  }
}

function measure({ loss, rttMs, reorder, seeds, bytes }) {
  const path = { ...PATH, loss, reorder, rttUs: rttMs * 1000 };
  const runs = seeds.map((seed) => attempt({ ...path, seed, bytes })).filter((run) => run !== null);
  const sum = (name) => runs.reduce((total, { sender }) => total + (sender[name] ?? 0), 0);
  return {
    loss,
    rttMs,
    reorder,
    bytes,
    runs: runs.length,
    /** With 30 % loss each way a handshake may take longer than a server waits. */
    refused: seeds.length - runs.length,
    bytesPerSecond: median(runs.map(({ bytesPerSecond }) => bytesPerSecond)),
    intact: runs.every(({ intact }) => intact),
    timeouts: sum('tcp_timeouts'),
    recoveries: sum('tcp_fast_recoveries'),
    undone: ['full', 'partial', 'dsack', 'loss'].reduce((n, how) => n + sum(`tcp_${how}_undo`), 0),
    retransmits: sum('tcp_retransmits'),
  };
}
