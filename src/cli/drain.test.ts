/**
 * `[shutdown] drain`: the command lets connections finish. Without a device: program and peer
 * share a stack, the peer telling when its own connection is through.
 * @module
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { type RunningCommand, startCommand } from './running.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-drain-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(
  join(folder, 'dpdk-net.toml'),
  'dpdk = { port = "loopback", memory = "16MiB" }\nroutes.kernel = []\n',
);

/** A server that answers 'slow' when it has seen the file 'go', 'never' never. */
const PROGRAM = `
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
const server = createServer((socket) => {
  socket.on('data', (data) => {
    if (String(data) === 'never') return;
    const wait = setInterval(() => {
      if (!existsSync(process.argv[2])) return;
      clearInterval(wait);
      socket.end('done');
    }, 5);
  });
  socket.on('error', () => {});
});
server.listen(80, () => {
  for (const what of process.argv.slice(3)) {
    const socket = connect(80, '127.0.0.1', () => socket.write(what, () => console.log('asked')));
    socket.on('data', (data) => console.log('got ' + data));
    socket.on('error', ({ code }) => console.log(code));
    socket.on('end', () => console.log('ended'));
  }
});
const again = setInterval(() => {
  connect(80, '127.0.0.1').on('error', ({ code }) => {
    console.log('late ' + code);
    clearInterval(again);
  }).on('connect', function () { this.destroy(); });
}, 20);
`;
writeFileSync(join(folder, 'program.mjs'), PROGRAM);

function run(drain: string, go: string, queues: number, ...asked: string[]): RunningCommand {
  const settings = ['--set', `shutdown.drain=${drain}`, '--queues', `${queues}`];
  return startCommand(folder, ['run', ...settings, 'program.mjs', go, ...asked]);
}

for (const queues of [1, 2]) {
  test(`a connection that finishes does so before the end, with ${queues} queues`, async () => {
    const program = run('10min', `go${queues}`, queues, 'slow');
    await program.says('asked', queues);
    program.child.kill('SIGTERM');
    await program.says('late ECONNREFUSED', queues);
    writeFileSync(join(folder, `go${queues}`), '');
    assert.equal(await program.ended(), 0);
    assert.equal(program.output().split('got done').length - 1, queues, program.output());
    assert.doesNotMatch(program.output(), /ECONNRESET/);
    assert.match(program.output(), /, 0 of them reset, |no connection was open/);
  });
}

test('one that does not is reset when the time is over', async () => {
  const program = run('300ms', 'nothing', 2, 'never');
  await program.says('asked', 2);
  program.child.kill('SIGTERM');
  assert.equal(await program.ended(), 0);
  const [, reset] = /, (\d+) of them reset/.exec(program.output())!;
  assert.ok(Number(reset) >= 2, program.output());
});

test('a second signal ends it at once', async () => {
  for (const queues of [1, 2]) {
    const program = run('1h', 'nothing', queues, 'never');
    await program.says('asked', queues);
    program.child.kill('SIGTERM');
    await program.says('late ECONNREFUSED', queues);
    program.child.kill('SIGINT');
    assert.equal(await program.ended(), 0);
  }
});
