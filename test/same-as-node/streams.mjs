/**
 * Programs that have a connection, and what they do to it.
 * @module
 */
import { closed, once, settle } from './story.mjs';

export const programs = {
  async 'write after end'(t) {
    const [client, peer] = await t.pair();
    peer.resume();
    client.end('x');
    const ends = Promise.all([closed(client), closed(peer)]);
    t.try('client', () => client.write('y', (error) => t.log('write', error?.code)));
    await ends;
  },
  async 'write after destroy'(t) {
    const [client, peer] = await t.pair();
    peer.resume();
    client.destroy();
    t.try('client', () => client.write('y', (error) => t.log('write', error?.code)));
    await once(peer, 'close');
  },
  async 'end twice'(t) {
    const [client, peer] = await t.pair();
    peer.resume();
    client.resume();
    client.end(() => t.log('client', 'ended'));
    client.end((error) => t.log('client', `again ${error?.code}`));
    await once(client, 'close');
  },
  async 'write what can not be written'(t) {
    const [client] = await t.pair();
    for (const value of [null, undefined, 7, {}, true]) t.try('client', () => client.write(value));
    t.try('client', () => client.write('x', 'no encoding'));
  },
  async 'impossible settings'(t) {
    const [client] = await t.pair();
    t.try('client', () => client.setTimeout(-1));
    t.try('client', () => client.setTimeout('soon'));
    t.try('client', () => client.setTimeout(1000, 'callback'));
    t.try('client', () => client.setTimeout(0));
    t.try('client', () => client.setNoDelay('yes'));
    t.try('client', () => client.setKeepAlive(true, -5));
    t.try('client', () => client.setEncoding('latin7'));
    t.try('client', () => client.ref());
    t.try('client', () => client.unref());
  },
  async 'a timeout without traffic'(t) {
    const [client, peer] = await t.pair();
    peer.resume();
    client.setTimeout(20);
    await once(client, 'timeout');
    t.log('client', `${client.timeout} ${client.destroyed}`);
  },
  async 'half open: the other side goes on'(t) {
    const [client, peer] = await t.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
    client.setEncoding('utf8').on('data', (text) => t.log('client', text));
    peer.setEncoding('utf8').on('data', (text) => t.log('peer', text));
    client.end('question');
    await once(peer, 'end');
    t.log('peer', `${peer.readyState} ${peer.writable}`);
    peer.end('answer');
    await once(client, 'end');
    await settle();
    t.log('client', client.readyState);
  },
  async 'not half open: the end is answered with the end'(t) {
    const [client, peer] = await t.pair();
    client.resume();
    peer.resume();
    client.end();
    await Promise.all([once(peer, 'close'), once(client, 'close')]);
    t.log('peer', peer.readyState);
  },
  async 'reset and destroy: the peer reads ECONNRESET'(t) {
    const [client, peer] = await t.pair();
    peer.resume();
    t.try('client', () => client.resetAndDestroy());
    await closed(peer);
    t.try('client', () => client.resetAndDestroy());
    await settle();
  },
  async 'reset while it connects'(t) {
    const server = await t.server('server');
    const client = t.socket('client');
    client.connect(server.address().port, '127.0.0.1');
    t.try('client', () => client.resetAndDestroy());
    await closed(client);
  },
  async 'reset before it connects'(t) {
    const client = t.socket('client');
    t.try('client', () => client.resetAndDestroy());
    await closed(client);
  },
  async 'closed with unread data: the peer is reset'(t) {
    const [client, peer] = await t.pair();
    peer.pause();
    client.write('unread');
    await settle();
    await settle();
    peer.destroy();
    client.resume();
    await closed(client);
  },
  async 'written to a peer that has gone'(t) {
    const [client, peer] = await t.pair();
    peer.resetAndDestroy();
    await closed(client);
    t.try('client', () => client.write('x', (error) => t.log('write', error?.code)));
    await settle();
  },
  async 'destroyed soon: what was written goes first'(t) {
    const [client, peer] = await t.pair();
    let bytes = 0;
    peer.on('data', (chunk) => {
      bytes += chunk.length;
    });
    client.write(Buffer.alloc(300_000));
    client.destroySoon();
    await once(peer, 'close');
    t.log('peer', `bytes ${bytes}`);
  },
  async 'destroyed with an error'(t) {
    const [client, peer] = await t.pair();
    peer.resume();
    client.destroy(Object.assign(new Error('enough'), { code: 'EMINE' }));
    await closed(client);
    await once(peer, 'close');
  },
  async 'corked writes arrive together'(t) {
    const [client, peer] = await t.pair();
    peer.on('data', (chunk) => t.log('peer', chunk));
    client.cork();
    client.write('a');
    client.write('b', 'latin1');
    client.write(Buffer.from('c'));
    t.log('client', `${client.writableLength} ${client.bytesWritten}`);
    client.uncork();
    client.end();
    await once(peer, 'end');
    t.log('client', client.bytesWritten);
  },
  async 'back-pressure: write() says no, and drain follows'(t) {
    const [client, peer] = await t.pair({ highWaterMark: 1000 });
    peer.pause();
    let more = true;
    for (let i = 0; more && i < 10_000; i++) more = client.write(Buffer.alloc(65536));
    t.log('client', `more ${more} needs drain ${client.writableNeedDrain}`);
    peer.resume();
    await once(client, 'drain');
    t.log('client', `length ${client.writableLength}`);
  },
  async 'data into a buffer of the program'(t) {
    const buffer = Buffer.alloc(4);
    const onread = {
      buffer,
      callback: (length, into) => t.log('client', into.subarray(0, length)),
    };
    const [client, peer] = await t.pair({ onread });
    peer.end('abcdefghij');
    await once(client, 'close');
    t.log('client', client.bytesRead);
  },
  async 'paused by the server on arrival'(t) {
    const [client, peer] = await t.pair({}, { pauseOnConnect: true });
    client.end('early');
    t.log('peer', `paused ${peer.isPaused()}`);
    peer.on('data', (chunk) => t.log('peer', chunk));
    await settle();
    peer.resume();
    await once(peer, 'end');
  },
  async 'aborted while connected'(t) {
    const controller = new AbortController();
    const [client, peer] = await t.pair({ signal: controller.signal });
    peer.resume();
    const ends = Promise.all([closed(client), closed(peer)]);
    controller.abort();
    await ends;
  },
  async 'an encoding cuts no character'(t) {
    const [client, peer] = await t.pair();
    client.setEncoding('utf8');
    let text = '';
    client.on('data', (chunk) => {
      text += chunk;
    });
    const bytes = Buffer.from('a\u20acb');
    peer.write(bytes.subarray(0, 2));
    await settle();
    peer.end(bytes.subarray(2));
    await once(client, 'end');
    t.log('client', text);
  },
};
