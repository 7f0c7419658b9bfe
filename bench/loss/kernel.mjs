/**
 * Our stack and the Linux kernel as senders on the same path: a TAP device in a network namespace
 * of its own, our fault link on it. Both send at the same time, one in each direction, over as many
 * connections, so that what else the machine does meanwhile happens to both.
 *
 *     LOSS_OPTIONS='{"quick":true}' node bench/loss/kernel.mjs
 *
 * Writes one line of JSON for each cell. Nothing but loss limits these connections: the sum of
 * all is far below what the machine can do. Which congestion control the kernel uses matters more
 * than all else, and distributions differ: it is set to CUBIC, which is ours, by the route.
 * @module
 */
import '../../test/interop/kit/enter.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kernel, sh } from '../../test/interop/kit/kernel.mjs';
import { INTERFACE, OURS, Ours, THEIRS } from '../../test/interop/kit/ours.mjs';
import { median } from '../harness/statistics.mjs';
import * as Ends from './ends.mjs';

const { quick = false, congestion = 'cubic' } = JSON.parse(process.env.LOSS_OPTIONS ?? '{}');
const LOSSES = [0.001, 0.01, 0.03];
const RTTS_MS = quick ? [50] : [50, 100];
const ROUNDS = quick ? 1 : 5;
/** Slow start leaves a window far above what the loss allows: several losses bring it down. */
const SETTLE_SECONDS = quick ? 2 : 5;
const SECONDS = quick ? 6 : 10;
const BUFFERS = { sendBufferBytes: 1 << 20, receiveBufferBytes: 1 << 20 };
/** Of all connections of a sender together, about: the more losses, the less does chance matter. */
const SEGMENTS_PER_SECOND = 3000;
const FLOWS = { least: 8, most: 32 };
const SINK_PORT = 5001;
const SOURCE_PORT = 5002;

const kernel = new Kernel();
await kernel.run(Ends.forgetPaths);
for (const loss of LOSSES) {
  for (const rttMs of RTTS_MS) console.log(JSON.stringify(await cell(loss, rttMs)));
}
kernel.close();

async function cell(loss, rttMs) {
  const flows = flowsFor(loss, rttMs);
  const rates = { ours: [], kernel: [] };
  for (let round = 1; round <= ROUNDS; round++) {
    const { ours, kernel: peer } = await measure({ loss, rttMs, flows, seed: round });
    rates.ours.push(ours);
    rates.kernel.push(peer);
  }
  const ratio = median(rates.ours.map((rate, round) => rate / rates.kernel[round]));
  const [our, peer] = [median(rates.ours), median(rates.kernel)];
  return { loss, rttMs, flows, congestion, ours: our, kernel: peer, ratio, rates };
}

/** By the rule of thumb that the window is 1.2 segments over the root of the loss. */
function flowsFor(loss, rttMs) {
  const each = 1.2 / Math.sqrt(loss) / (rttMs / 1000);
  const flows = Math.round(SEGMENTS_PER_SECOND / each);
  return Math.min(FLOWS.most, Math.max(FLOWS.least, flows));
}

/** Bytes per second that arrived of each sender, over all connections, once slow start is over. */
async function measure({ loss, rttMs, flows, seed }) {
  const faults = { loss, delay: rttMs * 500 };
  const ours = new Ours({
    tcp: { timeWaitMs: 0, ...BUFFERS },
    faults: { in: faults, out: faults, seed },
  });
  const subnet = THEIRS[4].replace(/\d+$/, '0/24');
  sh(`ip route change ${subnet} dev ${INTERFACE} src ${THEIRS[4]} congctl lock ${congestion}`);
  const sink = await startBoth(ours, flows);
  const count = async () => ({
    at: performance.now(),
    ours: await kernel.run(Ends.countSunk),
    kernel: sink.bytes,
  });
  await sleep(SETTLE_SECONDS * 1000);
  const before = await count();
  await sleep(SECONDS * 1000);
  const after = await count();
  const seconds = (after.at - before.at) / 1000;
  await kernel.run(Ends.stopBoth);
  ours.close(0);
  return {
    ours: (after.ours - before.ours) / seconds,
    kernel: (after.kernel - before.kernel) / seconds,
  };
}

/** All connections of both sides; what arrives of the kernel's is counted in the result. */
async function startBoth(ours, flows) {
  await kernel.run(Ends.startSink, { host: THEIRS[4], port: SINK_PORT });
  const listener = ours.listen(SOURCE_PORT, { backlog: flows });
  const sink = { bytes: 0 };
  const leaving = kernel.run(Ends.connectSources, { host: OURS[4], port: SOURCE_PORT, flows });
  for (let flow = 0; flow < flows; flow++) {
    const { source } = await listener.accept();
    source.owner = new Ends.Sink(source, sink);
  }
  await leaving;
  const talks = Array.from({ length: flows }, () => ours.connect(THEIRS[4], SINK_PORT));
  const sockets = (await Promise.all(talks)).map(({ source }) => source);
  const starting = kernel.run(Ends.startSources);
  for (const socket of sockets) socket.owner = new Ends.Source(socket);
  ours.loop.wake();
  await starting;
  return sink;
}
