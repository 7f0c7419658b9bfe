/**
 * `npm start` as people use it: curl, ping and wrk against it, and every way of ending it.
 */
import './kit/enter.mjs';
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { sh } from './kit/kernel.mjs';
import { Program, run } from './kit/program.mjs';

const PAGE = 'http://10.77.0.2:8080/';
const PAGE_V6 = 'http://[fd77::2]:8080/';
const SECONDS = process.env.DPDK_NET_LONG === '1' ? 60 : 10;
const NOTHING_LEFT = /left: 0 connections, 0 timers, 0 slots/;

async function start(t) {
  const program = new Program(['npm', 'start']);
  t.after(() => program.kill());
  await program.says(/^ready http:\/\/10\.77\.0\.2:8080\/$/m);
  return program;
}

function assertGone() {
  assert.doesNotMatch(sh('ip -o link'), /dtap0/);
}

async function endsTidily(program) {
  const { code, output } = await program.ended();
  assert.equal(code, 0, output);
  assert.match(output, NOTHING_LEFT);
  assertGone();
  return output;
}

async function assertServes() {
  const curl = ['curl', '-sS', '--max-time', '100', '-g', '-w', '%{http_code}'];
  for (const [url, host] of [
    [PAGE, '10.77.0.2'],
    [PAGE_V6, 'fd77::2'],
  ]) {
    const answer = await run(...curl, url);
    assert.ok(answer.includes(`${host}</h1>`), answer);
    assert.ok(answer.endsWith('200'), answer);
  }
}

test('npm start: curl, ping and wrk are served; Ctrl-C ends it and leaves nothing', async (t) => {
  const program = await start(t);
  await assertServes();

  for (const family of ['-4', '-6']) {
    const address = family === '-4' ? '10.77.0.2' : 'fd77::2';
    for (const size of ['56', '1400', '4000']) {
      // With a deadline it waits for its answers as long as that, else for two round trips.
      const args = ['-c', '3', '-i', '0.2', '-w', '100', '-s', size, address];
      const answer = await run('ping', family, ...args);
      // The next request does not wait for a slow reply, so that there may be more than three.
      assert.match(answer, / ([3-9]|\d\d+) received/, `${size} bytes: ${answer}`);
      assert.doesNotMatch(answer, /DUP|wrong/);
    }
  }

  const load = await run(
    'wrk',
    '-t',
    '1',
    '-c',
    '100',
    '-d',
    `${SECONDS}s`,
    '--timeout',
    '100s',
    '--latency',
    PAGE,
  );
  assert.doesNotMatch(load, /Socket errors|Non-2xx/, load);
  t.diagnostic(load.match(/Requests\/sec:.*/)[0]);
  t.diagnostic(load.match(/99%.*/)[0]);
  assert.ok(Number(load.match(/(\d+) requests in/)[1]) >= 100, load);

  program.signalGroup('SIGINT');
  await endsTidily(program);
});

test('npm start: works again right after, and SIGTERM tells every peer', async (t) => {
  const program = await start(t);
  await assertServes();
  const peers = await Promise.all(
    ['10.77.0.2', 'fd77::2', '10.77.0.2'].map(
      (host) =>
        new Promise((resolve, reject) => {
          const socket = connect(8080, host, () => resolve(socket)).once('error', reject);
        }),
    ),
  );
  const told = peers.map(
    (socket) =>
      new Promise((resolve) => {
        socket.once('end', () => resolve('FIN')).once('error', ({ code }) => resolve(code));
        socket.resume();
      }),
  );
  // One is idle, one is in the middle of a request, one has had an answer.
  peers[1].write('GET / HTTP/1.1\r\nHost:');
  peers[2].write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => {
    peers[2].once('data', resolve);
  });
  program.signal('SIGTERM');
  for (const how of await Promise.all(told)) assert.match(how, /^(FIN|ECONNRESET)$/);
  const output = await endsTidily(program);
  // Its own look at the page may have left a fourth.
  assert.match(output, /[34] connections ended/);
  for (const socket of peers) socket.destroy();
});

test('npm start: after kill -9 the next one works', async (t) => {
  const killed = await start(t);
  killed.signalGroup('SIGKILL');
  const { signal } = await killed.ended();
  assert.equal(signal, 'SIGKILL');
  const program = await start(t);
  await assertServes();
  program.signalGroup('SIGINT');
  await endsTidily(program);
});

const WITHOUT = {
  'without /dev/net/tun': {
    prefix: ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /dev/net && exec "$@"', 'sh'],
    reason: /there is no \/dev\/net\/tun/,
  },
  'without root': { prefix: ['unshare', '-U', '--map-user=1000'], reason: /needs root/ },
};

for (const [what, { prefix, reason }] of Object.entries(WITHOUT)) {
  test(`npm start: ${what} it serves on its own loopback and ends with 0`, async (t) => {
    const program = new Program([...prefix, 'npm', 'start']);
    t.after(() => program.kill());
    await program.says(/^ready http:\/\/127\.0\.0\.1:8080\/ \(inside this process\)$/m);
    program.signalGroup('SIGINT');
    const { code, output } = await program.ended();
    assert.equal(code, 0, output);
    assert.match(output, reason);
    assert.match(output, /status 200/);
    assert.match(output, NOTHING_LEFT);
    assertGone();
  });
}
