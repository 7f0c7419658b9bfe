/**
 * The log of a process with a device: its own events and DPDK's, in one file.
 * @module
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startCommand } from '../cli/running.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-log-'));
after(() => rmSync(folder, { recursive: true }));

test('a process tells what it opened, what DPDK says, and how it ended, as JSON', async () => {
  writeFileSync(
    join(folder, 'dpdk-net.toml'),
    `dpdk = { vdev = "net_null0", memory = "32MiB" }
     network.ip = "10.77.0.2/24"
     log = { level = "debug", format = "json", file = "stack.log" }
     listeners = [{ service = "echo", port = 7 }]`,
  );
  const command = startCommand(folder, ['start']);
  await command.says('net_null0');
  assert.equal(await command.end('SIGTERM'), 0, command.output());
  const lines = readFileSync(join(folder, 'stack.log'), 'utf8').trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(events[0]!['event'], 'open');
  assert.equal(events[0]!['device'], 'net_null0');
  assert.equal(events.at(-1)!['event'], 'closed');
  const said = events.filter(({ event }) => event === 'dpdk');
  assert.ok(
    said.some(({ from, says }) => from === 'EAL' && /NUMA|lcores/.test(String(says))),
    lines.join('\n'),
  );
});
