/**
 * Our stack and the Linux kernel as senders on the same path, in turns: a TAP device in a network
 * namespace of its own, our fault link on it, the other of the two as the receiver.
 *
 *     LOSS_OPTIONS='{"quick":true}' node bench/loss/kernel.mjs
 *
 * Writes one line of JSON for each cell. Which congestion control the kernel uses matters more
 * than all else, and distributions differ: it is set to CUBIC, which is ours, by the route.
 * @module
 */
import '../../test/interop/kit/enter.mjs';
import { Kernel, sh } from '../../test/interop/kit/kernel.mjs';
import { INTERFACE, OURS, Ours, THEIRS } from '../../test/interop/kit/ours.mjs';
import * as Peer from '../../test/interop/kit/peer-tcp.mjs';

const { quick = false, congestion = 'cubic' } = JSON.parse(process.env.LOSS_OPTIONS ?? '{}');
const LOSSES = quick ? [0.01, 0.03] : [0.001, 0.01, 0.03];
/** Long enough that what the processor does meanwhile hardly counts. */
const RTTS_MS = quick ? [20] : [20, 100];
const ROUNDS = 3;
const BUFFERS = { sendBufferBytes: 4 << 20, receiveBufferBytes: 4 << 20 };
const PATIENCE_MS = 240_000;
const MSS = 1448;
/** About so long does a transfer take where the window is what loss leaves of it. */
const SECONDS = quick ? 2 : 8;
const MOST_BYTES = 20e6;

const kernel = new Kernel();
await kernel.run(forgetPaths);
for (const loss of LOSSES) {
  for (const rttMs of RTTS_MS) console.log(JSON.stringify(await cell(loss, rttMs)));
}
kernel.close();

/** What one connection learned of the path must not help the next one. */
function forgetPaths(_, { childProcess }) {
  childProcess.execFileSync('sysctl', ['-qw', 'net.ipv4.tcp_no_metrics_save=1']);
}

async function cell(loss, rttMs) {
  const bytes = amount(loss, rttMs);
  const seconds = { ours: [], kernel: [] };
  for (let round = 1; round <= ROUNDS; round++) {
    const faults = { loss, delay: rttMs * 500 };
    const ours = new Ours({
      tcp: { timeWaitMs: 0, ...BUFFERS },
      faults: { in: faults, out: faults, seed: round },
    });
    const subnet = THEIRS[4].replace(/\d+$/, '0/24');
    sh(`ip route change ${subnet} dev ${INTERFACE} src ${THEIRS[4]} congctl lock ${congestion}`);
    seconds.ours.push(await oursSends(ours, bytes));
    seconds.kernel.push(await kernelSends(ours, bytes));
    ours.close();
  }
  const rate = (times) => (bytes * times.length) / times.reduce((a, b) => a + b, 0);
  const [our, peer] = [rate(seconds.ours), rate(seconds.kernel)];
  return { loss, rttMs, bytes, congestion, ours: our, kernel: peer, ratio: our / peer, seconds };
}

/** By the rule of thumb that the window is 1.2 segments over the root of the loss. */
function amount(loss, rttMs) {
  const rate = (1.2 * MSS) / Math.sqrt(loss) / (rttMs / 1000);
  return Math.round(Math.min(MOST_BYTES, rate * SECONDS));
}

async function oursSends(ours, bytes) {
  await kernel.run(Peer.listen, { host: THEIRS[4], port: 5001 });
  const arriving = kernel.run(Peer.sink, { port: 5001 }, PATIENCE_MS);
  const conversation = await ours.connect(THEIRS[4], 5001);
  const start = performance.now();
  await conversation.sendPattern(bytes, PATIENCE_MS);
  await arriving;
  const seconds = (performance.now() - start) / 1000;
  conversation.close();
  return seconds;
}

async function kernelSends(ours, bytes) {
  const listener = ours.listen(5002);
  const leaving = kernel.run(Peer.source, { host: OURS[4], port: 5002, bytes }, PATIENCE_MS);
  const conversation = await listener.accept();
  const start = performance.now();
  await conversation.digest(PATIENCE_MS);
  const seconds = (performance.now() - start) / 1000;
  conversation.shutdown();
  await leaving;
  conversation.close();
  await conversation.closed();
  listener.close();
  return seconds;
}
