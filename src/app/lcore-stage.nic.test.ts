/**
 * An application over a TAP device with two queues, with the Linux kernel as peer.
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
import { enterNamespace } from '../dpdk/test-namespace.ts';
import { DpdkApp } from './app.ts';
import { Logger } from './logger.ts';

const CONFIG = `
dpdk = { vdev = "net_tap0,iface=dtap0", memory = "64MiB" }
network.ip = "10.77.0.2/24"
tap.host_ip = "10.77.0.1/24"
queues.count = 2
[[listeners]]
name = "front"
port = 80
`;

await enterNamespace();

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-app-'));
process.env['XDG_RUNTIME_DIR'] = folder;
after(() => rmSync(folder, { recursive: true }));

async function greeting(): Promise<string> {
  const socket = connect(80, '10.77.0.2');
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return data.toString();
}

test('a worker on each queue answers its own connections, and the end leaves nothing', async () => {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const logger = new Logger({ level: 'info', format: 'text', write });
  const app = new DpdkApp(parseConfig(CONFIG, 'a.toml'), { logger, signals: false });
  let isUp = (): void => {};
  const up = new Promise<void>((resolve) => {
    isUp = resolve;
  });
  app.use({ name: 'clients', needs: ['listeners', 'control'], start: () => isUp() });
  const ended = app.run(new URL('./test-greeter.js', import.meta.url));
  await Promise.race([up, ended]);
  // By chance both queues have some: all but 2^-31.
  const greetings = await Promise.all(Array.from({ length: 32 }, greeting));
  assert.deepEqual([...new Set(greetings)].sort(), ['queue 0', 'queue 1']);
  await app.stop();
  await ended;
  assert.match(lines.at(-1)!, /closed queues=2 slots=0/);
  assert.equal(lines.filter((line) => /closed .* left=0\n/.test(line)).length, 2);
});
