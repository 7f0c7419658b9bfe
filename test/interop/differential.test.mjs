/**
 * The same segments to our stack and to the kernel (tools/differential.mjs), as listeners and as
 * connectors, over both IP versions: sequences as of a peer without fault, some that found a fault of
 * ours, and a few of a seed, whose differences must all be known ones.
 */
import './kit/enter.mjs';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { confirmed, differences, readable, sequences } from '../../tools/differential/compare.mjs';
import { KernelTarget } from '../../tools/differential/kernel.mjs';
import { knownAs } from '../../tools/differential/known.mjs';
import { WAYS } from '../../tools/differential/target.mjs';

const SEED = 1;
const EACH = 25;

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

function opened(options, role) {
  if (role === 'listener') {
    return [{ flags: 'SYN', seq: ['rcv', 0], ack: null, length: 0, options }, segment({})];
  }
  return [{ program: 'connect' }, segment({ flags: 'SYN ACK', options })];
}

function sequencesFor(role) {
  return ['syn', 'syn without timestamps'].flatMap((options) => [
    [...opened(options, role), segment({ length: 10 }), { program: 'write' }, segment({})],
    // A segment that is partly old, one that fills a hole and repeats what waits behind it.
    [...opened(options, role), segment({ length: 10 }), segment({ seq: ['rcv', -5], length: 10 })],
    [...opened(options, role), segment({ seq: ['rcv', 1], length: 20 }), segment({ length: 10 })],
    // Blocks on data while something is missing.
    [...opened(options, role), segment({ seq: ['rcv', 10], length: 10 }), { program: 'write' }],
    [...opened(options, role), { program: 'close' }, segment({ length: 10 })],
    [...opened(options, role), segment({ flags: 'FIN ACK', length: 10 }), { program: 'shutdown' }],
  ]);
}

for (const way of WAYS) {
  test(`as a ${way.role} over IPv${way.version} the kernel and we answer alike`, async () => {
    const found = await differences(target, sequencesFor(way.role), way);
    const texts = found.filter((difference) => difference !== null).map(readable);
    assert.deepEqual(texts, []);
  });
}

test('where else the kernel and we differ, it is of a known kind', async () => {
  const news = [];
  for (const [turn, way] of WAYS.entries()) {
    const steps = sequences(SEED, turn * EACH, (turn + 1) * EACH, way.role);
    for (const difference of await differences(target, steps, way)) {
      if (difference === null || knownAs(difference) !== null) continue;
      const again = await confirmed(target, difference);
      if (again !== null) news.push(readable(again));
    }
  }
  assert.deepEqual(news, []);
});
