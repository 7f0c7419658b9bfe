/**
 * Programs that send datagrams, mostly wrongly.
 * @module
 */
import dgram from 'node:dgram';
import { once, settle } from './story.mjs';

const GROUP = '239.192.7.7';
const LOOP = '127.0.0.1';

/** Two sockets on one port, of which one sends to the group through the loopback interface. */
async function member(t) {
  const socket = await t.bound('member', { type: 'udp4', reuseAddr: true }, { port: 0 });
  socket.setMulticastInterface(LOOP);
  return socket;
}

export const programs = {
  async 'made with impossible options'(t) {
    for (const type of ['tcp4', undefined, 4]) t.try('dgram', () => dgram.createSocket(type));
    t.try('dgram', () => dgram.createSocket({ type: 'udp4', lookup: 1 }));
    t.try('dgram', () => dgram.createSocket({ type: 'udp4', recvBufferSize: 'x' }).close());
    t.try('dgram', () => dgram.createSocket({ type: 'udp4', signal: 1 }));
  },
  async 'bound twice'(t) {
    const socket = await t.bound('socket');
    t.try('socket', () => socket.bind(0));
  },
  async 'bound where somebody is'(t) {
    const { port } = (await t.bound('first')).address();
    const second = t.dgram('second');
    second.bind(port, LOOP);
    await once(second, 'error');
  },
  async 'two share a port'(t) {
    const options = { type: 'udp4', reuseAddr: true };
    const { port } = (await t.bound('first', options)).address();
    await t.bound('second', options, { port, address: LOOP });
  },
  async 'bound to an address of somebody else'(t) {
    const socket = t.dgram('socket');
    socket.bind(0, '192.0.2.1');
    await once(socket, 'error');
  },
  async 'bound to impossible ports'(t) {
    t.try('socket', () => t.dgram('other').bind({ port: -1, address: LOOP }));
    t.try('socket', () => dgram.createSocket('udp4').bind({ fd: 'x' }));
    await settle();
  },
  async 'used after close'(t) {
    const socket = await t.bound('socket');
    socket.close(() => t.log('socket', 'closed'));
    for (const call of [
      () => socket.close(),
      () => socket.send('x', 1, LOOP),
      () => socket.bind(0),
      () => socket.address(),
      () => socket.setTTL(1),
      () => socket.addMembership(GROUP),
      () => socket.connect(1),
      () => socket.getRecvBufferSize(),
      () => socket.ref(),
    ])
      t.try('socket', call);
    await settle();
  },
  async 'used before it is bound'(t) {
    const socket = t.dgram('socket');
    for (const call of [
      () => socket.address(),
      () => socket.remoteAddress(),
      () => socket.disconnect(),
      () => socket.setTTL(1),
      () => socket.setMulticastTTL(1),
      () => socket.setMulticastLoopback(true),
      () => socket.setMulticastInterface(LOOP),
      () => socket.setBroadcast(true),
      () => socket.getSendBufferSize(),
      () => socket.setRecvBufferSize(5000),
    ])
      t.try('socket', call);
  },
  async 'sent with impossible arguments'(t) {
    const socket = await t.bound('socket');
    for (const args of [
      [],
      ['x'],
      ['x', 0, LOOP],
      ['x', 70000, LOOP],
      [7, 1, LOOP],
      [[7], 1, LOOP],
      ['x', 1, 7],
      [Buffer.from('xy'), 3, 1, 1, LOOP],
      [Buffer.from('xy'), 1, 3, 1, LOOP],
      [Buffer.from('xy'), -1, 1, 1, LOOP],
    ])
      t.try('socket', () => socket.send(...args));
  },
  async 'more than a datagram takes'(t) {
    const socket = await t.bound('socket');
    const big = Buffer.alloc(65_508);
    await new Promise((resolve) => {
      socket.send(big, 9, LOOP, (error) =>
        resolve(t.log('socket', `${error?.message} ${error?.address}`)),
      );
    });
  },
  async 'connected twice, and not'(t) {
    const server = await t.bound('server');
    const client = t.dgram('client');
    t.try('client', () => client.connect(0));
    client.connect(server.address().port, LOOP);
    t.try('client', () => client.connect(server.address().port, LOOP));
    await once(client, 'connect');
    t.try('client', () => client.connect(server.address().port, LOOP));
    t.try('client', () => client.send('x', 1, LOOP));
    t.log('client', JSON.stringify(client.remoteAddress()));
    client.disconnect();
    t.try('client', () => client.disconnect());
    t.try('client', () => client.remoteAddress());
  },
  async 'connected to nobody'(t) {
    const client = t.dgram('client');
    const server = await t.bound('server');
    const { port } = server.address();
    server.close();
    client.connect(port, LOOP);
    await once(client, 'connect');
    client.send('anyone?');
    await once(client, 'error');
  },
  async 'heard only from whom it is connected to'(t) {
    const server = await t.bound('server');
    const other = await t.bound('other');
    const client = await t.bound('client');
    client.connect(server.address().port, LOOP);
    await once(client, 'connect');
    other.send('not me', client.address().port, LOOP);
    server.send('me', client.address().port, LOOP);
    await once(client, 'message');
    await settle();
  },
  async 'values of options'(t) {
    const socket = await t.bound('socket');
    for (const value of [0, 1, 255, 256, -1, 'x']) {
      t.try('ttl', () => socket.setTTL(value));
      t.try('group ttl', () => socket.setMulticastTTL(value));
    }
    t.try('socket', () => socket.setMulticastLoopback(false));
    t.try('socket', () => socket.setBroadcast(true));
    t.try('socket', () => socket.setRecvBufferSize(8000));
    t.try('socket', () => socket.getRecvBufferSize());
    t.try('socket', () => socket.setSendBufferSize(8000));
    t.try('socket', () => socket.getSendBufferSize());
    t.try('socket', () => socket.setSendBufferSize(-1));
    t.try('socket', () => socket.setSendBufferSize(2 ** 31));
    t.try('socket', () => [socket.getSendQueueSize(), socket.getSendQueueCount()].join());
  },
  async 'groups that are none, and twice'(t) {
    const socket = await t.bound('socket', 'udp4', { port: 0 });
    for (const call of [
      () => socket.addMembership(),
      () => socket.addMembership('10.1.1.1', LOOP),
      () => socket.addMembership('ff02::7', LOOP),
      () => socket.addMembership(GROUP, '192.0.2.1'),
      () => socket.addMembership(GROUP, 'x'),
      () => socket.addMembership(GROUP, LOOP),
      () => socket.addMembership(GROUP, LOOP),
      () => socket.dropMembership(GROUP, LOOP),
      () => socket.dropMembership(GROUP, LOOP),
      () => socket.dropMembership('10.1.1.1', LOOP),
      () => socket.setMulticastInterface('192.0.2.1'),
      () => socket.setMulticastInterface(GROUP),
      () => socket.setMulticastInterface('x'),
      () => socket.setMulticastInterface('0.0.0.0'),
    ])
      t.try('socket', call);
  },
  async 'sources that are none, and twice'(t) {
    const socket = await t.bound('socket', 'udp4', { port: 0 });
    const add = (...args) => t.try('socket', () => socket.addSourceSpecificMembership(...args));
    const drop = (...args) => t.try('socket', () => socket.dropSourceSpecificMembership(...args));
    add('10.1.1.1');
    add(7, GROUP);
    add('10.1.1.1', GROUP, LOOP);
    add('10.1.1.1', GROUP, LOOP);
    add('10.1.1.2', GROUP, LOOP);
    drop('10.1.1.3', GROUP, LOOP);
    drop('10.1.1.1', GROUP, LOOP);
    drop('10.1.1.2', GROUP, LOOP);
    drop('10.1.1.2', GROUP, LOOP);
    add('x', GROUP, LOOP);
  },
  async 'a group is heard by its members until they leave'(t) {
    const socket = await member(t);
    const { port } = socket.address();
    socket.addMembership(GROUP, LOOP);
    socket.send('one', port, GROUP);
    await once(socket, 'message');
    socket.dropMembership(GROUP, LOOP);
    socket.send('two', port, GROUP);
    socket.send('three', port, LOOP);
    await once(socket, 'message');
  },
  async 'of a group only the named sources are heard'(t) {
    const socket = await member(t);
    const { port } = socket.address();
    socket.addSourceSpecificMembership('127.0.0.5', GROUP, LOOP);
    socket.send('unheard', port, GROUP);
    socket.addSourceSpecificMembership(LOOP, GROUP, LOOP);
    socket.send('heard', port, GROUP);
    await once(socket, 'message');
    socket.dropSourceSpecificMembership(LOOP, GROUP, LOOP);
    socket.send('unheard again', port, GROUP);
    socket.send('alone', port, LOOP);
    await once(socket, 'message');
  },
  async 'the lookup of a datagram fails'(t) {
    const no = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const lookup = (name, _options, done) => (name === 'no.test' ? done(no) : done(null, name, 4));
    const socket = t.dgram('socket', { type: 'udp4', lookup });
    socket.send('x', 9, 'no.test');
    await once(socket, 'error');
  },
  async 'an aborted datagram socket'(t) {
    const controller = new AbortController();
    const socket = await t.bound('socket', { type: 'udp4', signal: controller.signal });
    controller.abort();
    await once(socket, 'close');
  },
  async 'every form of send'(t) {
    const server = await t.bound('server');
    const client = t.dgram('client');
    const { port } = server.address();
    const bytes = Buffer.from('0123456789');
    const sent = (...args) =>
      new Promise((resolve) => {
        client.send(...args, (error, length) => resolve(t.log('sent', `${error} ${length}`)));
      });
    await sent('text', port);
    await sent('text', port, LOOP);
    await sent(bytes, port);
    await sent(bytes, 2, 3, port, LOOP);
    await sent(['a', Buffer.from('b')], port, LOOP);
    await sent(new Uint8Array([65, 66]), port);
    await sent(new DataView(bytes.buffer, bytes.byteOffset, 3), port);
    await sent([], port);
    client.connect(port);
    await once(client, 'connect');
    await sent('text');
    await sent(bytes, 2, 3);
    await settle();
  },
};
