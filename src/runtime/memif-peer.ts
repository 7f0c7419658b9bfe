/**
 * For tests: a process with a stack on one end of a memif, which connects to the survivor at the
 * other end and moves data both ways on several connections until it is killed:
 * `node memif-peer.ts client socket-name 4`.
 * @module
 */
import { Address } from '../base/address.ts';
import { openPort } from '../dpdk/index.ts';
import type { TcpSocket } from '../tcp/socket.ts';
import { memifStack, PORT, pumpSockets, SURVIVOR } from './memif-stack.ts';

const [role, socket, count] = process.argv.slice(2);
const port = openPort({
  device: `net_memif0,role=${role},id=0,socket=${socket}`,
  heapBytes: 8 << 20,
  eal: { memoryMb: 128 },
});
const stack = memifStack(port, '10.99.1.2');
await port.linkUp(120_000);

function connect(): TcpSocket {
  return stack.tcp.connect({ address: Address.parse(SURVIVOR), port: PORT });
}

const sockets = Array.from({ length: Number(count) }, connect);

function turn(): void {
  for (let i = 0; i < 64; i++) {
    stack.poll(performance.now() * 1000);
    pumpSockets(sockets.filter(({ error }) => error === ''));
  }
  // On a busy machine the survivor may take longer than a neighbor is asked for.
  for (const [i, { error }] of sockets.entries()) if (error !== '') sockets[i] = connect();
  setImmediate(turn);
}
turn();
