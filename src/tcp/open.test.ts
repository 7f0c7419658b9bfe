import assert from 'node:assert/strict';
import test from 'node:test';
import { Address } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import { ACCEPTABLE, CLOSED, CONNECTED } from '../base/events.ts';
import { type Host, simulate } from '../testing/network.ts';
import { PEER_ISN, PEER_PORT, STACK_PORT, TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, FIN, RST, SYN } from '../wire/tcp.ts';
import type { TcpSocket } from './socket.ts';
import { TIME_WAIT } from './state.ts';

for (const version of [4, 6] as const) {
  test(`LISTEN: a SYN is answered with SYN-ACK, its ACK makes a connection (IPv${version})`, () => {
    const tcp = TcpPeer.listening({ version });
    tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400, windowScale: 3 });
    const synAck = tcp.sends({
      flags: SYN | ACK,
      ack: PEER_ISN + 1,
      mss: version === 4 ? 1460 : 1440,
    });
    assert.ok(synAck.windowScale >= 0, 'the scale is offered back');
    assert.equal(tcp.state, 'SYN-RECEIVED');
    tcp.gets({ flags: ACK, seq: tcp.theirs(0), ack: tcp.ours(0) });
    tcp.sendsNothing();
    assert.equal(tcp.state, 'ESTABLISHED');
    assert.equal(tcp.stack.nextEvent(), tcp.listener);
    assert.equal(tcp.listener!.takeEvents(), ACCEPTABLE);
    const socket = tcp.listener!.accept()!;
    assert.equal(socket.remoteAddress.toString(), tcp.peerAddress.toString());
    assert.equal(socket.remotePort, PEER_PORT);
    assert.equal(socket.localPort, STACK_PORT);
    assert.equal(tcp.listener!.accept(), null);
  });

  test(`CLOSED: an active open goes through SYN-SENT to ESTABLISHED (IPv${version})`, () => {
    const tcp = TcpPeer.synSent({ version });
    assert.equal(tcp.state, 'SYN-SENT');
    tcp.gets({ flags: SYN | ACK, srcPort: PEER_PORT, seq: PEER_ISN, mss: 1400 });
    tcp.sends({ flags: ACK, seq: tcp.ours(0), ack: tcp.theirs(0) });
    tcp.sendsNothing();
    assert.equal(tcp.state, 'ESTABLISHED');
    assert.equal(tcp.stack.nextEvent(), tcp.socket);
    assert.equal(tcp.socket!.takeEvents(), CONNECTED);
  });
}

test('a peer that offers no window scale gets none', () => {
  const tcp = TcpPeer.listening();
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400 });
  const synAck = tcp.sends({ flags: SYN | ACK, windowScale: -1 });
  tcp.gets({ flags: ACK, seq: tcp.theirs(0) });
  tcp.gets({ flags: ACK, data: 'x' });
  const ack = tcp.sends({ flags: ACK, ack: tcp.theirs(1) });
  assert.ok(ack.window >= synAck.window - 1, 'the window is not scaled');
});

test('a window scale above 14 counts as 14 (RFC 7323 2.3)', () => {
  const tcp = TcpPeer.established({ windowScale: 15 });
  assert.equal(tcp.stack.tcp.connections[0]!.sndWndScale, 14);
});

test('SYN-RECEIVED: a repeated SYN and the ACK in one burst: no SYN-ACK once established', () => {
  const tcp = TcpPeer.synReceived();
  tcp.getsTogether(
    { flags: SYN, seq: PEER_ISN, mss: 1460 },
    { flags: ACK, seq: tcp.theirs(0), ack: tcp.ours(0) },
  );
  assert.equal(tcp.state, 'ESTABLISHED');
  const told = tcp.sent.splice(0);
  assert.ok(told.every((segment) => (segment.flags & SYN) === 0));
  tcp.listener!.accept()!.write(Uint8Array.of(120));
  tcp.pump();
  tcp.sends({ seq: tcp.ours(0), data: 'x' });
});

test('SYN-SENT: a SYN without ACK is a simultaneous open', () => {
  const tcp = TcpPeer.synSent();
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400 });
  tcp.sends({ flags: SYN | ACK, seq: tcp.iss, ack: PEER_ISN + 1 });
  assert.equal(tcp.state, 'SYN-RECEIVED');
  tcp.gets({ flags: SYN | ACK, seq: PEER_ISN, ack: tcp.ours(5) });
  assert.equal(tcp.state, 'SYN-RECEIVED', 'it acknowledges something else');
  tcp.sent.length = 0;
  tcp.gets({ flags: SYN | ACK, seq: PEER_ISN, ack: tcp.ours(0), window: 5000 });
  assert.equal(tcp.state, 'ESTABLISHED', 'RFC 9293 figure 8');
  tcp.sendsNothing();
  assert.equal(tcp.socket!.connection!.sndWnd, 5000);
  assert.equal(tcp.socket!.takeEvents() & CONNECTED, CONNECTED);
});

test('two stacks that connect to each other at the same time are connected, with four segments', () => {
  simulate({ seed: 1 }, (network) => {
    const [a, b] = [network.addHost('a'), network.addHost('b')];
    network.join(a, '10.0.0.1/24', b, '10.0.0.2/24', { both: { delay: 10_000 } });
    const connect = (host: Host, address: string): TcpSocket =>
      host.stack.tcp.connect({ address: Address.parse(address), port: 7, localPort: 7 });
    const sockets = [connect(a, '10.0.0.2'), connect(b, '10.0.0.1')];
    network.runFor(5_000_000);
    for (const socket of sockets) assert.equal(socket.stateName, 'ESTABLISHED');
    const sent = [a, b].map(({ stack }) => stack.report().tcp['tcp_segments_out']);
    assert.deepEqual(sent, [2, 2]);
  });
});

test('SYN-SENT: an unacceptable ACK is answered with RST, unless it is one', () => {
  const tcp = TcpPeer.synSent();
  tcp.gets({ flags: ACK, ack: tcp.ours(5) });
  tcp.sends({ flags: RST, seq: tcp.ours(5) });
  tcp.gets({ flags: RST | ACK, ack: tcp.ours(5) });
  tcp.sendsNothing();
  assert.equal(tcp.state, 'SYN-SENT');
});

test('SYN-SENT: RST with a good ACK refuses the connection; RST alone is ignored', () => {
  const tcp = TcpPeer.synSent();
  tcp.gets({ flags: RST, seq: 5 });
  assert.equal(tcp.state, 'SYN-SENT');
  tcp.gets({ flags: RST | ACK, seq: 0, ack: tcp.ours(0) });
  assert.equal(tcp.socket!.error, 'ECONNREFUSED');
  assert.equal(tcp.socket!.takeEvents(), CLOSED);
  assert.equal(tcp.stack.counts().connections, 0);
});

test('SYN-SENT: the SYN is sent again with doubling delays, then ETIMEDOUT', () => {
  const tcp = TcpPeer.synSent({ tcp: { synRetries: 3 } });
  assert.deepEqual(tcp.sendTimes(16_000), [1000, 3000, 7000]);
  for (const segment of tcp.sent) assert.equal(segment.seq, tcp.iss);
  assert.equal(tcp.socket!.error, 'ETIMEDOUT');
  assert.equal(tcp.stack.counts().timers, 0);
});

test('SYN-SENT: data may come with the SYN-ACK', () => {
  const tcp = TcpPeer.synSent();
  tcp.gets({ flags: SYN | ACK, seq: PEER_ISN, data: 'early' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(5) });
  assert.equal(tcp.read(), 'early');
});

test('SYN-RECEIVED: an ACK above SND.NXT is answered with RST', () => {
  const tcp = TcpPeer.synReceived();
  tcp.gets({ flags: ACK, ack: tcp.ours(1) });
  tcp.sends({ flags: RST, seq: tcp.ours(1) });
  tcp.sendsNothing();
  assert.equal(tcp.state, 'SYN-RECEIVED');
});

test('SYN-RECEIVED: a repeated SYN gets the SYN-ACK again', () => {
  const tcp = TcpPeer.synReceived();
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1460 });
  tcp.sends({ flags: SYN | ACK, seq: tcp.iss });
  tcp.sendsNothing();
});

test('SYN-RECEIVED: an exact RST ends it without a trace', () => {
  const tcp = TcpPeer.synReceived();
  tcp.gets({ flags: RST, seq: tcp.theirs(0) });
  assert.deepEqual(tcp.stack.counts().connections, 0);
  assert.equal(tcp.listener!.halfOpen, 0);
  assert.equal(tcp.listener!.accept(), null);
});

test('SYN-RECEIVED: the SYN-ACK is sent again, and given up', () => {
  const tcp = TcpPeer.synReceived({ tcp: { synRetries: 2 } });
  tcp.after(1010);
  tcp.sends({ flags: SYN | ACK });
  tcp.after(2010);
  tcp.sends({ flags: SYN | ACK });
  tcp.after(4100);
  tcp.sendsNothing();
  assert.equal(tcp.stack.counts().connections, 0);
  assert.equal(tcp.listener!.halfOpen, 0);
});

test('SYN-RECEIVED: data and FIN may come with the ACK, and before accept()', () => {
  const tcp = TcpPeer.synReceived();
  tcp.gets({ flags: ACK | FIN, data: 'all at once' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(12) });
  tcp.socket = tcp.listener!.accept();
  assert.equal(tcp.state, 'CLOSE-WAIT');
  assert.equal(tcp.socket!.takeEvents(), 2 | 8);
  assert.equal(tcp.read(), 'all at once');
  assert.ok(tcp.socket!.ended);
});

test('LISTEN: ACK is answered with RST, RST with nothing, SYN-FIN is dropped', () => {
  const tcp = TcpPeer.listening();
  tcp.gets({ flags: ACK, ack: 1234, seq: 1 });
  tcp.sends({ flags: RST, seq: 1234 });
  tcp.gets({ flags: RST, seq: 1 });
  tcp.gets({ flags: SYN | FIN, seq: 1 });
  tcp.gets({ flags: FIN, seq: 1 });
  tcp.sendsNothing();
  assert.equal(tcp.stack.counts().connections, 0);
  assert.equal(tcp.stack.report().drops['tcp_bad_flags'], 1);
});

test('CLOSED: a segment for no listener is answered as RFC 9293 3.10.7.1 says', () => {
  const tcp = TcpPeer.listening();
  tcp.gets({ flags: SYN, seq: 100, dstPort: 81 });
  tcp.sends({ flags: RST | ACK, seq: 0, ack: 101, srcPort: 81 });
  tcp.gets({ flags: ACK, seq: 100, ack: 777, dstPort: 81, data: 'abc' });
  tcp.sends({ flags: RST, seq: 777 });
  tcp.gets({ flags: RST, seq: 100, dstPort: 81 });
  tcp.sendsNothing();
});

test('beyond the backlog SYNs are dropped, not reset, and served once there is room', () => {
  const tcp = TcpPeer.listening({ backlog: 2 });
  const open = (port: number): void => {
    tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: port, mss: 1460 });
  };
  for (const port of [1001, 1002]) {
    open(port);
    tcp.sends({ flags: SYN | ACK, dstPort: port });
    tcp.gets({ flags: ACK, srcPort: port });
  }
  open(1003);
  tcp.sendsNothing();
  assert.equal(tcp.stack.report().drops['tcp_accept_queue_full'], 1);
  assert.ok(tcp.listener!.accept());
  open(1003);
  tcp.sends({ flags: SYN | ACK, dstPort: 1003 });
});

test('half-open connections are bounded', () => {
  const tcp = TcpPeer.listening({ tcp: { maxHalfOpen: 3, synCookies: 'never' } });
  for (let port = 1; port <= 5; port++) tcp.gets({ flags: SYN, seq: 1, srcPort: port, mss: 1460 });
  assert.equal(tcp.sent.length, 3);
  assert.equal(tcp.stack.report().drops['tcp_syn_queue_full'], 2);
});

test('a connection that resets before accept() leaves no stuck slot in the backlog', () => {
  const tcp = TcpPeer.listening({ backlog: 1 });
  for (let port = 1; port <= 10; port++) {
    tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: port, mss: 1460 });
    tcp.sends({ flags: SYN | ACK });
    tcp.gets({ flags: ACK, srcPort: port });
    tcp.gets({ flags: RST, srcPort: port });
  }
  assert.equal(tcp.listener!.accept(), null);
  assert.equal(tcp.listener!.waiting, 0);
  assert.equal(tcp.stack.counts().connections, 0);
});

test('closing a listener resets what nobody accepted and keeps what was accepted', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: 2, mss: 1460 });
  tcp.sends({ flags: SYN | ACK });
  tcp.listener!.close();
  tcp.pump();
  tcp.sends({ flags: RST | ACK, dstPort: 2 });
  assert.equal(tcp.stack.counts().connections, 1);
  tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: 3, mss: 1460 });
  tcp.sends({ flags: RST | ACK, dstPort: 3 });
});

test('listen() refuses a taken port and a foreign address, and finds a free port', () => {
  const { tcp } = new TcpPeer().stack;
  const code = (run: () => void): string => {
    try {
      run();
      return 'no error';
    } catch (error) {
      assert.ok(error instanceof StackError);
      return error.code;
    }
  };
  tcp.listen({ port: 80 });
  assert.equal(
    code(() => tcp.listen({ port: 80 })),
    'EADDRINUSE',
  );
  const foreign = new TcpPeer().peerAddress;
  assert.equal(
    code(() => tcp.listen({ port: 81, address: foreign })),
    'EADDRNOTAVAIL',
  );
  assert.equal(
    code(() => tcp.listen({ port: 70000 })),
    'EINVAL',
  );
  assert.ok(tcp.listen({ port: 0 }).port >= 1024);
});

test('connections to one destination get different ports and initial numbers', () => {
  const peer = new TcpPeer();
  const ports = new Set<number>([
    peer.stack.tcp.connect({ address: peer.peerAddress, port: 9 }).localPort,
  ]);
  peer.pump(); // the neighbor is known from now on
  for (let i = 0; i < 200; i++) {
    ports.add(peer.stack.tcp.connect({ address: peer.peerAddress, port: 9 }).localPort);
  }
  assert.equal(ports.size, 201);
  peer.pump();
  const isns = new Set(peer.sent.map((segment) => segment.seq));
  assert.equal(isns.size, 201);
});

test('connect() runs out of ports with EADDRNOTAVAIL', () => {
  const peer = new TcpPeer({ tcp: { firstEphemeralPort: 5000, lastEphemeralPort: 5003 } });
  const connect = (): unknown => peer.stack.tcp.connect({ address: peer.peerAddress, port: 9 });
  for (let i = 0; i < 4; i++) connect();
  assert.throws(connect, { code: 'EADDRNOTAVAIL' });
});

test('connect() from a port that one of our listeners has is refused with EADDRINUSE', () => {
  for (const version of [4, 6] as const) {
    const peer = new TcpPeer({ version });
    const { tcp } = peer.stack;
    const own = peer.stackAddress;
    const connect = (localPort: number): unknown =>
      tcp.connect({ address: peer.peerAddress, port: 9, localPort });
    const otherAny = Address.parse(version === 4 ? '::' : '0.0.0.0');
    const otherOwn = Address.parse(version === 4 ? 'fd00::1' : '10.0.0.1');
    tcp.listen({ port: 80 });
    tcp.listen({ port: 81, address: own });
    tcp.listen({ port: 82, address: version === 4 ? Address.ANY_V4 : Address.ANY_V6 });
    tcp.listen({ port: 83, address: otherAny, v6Only: true });
    tcp.listen({ port: 84, address: otherOwn });
    const closed = tcp.listen({ port: 85 });
    for (const port of [80, 81, 82]) assert.throws(() => connect(port), { code: 'EADDRINUSE' });
    connect(83);
    connect(84);
    assert.throws(() => connect(85), { code: 'EADDRINUSE' });
    closed.close();
    connect(85);
    assert.equal(peer.stack.counts().connections, 3);
  }
});

test('connect() chooses no port that one of our listeners has', () => {
  const peer = new TcpPeer({ tcp: { firstEphemeralPort: 5000, lastEphemeralPort: 5003 } });
  const { tcp } = peer.stack;
  for (const port of [5000, 5001, 5003]) tcp.listen({ port });
  const connect = (): TcpSocket => tcp.connect({ address: peer.peerAddress, port: 9 });
  assert.equal(connect().localPort, 5002);
  assert.throws(connect, { code: 'EADDRNOTAVAIL' });
});

test('a block of ports in use is passed once, not searched by every connect()', () => {
  const range = { firstEphemeralPort: 2000, lastEphemeralPort: 11_999 };
  const peer = new TcpPeer({ tcp: range });
  const { tcp } = peer.stack;
  const connect = (): void => {
    tcp.connect({ address: peer.peerAddress, port: 9 });
  };
  for (let i = 0; i < 4000; i++) connect();
  let lookups = 0;
  const find = tcp.findFlow.bind(tcp);
  tcp.findFlow = (path, local, remote) => {
    lookups++;
    return find(path, local, remote);
  };
  // The counter meets the 4,000 again after one round of the range.
  for (let i = 0; i < 5900; i++) connect();
  assert.ok(lookups < 10_500, `${lookups} look-ups for 5,900 connections`);
});

test('where every port is in TIME-WAIT connect() looks at few and takes the oldest', () => {
  const PORTS = 3000;
  const range = { firstEphemeralPort: 2000, lastEphemeralPort: 1999 + PORTS };
  const { stack, peerAddress } = new TcpPeer({ tcp: range });
  const { tcp } = stack;
  const connect = (): TcpSocket => tcp.connect({ address: peerAddress, port: 9 });
  const order: number[] = [];
  for (let i = 0; i < PORTS; i++) {
    const c = connect().connection!;
    order.push(c.localPort);
    // As one that was closed long ago.
    c.state = TIME_WAIT;
    c.sndNxt = (c.sndNxt - 1) | 0;
  }
  let lookups = 0;
  const find = tcp.findFlow.bind(tcp);
  tcp.findFlow = (path, local, remote) => {
    lookups++;
    return find(path, local, remote);
  };
  const taken = Array.from({ length: 1000 }, () => order.indexOf(connect().localPort));
  assert.ok(lookups < 2500, `${lookups} look-ups for 1,000 connections`);
  // Once round, no port is passed that is not looked at.
  assert.ok(taken.every((place, i) => i === 0 || place > taken[i - 1]!));
});

test('a tuple stays taken when its connection has a traffic class of its own', () => {
  const peer = TcpPeer.synSent();
  peer.socket!.setTrafficClass(0x20);
  const { localPort } = peer.socket!;
  const again = { address: peer.peerAddress, port: PEER_PORT, localPort };
  assert.throws(() => peer.stack.tcp.connect(again), { code: 'EADDRINUSE' });
});
