import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { Address } from '../base/address.ts';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import * as Packet from '../testing/packet.ts';
import { kernelSetup } from './kernel-peer.ts';
import type { DpdkLink } from './link.ts';
import { openPort } from './open-port.ts';
import { enterNamespace, ip } from './test-namespace.ts';

const SMALL = { heapBytes: 1 << 20, join: false };

/** Resolves with the next call back; the calls are counted. */
function sleeper(link: DpdkLink): { calls: number; next(): Promise<void>; interrupt: boolean } {
  let wake = (): void => {};
  const state = {
    calls: 0,
    next: (): Promise<void> =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    interrupt: false,
  };
  state.interrupt = link.onWake(() => {
    state.calls++;
    wake();
  });
  return state;
}

/** What waits for a call keeps the process alive; a call that never comes is the test's failure. */
async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const controller = new AbortController();
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what}: nobody called`)), 120_000);
    controller.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    controller.abort();
  }
}

/** A frame of a flow that belongs to the queue. */
function frameFor(link: DpdkLink): Uint8Array {
  const addresses = { src: '10.0.0.1', dst: '10.0.0.2' };
  const [src, dst] = [Address.parse(addresses.src), Address.parse(addresses.dst)];
  let srcPort = 1000;
  while (link.steering!.queueOf(dst, src, 80, srcPort) !== link.queue) srcPort++;
  return Packet.tcp({ ...addresses, srcPort, dstPort: 80 });
}

await enterNamespace();

test('a frame that another queue hands over wakes, and only who sleeps', async () => {
  const port = openPort({ device: 'net_ring0', queues: 2, ...SMALL });
  const [other, link] = port.links as [DpdkLink, DpdkLink];
  const state = sleeper(link);
  assert.equal(state.interrupt, false);
  for (let round = 0; round < 20; round++) {
    assert.equal(link.sleep(), true);
    const woken = state.next();
    sendFrame(other, frameFor(link), { sums: false });
    other.exchange();
    await within(woken, `round ${round}`);
    // There is work: no sleep.
    assert.equal(link.sleep(), false);
    assert.equal(receiveFrames(link).length, 1);
  }
  sendFrame(other, frameFor(link), { sums: false });
  other.exchange();
  assert.equal(receiveFrames(link).length, 1);
  assert.equal(state.calls, 20);
  port.close();
});

test('another thread wakes by wake()', async () => {
  const port = openPort({ device: 'net_ring1', queues: 2, ...SMALL });
  const link = port.links[1]!;
  const state = sleeper(link);
  const script = `
    import { workerData } from 'node:worker_threads';
    const { openLink } = await import(workerData.index);
    openLink(workerData.description).wake();`;
  link.wake();
  assert.equal(link.sleep(), true);
  const woken = state.next();
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), {
    workerData: {
      description: link.description,
      index: new URL(`./index${import.meta.url.slice(-3)}`, import.meta.url).href,
    },
  });
  await within(woken, 'wake()');
  assert.equal(state.calls, 1);
  await once(worker, 'exit');
  port.close();
});

test('a tap wakes by its interrupt when the kernel sends', async () => {
  const port = openPort({ device: 'net_tap0,iface=dtap0', ...SMALL });
  const link = port.links[0]!;
  for (const line of kernelSetup('dtap0', link)) ip(line);
  const socket = createSocket('udp4');
  const state = sleeper(link);
  assert.equal(state.interrupt, true);
  for (let round = 0; round < 5; round++) {
    while (link.exchange() > 0) {
      // What the kernel said by itself.
    }
    const woken = state.next();
    assert.equal(link.sleep(), true);
    socket.send('hello', 9, '10.9.9.2');
    await within(woken, `round ${round}`);
    let frames = 0;
    const deadline = Date.now() + 120_000;
    while (frames === 0 && Date.now() < deadline) frames = link.exchange();
    assert.ok(frames > 0);
  }
  assert.ok(state.calls >= 5);
  socket.close();
  port.close();
  // A sleeper that is gone is not called, and a link of it does not sleep.
  assert.equal(link.sleep(), false);
  link.wake();
});
