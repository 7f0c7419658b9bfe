/**
 * TCP Fast Open towards the kernel: it gives a cookie, and takes data in the SYN for it.
 */
import './kit/enter.mjs';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kernel, sh } from './kit/kernel.mjs';
import { NOTHING, Ours, THEIRS } from './kit/ours.mjs';
import * as Peer from './kit/peer-tcp.mjs';

const PORT = 5011;
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
