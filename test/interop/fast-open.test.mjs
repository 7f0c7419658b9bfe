/**
 * TCP Fast Open with the kernel, both ways: who listens gives a cookie, and takes data in the SYN
 * for it. The kernel's client is curl.
 */
import './kit/enter.mjs';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Kernel, sh } from './kit/kernel.mjs';
import { NOTHING, OURS, Ours, THEIRS } from './kit/ours.mjs';
import * as Peer from './kit/peer-tcp.mjs';

const PORT = 5011;
const SERVED = 5012;
const PAGE = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello';
const run = promisify(execFile);
/** Client, server, cookies, and every listener without being asked (ip-sysctl: tcp_fastopen). */
const ALL_LISTENERS = 0x403;

let kernel;
let ours;
before(() => {
  sh(`sysctl -qw net.ipv4.tcp_fastopen=${ALL_LISTENERS}`);
  kernel = new Kernel();
  ours = new Ours({ tcp: { timeWaitMs: 0 } });
});
after(() => {
  kernel.close();
  assert.deepEqual(ours.close(), NOTHING);
});

/** Connects with `text` to begin with; what the kernel's program read up to the FIN. */
async function say(family, text) {
  await kernel.run(Peer.listen, { host: THEIRS[family], port: PORT });
  const [conversation] = await Promise.all([
    ours.connect(THEIRS[family], PORT, { fastOpen: Buffer.from(text) }),
    kernel.run(Peer.keepAccepted, { port: PORT }),
  ]);
  conversation.shutdown();
  const read = await kernel.run(Peer.readAll);
  await kernel.run(Peer.write, { text: '', end: true });
  conversation.socket.close();
  return read;
}

for (const family of [4, 6]) {
  test(`the kernel gives a cookie, and takes data in the SYN for it (IPv${family})`, async () => {
    const opens = () => ours.stack.report().tcp.tcp_fast_opens ?? 0;
    const before = opens();
    assert.equal(await say(family, 'the first asks for a cookie'), 'the first asks for a cookie');
    assert.equal(opens(), before);
    assert.equal(await say(family, 'the second has data'), 'the second has data');
    assert.equal(opens(), before + 1);
  });
}

/** curl asks for a page with Fast Open; what the stack's counters say of it, and what curl got. */
async function asked(listening, family) {
  const counted = () => ({ ...ours.stack.report().tcp });
  const before = counted();
  const host = family === 4 ? OURS[4] : `[${OURS[6]}]`;
  const url = `http://${host}:${SERVED}/`;
  const [{ stdout }] = await Promise.all([
    run('curl', ['-sS', '-g', '--tcp-fastopen', '--max-time', '100', url]),
    serve(listening),
  ]);
  const more = (name) => (counted()[name] ?? 0) - (before[name] ?? 0);
  return {
    page: stdout,
    cookies: more('tcp_fast_open_cookies_asked'),
    opens: more('tcp_fast_opens_in'),
  };
}

/** One request and its answer. */
async function serve(listening) {
  const conversation = await listening.accept();
  const { socket } = conversation;
  const into = new Uint8Array(1024);
  await conversation.until(() => socket.read(into) > 0);
  socket.write(Buffer.from(PAGE));
  conversation.shutdown();
  await conversation.until(() => socket.ended);
  conversation.close();
}

for (const family of [4, 6]) {
  test(`curl gets a cookie, and is answered to its SYN for it (IPv${family})`, async () => {
    const listening = ours.listen(SERVED, { fastOpen: 8 });
    assert.deepEqual(await asked(listening, family), { page: 'hello', cookies: 1, opens: 0 });
    assert.deepEqual(await asked(listening, family), { page: 'hello', cookies: 0, opens: 1 });
    listening.close();
  });
}
