/**
 * A stack on one end of a memif.
 * @module
 */
import { openPort } from 'dpdk-net/dpdk';
import { endWithParent } from '../measure.mjs';
import { Machine, makeStack } from './machine.mjs';

const HEAP_BYTES = 128 << 20;
/** For rings, waiting packets and fragments beside the socket buffers. */
const BESIDE_BYTES = 16 << 20;
const BUFFER_BYTES = 1 << 20;

/** { machine, stack }: `role` is memif's, 'server' or 'client'. */
export async function memifMachine(role, address, socket) {
  const port = openPort({
    device: `net_memif0,role=${role},id=0,socket=${socket}`,
    heapBytes: HEAP_BYTES + BESIDE_BYTES,
    eal: { memoryMb: 512 },
  });
  endWithParent(() => {
    port.close();
    process.exit(0);
  });
  const stack = makeStack(port.links[0], address, {
    heapBytes: HEAP_BYTES,
    tcp: { receiveBufferBytes: BUFFER_BYTES, sendBufferBytes: BUFFER_BYTES },
  });
  if (role === 'client') await port.linkUp(120_000);
  return { machine: new Machine(stack), stack, port };
}
