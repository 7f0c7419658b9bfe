/**
 * A program under `dpdk-net/register`, with a device, is asked as one under `dpdk-net run` is.
 * @module
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { enterNamespace } from '../dpdk/test-namespace.ts';
import { MAIN, startProgram } from './running.ts';

const REGISTER = new URL(`../node/register${import.meta.url.slice(-3)}`, import.meta.url).href;

await enterNamespace();

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-register-'));
after(() => rmSync(folder, { recursive: true }));
process.env['XDG_RUNTIME_DIR'] = folder;
process.env['DPDK_NET_CONFIG'] = join(folder, 'a.toml');
writeFileSync(
  join(folder, 'a.toml'),
  'dpdk.vdev = "net_tap0,iface=dtap0"\nnetwork.ip = "10.77.0.2/24"\n',
);
writeFileSync(
  join(folder, 'server.cjs'),
  "require('node:net').createServer().listen(80, () => console.log('listening'));",
);

test('it has a control socket as long as it runs', async () => {
  const program = startProgram(folder, ['--import', REGISTER, 'server.cjs']);
  after(() => program.child.kill('SIGKILL'));
  await program.says('listening');
  const asked = spawnSync(process.execPath, [MAIN, 'queues'], { encoding: 'utf8' });
  assert.match(asked.stdout, /^port0 +0 +0 +any +- +net_tap0 +net_tap +10\.77\.0\.2\/24$/m);
  assert.deepEqual(readdirSync(join(folder, 'dpdk-net')), [`${program.child.pid}.sock`]);
  assert.equal(await program.end('SIGTERM'), 0, program.output());
  assert.deepEqual(readdirSync(join(folder, 'dpdk-net')), []);
});
