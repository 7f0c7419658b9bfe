/**
 * The same segments to our stack and to the kernel (tools/differential.mjs): sequences as of a peer
 * without fault, and one that found a fault of ours.
 */
import './kit/enter.mjs';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { differences, readable } from '../../tools/differential/compare.mjs';
import { KernelTarget } from '../../tools/differential/kernel.mjs';

const target = new KernelTarget();
after(() => target.close());

const segment = (fields) => ({
  flags: 'ACK',
  seq: ['rcv', 0],
  ack: ['all', 0],
  length: 0,
  options: 'usual',
  ...fields,
});

function opened(options) {
  return [{ flags: 'SYN', seq: ['rcv', 0], ack: null, length: 0, options }, segment({})];
}

const SEQUENCES = ['syn', 'syn without timestamps'].flatMap((options) => [
  [...opened(options), segment({ length: 10 }), { program: 'write' }, segment({})],
  [...opened(options), segment({ length: 10 }), segment({ seq: ['rcv', -5], length: 10 })],
]);

test('the kernel and we answer alike', async () => {
  const found = await differences(target, SEQUENCES);
  const texts = found.filter((difference) => difference !== null).map(readable);
  assert.deepEqual(texts, []);
});
