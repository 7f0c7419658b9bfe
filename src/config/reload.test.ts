import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readSource } from './config.ts';
import { type Change, LiveConfig } from './reload.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-reload-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'a.toml');

const LEAST = 'dpdk.vdev = "net_tap0"\nnetwork.ip = "10.0.0.2/24"\n';

/** A configuration in use; what is written to its file is read again. */
function started(
  text = '',
  settings: string[] = [],
): { live: LiveConfig; read(text: string): Change[] } {
  const write = (more: string): void => writeFileSync(file, `${LEAST}${more}`);
  write(text);
  const live = new LiveConfig(readSource(file, settings));
  return {
    live,
    read: (more) => {
      write(more);
      return live.readAgain();
    },
  };
}

test('what a running stack can take over holds at once; the rest is told and stays as it was', () => {
  const { live, read } = started();
  assert.deepEqual(read(''), []);
  const changes = read(
    `network.mtu = 9000
     network.join = "239.1.2.3"
     tcp = { no_delay = true, rx_buffer_size = "64KiB" }
     routes.kernel = []
     workers = { restart = true, pin = false }
     shutdown.drain = "5s"
     [[flows]]
     rule = "tcp => drop"`.replaceAll(/^ +/gm, ''),
  );
  const rules = [{ rule: 'tcp => drop' }];
  assert.deepEqual(JSON.parse(JSON.stringify(changes)), [
    { key: 'network.join', from: [], to: '239.1.2.3', when: 'now' },
    { key: 'tcp.no_delay', from: false, to: true, when: 'now' },
    { key: 'routes.kernel', from: ['127.0.0.0/8', '::1/128'], to: [], when: 'now' },
    { key: 'workers.restart', from: false, to: true, when: 'now' },
    { key: 'shutdown.drain', from: '0ms', to: '5s', when: 'now' },
    { key: 'flows', from: [], to: rules, when: 'now' },
    { key: 'network.mtu', to: 9000, when: 'restart' },
    { key: 'tcp.rx_buffer_size', from: '4MiB', to: '64KiB', when: 'restart' },
    { key: 'workers.pin', from: true, to: false, when: 'restart' },
  ]);
  const { config } = live;
  assert.deepEqual(config.network.groups.map(String), ['239.1.2.3']);
  assert.deepEqual(config.ports[0]!.network, config.network);
  assert.deepEqual([config.network.mtu, config.tcp.noDelay], [0, true]);
  assert.deepEqual(config.workers, { restart: true, pin: true });
  assert.deepEqual([config.shutdown.drainMs, config.flows.length], [5000, 1]);
});

test('what holds is told once; what needs a restart until it is taken back', () => {
  const { read } = started();
  const keys = (changes: Change[]): string[] => changes.map(({ key, when }) => `${key} ${when}`);
  const text = 'network.mtu = 9000\ntcp.no_delay = true';
  assert.deepEqual(keys(read(text)), ['tcp.no_delay now', 'network.mtu restart']);
  assert.deepEqual(keys(read(text)), ['network.mtu restart']);
  assert.deepEqual(keys(read('')), ['tcp.no_delay now']);
});

test('what overrides the file still does', () => {
  const { live, read } = started('', ['tcp.no_delay=true']);
  assert.deepEqual(read('tcp.no_delay = false'), []);
  assert.equal(live.config.tcp.noDelay, true);
});

test('a file that is wrong, or gone, changes nothing', () => {
  const { live, read } = started('tcp.no_delay = true');
  const before = live.config;
  assert.throws(
    () => read('tcp = { no_delay = false, sack = 3 }'),
    /a\.toml:3:34: \[tcp\] sack = 3/,
  );
  rmSync(file);
  assert.throws(() => live.readAgain(), /ENOENT/);
  assert.equal(live.config, before);
});
