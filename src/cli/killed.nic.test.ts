/**
 * A process that was killed with SIGKILL leaves an interface, a socket and memory behind; the next
 * one finds its way at once.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { enterNamespace } from '../dpdk/test-namespace.ts';
import { type RunningCommand, startProgram } from './running.ts';

await enterNamespace();

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-killed-'));
after(() => rmSync(folder, { recursive: true }));
process.env['XDG_RUNTIME_DIR'] = folder;
const main = new URL(`./main${import.meta.url.slice(-3)}`, import.meta.url).pathname;
const sockets = (): string[] => readdirSync(join(folder, 'dpdk-net'));

writeFileSync(
  join(folder, 'dpdk-net.toml'),
  `dpdk = { vdev = "net_tap0,iface=dtap0", memory = "32MiB" }
   network.ip = "10.77.0.2/24"
   tap.host_ip = "10.77.0.1/24"`,
);
writeFileSync(
  join(folder, 'server.cjs'),
  `require('node:net').createServer((socket) => {
     socket.on('error', () => {}).pipe(socket);
   }).listen(7, () => console.log('listening'));`,
);

async function serve(queues: number): Promise<RunningCommand> {
  const args = [main, 'run', '--queues', `${queues}`, 'server.cjs'];
  const server = startProgram(folder, args);
  await server.says('listening', queues);
  return server;
}

/** A connection that gets back what it sends. */
async function converse(text: string): Promise<import('node:net').Socket> {
  const socket = connect(7, '10.77.0.2').on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  const [reply] = (await once(socket, 'data')) as [Buffer];
  assert.equal(String(reply), text);
  return socket;
}

for (const queues of [1, 2]) {
  test(`killed with ${queues} queues and connections open, it starts again at once`, async () => {
    const first = await serve(queues);
    const left = await converse('before');
    assert.deepEqual(sockets(), [`${first.child.pid}.sock`]);
    assert.equal(await first.end('SIGKILL'), 'SIGKILL');
    left.destroy();
    assert.ok(
      existsSync(join(folder, 'dpdk-net', `${first.child.pid}.sock`)),
      'it left its socket',
    );
    const second = await serve(queues);
    (await converse('after')).destroy();
    assert.deepEqual(sockets(), [`${second.child.pid}.sock`]);
    assert.equal(await second.end('SIGTERM'), 0, second.output());
    assert.match(second.output(), /left: 0 connections, 0 timers, 0 slots\n$/);
    assert.deepEqual(sockets(), []);
  });
}
