/**
 * Our forwarding: `node ours.mjs '{"engine", "device", "seeded", "seconds"}'`; one line of JSON.
 *
 * Each frame is copied from its receive slot to a transmit slot, as a stack that answers does;
 * testpmd sends the buffer that it received.
 * @module
 */
import { openPort } from 'dpdk-net/dpdk';
import * as L from '../../dist/link/layout.gen.js';
import { sendFrame } from '../../dist/testing/frames.js';
import { say, settings } from '../measure.mjs';
import { frame } from './capture.mjs';

const WARMUP_MS = 1000;
/** Frames that go round in a ring: what `start tx_first 8` sends. */
const SEED = 256;

const { engine, device, seeded, seconds } = settings();
const port = openPort({ device, heapBytes: 1 << 20, join: false, segmentBytes: 0 });
const [link] = port.links;
const { ring } = link;
const { bytes } = link.arena;
const words = new Int32Array(bytes.buffer);
const flags = engine === 'csum' ? L.TX_IP_SUM | L.TX_UDP_SUM : 0;

/** Copies a frame by words: slots have room behind it. */
function copy(to, from, length) {
  if (((to | from) & 3) === 0) {
    for (let i = 0; i < (length + 3) >> 2; i++) words[(to >> 2) + i] = words[(from >> 2) + i];
  } else {
    bytes.copyWithin(to, from, from + length);
  }
}

/** One burst: every frame that came goes back with its addresses exchanged. */
function forwardBurst() {
  const count = link.exchange();
  for (let i = 0; i < count && ring[L.SLOT_COUNT] > 0 && ring[L.TX_COUNT] < L.TX_MAX; i++) {
    const from = L.RX_BASE + i * L.DESCRIPTOR_WORDS;
    const received = ring[from + L.RX_AT];
    const length = ring[from + L.RX_LENGTH];
    const slot = ring[L.SLOT_BASE + --ring[L.SLOT_COUNT]];
    const at = slot + L.SLOT_TRANSPORT + (received & 3);
    copy(at, received, length);
    for (let byte = 0; byte < 6; byte++) {
      bytes[at + byte] = bytes[received + 6 + byte];
      bytes[at + 6 + byte] = bytes[received + byte];
    }
    const to = L.TX_BASE + ring[L.TX_COUNT]++ * L.DESCRIPTOR_WORDS;
    ring[to + L.TX_SLOT] = slot;
    ring[to + L.TX_AT] = at;
    ring[to + L.TX_LENGTH] = length;
    ring[to + L.TX_FLAGS] = flags;
    ring[to + L.TX_HEADERS] = 14 | (20 << 8) | (8 << 16);
  }
}

function run(ms) {
  const start = performance.now();
  const cpu = process.cpuUsage();
  const before = link.counters().txFrames;
  while (performance.now() < start + ms) for (let i = 0; i < 256; i++) forwardBurst();
  const { user, system } = process.cpuUsage(cpu);
  const packets = link.counters().txFrames - before;
  return {
    packets,
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: (user + system) / 1e6,
  };
}

if (seeded) {
  for (let n = 0; n < SEED; n++) {
    while (!sendFrame(link, frame(n))) forwardBurst();
  }
}
run(WARMUP_MS);
say(run(seconds * 1000));
port.close();
process.exit(0);
