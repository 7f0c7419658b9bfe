/**
 * What a capture costs the stack, the first 128 bytes of each frame to a client that takes them all;
 * and that what it loses is counted.
 *
 *     node bench/capture.mjs [--quick] [--json FILE]
 * @module
 */
import assert from 'node:assert/strict';
import { startCapture } from '../dist/control/capture.js';
import { measureObserved } from './layer/observed.mjs';

const MOST = 0.05;
const SNAPLEN = 128;

await measureObserved('capture', MOST, ({ running, place }) => {
  const { counters } = running.stack.net.nics[0];
  const framesBefore = counters[0] + counters[2];
  let taken = 0;
  let lost = 0;
  const end = startCapture(running.stack, place, { snaplen: SNAPLEN }, (event) => {
    taken += event.frames.length;
    lost = event.lost;
    JSON.stringify(event);
    return true;
  });
  return () => {
    end();
    const frames = counters[0] + counters[2] - framesBefore;
    assert.equal(lost, 0, 'a client that takes everything loses nothing');
    return { frames, taken, lost };
  };
});
