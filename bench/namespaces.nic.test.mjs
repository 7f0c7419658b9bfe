import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { Namespaces } from './harness/namespaces.mjs';
import { PORTS } from './programs.mjs';

/** Takes every port there is around the HTTP server's for connections, and closes them first. */
const USE_ALL_PORTS = `
  const net = require('node:net');
  const { once } = require('node:events');
  const server = net.createServer((socket) => socket.resume().on('error', () => {}));
  server.listen(1, async () => {
    const used = [];
    for (let i = 0; i < 6; i++) {
      const socket = net.connect(1, '127.0.0.1');
      const connected = await once(socket, 'connect').then(() => true, () => false);
      if (!connected) break;
      used.push(socket.localPort);
      socket.end().resume();
      await once(socket, 'close');
    }
    server.close();
    net.createServer().listen(${PORTS.http}, () => {
      console.log(used.sort().join());
      process.exit(0);
    });
  });
`;

test('clients in TIME-WAIT do not keep a server from listening', () => {
  const namespaces = new Namespaces();
  try {
    const range = `echo ${PORTS.http - 2} ${PORTS.http + 3} > /proc/sys/net/ipv4/ip_local_port_range`;
    const script = `echo 0 > /proc/sys/net/ipv4/tcp_tw_reuse && ${range} && exec "$@"`;
    const command = ['sh', '-c', script, 'sh', process.execPath, '-e', USE_ALL_PORTS];
    const { status, stdout, stderr } = spawnSync(
      'ip',
      ['netns', 'exec', namespaces.loopback, ...command],
      { encoding: 'utf8', timeout: 120_000 },
    );
    assert.equal(status, 0, stderr);
    assert.ok(stdout.trim().split(',').length > 2, stdout);
    assert.ok(!stdout.includes(`${PORTS.http}`), stdout);
  } finally {
    namespaces.remove();
  }
});

test('namespaces are gone once removed, and those of a killed harness with the next', () => {
  const { pid: ended } = spawnSync('true');
  const stale = `dpdk-bench-${ended}-lo`;
  spawnSync('ip', ['netns', 'add', stale]);
  assert.ok(list().includes(stale));
  const namespaces = new Namespaces();
  assert.ok(list().includes(namespaces.loopback));
  assert.ok(!list().includes(stale));
  namespaces.remove();
  assert.ok(!list().includes(namespaces.loopback));
});

function list() {
  return spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
}
