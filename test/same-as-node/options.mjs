/**
 * Programs that use what a socket can do and few know of.
 * @module
 */
import net from 'node:net';
import { closed, once, settle } from './story.mjs';

const LOOP = '127.0.0.1';

export const programs = {
  async 'a stream of its own high-water mark'(t) {
    const [client, peer] = await t.pair({}, { highWaterMark: 5 });
    t.log('client', client.readableHighWaterMark === client.writableHighWaterMark);
    t.log('peer', [peer.readableHighWaterMark, peer.writableHighWaterMark, peer.write('sixsix')]);
    peer.end();
    client.resume();
    await closed(client);
  },
  async 'a vector of strings and bytes'(t) {
    const [client, peer] = await t.pair();
    peer.setEncoding('latin1');
    let heard = '';
    peer.on('data', (text) => {
      heard += text;
    });
    client.cork();
    client.write('text');
    client.write('6279746573', 'hex');
    client.write(Buffer.from('!'));
    client.write('\u20ac', 'utf8');
    t.log('client', client.writableLength);
    client.uncork();
    client.end();
    await once(peer, 'end');
    t.log('peer', heard);
  },
  async 'no encoding of strings'(t) {
    const [client, peer] = await t.pair({ decodeStrings: false });
    peer.on('data', (data) => t.log('peer', `${data}`));
    client.end('text', 'latin1');
    await once(peer, 'end');
  },
  async 'an idle connection of nobody is no timeout'(t) {
    const [client, peer] = await t.pair();
    client.setTimeout(30, () => t.log('client', 'own callback'));
    client.setTimeout(0);
    peer.resume();
    await settle();
    client.end();
    client.resume();
    await closed(client);
  },
  async 'a timeout given when it connects'(t) {
    const server = await t.server('server');
    const { port } = server.address();
    const options = { port, host: LOOP, timeout: 30 };
    const client = t.watch('client', net.connect(options), 'close');
    // On a busy machine either may come first, and a timeout before the connection comes again.
    client.once('timeout', () => t.log('its time', 'timeout'));
    client.once('connect', () => t.log('its connection', 'connect'));
    await Promise.all([once(client, 'timeout'), once(client, 'connect')]);
    client.destroy();
    await closed(client);
  },
  async 'ref and unref say who they are'(t) {
    const [client] = await t.pair();
    t.log('client', [client.ref() === client, client.unref() === client, client.ref() === client]);
    const server = net.createServer();
    t.log('server', [server.ref() === server, server.unref() === server]);
  },
  async 'methods say who they are'(t) {
    const [client] = await t.pair();
    t.log('client', [
      client.setNoDelay() === client,
      client.setKeepAlive(true, 1000) === client,
      client.setTimeout(0) === client,
      client.pause() === client,
      client.resume() === client,
      client.setEncoding('utf8') === client,
      client.destroy() === client,
    ]);
  },
  async 'an iterator reads all and destroys'(t) {
    const [client, peer] = await t.pair();
    peer.end('all of it');
    let text = '';
    for await (const chunk of client) text += chunk;
    t.log('client', [text, client.destroyed]);
  },
  async 'an iterator is left'(t) {
    const [client, peer] = await t.pair();
    peer.write('some');
    for await (const chunk of client) {
      t.log('client', `${chunk}`);
      break;
    }
    t.log('client', client.destroyed);
  },
  async 'shut down by the program after the end'(t) {
    const [client, peer] = await t.pair({ allowHalfOpen: true });
    peer.end('x');
    client.resume();
    await once(client, 'end');
    t.log('client', [client.readable, client.writable, client.readyState]);
    client.end('y');
    peer.resume();
    await closed(client);
    t.log('client', [client.bytesRead, client.bytesWritten]);
  },
  async 'the count of connections'(t) {
    const [client, , server] = await t.pair();
    await new Promise((resolve) => {
      server.getConnections((error, count) => {
        t.log('server', [error, count, server.listening]);
        resolve();
      });
    });
    client.destroy();
  },
  async 'bytes of a destroyed socket'(t) {
    const [client, peer] = await t.pair();
    peer.resume();
    client.write('four');
    await settle();
    client.destroy();
    t.log('client', [client.bytesWritten, client.remoteAddress, client.localPort === undefined]);
    await once(peer, 'close');
    t.log('peer', peer.bytesRead);
  },
};
