/**
 * The bare machine: no device, no Node. A link made by hand gives it frames and collects what it
 * says. Run it: node examples/frames/frames.js
 */
import { Arena, createRing, createStack, Layout, Prefix } from 'dpdk-net/stack';

const { DESCRIPTOR_WORDS, RX_BASE, RX_COUNT, SLOT_BASE, SLOT_COUNT, TX_BASE } = Layout;
const arena = Arena.allocate(16 << 20);
const ring = createRing();
const free = Array.from({ length: 64 }, () => arena.reserve(Layout.SLOT_BYTES));
const inbox = arena.reserve(Layout.SLOT_BYTES);
const incoming = []; // frames for the stack
const outgoing = []; // frames from the stack

const link = {
  name: 'by hand',
  arena,
  ring,
  mac: Uint8Array.of(2, 0, 0, 0, 0, 2),
  mtu: 1500,
  segmentBytes: 0,
  features: { txChecksum: 'none', rxChecksum: 'none', segmentation: 'none' },
  exchange() {
    for (let i = 0; i < ring[Layout.TX_COUNT]; i++) {
      const [slot, at, length] = ring.subarray(TX_BASE + i * DESCRIPTOR_WORDS);
      outgoing.push(arena.bytes.slice(at, at + length));
      free.push(slot);
    }
    ring[Layout.TX_COUNT] = 0;
    while (free.length > 0) ring[SLOT_BASE + ring[SLOT_COUNT]++] = free.pop();
    const frame = incoming.shift(); // one frame a burst
    if (frame) arena.bytes.set(frame, inbox);
    if (frame) ring.set([inbox, frame.length, Layout.RX_IP_GOOD | Layout.RX_L4_GOOD], RX_BASE);
    ring[RX_COUNT] = frame ? 1 : 0;
    return ring[RX_COUNT];
  },
  close() {},
};

const stack = createStack({
  arena,
  heapBytes: 4 << 20,
  random: () => (Math.random() * 2 ** 32) | 0,
});
stack.attach(link, { addresses: [Prefix.parse('10.0.0.2/24')] });

// Who has 10.0.0.2? Tell 10.0.0.1 (ARP, from 02:00:00:00:00:01 to everybody).
incoming.push(
  Buffer.from(
    'ffffffffffff0200000000010806000108000604000102000000000' + '10a0000010000000000000a000002',
    'hex',
  ),
);
for (let ms = 0; ms < 10; ms++) stack.poll(ms * 1000);
for (const frame of outgoing) console.log(Buffer.from(frame).toString('hex'));
