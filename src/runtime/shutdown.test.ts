import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const module = import.meta.url.replace(/\.test\.(ts|js)$/, '.$1');

/** Runs a program that uses shutdown.ts, signals it when it says 'go', and returns what it did. */
async function run(
  body: string,
  ...signals: NodeJS.Signals[]
): Promise<{ status: number | null; signal: NodeJS.Signals | null; said: string[] }> {
  const code = `
    import { writeSync } from 'node:fs';
    import { atExit, exitOnSignals } from '${module}';
    const say = (text) => writeSync(1, text + '\\n');
    atExit(() => say('end'));
    exitOnSignals();
    ${body}`;
  const args = ['--input-type=module', '-e', code];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (chunk.includes('go\n') || chunk.includes('again\n')) {
      const signal = signals.shift();
      if (signal !== undefined) child.kill(signal);
    }
  });
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { status, signal, said: text.trim().split('\n') };
}

const STAY = `const stay = setInterval(() => {}, 1000); say('go');`;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} ends the process in order, with exit code 0`, async () => {
    const result = await run(STAY, signal);
    assert.deepEqual(result, { status: 0, signal: null, said: ['go', 'end'] });
  });
}

test('a program that ends by itself, exits, or throws is ended in order, too', async () => {
  assert.deepEqual(await run(''), { status: 0, signal: null, said: ['end'] });
  assert.deepEqual(await run('process.exit(3);'), { status: 3, signal: null, said: ['end'] });
  const thrown = await run(`process.on('uncaughtException', () => process.exit(9)); null.x;`);
  assert.deepEqual(thrown, { status: 9, signal: null, said: ['end'] });
});

test('a program with a handler of its own decides', async () => {
  const body = `process.on('SIGINT', () => { say('mine'); clearInterval(stay); }); ${STAY}`;
  assert.deepEqual(await run(body, 'SIGINT'), {
    status: 0,
    signal: null,
    said: ['go', 'mine', 'end'],
  });
});

test('a handler for one signal leaves the others to us', async () => {
  const body = `process.on('SIGINT', () => say('mine')); ${STAY}`;
  assert.deepEqual(await run(body, 'SIGTERM'), { status: 0, signal: null, said: ['go', 'end'] });
});

test('after a once-handler is used up, the next signal is ours', async () => {
  const body = `process.once('SIGINT', () => say('again')); ${STAY}`;
  const result = await run(body, 'SIGINT', 'SIGINT');
  assert.deepEqual(result, { status: 0, signal: null, said: ['go', 'again', 'end'] });
});

test('a handler that is taken away gives the signal back to us', async () => {
  const body = `const f = () => say('mine'); process.on('SIGINT', f); process.off('SIGINT', f); ${STAY}`;
  assert.deepEqual(await run(body, 'SIGINT'), { status: 0, signal: null, said: ['go', 'end'] });
});

test('a library that acts only when it is alone finds itself alone', async () => {
  const body = `
    process.on('SIGTERM', function alone() {
      say('listeners: ' + process.listenerCount('SIGTERM'));
      process.off('SIGTERM', alone);
      process.kill(process.pid, 'SIGTERM');
    }); ${STAY}`;
  const result = await run(body, 'SIGTERM');
  assert.deepEqual(result, { status: 0, signal: null, said: ['go', 'listeners: 1', 'end'] });
});
