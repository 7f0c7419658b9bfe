/**
 * `dpdk-net run --queues N`: one program in several workers behaves as one process. Without a
 * device, each worker with a loopback of its own.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { type RunningCommand, startCommand } from './running.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-workers-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(
  join(folder, 'dpdk-net.toml'),
  'dpdk = { port = "loopback", memory = "16MiB" }\nroutes.kernel = []\n',
);

/** Runs a program of that text once per queue of two. */
function run(name: string, text: string, ...settings: string[]): RunningCommand {
  writeFileSync(join(folder, name), text);
  const args = ['run', '--quiet', '--queues', '2', ...settings, name, 'one', 'two'];
  return startCommand(folder, args);
}

const count = (text: string, part: string): number => text.split(part).length - 1;

const SERVER = `
const net = require('node:net');
const server = net.createServer((socket) => socket.end('hello')).listen(80);
net.connect(80, '127.0.0.1').on('data', (data) => console.log('got ' + data));
`;

test('CommonJS sees itself as the program of a process of its own', async () => {
  const text = `
    const { isMainThread, parentPort, workerData } = require('node:worker_threads');
    const isPrimary = require('node:cluster').isPrimary;
    const args = process.argv.slice(2).join('+');
    console.log([require.main === module, isPrimary, isMainThread, parentPort, workerData, args].join());
  `;
  const program = run('plain.cjs', text);
  assert.equal(await program.ended(), 0);
  assert.equal(count(program.output(), 'true,true,true,,,one+two\n'), 2);
});

test("stdin is the first worker's; it ends for the others when that one has ended", async () => {
  const text = `
    import { isMainThread } from 'node:worker_threads';
    let text = '';
    for await (const chunk of process.stdin) text += chunk;
    console.error(isMainThread + ' [' + text + ']');
  `;
  const program = run('stdin.mjs', text);
  program.child.stdin!.end('some input');
  assert.equal(await program.ended(), 0);
  assert.match(program.output(), /true \[some input\]\n.*true \[\]/s);
});

test("a program that exits at stdin's end lives until then, and has read all of it", async () => {
  const text = `
    let text = '';
    process.stdin.on('data', (chunk) => { text += chunk; });
    process.stdin.on('end', () => { console.log('read ' + text); process.exit(5); });
    console.log('up');
  `;
  const program = run('repl.cjs', text);
  await program.says('up', 2);
  program.child.stdin!.write('one ');
  program.child.stdin!.end('two');
  assert.equal(await program.ended(), 5);
  assert.equal(count(program.output(), 'read '), 1);
  assert.equal(count(program.output(), 'read one two\n'), 1);
});

test('process.exit() in one worker ends them all with its code', async () => {
  const program = run('exit.cjs', `${SERVER}setTimeout(() => process.exit(7), 50);`);
  assert.equal(await program.ended(), 7);
});

test('a program that has nothing left to do ends with its exitCode', async () => {
  const program = run('code.cjs', 'process.exitCode = 3;');
  assert.equal(await program.ended(), 3);
});

test('an uncaught error is told once, as Node does it, and ends them all with code 1', async () => {
  const text = `${SERVER}net.connect(80, '127.0.0.1', () => { throw new Error('my mistake'); });`;
  const program = run('throws.cjs', text);
  assert.equal(await program.ended(), 1);
  const output = program.output();
  assert.equal(count(output, '\nError: my mistake\n    at Socket'), 1);
  assert.match(output, /throws\.cjs:\d+\n.*my mistake.*\n +\^\n\nError/);
  assert.match(output, /\n\nNode\.js v\d+/);
});

test('signals reach the handlers of every worker; exit in one is exit of all', async () => {
  const text = `${SERVER}
    process.on('SIGUSR2', (...args) => console.log('usr2 ' + args));
    process.on('SIGTERM', () => { console.log('bye'); server.close(); });
    setTimeout(() => console.log('ready'), 1);
  `;
  const program = run('signals.cjs', text);
  await program.says('ready', 2);
  program.child.kill('SIGUSR2');
  await program.says('usr2 SIGUSR2,12', 2);
  program.child.kill('SIGTERM');
  assert.equal(await program.ended(), 0);
  assert.equal(count(program.output(), 'bye'), 2);
});

test('a signal that nobody listens for ends the program in order', async () => {
  const program = run('deaf.cjs', SERVER);
  await program.says('got hello', 2);
  program.child.kill('SIGINT');
  assert.equal(await program.ended(), 0);
});

test('with [workers] restart a worker that throws is started again, others go on', async () => {
  const text = `${SERVER}
    const { existsSync, writeFileSync } = require('node:fs');
    const isFirst = (() => { try { writeFileSync('mark', '', { flag: 'wx' }); return true; } catch { return false; } })();
    process.on('SIGUSR2', () => console.log('alive'));
    if (isFirst) net.connect(80, '127.0.0.1', () => { throw new Error('just once'); });
    else setTimeout(() => console.log('ready'), 1);
  `;
  const program = run('again.cjs', text, '--set', 'workers.restart=true');
  await program.says('ready', 2);
  program.child.kill('SIGUSR2');
  await program.says('alive', 2);
  program.child.kill('SIGTERM');
  assert.equal(await program.ended(), 0);
  assert.equal(count(program.output(), 'Error: just once\n'), 1);
});

test('a worker that waits for its next start is waited for, when the others have ended', async () => {
  // The first crashes, the second ends, those that come after the first crash twice more.
  const text = `
    const { mkdirSync } = require('node:fs');
    let start = 1;
    for (;; start++) {
      try { mkdirSync('start' + start); break; } catch {}
    }
    if (start !== 2 && start < 5) throw new Error('start ' + start);
    console.log(start === 2 ? 'nothing to do' : 'recovered');
  `;
  const program = run('again.cjs', text, '--set', 'workers.restart=true');
  assert.equal(await program.ended(), 0, program.output());
  assert.equal(count(program.output(), 'nothing to do\n'), 1);
  assert.equal(count(program.output(), 'recovered\n'), 1, program.output());
});
