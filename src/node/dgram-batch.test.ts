import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { type Batch, onBatches, Peer, sendMany } from './dgram-batch.ts';
import { assertNoLeaks, installLoopback } from './fixture.ts';

const loopback = installLoopback();
after(() => assertNoLeaks(loopback));

async function bound(type: dgram.SocketType): Promise<dgram.Socket> {
  const socket = dgram.createSocket(type);
  socket.bind(0);
  await once(socket, 'listening');
  return socket;
}

const numbered = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => Buffer.from(`datagram ${i} ${'x'.repeat(i % 90)}`));

/** Sends all of them, going on when there is room again. */
function sendAll(
  socket: dgram.Socket,
  messages: readonly Buffer[],
  to: Peer | readonly Peer[] | undefined,
  messagesHandler?: (batch: Batch) => void,
): { calls: number } {
  const counted = { calls: 0 };
  let at = 0;
  const pump = (): void => {
    if (at === messages.length) return;
    counted.calls++;
    at += sendMany(socket, messages.slice(at), Array.isArray(to) ? to.slice(at) : to);
  };
  onBatches(socket, { drain: pump, ...(messagesHandler && { messages: messagesHandler }) });
  pump();
  return counted;
}

for (const [type, address] of [
  ['udp4', '127.0.0.1'],
  ['udp6', '::1'],
] as const) {
  test(`${type}: 500 datagrams to and fro in batches, past a full link`, async () => {
    const [server, client] = [await bound(type), await bound(type)];
    const messages = numbered(500);
    let largest = 0;
    const backlog: Buffer[] = [];
    onBatches(server, {
      messages(batch) {
        largest = Math.max(largest, batch.count);
        for (let i = 0; i < batch.count; i++) {
          assert.equal(batch.address(i), address);
          assert.equal(batch.port(i), client.address().port);
          if (!batch.reply(i)) backlog.push(Buffer.from(batch.bytes(i)));
        }
      },
      drain() {
        const peer = new Peer(address, client.address().port);
        backlog.splice(0, sendMany(server, backlog, peer));
      },
    });
    const answers: string[] = [];
    const all = new Promise<void>((resolve) => {
      sendAll(client, messages, new Peer(address, server.address().port), (batch) => {
        for (let i = 0; i < batch.count; i++) {
          assert.equal(batch.length(i), batch.bytes(i).length);
          answers.push(`${batch.bytes(i)}`);
        }
        if (answers.length === messages.length) resolve();
      });
    });
    await all;
    assert.deepEqual(answers.sort(), messages.map(String).sort());
    assert.ok(largest > 1 && largest <= 64, `${largest}`);
    server.close();
    client.close();
  });
}

test('each to a peer of its own; a connected socket needs none', async () => {
  const [one, two, client] = [await bound('udp4'), await bound('udp4'), await bound('udp4')];
  const heard = [one, two].map((socket) => once(socket, 'message'));
  const peers = [one, two].map((socket) => new Peer('127.0.0.1', socket.address().port));
  assert.equal(sendMany(client, [Buffer.from('for one'), Buffer.from('for two')], peers), 2);
  const messages = await Promise.all(heard);
  assert.deepEqual(
    messages.map(([message]) => String(message)),
    ['for one', 'for two'],
  );
  client.connect(two.address().port, '127.0.0.1');
  await once(client, 'connect');
  const again = once(two, 'message');
  assert.equal(sendMany(client, [Buffer.from('connected')]), 1);
  assert.equal(String((await again)[0]), 'connected');
  for (const socket of [one, two, client]) socket.close();
});

test("with onBatches(socket, null) there are 'message' events again", async () => {
  const [server, client] = [await bound('udp4'), await bound('udp4')];
  const peer = new Peer('127.0.0.1', server.address().port);
  const lent = new Promise<string>((resolve) => {
    onBatches(server, { messages: (batch) => resolve(`${batch.bytes(0)}`) });
  });
  sendMany(client, [Buffer.from('first')], peer);
  assert.equal(await lent, 'first');
  onBatches(server, null);
  sendMany(client, [Buffer.from('second')], peer);
  assert.equal(String((await once(server, 'message'))[0]), 'second');
  server.close();
  client.close();
});

test('a socket may be closed by the handler that it lends to', async () => {
  const [server, client] = [await bound('udp4'), await bound('udp4')];
  const over = once(server, 'close');
  onBatches(server, { messages: () => void server.close() });
  sendMany(client, numbered(3), new Peer('127.0.0.1', server.address().port));
  await over;
  client.close();
});

test('errors have codes, and say how many datagrams went before', async () => {
  const socket = await bound('udp4');
  const peer = new Peer('127.0.0.1', socket.address().port);
  const messages = [Buffer.alloc(1), Buffer.alloc(70_000)];
  assert.throws(() => sendMany(socket, messages, peer), {
    code: 'EMSGSIZE',
    syscall: 'send',
    address: '127.0.0.1',
    port: socket.address().port,
    sent: 1,
  });
  assert.throws(() => sendMany(socket, [Buffer.alloc(1)]), { code: 'EDESTADDRREQ' });
  assert.throws(() => new Peer('no address', 1), { code: 'EINVAL' });
  const unbound = dgram.createSocket('udp4');
  assert.throws(() => sendMany(unbound, messages, peer), { code: 'EBADF' });
  unbound.close();
  socket.close();
});
