import assert from 'node:assert/strict';
import test from 'node:test';
import { Address, Prefix } from '../base/address.ts';
import { createPair } from '../link/pair.ts';
import { Arena } from '../storage/arena.ts';
import { createStack, type Stack } from './stack.ts';

test('a process that could not run finds its ACKs in the queue before its timers call them lost', () => {
  const arena = Arena.allocate(64 << 20);
  let seed = 3;
  const random = (): number => (seed = Math.imul(seed, 0x5851f42d) + 1);
  const [a, b] = createPair(arena).map((link, i) => {
    const stack = createStack({ arena, heapBytes: 8 << 20, random });
    stack.attach(link, { addresses: [Prefix.parse(`10.0.0.${i + 1}/24`)] });
    return stack;
  }) as [Stack, Stack];
  let now = 1_000_000;
  const both = (times: number): void => {
    for (let i = 0; i < times; i++, now += 100) for (const stack of [a, b]) stack.poll(now);
  };
  const listener = b.tcp.listen({ port: 7 });
  const socket = a.tcp.connect({ address: Address.parse('10.0.0.2'), port: 7 });
  both(10);
  const peer = listener.accept()!;
  socket.setNoDelay(true);
  socket.write(new Uint8Array(5000));
  a.poll(now);
  for (let i = 0; i < 4; i++) b.poll(now);
  assert.equal(peer.readable, 5000, 'the peer has it all and has acknowledged it');
  now += 3_000_000;
  both(10);
  const { tcp } = a.report();
  assert.equal(socket.unacknowledged, 0);
  assert.equal(tcp['tcp_retransmits'] ?? 0, 0);
  assert.equal(tcp['tcp_tlp_probes'] ?? 0, 0);
  assert.equal(tcp['tcp_timeouts'] ?? 0, 0);
});
