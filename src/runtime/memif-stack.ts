/**
 * For tests: a stack on one end of a memif, and sockets that send and read without end.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { Prefix } from '../base/address.ts';
import type { Port } from '../dpdk/index.ts';
import { createStack, type Stack } from '../stack/stack.ts';
import type { TcpSocket } from '../tcp/socket.ts';

/** The address and port of the end that is not killed. */
export const SURVIVOR = '10.99.1.1';
export const PORT = 7;

const bytes = new Uint8Array(16_384);

/** A stack over the port's first queue. */
export function memifStack(port: Port, address: string): Stack {
  const link = port.links[0]!;
  const stack = createStack({
    arena: link.arena,
    heapBytes: 4 << 20,
    random: () => randomBytes(4).readInt32LE(),
  });
  stack.attach(link, { addresses: [Prefix.parse(`${address}/24`)] });
  return stack;
}

/** Reads all that came and writes what fits; returns how many bytes came. */
export function pumpSockets(sockets: readonly TcpSocket[]): number {
  let received = 0;
  for (const socket of sockets) {
    for (let n = socket.read(bytes); n > 0; n = socket.read(bytes)) received += n;
    while (socket.writable > bytes.length) socket.write(bytes);
  }
  return received;
}
