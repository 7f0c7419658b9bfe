/**
 * What a capture costs the stack, the first 128 bytes of each frame to a client that takes them all;
 * and that what it loses is counted.
 *
 *     node bench/capture.mjs [--quick] [--json FILE]
 * @module
 */
import assert from 'node:assert/strict';
import { countFrames } from '../dist/control/frame-ring.js';
import { localReporter } from '../dist/control/reporter.js';
import { measureObserved } from './layer/observed.mjs';

const MOST = 0.05;
const SNAPLEN = 128;

await measureObserved('capture', MOST, (stack) => {
  const { counters } = stack.running.stack.net.nics[0];
  const framesBefore = counters[0] + counters[2];
  const batches = [];
  let lost = 0;
  const end = localReporter(stack).listen('capture', { snaplen: SNAPLEN }, (event, bytes) => {
    lost = event.lost;
    const batch = bytes?.() ?? null;
    if (batch !== null) batches.push(batch);
    JSON.stringify(event);
    return true;
  });
  return () => {
    end();
    const frames = counters[0] + counters[2] - framesBefore;
    const taken = batches.reduce((sum, batch) => sum + countFrames(batch), 0);
    assert.equal(lost, 0, 'a client that takes everything loses nothing');
    assert.equal(taken, frames, 'each frame is there');
    return { frames, taken, lost };
  };
});
