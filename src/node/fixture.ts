/**
 * What the tests of this folder share: a stack that has only its own loopback, under Node's API.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type net from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Prefix } from '../base/address.ts';
import type { DnsSettings } from '../dns/settings.ts';
import { PollLoop } from '../runtime/poll-loop.ts';
import { createStack } from '../stack/stack.ts';
import { Arena } from '../storage/arena.ts';
import type { TcpOptions } from '../tcp/options.ts';
import type { Running } from './current.ts';
import type { Engine } from './engine.ts';
import { install } from './install.ts';

export interface Loopback extends Running {
  readonly engine: Engine;
}

/** Puts a fresh stack, reachable only from this process, under all of Node's sockets. */
export function installLoopback(
  kernelRoutes: string[] = [],
  dns: Partial<DnsSettings> = {},
): Loopback {
  const running = openLoopback();
  const engine = install(running, { kernelRoutes: kernelRoutes.map(Prefix.parse), dns });
  return { ...running, engine };
}

/** A fresh stack, reachable only from this process, with Node's own sockets left alone. */
export function openLoopback(tcp: Partial<TcpOptions> = {}): Running {
  const stack = createStack({
    arena: Arena.allocate(192 << 20),
    heapBytes: 128 << 20,
    random: () => (Math.random() * 2 ** 32) | 0,
    tcp: { timeWaitMs: 20, ...tcp },
  });
  stack.attachLoopback();
  const loop = new PollLoop(stack);
  loop.start();
  return { stack, loop };
}

/** Waits until the stack has nothing left, and fails when something stays. */
export async function assertNoLeaks({ stack, loop }: Running): Promise<void> {
  const left = (): Record<string, number> => {
    const { connections, timeWait, listeners, udpSockets } = stack.counts();
    return { connections, timeWait, listeners, udpSockets, holds: loop.holds };
  };
  for (let i = 0; i < 6000 && Object.values(left()).some((count) => count > 0); i++)
    await sleep(10);
  assert.deepEqual(left(), { connections: 0, timeWait: 0, listeners: 0, udpSockets: 0, holds: 0 });
}

/** Listens on a port of its choosing; returns the port. */
export async function listening(server: net.Server, host?: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

export async function closed(server: net.Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** All that a stream has to say, as one Buffer. Leaves its other half alone. */
export function contents(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve(Buffer.concat(chunks)));
    stream.on('error', reject);
  });
}
