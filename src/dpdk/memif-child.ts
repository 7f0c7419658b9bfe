/**
 * For tests: one end of a memif in a process of its own. Sends without pause and echoes nothing;
 * `node memif-child.ts client /run/x.sock flood` or `... count 1000` or `... crowd 4`.
 * @module
 */

import * as L from '../link/layout.gen.ts';
import { hasRoom } from '../link/link.ts';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import { openPort } from './open-port.ts';

const [role, socket, task, amount] = process.argv.slice(2);
const port = openPort({
  device: `net_memif0,role=${role},id=0,socket=${socket}`,
  heapBytes: 1 << 20,
  eal: { memoryMb: 128 },
});
const link = port.links[0]!;
const frame = new Uint8Array(60).fill(7);

/**
 * For ever, until the parent kills us; faster than the parent reads, so that it is always in the
 * middle of a burst. The frames hold whatever is in their slots.
 */
function flood(): void {
  const { ring } = link;
  for (let burst = 0; burst < 1000; burst++) {
    while (hasRoom(ring)) {
      const slot = ring[L.SLOT_BASE + --ring[L.SLOT_COUNT]!]!;
      ring.set(
        [slot, slot + L.SLOT_TRANSPORT, 1500, 0],
        L.TX_BASE + ring[L.TX_COUNT]!++ * L.DESCRIPTOR_WORDS,
      );
    }
    link.exchange();
  }
  setImmediate(flood);
}

/** Sends numbered frames and waits until each came back, in order. */
async function count(total: number): Promise<void> {
  await port.linkUp(120_000);
  const view = new DataView(frame.buffer);
  let sent = 0;
  let expected = 0;
  while (expected < total) {
    for (; sent < total && sent - expected < 32; sent++) {
      view.setUint32(20, sent);
      if (!sendFrame(link, frame)) break;
    }
    for (const { bytes } of receiveFrames(link)) {
      const number = new DataView(bytes.buffer).getUint32(20);
      if (number !== expected++) throw new Error(`frame ${number} came for ${expected - 1}`);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  port.close();
  process.stdout.write(`echoed ${total}\n`);
}

/** Opens more clients than a backlog holds, says so, and waits until the first has its server. */
async function crowd(total: number): Promise<void> {
  for (let id = 1; id < total; id++) {
    openPort({
      device: `net_memif${id},role=${role},id=${id},socket=${socket}`,
      heapBytes: 1 << 20,
    });
  }
  process.stdout.write('open\n');
  await port.linkUp(120_000);
  process.exit();
}

if (task === 'crowd') {
  await crowd(Number(amount));
} else if (task === 'flood') {
  await port.linkUp(120_000);
  process.stdout.write('flooding\n');
  flood();
} else {
  await count(Number(amount));
}
