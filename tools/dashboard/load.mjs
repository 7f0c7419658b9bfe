/**
 * Connections of the kernel's to an echo server: most of them slow, a few fast, some datagrams to
 * nobody. Run by tools/dashboard.mjs; it says how many are open, and rests when it is told to.
 * @module
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';

const [address, port, count] = process.argv.slice(2);
/** Opened at the same time. */
const AT_ONCE = 64;
/** Connections that send as fast as it goes, and how much at once. */
const FAST = 3;
const CHUNK = Buffer.alloc(16_384, 'dpdk-net');
const NOTE = Buffer.alloc(200, 'hello ');
const NOBODY = 9;

const sockets = [];
let isResting = false;

async function open() {
  const from = `10.77.${1 + (sockets.length >> 13)}.1`;
  const socket = connect({ host: address, port: Number(port), localAddress: from });
  sockets.push(socket);
  socket.on('error', (error) => {
    console.error(`load: ${error.message}`);
    process.exit(1);
  });
  await once(socket, 'connect');
  socket.on('data', () => {
    if (!isResting && sockets.indexOf(socket) < FAST) socket.write(CHUNK);
  });
}

async function main() {
  const { execFileSync } = await import('node:child_process');
  for (let net = 1; net <= 1 + (Number(count) >> 13); net++) {
    execFileSync('ip', ['addr', 'add', `10.77.${net}.1/16`, 'dev', 'dtap0']);
  }
  while (sockets.length < Number(count)) {
    const some = Math.min(AT_ONCE, Number(count) - sockets.length);
    await Promise.all(Array.from({ length: some }, open));
  }
  process.send(sockets.length);
  for (const socket of sockets.slice(0, FAST)) socket.write(CHUNK);
  const datagrams = createSocket('udp4');
  let next = FAST;
  let tick = 0;
  setInterval(() => {
    if (isResting) return;
    // A wave, so that there is something to see.
    const some = 20 + Math.round(60 * (1 + Math.sin(tick++ / 30)));
    for (let i = 0; i < some; i++) sockets[next++ % sockets.length].write(NOTE);
    if (tick % 3 === 0) datagrams.send(NOTE, NOBODY, address);
  }, 50);
}

process.on('message', () => {
  isResting = true;
});
process.on('disconnect', () => process.exit(0));
await main();
