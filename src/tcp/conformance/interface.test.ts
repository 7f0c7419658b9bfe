/** RFC 9293 3.9: what the program, and the IP layer below, can say and hear. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Address } from '../../base/address.ts';
import { CLOSED, FAILED } from '../../base/events.ts';
import { tcp as tcpFrame } from '../../testing/packet.ts';
import { PEER_ISN, PEER_PORT, STACK_PORT, TcpPeer } from '../../testing/tcp-peer.ts';
import { ACK, PSH, RST, SYN } from '../../wire/tcp.ts';

for (const version of [4, 6] as const) {
  const [unreachable, noRoute, portCode] = version === 4 ? [3, 0, 3] : [1, 0, 4];
  const exceeded = version === 4 ? 11 : 3;
  const problem = version === 4 ? 12 : 4;

  test(`ICMP errors do not end a connection; its program hears of them (IPv${version})`, () => {
    const tcp = TcpPeer.established({ version });
    tcp.write('data');
    tcp.socket!.takeEvents();
    for (const [type, code, name] of [
      [unreachable, noRoute, 'ENETUNREACH'],
      [exceeded, 0, 'EHOSTUNREACH'],
      [problem, 0, 'EPROTO'],
      [unreachable, portCode, 'ECONNREFUSED'],
    ] as const) {
      tcp.getsIcmp(type!, code!);
      assert.equal(tcp.socket!.softError, name);
      assert.equal(tcp.socket!.takeEvents(), FAILED);
      assert.equal(tcp.socket!.error, '');
      assert.equal(tcp.state, 'ESTABLISHED');
    }
    tcp.gets({ flags: ACK, ack: tcp.ours(4) });
    assert.equal(tcp.socket!.softError, '', 'data gets through: it is history');
  });

  test(`ICMP errors while opening end the attempt, under their names (IPv${version})`, () => {
    for (const [type, code, name] of [
      [unreachable, noRoute, 'ENETUNREACH'],
      [unreachable, portCode, 'ECONNREFUSED'],
      [exceeded, 0, 'EHOSTUNREACH'],
    ] as const) {
      const tcp = TcpPeer.synSent({ version });
      tcp.getsIcmp(type!, code!, tcp.iss);
      assert.equal(tcp.socket!.error, name);
      assert.equal(tcp.socket!.takeEvents() & CLOSED, CLOSED);
      assert.deepEqual(tcp.stack.counts().connections, 0);
    }
  });

  test(`an ICMP error about a number that is not in flight is ignored (IPv${version})`, () => {
    const tcp = TcpPeer.established({ version });
    tcp.write('data');
    tcp.socket!.takeEvents();
    for (const seq of [tcp.ours(-1), tcp.ours(4), tcp.ours(1 << 20)]) {
      tcp.getsIcmp(unreachable!, noRoute!, seq);
    }
    assert.equal(tcp.socket!.softError, '');
    assert.equal(tcp.stack.report().drops['icmp_no_flow'], 3);
  });

  test(`the traffic class is the program's, on every segment (IPv${version})`, () => {
    const tcp = TcpPeer.established({ version });
    tcp.socket!.setTrafficClass(0xb8);
    tcp.write('data');
    tcp.sends({ flags: ACK | PSH, trafficClass: 0xb8 });
    tcp.after(300);
    tcp.sends({ seq: tcp.ours(0), trafficClass: 0xb8 });
    tcp.gets({ flags: ACK, ack: tcp.ours(4), data: 'x' });
    tcp.sends({ flags: ACK, trafficClass: 0xb8 });
    tcp.socket!.setTrafficClass(0x20 | 3);
    tcp.write('other');
    tcp.sends({ trafficClass: 0x20, data: 'other' });
    tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: 2, mss: 1460 });
    tcp.sends({ flags: SYN | ACK, trafficClass: 0, hops: 64 });
  });

  test(`the time to live is the program's (IPv${version})`, () => {
    const tcp = TcpPeer.synSent({ version });
    assert.equal(tcp.synSegment.hops, 64);
    tcp.socket!.setHops(7);
    tcp.after(1001);
    tcp.sends({ flags: SYN, hops: 7 });
    for (const hops of [0, 256, 1.5]) {
      assert.throws(() => tcp.socket!.setHops(hops), { code: 'EINVAL' });
    }
  });

  test(`connect() refuses addresses that are not one host's (IPv${version})`, () => {
    const { stack } = new TcpPeer({ version });
    const paths = stack.net.paths.size;
    for (const address of version === 4
      ? ['224.0.0.1', '255.255.255.255', '10.0.0.255']
      : ['ff02::1', 'ff0e::1']) {
      const connect = (): unknown =>
        stack.tcp.connect({ address: Address.parse(address), port: 80 });
      assert.throws(connect, { code: 'ENETUNREACH' }, address);
    }
    assert.equal(stack.counts().connections, 0);
    assert.ok(stack.net.paths.size - paths <= 3, 'their paths are only kept, not held');
  });

  test(`a SYN to a group, or from an address no host has, is dropped (IPv${version})`, () => {
    const tcp = TcpPeer.listening({ version });
    const [stack, peer, group, bad, mac] =
      version === 4
        ? ['10.0.0.1', '10.0.0.2', '224.0.0.1', ['224.0.0.5', '255.255.255.255'], 0x5e000001]
        : ['fd00::1', 'fd00::2', 'ff02::1', ['ff02::5', '::'], 1];
    const fields = { srcPort: PEER_PORT, dstPort: STACK_PORT, flags: 'SYN' };
    const dstMac = version === 4 ? '01:00:5e:00:00:01' : '33:33:00:00:00:01';
    tcp.getsFrame(tcpFrame({ ...fields, src: peer as string, dst: group as string, dstMac }));
    if (version === 4) {
      const everybody = { dst: '255.255.255.255', dstMac: 'ff:ff:ff:ff:ff:ff' };
      tcp.getsFrame(tcpFrame({ ...fields, src: peer as string, ...everybody }));
    }
    for (const src of bad as string[]) {
      tcp.getsFrame(tcpFrame({ ...fields, src, dst: stack as string }));
    }
    tcp.sendsNothing();
    assert.equal(tcp.stack.counts().connections, 0);
    const { drops } = tcp.stack.report();
    assert.equal(drops['tcp_not_unicast'], version === 4 ? 2 : 1, `group ${mac}`);
    assert.equal(drops['ip_martian_source'], 2);
  });
}

test('source quench is dropped without a trace (MUST-55)', () => {
  const tcp = TcpPeer.established();
  tcp.write('data');
  tcp.sends({ data: 'data' });
  tcp.socket!.takeEvents();
  const { cwnd } = tcp.socket!.connection!;
  tcp.getsIcmp(4, 0);
  tcp.sendsNothing();
  assert.equal(tcp.socket!.softError, '');
  assert.equal(tcp.socket!.takeEvents(), 0);
  assert.equal(tcp.socket!.connection!.cwnd, cwnd);
});

test('the program hears of data sent again three times, before it is given up', () => {
  const tcp = TcpPeer.established({ tcp: { dataRetries: 5 } });
  tcp.write('x');
  tcp.socket!.takeEvents();
  while (tcp.stack.report().tcp['tcp_retransmits'] !== 2) tcp.after(1);
  assert.equal(tcp.socket!.softError, '');
  while (tcp.stack.report().tcp['tcp_retransmits'] !== 3) tcp.after(1);
  assert.equal(tcp.socket!.softError, 'ETIMEDOUT');
  assert.equal(tcp.socket!.takeEvents(), FAILED);
  assert.equal(tcp.state, 'ESTABLISHED');
  tcp.leap(60_000);
  assert.equal(tcp.socket!.error, 'ETIMEDOUT');
});

test('a connection that times out has the error that ICMP gave for it', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.setUserTimeout(3000);
  tcp.write('x');
  tcp.getsIcmp(3, 1);
  tcp.leap(4000);
  assert.equal(tcp.socket!.error, 'EHOSTUNREACH');
});

test('the SYN is sent for at least three minutes (MUST-23)', () => {
  const tcp = TcpPeer.synSent();
  tcp.leap(180_000);
  assert.equal(tcp.socket!.error, '');
  assert.equal(tcp.socket!.softError, 'ETIMEDOUT', 'the program knows');
  tcp.leap(120_000);
  assert.equal(tcp.socket!.error, 'ETIMEDOUT');
});

test('a program may give a connection more patience than the default, or less (MUST-21)', () => {
  const tcp = TcpPeer.established({ tcp: { dataRetries: 3 } });
  tcp.socket!.setUserTimeout(600_000);
  tcp.write('x');
  tcp.leap(590_000);
  assert.equal(tcp.state, 'ESTABLISHED');
  tcp.leap(20_000);
  assert.equal(tcp.socket!.error, 'ETIMEDOUT');
});

test('a listener may begin while connections from its port are opening (MUST-42)', () => {
  const tcp = TcpPeer.synReceived();
  const other = tcp.stack.tcp.connect({ address: tcp.peerAddress, port: 9, localPort: 81 });
  tcp.pump();
  tcp.sends({ flags: SYN, srcPort: 81 });
  const listener = tcp.stack.tcp.listen({ port: 81 });
  assert.equal(other.stateName, 'SYN-SENT');
  assert.throws(() => tcp.stack.tcp.listen({ port: STACK_PORT }), { code: 'EADDRINUSE' });
  assert.equal(tcp.state, 'SYN-RECEIVED', 'a refused listen() changes nothing either (MUST-41)');
  tcp.gets({ flags: SYN, seq: 5, srcPort: 3, dstPort: 81, mss: 1460 });
  tcp.sends({ flags: SYN | ACK, srcPort: 81 });
  assert.equal(listener.halfOpen, 1);
});

test('the local address is chosen by IP, or by the program (MUST-43, MUST-44)', () => {
  const peer = new TcpPeer();
  const { tcp } = peer.stack;
  const chosen = tcp.connect({ address: peer.peerAddress, port: 9 });
  assert.equal(chosen.localAddress.toString(), '10.0.0.1');
  const named = tcp.connect({
    address: peer.peerAddress,
    port: 9,
    localAddress: peer.stackAddress,
  });
  assert.equal(named.localAddress.toString(), '10.0.0.1');
  const foreign = Address.parse('10.0.0.77');
  const connect = (): unknown =>
    tcp.connect({ address: peer.peerAddress, port: 9, localAddress: foreign });
  assert.throws(connect, { code: 'EADDRNOTAVAIL' });
});

test('a packet with a source route is dropped, and no route is built from it (MUST-53)', () => {
  const tcp = TcpPeer.listening();
  for (const kind of [0x83, 0x89]) {
    const ipOptions = Uint8Array.of(kind, 7, 8, 10, 0, 0, 9, 0);
    const addresses = { src: '10.0.0.2', dst: '10.0.0.1', ipOptions };
    tcp.getsFrame(tcpFrame({ ...addresses, srcPort: 5, dstPort: STACK_PORT, flags: 'SYN' }));
  }
  tcp.sendsNothing();
  assert.equal(tcp.stack.report().drops['ipv4_bad_options'], 2);
});

test('IP options that TCP does not understand are ignored (MUST-50)', () => {
  const tcp = TcpPeer.listening();
  const ipOptions = Uint8Array.of(0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 1);
  const addresses = { src: '10.0.0.2', dst: '10.0.0.1', ipOptions };
  tcp.getsFrame(
    tcpFrame({ ...addresses, srcPort: PEER_PORT, dstPort: STACK_PORT, flags: 'SYN', seq: 77 }),
  );
  tcp.sends({ flags: SYN | ACK, ack: 78 });
});

test('the program is told whether a connection was closed or aborted (MUST-12)', () => {
  const aborted = TcpPeer.established();
  aborted.gets({ flags: RST, seq: aborted.theirs(0) });
  assert.equal(aborted.socket!.error, 'ECONNRESET');
  const closed = TcpPeer.established();
  closed.socket!.close();
  closed.pump();
  closed.gets({ flags: ACK | 1, ack: closed.ours(1) });
  assert.equal(closed.socket!.takeEvents() & CLOSED, CLOSED);
  assert.equal(closed.socket!.error, '');
});
