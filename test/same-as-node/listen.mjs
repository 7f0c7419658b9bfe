/**
 * Programs that listen, mostly wrongly.
 * @module
 */
import net from 'node:net';
import { once, settle } from './story.mjs';

const outcome = (server) => Promise.race([once(server, 'listening'), once(server, 'error')]);

export const programs = {
  async 'listen twice'(t) {
    const server = await t.server('server');
    t.try('server', () => server.listen(0));
    t.log('server', server.listening);
  },
  async 'listen where somebody does'(t) {
    const { port } = (await t.server('first')).address();
    for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
      const server = t.watch(`second ${host}`, net.createServer(), 'listening error close');
      server.listen(port, host);
      await outcome(server);
    }
  },
  async 'listen on an address of somebody else'(t) {
    for (const host of ['192.0.2.1', '2001:db8::1']) {
      const server = t.watch(host, net.createServer(), 'listening error close');
      server.listen(0, host);
      await outcome(server);
    }
  },
  async 'listen on both families apart'(t) {
    const six = await t.server('six', {}, { port: 0, host: '::', ipv6Only: true });
    const { port } = six.address();
    const four = t.watch('four', net.createServer(), 'listening error close');
    four.listen({ port, host: '0.0.0.0' });
    await outcome(four);
    t.log('four', JSON.stringify(four.address()));
  },
  async 'listen on impossible ports'(t) {
    for (const port of [-1, 65536, 'x y', NaN, 1.5, true, {}]) {
      t.try('server', () => net.createServer().listen({ port }));
    }
    t.try('server', () => net.createServer().listen({}));
    t.try('server', () => net.createServer({ highWaterMark: -1 }));
    t.try('server', () => net.createServer('options'));
    t.try('server', () => net.createServer().listen({ port: 0, backlog: 'long' }).close());
  },
  async 'closed as soon as a client is connected'(t) {
    const server = await t.server('server');
    server.on('connection', (peer) => {
      t.log('server', 'connection');
      peer.end('bye');
      // Not at the client's 'connect': the server may not have accepted yet, and then it is reset.
      server.close();
    });
    const client = t.watch('client', net.connect(server.address().port, '127.0.0.1'));
    client.on('data', (data) => t.log('client', data));
    await once(client, 'close');
  },
  async 'closed twice, and before it listens'(t) {
    const server = t.watch('server', net.createServer(), 'listening error close');
    server.close((error) => t.log('server', `first ${error?.code}`));
    await settle();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.close((error) => t.log('server', `second ${error?.code}`));
    server.close((error) => t.log('server', `third ${error?.code}`));
    await settle();
  },
  async 'closed while it begins to listen'(t) {
    const server = t.watch('server', net.createServer(), 'listening error close');
    server.listen(0, '127.0.0.1');
    server.close();
    await settle();
    t.log('server', `${server.listening} ${server.address()}`);
  },
  async 'what a server says of itself'(t) {
    const server = net.createServer();
    t.log('server', `${server.listening} ${server.address()}`);
    server.listen(0);
    await once(server, 'listening');
    t.log('server', `${server.listening} ${JSON.stringify(server.address())}`);
    server.close();
    t.log('server', `${server.listening} ${server.address()}`);
    await once(server, 'close');
  },
  async 'close waits for the last connection'(t) {
    const [client, peer, server] = await t.pair();
    await settle();
    server.getConnections((error, count) => t.log('server', `${error} ${count}`));
    client.end();
    client.resume();
    peer.resume();
    await once(server, 'close');
    server.getConnections((error, count) => t.log('server', `${error} ${count}`));
    await settle();
  },
  async 'more connections than allowed are dropped'(t) {
    const server = await t.server('server');
    server.maxConnections = 1;
    const { port } = server.address();
    const one = t.watch('one', net.connect(port, '127.0.0.1')).resume();
    await once(server, 'connection');
    const two = t.watch('two', net.connect(port, '127.0.0.1')).resume();
    await once(two, 'close');
    one.destroy();
  },
  async 'aborted while it listens'(t) {
    const controller = new AbortController();
    const server = t.watch('server', net.createServer(), 'listening error close');
    server.listen({ port: 0, host: '127.0.0.1', signal: controller.signal });
    await once(server, 'listening');
    controller.abort();
    await once(server, 'close');
    t.try('server', () => net.createServer().listen({ port: 0, signal: 'x' }));
  },
  async 'a block list turns clients away'(t) {
    const list = new net.BlockList();
    list.addAddress('127.0.0.1');
    const server = await t.server('server');
    server.on('connection', (peer) => {
      t.log('server', list.check(peer.remoteAddress));
      peer.destroy();
    });
    const client = t.watch('client', net.connect(server.address().port, '127.0.0.1')).resume();
    await once(client, 'close');
  },
  async 'listen again after close'(t) {
    const server = await t.server('server');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    t.log('server', server.listening);
  },
  async 'the name of the host can not be found'(t) {
    const server = t.watch('server', net.createServer(), 'listening error close');
    server.listen(0, 'name.invalid');
    const [error] = await once(server, 'error');
    t.log('server', error.hostname);
  },
};
