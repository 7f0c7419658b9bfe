/**
 * What a datagram costs there and back in one process over the stack's loopback, one at a time with
 * Node's dgram and in batches with onBatches() and sendMany(): echoes for each second of
 * processor time, in windows that take turns.
 *
 *     node --import dpdk-net/register bench/layer/datagrams.mjs
 * @module
 */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { onBatches, Peer, sendMany } from 'dpdk-net/dgram';
import { median } from '../harness/statistics.mjs';

const UNDER_WAY = 64;
const ECHOES = 40_000;
const WINDOWS = 7;

async function bound() {
  const socket = dgram.createSocket('udp4').bind(0);
  await once(socket, 'listening');
  return socket;
}

const message = Buffer.alloc(64, 'x');

/** Each answer is followed by the next question. */
async function single() {
  const [server, client] = [await bound(), await bound()];
  server.on('message', (bytes, from) => server.send(bytes, from.port, from.address));
  const { port } = server.address();
  const ask = () => client.send(message, port, '127.0.0.1');
  return loop(client, server, (counted) => {
    client.on('message', () => counted(1) && ask());
    for (let i = 0; i < UNDER_WAY; i++) ask();
  });
}

async function batches() {
  const [server, client] = [await bound(), await bound()];
  onBatches(server, {
    messages(batch) {
      for (let i = 0; i < batch.count; i++) batch.reply(i);
    },
  });
  const peer = new Peer('127.0.0.1', server.address().port);
  const questions = Array(UNDER_WAY).fill(message);
  return loop(client, server, (counted) => {
    onBatches(client, {
      messages(batch) {
        if (counted(batch.count)) sendMany(client, questions.slice(0, batch.count), peer);
      },
    });
    sendMany(client, questions, peer);
  });
}

/** Processor microseconds of an echo. */
async function loop(client, server, start) {
  const before = process.cpuUsage();
  let done = 0;
  await new Promise((resolve) => {
    start((count) => {
      done += count;
      if (done >= ECHOES) resolve();
      return done < ECHOES;
    });
  });
  const { user, system } = process.cpuUsage(before);
  client.close();
  server.close();
  return (user + system) / done;
}

const costs = { single: [], batches: [] };
for (let i = 0; i < WINDOWS + 1; i++) {
  for (const [name, run] of Object.entries({ single, batches })) {
    const cost = await run();
    // The first of each compiles the code.
    if (i > 0) costs[name].push(cost);
  }
}
const [one, many] = Object.values(costs).map(median);
const figures = [one.toFixed(2), many.toFixed(2), (one / many).toFixed(1)];
console.log(
  `µs of an echo of 64 bytes: ${figures[0]} one at a time, ${figures[1]} in batches: ${figures[2]} times`,
);
