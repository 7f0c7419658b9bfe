/**
 * Programs of dns, tls and http2 that ask for what there is not, and of net's own little classes.
 * @module
 */
import dns from 'node:dns';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import { closed, describe, once } from './story.mjs';

const LOOP = '127.0.0.1';

function lookup(t, name, options) {
  return new Promise((resolve) => {
    t.try('dns', () => {
      dns.lookup(name, options, (error, ...answer) => {
        t.log('dns', error ? describe(error) : JSON.stringify(answer));
        resolve();
      });
      return 'asked';
    });
  });
}

/** Both ends' stories of an HTTP/2 session with somebody who only says `text`. */
async function session(t, text) {
  const server = await t.server('server');
  server.on('connection', (socket) => (text === null ? socket.destroy() : socket.end(text)));
  const events = 'connect goaway frameError error close';
  const client = http2.connect(`http://${LOOP}:${server.address().port}`);
  t.watch('session', client, events.replace('connect ', ''));
  const stream = t.watch('stream', client.request(), 'aborted error close');
  await Promise.all([closed(client), closed(stream)]);
}

export const programs = {
  async 'names that are addresses'(t) {
    await lookup(t, '192.0.2.1', {});
    await lookup(t, '192.0.2.1', { all: true });
    await lookup(t, '2001:db8::1', { family: 6 });
    await lookup(t, '::1', { all: true, family: 0 });
  },
  async 'lookups with impossible options'(t) {
    t.try('dns', () => dns.lookup('a', { family: 5 }, () => {}));
    t.try('dns', () => dns.lookup('a', { hints: 7777 }, () => {}));
    t.try('dns', () => dns.lookup('a', { all: 1 }, () => {}));
    t.try('dns', () => dns.lookup('a', { verbatim: 1 }, () => {}));
    t.try('dns', () => dns.lookup({}, () => {}));
    t.try('dns', () => dns.lookup('a', 'b', () => {}));
    t.try('dns', () => dns.lookup('a'));
  },
  async 'services with impossible arguments'(t) {
    t.try('dns', () => dns.lookupService('here', 1, () => {}));
    t.try('dns', () => dns.lookupService(LOOP, 65536, () => {}));
    t.try('dns', () => dns.lookupService(LOOP, 1, 'x'));
    t.try('dns', () => dns.lookupService(LOOP));
  },
  async 'resolvers with impossible arguments'(t) {
    t.try('dns', () => dns.resolve('a', 'NONE', () => {}));
    t.try('dns', () => dns.resolve(7, () => {}));
    t.try('dns', () => dns.resolve4('a', {}));
    t.try('dns', () => dns.reverse('here', () => {}));
    t.try('dns', () => dns.setServers('here'));
    t.try('dns', () => dns.setServers(['here']));
    t.try('dns', () => dns.setServers(['127.0.0.1:65536']));
    t.try('dns', () => dns.setDefaultResultOrder('other'));
    t.try('dns', () => new dns.Resolver({ timeout: -5 }));
    t.try('dns', () => new dns.Resolver({ tries: 0 }));
    t.try('dns', () => new dns.Resolver().setLocalAddress('here'));
  },
  async 'a block list with impossible rules'(t) {
    const list = new net.BlockList();
    t.try('list', () => list.addAddress('here'));
    t.try('list', () => list.addAddress(LOOP, 'ipv5'));
    t.try('list', () => list.addRange('127.0.0.9', LOOP));
    t.try('list', () => list.addSubnet(LOOP, 33));
    t.try('list', () => list.addSubnet('::1', 129, 'ipv6'));
    list.addSubnet('127.0.0.0', 8);
    t.log('list', [list.check(LOOP), list.check('::ffff:127.0.0.1', 'ipv6'), `${list.rules}`]);
  },
  async 'socket addresses'(t) {
    for (const options of [
      {},
      { address: LOOP, port: 1 },
      { family: 'ipv6', address: '::1', flowlabel: 3 },
    ]) {
      t.log('address', describe(new net.SocketAddress(options).toJSON?.() ?? {}));
      const { address, family, port, flowlabel } = new net.SocketAddress(options);
      t.log('address', [address, family, port, flowlabel]);
    }
    t.try('address', () => new net.SocketAddress({ address: 'here' }));
    t.try('address', () => new net.SocketAddress({ family: 'ipv5' }));
    t.try('address', () => new net.SocketAddress({ port: 65536 }));
    t.try('address', () => new net.SocketAddress(7));
  },
  async 'defaults of happy eyeballs'(t) {
    t.log('net', [
      net.getDefaultAutoSelectFamily(),
      net.getDefaultAutoSelectFamilyAttemptTimeout(),
    ]);
    t.try('net', () => net.setDefaultAutoSelectFamily(1));
    t.try('net', () => net.setDefaultAutoSelectFamilyAttemptTimeout(0));
    t.try('net', () => net.setDefaultAutoSelectFamilyAttemptTimeout('x'));
  },
  async 'what is an address'(t) {
    for (const text of [LOOP, '::1', 'here', '1.2.3', '::ffff:1.2.3.4', 'fe80::1%eth0', '', 7])
      t.log('net', [net.isIP(text), net.isIPv4(text), net.isIPv6(text)]);
  },
  async 'tls to nobody'(t) {
    const client = t.watch('client', tls.connect(await t.freePort(), LOOP));
    await closed(client);
  },
  async 'tls to somebody who speaks none'(t) {
    const server = await t.server('server');
    server.on('connection', (socket) => socket.end('plain text, no tls'));
    const client = t.watch('client', tls.connect(server.address().port, LOOP), 'end close');
    client.on('error', ({ code, library, reason }) => t.log('client', [code, library, reason]));
    await closed(client);
  },
  async 'tls to somebody who hangs up'(t) {
    const server = await t.server('server');
    server.on('connection', (socket) => socket.resume().end());
    const client = t.watch('client', tls.connect(server.address().port, LOOP), 'end error close');
    await closed(client);
  },
  async 'tls with impossible options'(t) {
    t.try('tls', () => tls.connect({ port: 65536 }));
    t.try('tls', () => tls.connect({ port: 1, minVersion: 'TLSv9' }));
    t.try('tls', () => tls.connect({ port: 1, ciphers: 7 }));
    t.try('tls', () => tls.createServer({ key: 7 }));
    t.try('tls', () => tls.createServer({ handshakeTimeout: 'x' }));
    t.try('tls', () => tls.createSecureContext({ cert: 'none' }));
  },
  async 'http2 to nobody'(t) {
    const client = http2.connect(`http://${LOOP}:${await t.freePort()}`);
    t.watch('session', client, 'connect error close');
    const stream = t.watch('stream', client.request(), 'aborted error close');
    await Promise.all([closed(client), closed(stream)]);
  },
  async 'http2 with somebody who speaks none'(t) {
    await session(t, 'HTTP/1.1 400 No\r\n\r\n');
  },
  async 'http2 with somebody who hangs up'(t) {
    await session(t, '');
  },
  async 'http2 with impossible arguments'(t) {
    t.try('http2', () => http2.connect('ftp://127.0.0.1'));
    t.try('http2', () => http2.connect(7));
    t.try('http2', () => http2.createServer({ settings: 7 }));
    t.try('http2', () => http2.getPackedSettings({ maxFrameSize: 1 }));
    t.try('http2', () => http2.createSecureServer({ key: 7 }));
  },
  async 'http2 requests that are wrong'(t) {
    const server = t.watch('server', http2.createServer(), 'close');
    server.on('stream', (stream) => stream.on('error', () => {}).respond({}, { endStream: true }));
    server.listen(0, LOOP);
    await once(server, 'listening');
    const client = http2.connect(`http://${LOOP}:${server.address().port}`);
    await once(client, 'connect');
    t.try('client', () => client.request({ ':other': 1 }));
    t.try('client', () => client.request({ connection: 'close' }));
    t.try('client', () => client.request({}, { endStream: 1 }));
    t.try('client', () => client.settings({ enablePush: 1 }));
    t.try('client', () => client.setLocalWindowSize(-1));
    t.try('client', () => client.socket.end());
    client.close();
    await closed(client);
    t.try('client', () => client.request());
    server.close();
    await closed(server);
  },
};
