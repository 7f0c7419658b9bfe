/**
 * Programs that connect, mostly wrongly.
 * @module
 */
import net from 'node:net';
import { closed, once } from './story.mjs';

export const programs = {
  async 'connect to a port where nobody listens'(t) {
    const port = await t.freePort();
    await closed(t.socket('client').connect(port, '127.0.0.1'));
  },
  async 'connect over IPv6 to a port where nobody listens'(t) {
    const port = await t.freePort();
    await closed(t.socket('client').connect({ port, host: '::1' }));
  },
  async 'connect to a name whose addresses all refuse'(t) {
    const port = await t.freePort();
    const lookup = (_name, _options, done) =>
      done(null, [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ]);
    const options = { port, host: 'both.test', autoSelectFamily: true, lookup };
    const events = 'lookup connectionAttempt connectionAttemptFailed connect error close';
    await closed(t.watch('client', net.connect(options), events));
  },
  async 'the second address of a name answers'(t) {
    const server = await t.server('server');
    const lookup = (_name, _options, done) =>
      done(null, [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ]);
    const { port } = server.address();
    const options = { port, host: 'both.test', autoSelectFamily: true, lookup };
    const events = 'lookup connectionAttempt connectionAttemptFailed connect ready';
    const client = t.watch('client', net.connect(options), events);
    await once(client, 'connect');
    t.log('client', `${client.remoteAddress} ${client.remoteFamily}`);
  },
  async 'connect with impossible ports'(t) {
    for (const port of [-1, 65536, 'http', NaN, {}, null, 1.5])
      t.try('net', () => net.connect({ port }));
  },
  async 'connect without saying where'(t) {
    t.try('net', () => net.connect());
    t.try('net', () => net.connect({}));
    t.try('net', () => net.connect({ host: '127.0.0.1' }));
  },
  async 'connect with impossible options'(t) {
    const port = 1;
    t.try('net', () => net.connect({ port, localAddress: 'here' }));
    t.try('net', () => net.connect({ port, localPort: 'there' }));
    t.try('net', () => net.connect({ port, lookup: 'me' }));
    t.try('net', () => net.connect({ port, host: 'a.test', hints: 12345 }));
    t.try('net', () => net.connect({ port, autoSelectFamily: 'yes' }));
    t.try('net', () => net.connect({ port, autoSelectFamilyAttemptTimeout: -1 }));
    t.try('net', () => new net.Socket({ objectMode: true }));
    t.try('net', () => new net.Socket({ onread: { buffer: 7, callback() {} } }));
  },
  async 'connect from an address of somebody else'(t) {
    const server = await t.server('server');
    const { port } = server.address();
    await closed(
      t.socket('client').connect({ port, host: '127.0.0.1', localAddress: '192.0.2.9' }),
    );
  },
  async 'connect from a port that is in use'(t) {
    const server = await t.server('server');
    const { port } = server.address();
    const options = { port, host: '127.0.0.1', localAddress: '127.0.0.1', localPort: port };
    await closed(t.socket('client').connect(options));
  },
  async 'connect from a chosen address'(t) {
    const server = await t.server('server');
    const accepted = once(server, 'connection');
    const { port } = server.address();
    const client = t.socket('client');
    client.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.1' });
    const [[peer]] = await Promise.all([accepted, once(client, 'connect')]);
    t.log('peer', `${peer.remoteAddress} ${peer.remoteFamily}`);
    peer.destroy();
  },
  async 'the lookup fails'(t) {
    const error = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const lookup = (_name, _options, done) => done(error);
    await closed(t.watch('client', net.connect({ port: 1, host: 'no.test', lookup })));
  },
  async 'the lookup answers with no address'(t) {
    for (const autoSelectFamily of [true, false]) {
      const lookup = (_name, options, done) =>
        options.all ? done(null, [{ address: 'x', family: 4 }]) : done(null, 'x', 4);
      const options = { port: 1, host: 'x.test', autoSelectFamily, lookup };
      await closed(t.watch(`client ${autoSelectFamily}`, net.connect(options)));
    }
  },
  async 'the lookup answers with an unknown family'(t) {
    const lookup = (_name, _options, done) => done(null, '127.0.0.1', 100);
    const options = { port: 1, host: 'x.test', autoSelectFamily: false, lookup };
    await closed(t.watch('client', net.connect(options)));
  },
  async 'connect twice'(t) {
    const server = await t.server('server');
    const { port } = server.address();
    const client = t.socket('client');
    client.connect(port, '127.0.0.1');
    t.try('client', () => client.connect(port, '127.0.0.1'));
    await closed(client);
  },
  async 'connect again after the end'(t) {
    const server = await t.server('server');
    server.on('connection', (peer) => peer.end('x'));
    const { port } = server.address();
    const client = t.socket('client').resume();
    client.connect(port, '127.0.0.1');
    await once(client, 'close');
    client.connect(port, '127.0.0.1');
    await once(client, 'close');
    t.log('client', `${client.bytesRead} ${client.destroyed}`);
  },
  async 'destroyed while it connects'(t) {
    const server = await t.server('server');
    const client = t.socket('client');
    client.connect(server.address().port, '127.0.0.1');
    client.destroy();
    t.log('client', `${client.connecting} ${client.pending} ${client.readyState}`);
    await once(client, 'close');
  },
  async 'destroyed with an error while it connects'(t) {
    const server = await t.server('server');
    const client = t.socket('client');
    client.connect(server.address().port, '127.0.0.1');
    client.destroy(new Error('enough'));
    await closed(client);
  },
  async 'aborted before and while it connects'(t) {
    const server = await t.server('server');
    const { port } = server.address();
    const before = t.watch('before', new net.Socket({ signal: AbortSignal.abort() }));
    await closed(before);
    const controller = new AbortController();
    const options = { port, host: '127.0.0.1', signal: controller.signal };
    const client = t.watch('while', net.connect(options));
    controller.abort();
    await closed(client);
  },
  async 'what a socket says of itself on its way'(t) {
    const server = await t.server('server');
    server.on('connection', (peer) => peer.resume().on('end', () => peer.end()));
    const { port } = server.address();
    const client = new net.Socket();
    const say = () => {
      const { pending, connecting, readyState, bytesWritten, bytesRead, destroyed } = client;
      const address = JSON.stringify(client.address());
      t.log('client', [
        pending,
        connecting,
        readyState,
        bytesWritten,
        bytesRead,
        destroyed,
        address,
      ]);
    };
    say();
    client.connect(port, '127.0.0.1');
    say();
    client.write('four');
    say();
    await once(client, 'connect');
    say();
    client.end();
    say();
    client.resume();
    await once(client, 'close');
    say();
  },
  async 'written while it connects to nobody'(t) {
    const port = await t.freePort();
    const client = t.socket('client').connect(port, '127.0.0.1');
    client.write('x', (error) => t.log('write', error?.code));
    client.end((error) => t.log('end', error?.code));
    await closed(client);
  },
};
