import assert from 'node:assert/strict';
import test from 'node:test';
import { Address, Prefix } from '../base/address.ts';
import { createPair } from '../link/pair.ts';
import { Arena } from '../storage/arena.ts';
import { Random } from '../testing/random.ts';
import { createStack } from './stack.ts';

test('a clock that goes back is not believed, and hangs nothing', () => {
  const arena = Arena.allocate(8 << 20);
  const [link] = createPair(arena);
  const source = new Random(1);
  const stack = createStack({ arena, heapBytes: 1 << 20, random: () => source.next() });
  stack.attach(link, { addresses: [Prefix.parse('10.0.0.1/24')] });
  stack.poll(1_000_000);
  stack.tcp.connect({ address: Address.parse('10.0.0.2'), port: 7 });
  // The SYN's timer comes up after a second.
  stack.poll(1_001_000);
  stack.poll(2_500_000);
  for (const now of [300_000, 0, -5_000_000]) stack.poll(now);
  assert.equal(stack.clock.ms, 2500);
  assert.equal(stack.counts().timers, 1);
});
