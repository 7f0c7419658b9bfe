/**
 * A plain Node program that waits for a line `{"count", "intervalMs"}` on its standard input, then opens so many
 * connections, that far apart, and tells how long each took: `node connects.mjs ADDRESS PORT`.
 * @module
 */
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../measure.mjs';

const [host, port] = process.argv.slice(2);

async function connect() {
  const start = performance.now();
  const socket = net.connect({ host, port: Number(port) });
  await once(socket, 'connect');
  const ms = performance.now() - start;
  socket.resetAndDestroy();
  return ms;
}

say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const { count, intervalMs } = JSON.parse(line);
  const times = [];
  for (let i = 0; i < count; i++) {
    await sleep(intervalMs);
    times.push(await connect());
  }
  say({ times });
}
process.exit(0);
