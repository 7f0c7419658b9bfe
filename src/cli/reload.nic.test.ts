/**
 * A running process reads its configuration again; its connections go on.
 * @module
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Change } from '../config/reload.ts';
import { enterNamespace } from '../dpdk/test-namespace.ts';
import { MAIN, type RunningCommand, startCommand } from './running.ts';

await enterNamespace();

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-reload-'));
process.env['XDG_RUNTIME_DIR'] = folder;
after(() => rmSync(folder, { recursive: true }));

const CONFIG = `
[dpdk]
vdev = "net_tap0,iface=dtap0"
[network]
ip = "10.77.0.2/24"
[tap]
host_ip = "10.77.0.1/24"
[[listeners]]
service = "echo"
port = 80
`;
const write = (more: string): void => writeFileSync(join(folder, 'dpdk-net.toml'), CONFIG + more);

const ask = (...args: string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });

/** A connection to the echo service, as soon as there is one. */
async function open({ child, output }: RunningCommand): Promise<Socket> {
  for (;;) {
    assert.equal(child.exitCode, null, output());
    const socket = connect(80, '10.77.0.2');
    const isOpen = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    if (isOpen) return socket;
    await delay(20);
  }
}

async function echoes(socket: Socket, text: string): Promise<void> {
  socket.write(text);
  assert.equal(String(((await once(socket, 'data')) as [Buffer])[0]), text);
}

for (const queues of [1, 2]) {
  test(`connections survive it, with ${queues} queues`, async () => {
    write('');
    const command = startCommand(folder, ['start', '--set', `queues.count=${queues}`]);
    after(() => command.child.kill('SIGKILL'));
    const sockets: Socket[] = [];
    for (let i = 0; i < 8; i++) sockets.push(await open(command));
    for (const socket of sockets) await echoes(socket, 'before');

    write(
      '[tcp]\nno_delay = true\n[queues]\nrx_desc = 64\n[[flows]]\nrule = "ipv4 udp => count"\n',
    );
    const { stdout, stderr } = ask('reload', '--json');
    const changes = JSON.parse(String(stdout) || String(stderr)) as Change[];
    assert.deepEqual(
      changes.map(({ key, when }) => `${key} ${when}`),
      ['tcp.no_delay now', 'flows now', 'queues.rx_desc restart'],
    );
    assert.match(String(ask('flows').stdout), / ipv4 udp => count\n/);
    for (const socket of sockets) await echoes(socket, 'after');

    write('[tcp]\nno_delay = 3\n');
    const refused = ask('reload');
    assert.equal(refused.status, 1);
    assert.match(
      String(refused.stderr),
      /dpdk-net\.toml:12:12: \[tcp\] no_delay = 3 is not allowed/,
    );

    write('');
    command.child.kill('SIGHUP');
    await command.says('tcp.no_delay: true -> false (holds now)');
    await command.says('flows: [{"rule":"ipv4 udp => count"}] -> [] (holds now)');
    assert.match(String(ask('flows').stdout), /no flow rule/);
    for (const socket of sockets) await echoes(socket, 'at the end');
    for (const socket of sockets) socket.destroy();
    assert.equal(await command.end('SIGTERM'), 0, command.output());
  });
}
