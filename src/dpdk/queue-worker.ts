/**
 * For tests: one queue of a port in a worker. Sends numbered frames of its own flows on its queue
 * and checks that what comes is this queue's and in order within each flow. Posts its figures
 * when told to; 'stop' ends the sending, 'end' the worker.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import * as Packet from '../testing/packet.ts';
import type { Lcore } from './addon.ts';
import { Eal } from './eal.ts';
import type { LinkDescription } from './link.ts';
import { openLink } from './port.ts';

export interface QueueFigures {
  readonly lcore: Lcore;
  readonly sent: number;
  readonly received: number;
  /** Frames of another queue's, and frames overtaken by a later one of their flow. */
  readonly misplaced: number;
  readonly disordered: number;
}

/** Flows that each worker sends; their addresses tell whose they are. */
const FLOWS = 200;
/** Frames sent before a turn of the event loop. */
const BURST = 32;
const SEQ_AT = 38;

const { description, cpu } = workerData as { description: LinkDescription; cpu: number };
const lcore = Eal.registerThread({ cpu });
const link = openLink(description);
const frames = Array.from({ length: FLOWS }, (_, flow) =>
  Packet.tcp({ src: `10.${link.queue}.0.${flow}`, dst: '10.255.0.1', srcPort: 9, dstPort: 80 }),
);
const sentOf = new Uint32Array(FLOWS);
const seen = new Map<number, number>();
let sent = 0;
let received = 0;
let misplaced = 0;
let disordered = 0;
let isSending = true;

function send(): void {
  for (let i = 0; i < BURST; i++) {
    const flow = sent % FLOWS;
    const frame = frames[flow]!;
    new DataView(frame.buffer).setUint32(SEQ_AT, sentOf[flow]!);
    if (!sendFrame(link, frame, { sums: false })) return;
    sentOf[flow]!++;
    sent++;
  }
}

function turn(): void {
  if (isSending) send();
  for (const { bytes, hash } of receiveFrames(link)) {
    const view = new DataView(bytes.buffer);
    const flow = view.getUint32(26);
    const seq = view.getUint32(SEQ_AT);
    if (link.steering!.queueOfHash(hash) !== link.queue) misplaced++;
    if (seq < (seen.get(flow) ?? 0)) disordered++;
    seen.set(flow, seq + 1);
    received++;
  }
  setImmediate(turn);
}

parentPort!.on('message', (message: 'stop' | 'figures' | 'end') => {
  if (message === 'stop') isSending = false;
  if (message === 'end') {
    link.close();
    Eal.unregisterThread();
    process.exit();
  }
  const figures: QueueFigures = { lcore, sent, received, misplaced, disordered };
  parentPort!.postMessage(figures);
});
turn();
