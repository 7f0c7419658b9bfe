/**
 * An application over two TAP devices, with the Linux kernel as peer of both.
 * @module
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { parseConfig } from '../config/config.ts';
import { enterNamespace, ip } from '../dpdk/test-namespace.ts';
import { ACCEPTABLE } from '../stack/index.ts';
import { DpdkApp } from './app.ts';
import { Logger } from './logger.ts';

const CONFIG = [0, 1]
  .map(
    (index) => `
      [[ports]]
      device = "net_tap${index},iface=dtap${index}"
      ip = "10.77.${index}.2/24"
      host_ip = "10.77.${index}.1/24"
      [[listeners]]
      name = "front${index}"
      port = 80
      on = "port${index}"`,
  )
  .join('');

await enterNamespace();

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-app-'));
process.env['XDG_RUNTIME_DIR'] = folder;
after(() => rmSync(folder, { recursive: true }));

test('two ports: each worker answers on its own, and the end leaves no interface', async () => {
  const lines: string[] = [];
  const logger = new Logger({
    level: 'info',
    format: 'text',
    write: (line) => void lines.push(line),
  });
  const app = new DpdkApp(parseConfig(`dpdk.memory = "32MiB"${CONFIG}`, 'a.toml'), {
    logger,
    signals: false,
  });
  const ended = app.run(({ port, listeners }) => {
    const [listener] = listeners.values();
    listener!.owner = {
      onEvents: (events: number) => {
        if ((events & ACCEPTABLE) === 0) return;
        const socket = listener!.accept()!;
        socket.write(Buffer.from(`this is ${port}`));
        socket.close();
      },
    };
  });
  // A rejection before the first connection would leave nobody to answer it.
  const isRunning = async (): Promise<void> => {
    while (app.stacks.length < 2) await new Promise(setImmediate);
  };
  await Promise.race([ended, isRunning()]);
  for (const index of [0, 1]) {
    const socket = connect(80, `10.77.${index}.2`);
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    assert.equal(greeting.toString(), `this is port${index}`);
    socket.destroy();
  }
  await app.stop();
  await ended;
  assert.match(lines.at(-1)!, /closed connections=\d reset=\d left=0 slots=0/);
  const names = (JSON.parse(ip('-j link')) as { ifname: string }[]).map(({ ifname }) => ifname);
  assert.deepEqual(names, ['lo']);
});
