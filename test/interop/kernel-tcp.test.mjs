/**
 * How our TCP and the kernel's get along, each as client and as server: ends of every kind,
 * windows, options, segment sizes, keepalive, many connections.
 */
import './kit/enter.mjs';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kernel, sh } from './kit/kernel.mjs';
import { INTERFACE, NOTHING, OURS, Ours, THEIRS } from './kit/ours.mjs';
import { Pattern } from './kit/pattern.mjs';
import * as Peer from './kit/peer-tcp.mjs';

const MB = 1_000_000;
const PORT = 5003;
const tcp = { timeWaitMs: 0 };

let kernel;
let ours;
before(() => {
  kernel = new Kernel();
  ours = new Ours({ tcp });
});
after(() => {
  kernel.close();
  assert.deepEqual(ours.close(), NOTHING);
});

/** Both ways of getting a connection, for tests that do not care who opened it. */
const OPENERS = {
  'we connect': async (family) => {
    await kernel.run(Peer.listen, { host: THEIRS[family], port: PORT });
    const [conversation] = await Promise.all([
      ours.connect(THEIRS[family], PORT),
      kernel.run(Peer.keepAccepted, { port: PORT }),
    ]);
    return conversation;
  },
  'the kernel connects': async (family) => {
    const listener = ours.listen(PORT);
    const [conversation] = await Promise.all([
      listener.accept(),
      kernel.run(Peer.keepConnected, { host: OURS[family], port: PORT }),
    ]);
    listener.close();
    return conversation;
  },
};

function bothWays(what, body) {
  for (const [how, open] of Object.entries(OPENERS)) {
    for (const family of [4, 6]) {
      test(`${what} (${how}, IPv${family})`, async (t) => body(await open(family), t));
    }
  }
}

bothWays('half close by us: the answer still arrives', async (conversation) => {
  await conversation.write(Buffer.from('question'));
  conversation.shutdown();
  const asked = await kernel.run(Peer.readAll);
  assert.equal(asked, 'question');
  await kernel.run(Peer.write, { text: 'a late answer', end: true });
  assert.equal(await conversation.readText(13), 'a late answer');
  assert.equal(await conversation.read(), null);
  conversation.close();
  assert.equal(await conversation.closed(), '');
});

bothWays('half close by the kernel: our answer still arrives', async (conversation) => {
  await kernel.run(Peer.write, { text: 'question', end: true });
  assert.equal(await conversation.readText(8), 'question');
  assert.equal(await conversation.read(), null);
  const answer = kernel.run(Peer.readAll);
  await conversation.write(Buffer.alloc(300_000, 'x'));
  conversation.shutdown();
  assert.equal((await answer).length, 300_000);
  conversation.close();
  assert.equal(await conversation.closed(), '');
});

bothWays('a RST by the kernel is ECONNRESET here', async (conversation) => {
  await conversation.write(Buffer.from('to be dropped'));
  await kernel.run(Peer.reset);
  await assert.rejects(conversation.read(), { code: 'ECONNRESET' });
  assert.equal(await conversation.closed(), 'ECONNRESET');
});

bothWays('a RST by us is ECONNRESET there', async (conversation) => {
  conversation.abort();
  assert.equal(await kernel.run(Peer.errorOf), 'ECONNRESET');
});

bothWays('close() with unread data resets, as the kernel does', async (conversation) => {
  await kernel.run(Peer.write, { text: 'never read', end: false });
  await conversation.until(() => conversation.socket.readable === 10);
  conversation.close();
  assert.equal(await kernel.run(Peer.errorOf), 'ECONNRESET');
});

for (const family of [4, 6]) {
  test(`connecting to a closed port of the kernel is ECONNREFUSED (IPv${family})`, async () => {
    await assert.rejects(ours.connect(THEIRS[family], 9), { code: 'ECONNREFUSED' });
  });

  test(`the kernel gets ECONNREFUSED from a closed port of ours (IPv${family})`, async () => {
    const connected = kernel.run(Peer.keepConnected, { host: OURS[family], port: 9 });
    await assert.rejects(connected, /ECONNREFUSED/);
  });
}

bothWays('keepalive: the kernel answers ours, and we answer its', async (conversation) => {
  const { socket } = conversation;
  const probesBefore = ours.stack.report().tcp.tcp_probes ?? 0;
  // More than two answers in a second the kernel does not give (tcp_invalid_ratelimit).
  socket.setKeepAlive(true, 600, 600, 2);
  await kernel.run(Peer.keepAlive, { seconds: 1 });
  await new Promise((resolve) => setTimeout(resolve, 2300));
  const { tcp_probes: probes = 0 } = ours.stack.report().tcp;
  assert.ok(probes - probesBefore >= 2, `${probes - probesBefore} probes`);
  assert.equal(socket.stateName, 'ESTABLISHED');
  await conversation.write(Buffer.from('alive'));
  conversation.shutdown();
  assert.equal(await kernel.run(Peer.readAll), 'alive');
  await kernel.run(Peer.write, { text: '', end: true });
  assert.equal(await conversation.read(), null);
  conversation.close();
  assert.equal(await conversation.closed(), '');
});

/** A table that swallows what we send, as if the peer were gone. */
function withSilentKernel(body) {
  sh('nft add table inet silent');
  sh('nft add chain inet silent input { type filter hook input priority 0; policy drop; }');
  return body().finally(() => sh('nft delete table inet silent'));
}

bothWays('keepalive: a peer that has gone silent is ETIMEDOUT', async (conversation) => {
  conversation.socket.setKeepAlive(true, 100, 100, 3);
  await withSilentKernel(async () => {
    assert.equal(await conversation.closed(), 'ETIMEDOUT');
  });
  await kernel.run(Peer.reset);
});

/** `bytes` each way, at the same time. */
async function exchange(conversation, bytes, read = Peer.digest) {
  const sha256 = Pattern.digest(bytes);
  const [there, here] = await Promise.all([
    kernel.run(read),
    conversation.digest(),
    kernel.run(Peer.sendPattern, { bytes }),
    conversation.sendPattern(bytes),
  ]);
  assert.deepEqual(there, { bytes, sha256 });
  assert.deepEqual(here, { bytes, sha256 });
  conversation.close();
  assert.equal(await conversation.closed(), '');
}

/**
 * Nobody reads for a second, so both windows close and both ends probe; then all is read. Buffers
 * grow with what is read: ours has what a connection begins with.
 */
async function fillAndEmpty(conversation, bytes, buffered) {
  const sha256 = Pattern.digest(bytes);
  const sending = kernel.run(Peer.sendPattern, { bytes });
  const written = conversation.sendPattern(bytes);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const { socket } = conversation;
  assert.ok(socket.readable > buffered * 0.9, `${socket.readable} bytes were taken`);
  assert.ok(socket.connection.rcvAdv - socket.connection.rcvNxt < 3000);
  assert.ok(socket.unsent > 0);
  const [there, here] = await Promise.all([
    kernel.run(Peer.slowDigest),
    conversation.digest(),
    sending,
    written,
  ]);
  assert.deepEqual(there, { bytes, sha256 });
  assert.deepEqual(here, { bytes, sha256 });
  conversation.close();
  assert.equal(await conversation.closed(), '');
}

bothWays('slow readers close the window, and nothing is lost', async (conversation) => {
  await fillAndEmpty(conversation, 8 * MB, 64 << 10);
});

for (let bits = 0; bits < 8; bits++) {
  const options = {
    tcp_sack: bits & 1,
    tcp_timestamps: (bits >> 1) & 1,
    tcp_window_scaling: bits >> 2,
  };
  const settings = Object.entries(options).map(([name, value]) => `net.ipv4.${name}=${value}`);
  test(`the kernel with ${settings.join(' ')}`, async () => {
    sh(`sysctl -qw ${settings.join(' ')}`);
    try {
      for (const open of Object.values(OPENERS)) await exchange(await open(4), 2 * MB);
    } finally {
      sh('sysctl -qw net.ipv4.tcp_sack=1 net.ipv4.tcp_timestamps=1 net.ipv4.tcp_window_scaling=1');
    }
  });
}

const CROWD = 1000;

test(`${CROWD} connections of the kernel at once, each answered`, async () => {
  const listener = ours.listen(PORT, { backlog: CROWD });
  const answered = kernel.run(Peer.crowd, { host: OURS[4], port: PORT, count: CROWD });
  const served = [];
  for (let i = 0; i < CROWD; i++) served.push(echo(await listener.accept()));
  assert.deepEqual(await answered, { right: CROWD });
  await Promise.all(served);
  listener.close();
});

test(`${CROWD} connections of ours at once, each answered`, async () => {
  await kernel.run(Peer.echoServer, { host: THEIRS[6], port: PORT });
  const ask = async (_, index) => {
    const conversation = await ours.connect(THEIRS[6], PORT);
    const question = `question ${index}`;
    await conversation.write(Buffer.from(question));
    assert.equal(await conversation.readText(question.length), question);
    conversation.shutdown();
    assert.equal(await conversation.read(), null);
    conversation.close();
    return conversation.closed();
  };
  const ends = await Promise.all(Array.from({ length: CROWD }, ask));
  assert.ok(ends.every((error) => error === ''));
  await kernel.run(Peer.closeServer, { port: PORT });
});

/** Sends back what comes, up to its end. */
async function echo(conversation) {
  for (let bytes = await conversation.read(); bytes !== null; bytes = await conversation.read()) {
    await conversation.write(bytes);
  }
  conversation.close();
  assert.equal(await conversation.closed(), '');
}

// Of longer frames net_tap knows nothing.
for (const mtu of [576, 1280, 1504]) {
  test(`an MTU of ${mtu}`, async () => {
    assert.deepEqual(ours.close(), NOTHING);
    ours = new Ours({ tcp, mtu });
    assert.equal(ours.link.mtu, mtu);
    assert.match(sh(`ip link show dev ${INTERFACE}`), new RegExp(` mtu ${mtu} `));
    // IPv6 needs 1,280 bytes: below, the kernel has none.
    for (const family of mtu < 1280 ? [4] : [4, 6]) {
      for (const open of Object.values(OPENERS)) await exchange(await open(family), 2 * MB);
    }
  });
}

test('af_packet on a veth: a second device with a stack of its own', async () => {
  sh('ip link add name vours type veth peer name vtheirs');
  sh('ip link set dev vours up');
  sh('ip link set dev vtheirs up');
  sh('ip address add 10.79.0.1/24 dev vtheirs');
  sh('ip address add fd79::1/64 dev vtheirs nodad');
  // A packet socket gets what a card would have cut: frames of 64 KB. So none are made.
  sh('ethtool -K vtheirs tso off gso off');
  const addresses = ['10.79.0.2/24', 'fd79::2/64'];
  const second = new Ours({ tcp, device: 'net_af_packet0,iface=vours', addresses });
  for (const host of ['10.79.0.1', 'fd79::1']) {
    await kernel.run(Peer.listen, { host, port: PORT });
    const [conversation] = await Promise.all([
      second.connect(host, PORT),
      kernel.run(Peer.keepAccepted, { port: PORT }),
    ]);
    await exchange(conversation, 10 * MB);
  }
  assert.deepEqual(second.close(), NOTHING);
});
