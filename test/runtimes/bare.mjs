/**
 * Two stacks talk over a wire with loss, in plain JavaScript: no import but the stack, no global
 * but the language's, no permission. Throws when something is not as it should be.
 * tools/runtimes.mjs runs it under Bun and Deno; a browser would do as well.
 */
import { Address } from '../../dist/stack/index.js';
import { echo, serve, simulate, transfer } from '../../dist/testing/index.js';

simulate({ seed: 1, arenaBytes: 64 << 20 }, (network) => {
  const a = network.addHost('a');
  const b = network.addHost('b');
  const both = { loss: 0.05, delay: 1000 };
  const { faults } = network.join(a, '10.0.0.1/24', b, '10.0.0.2/24', { both });
  serve(b, 7, echo);
  const bytes = network.random.bytes(100_000);
  const address = Address.parse('10.0.0.2');
  const client = transfer(a.stack.tcp.connect({ address, port: 7 }), bytes);
  network.run(() => client.closed);
  const same = client.received.every((byte, i) => byte === bytes[i]);
  if (!same || client.received.length !== bytes.length) throw new Error('the echo differs');
  if (faults.sent.lost + faults.received.lost === 0) throw new Error('no frame was lost');
});
