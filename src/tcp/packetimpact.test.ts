/**
 * What gVisor's packetimpact tests of TCP check, asked of this stack in our own words. Which is
 * which stands in test/conformance/packetimpact.txt.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { CLOSED } from '../base/events.ts';
import { type GivenSegment, PEER_ISN, STACK_PORT, TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, FIN, PSH, RST, SYN } from '../wire/tcp.ts';

const bytesSent = (tcp: TcpPeer): number =>
  tcp.sent.splice(0).reduce((sum, segment) => sum + segment.data.length, 0);

// ---- windows ----

test('a window shrunk to zero with data queued is probed at SND.UNA - 1', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.gets({ flags: ACK, window: 1000 });
  tcp.write('x'.repeat(3000));
  assert.equal(bytesSent(tcp), 1000);
  tcp.gets({ flags: ACK, ack: tcp.ours(1000), window: 0 });
  tcp.sendsNothing();
  tcp.after(300);
  tcp.sends({ flags: ACK, seq: tcp.ours(999), data: '' });
});

test('a window that shrank below what is in flight gets no new data, and old data again', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  tcp.write('x'.repeat(6000));
  assert.equal(bytesSent(tcp), 6000);
  tcp.gets({ flags: ACK, ack: tcp.ours(1000), window: 1000 });
  tcp.write('y'.repeat(2000));
  for (let acked = 1; acked < 4; acked++) {
    tcp.leap(3000);
    assert.ok(tcp.sent.some((segment) => segment.seq === tcp.ours(acked * 1000)));
    for (const segment of tcp.sent.splice(0)) {
      assert.ok(((segment.seq - tcp.ours(6000)) | 0) < 0, 'nothing new');
    }
    tcp.gets({ flags: ACK, ack: tcp.ours(acked * 1000 + 1000), window: 1000 });
  }
  assert.equal(tcp.state, 'ESTABLISHED');
});

test('a window that shrank to zero is waited for while the peer answers what is sent again', () => {
  const tcp = TcpPeer.established({ mss: 1000, tcp: { dataRetries: 4, maxRtoMs: 1000 } });
  tcp.write('x'.repeat(3000));
  tcp.sent.length = 0;
  tcp.gets({ flags: ACK, window: 0 });
  for (let answers = 0; answers < 20; ) {
    tcp.after(10);
    if (tcp.sent.splice(0).length === 0) continue;
    answers++;
    tcp.gets({ flags: ACK, window: 0 });
  }
  assert.equal(tcp.state, 'ESTABLISHED');
  tcp.leap(10_000);
  assert.equal(tcp.socket!.error, 'ETIMEDOUT', 'but not when nobody answers');
});

test('probing starts anew each time the window closes, and data follows each time it opens', () => {
  const tcp = TcpPeer.established({ mss: 1000 });
  for (let round = 0; round < 3; round++) {
    const acked = round * 1000;
    tcp.gets({ flags: ACK, ack: tcp.ours(acked), window: 0 });
    tcp.write('x'.repeat(1000));
    tcp.sendsNothing();
    const [first, second] = tcp.sendTimes(2000);
    assert.ok(first! < 350 && second! - first! > first!, `probes at ${first} and ${second} ms`);
    for (const probe of tcp.sent.splice(0)) {
      assert.deepEqual([probe.seq, probe.data], [tcp.ours(acked - 1), '']);
    }
    tcp.gets({ flags: ACK, ack: tcp.ours(acked), window: 1000 });
    tcp.sends({ seq: tcp.ours(acked), data: 'x'.repeat(1000) });
    tcp.sendsNothing();
    tcp.gets({ flags: ACK, ack: tcp.ours(acked + 1000) });
  }
});

test('the user timeout ends the probing of a closed window, answered or not', () => {
  for (const answers of [false, true]) {
    const tcp = TcpPeer.established();
    tcp.socket!.setUserTimeout(5000);
    tcp.gets({ flags: ACK, window: 0 });
    tcp.write('x');
    for (let ms = 0; ms < 4900; ms += 100) {
      tcp.after(100);
      if (tcp.sent.splice(0).length > 0 && answers) tcp.gets({ flags: ACK, window: 0 });
    }
    assert.equal(tcp.state, 'ESTABLISHED');
    tcp.after(200);
    assert.equal(tcp.socket!.error, 'ETIMEDOUT', `answers: ${answers}`);
  }
});

test('a window that opens in time spares the connection its user timeout', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.setUserTimeout(5000);
  tcp.gets({ flags: ACK, window: 0 });
  tcp.write('x');
  tcp.leap(4000);
  tcp.gets({ flags: ACK, window: 1000 });
  tcp.gets({ flags: ACK, ack: tcp.ours(1) });
  tcp.leap(60_000);
  assert.equal(tcp.state, 'ESTABLISHED');
});

for (const over of [-1, 0, 1]) {
  test(`data of the window's size and ${over} is cut at the window, and carries the ACK`, () => {
    const tcp = TcpPeer.listening();
    tcp.window = 600;
    tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1000 });
    tcp.sends({ flags: SYN | ACK });
    tcp.gets({ flags: ACK });
    tcp.socket = tcp.listener!.accept();
    tcp.socket!.setNoDelay(true);
    tcp.gets({ flags: ACK, data: 'request' });
    tcp.sent.length = 0;
    tcp.write('x'.repeat(600 + over));
    const segment = tcp.sends({ ack: tcp.theirs(7), seq: tcp.ours(0) });
    assert.equal(segment.data.length, Math.min(600, 600 + over));
    tcp.sendsNothing();
    tcp.gets({ flags: ACK, ack: tcp.ours(Math.min(600, 600 + over)), seq: tcp.theirs(7) });
    if (over > 0) tcp.sends({ flags: ACK | PSH, data: 'x' });
    tcp.sendsNothing();
  });
}

test('the window of the handshake holds, and that of a SYN is not scaled', () => {
  const tcp = TcpPeer.listening();
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1460, windowScale: 4, window: 9999 });
  tcp.sends({ flags: SYN | ACK });
  tcp.gets({ flags: ACK, window: 100 });
  tcp.socket = tcp.listener!.accept();
  tcp.write('x'.repeat(5000));
  assert.ok(bytesSent(tcp) <= 1600, 'the last ACK of the handshake is scaled');
  const active = TcpPeer.synSent();
  active.write('x'.repeat(5000));
  active.gets({ flags: SYN | ACK, seq: PEER_ISN, mss: 1460, windowScale: 4, window: 2000 });
  const sent = bytesSent(active);
  assert.ok(sent > 0 && sent <= 2000, `${sent} bytes`);
});

test('a program that does not read closes the window, one that reads keeps it open', () => {
  for (const size of [64, 512, 1024]) {
    const tcp = TcpPeer.established({ tcp: { receiveBufferBytes: 4096 } });
    let at = 0;
    for (; at < 4096; at += size) {
      tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: 'x'.repeat(size) });
    }
    tcp.after(50);
    assert.equal(tcp.sent.at(-1)!.window, 0, `after segments of ${size}`);
    assert.equal(tcp.read().length, 4096);
    assert.equal(tcp.sent.at(-1)!.window, 4096, 'reading opens it');
    tcp.sent.length = 0;
    for (let i = 0; i < 20; i++, at += size) {
      tcp.gets({ flags: ACK, seq: tcp.theirs(at), data: 'x'.repeat(size) });
      tcp.read();
      tcp.after(50);
    }
    assert.ok(tcp.sent.every((segment) => segment.window > 0));
  }
});

test('a segment for which there is no memory is dropped, and taken when it comes again', () => {
  const tcp = TcpPeer.established();
  const { heap } = tcp.stack;
  const taken: [number, number][] = [];
  for (let size = heap.budget; size >= 256; size >>= 1) {
    for (let at = heap.allocate(size); at >= 0; at = heap.allocate(size)) taken.push([at, size]);
  }
  const full = 'x'.repeat(1460);
  tcp.gets({ flags: ACK, data: full });
  assert.equal(tcp.stack.report().drops['tcp_no_buffer'], 1);
  assert.equal(tcp.sent.at(-1)!.ack, tcp.theirs(0), 'the ACK does not cover it');
  for (const [at, size] of taken) heap.free(at, size);
  tcp.gets({ flags: ACK, data: full });
  assert.equal(tcp.socket!.readable, 1460);
});

// ---- acceptable or not ----

for (const [what, segment] of [
  ['data', { flags: ACK, data: 'x' }],
  ['a FIN', { flags: ACK | FIN }],
  ['an ACK', { flags: ACK }],
  ['a SYN', { flags: SYN }],
  ['a SYN-ACK', { flags: SYN | ACK }],
] as [string, GivenSegment][]) {
  test(`${what} beyond the window gets an ACK that says where we stand`, () => {
    for (const beyond of [0, 1, 2]) {
      const tcp = TcpPeer.established({ tcp: { receiveBufferBytes: 4096 } });
      tcp.gets({ ...segment, seq: tcp.theirs(4096 + beyond) });
      tcp.sends({ flags: ACK, seq: tcp.ours(0), ack: tcp.theirs(0) });
      tcp.sendsNothing();
      assert.equal(tcp.state, 'ESTABLISHED');
      assert.equal(tcp.socket!.readable, 0);
    }
  });
}

test('in CLOSING a segment beyond the window gets an ACK, too', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.shutdown();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(0) });
  tcp.sends({ flags: ACK, ack: tcp.theirs(1) });
  assert.equal(tcp.state, 'CLOSING');
  for (const flags of [ACK, ACK | FIN]) {
    tcp.gets({ flags, seq: tcp.theirs(1 << 20), ack: tcp.ours(0) });
    tcp.sends({ flags: ACK, ack: tcp.theirs(1) });
  }
  assert.equal(tcp.state, 'CLOSING');
});

/** A connection in each of the states in which both sides know each other, and what was sent. */
const STATES: [string, () => TcpPeer][] = [
  ['ESTABLISHED', () => TcpPeer.established()],
  ['CLOSE-WAIT', () => finReceived(TcpPeer.established())],
  ['FIN-WAIT-1', () => closing(TcpPeer.established())],
  ['CLOSING', () => finReceived(closing(TcpPeer.established()))],
];

function closing(tcp: TcpPeer): TcpPeer {
  tcp.socket!.shutdown();
  tcp.pump();
  tcp.sent.length = 0;
  return tcp;
}

function finReceived(tcp: TcpPeer): TcpPeer {
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(0) });
  tcp.sent.length = 0;
  return tcp;
}

for (const [state, make] of STATES) {
  test(`${state}: a sequence or ACK number that cannot be gets an ACK and changes nothing`, () => {
    const fin = state === 'CLOSE-WAIT' || state === 'CLOSING' ? 1 : 0;
    const sent = state === 'FIN-WAIT-1' || state === 'CLOSING' ? 1 : 0;
    for (const [what, segment] of [
      ['data ahead', { seq: 1 << 20, data: 'x' }],
      ['data behind', { seq: -5, data: 'x' }],
      ['an ACK of the future', { seq: fin, ack: sent + 1 }],
      ['data with an ACK of the future', { seq: fin, ack: sent + 100, data: 'x' }],
      ['data with an ACK of the far past', { seq: fin, ack: -100_000, data: 'x' }],
      ['a FIN ahead', { seq: 1 << 20, flags: ACK | FIN }],
    ] as [string, Partial<GivenSegment>][]) {
      const tcp = make();
      assert.equal(tcp.state, state);
      const seq = tcp.theirs(segment.seq!);
      const ack = tcp.ours(segment.ack ?? 0);
      tcp.gets({ ...segment, flags: segment.flags ?? ACK, seq, ack });
      const answer = tcp.sends({ flags: ACK, ack: tcp.theirs(fin) });
      assert.equal(answer.seq, tcp.ours(sent), what);
      tcp.sendsNothing();
      assert.equal(tcp.state, state, what);
      assert.equal(tcp.socket!.readable, 0, what);
    }
  });
}

test('SYN-RECEIVED: an ACK that is off by anything is answered with RST, the right one opens', () => {
  for (const [offset, accepted] of [
    [-1, false],
    [0, true],
    [1, false],
    [2, false],
  ] as const) {
    const tcp = TcpPeer.synReceived();
    tcp.gets({ flags: ACK, ack: tcp.ours(offset) });
    if (accepted) tcp.sendsNothing();
    else tcp.sends({ flags: RST, seq: tcp.ours(offset) });
    assert.equal(tcp.state, accepted ? 'ESTABLISHED' : 'SYN-RECEIVED');
  }
});

test('PAWS: an old timestamp gets an ACK with our newest and the last echo, and is dropped', () => {
  const tcp = TcpPeer.established({ timestamps: 1000 });
  tcp.gets({ flags: ACK, data: 'first', timestamps: [2000, 0] });
  const first = tcp.sends({ flags: ACK, ack: tcp.theirs(5), tsEcr: 2000 });
  for (let i = 1; i <= 3; i++) {
    tcp.after(10);
    tcp.gets({ flags: ACK, seq: tcp.theirs(5), data: 'ghost', timestamps: [1999 - i, 0] });
    const answer = tcp.sends({ flags: ACK, ack: tcp.theirs(5), tsEcr: 2000 });
    assert.equal((answer.tsVal - first.tsVal) | 0, 10 * i, 'our clock goes on');
  }
  assert.equal(tcp.read(), 'first');
  assert.equal(tcp.stack.report().drops['tcp_old_timestamp'], 3);
  tcp.gets({ flags: ACK, seq: tcp.theirs(5), data: ' second', timestamps: [2000, 0] });
  assert.equal(tcp.read(), ' second');
});

// ---- opening ----

test('the backlog holds as many as it says; ACKs and SYNs beyond are passed over, not reset', () => {
  const tcp = TcpPeer.listening({ backlog: 2 });
  for (let port = 1; port <= 4; port++) {
    tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: port, mss: 1460 });
    tcp.sends({ flags: SYN | ACK, dstPort: port });
  }
  const { iss } = tcp.stack.tcp.connections[2]!.opening!;
  for (const c of tcp.stack.tcp.connections.slice(0, 3)) {
    tcp.gets({ flags: ACK, srcPort: c.remotePort, ack: (c.opening!.iss + 1) | 0 });
    tcp.sendsNothing();
  }
  tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: 5, mss: 1460 });
  tcp.sendsNothing();
  assert.equal(tcp.listener!.waiting, 2);
  assert.ok(tcp.listener!.accept());
  tcp.after(1010);
  const again = tcp.sent.splice(0).map((segment) => [segment.flags, segment.dstPort]);
  assert.deepEqual(
    again.filter(([flags]) => flags !== (SYN | ACK)),
    [],
  );
  assert.ok(again.some(([, port]) => port === 3));
  tcp.gets({ flags: ACK, srcPort: 3, ack: (iss + 1) | 0 });
  assert.equal(tcp.listener!.waiting, 2, 'now there is room for the third');
});

test('what was written in SYN-SENT goes once the connection opens, and is lost with a RST', () => {
  const open = TcpPeer.synSent();
  assert.equal(open.write('early'), 5);
  assert.equal(open.socket!.read(new Uint8Array(10)), 0);
  open.gets({ flags: SYN | ACK, seq: PEER_ISN, mss: 1460, data: '' });
  open.sends({ flags: ACK | PSH, data: 'early', ack: open.theirs(0) });
  open.gets({ flags: ACK, ack: open.ours(5), data: 'answer' });
  assert.equal(open.read(), 'answer');

  const refused = TcpPeer.synSent();
  refused.write('early');
  refused.gets({ flags: RST | ACK, seq: 0, ack: refused.ours(0) });
  assert.equal(refused.socket!.error, 'ECONNREFUSED');
  assert.throws(() => refused.write('more'), { code: 'EPIPE' });
});

test('unreachable in each of its codes fails an attempt at once, under its name', () => {
  const names = [
    ...['ENETUNREACH', 'EHOSTUNREACH', 'EPROTO', 'ECONNREFUSED', '', 'ENETUNREACH'],
    ...['ENETUNREACH', 'EHOSTUNREACH', 'EHOSTUNREACH', 'EACCES', 'EACCES', 'ENETUNREACH'],
    ...['EHOSTUNREACH', 'EACCES', 'EACCES', 'EACCES'],
  ];
  for (const [code, name] of names.entries()) {
    const tcp = TcpPeer.synSent();
    tcp.getsIcmp(3, code, tcp.iss, 1400);
    assert.equal(tcp.socket!.error, name, `code ${code}`);
    assert.equal(tcp.socket!.takeEvents() & CLOSED, name === '' ? 0 : CLOSED);
    assert.equal(tcp.stack.counts().connections, name === '' ? 1 : 0);
  }
});

test('unreachable about an established connection is why its user timeout says it ended', () => {
  for (const [code, name] of [
    [0, 'ENETUNREACH'],
    [1, 'EHOSTUNREACH'],
    [9, 'EACCES'],
  ] as const) {
    const tcp = TcpPeer.established();
    tcp.socket!.setUserTimeout(50);
    tcp.write('x');
    tcp.getsIcmp(3, code);
    assert.equal(tcp.socket!.error, '');
    tcp.after(100);
    assert.equal(tcp.socket!.error, name);
  }
});

test('an ICMP error during connect leaves nothing behind: the port serves the next attempt', () => {
  const tcp = TcpPeer.synSent({ tcp: { firstEphemeralPort: 5000, lastEphemeralPort: 5000 } });
  tcp.getsIcmp(3, 1, tcp.iss);
  assert.equal(tcp.socket!.error, 'EHOSTUNREACH');
  assert.equal(tcp.stack.counts().timers, 0);
  const { stack } = tcp;
  assert.equal(stack.tcp.connect({ address: tcp.peerAddress, port: 1 }).localPort, 5000);
});

// ---- ending ----

test('FIN-WAIT-2 of a closed socket expires, and what comes later is answered with RST', () => {
  const tcp = TcpPeer.established({ tcp: { finWait2Ms: 3000 } });
  tcp.socket!.close();
  tcp.pump();
  tcp.sends({ flags: ACK | FIN });
  tcp.gets({ flags: ACK, ack: tcp.ours(1) });
  assert.equal(tcp.state, 'FIN-WAIT-2');
  tcp.leap(2900);
  assert.equal(tcp.stack.counts().connections, 1);
  tcp.leap(200);
  assert.equal(tcp.stack.counts().connections, 0);
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(1) });
  tcp.sends({ flags: RST, seq: tcp.ours(1) });
});

for (const state of ['FIN-WAIT-1', 'CLOSING'] as const) {
  test(`${state}: the FIN is sent again until it is acknowledged`, () => {
    const tcp = closing(TcpPeer.established());
    if (state === 'CLOSING') finReceived(tcp);
    assert.equal(tcp.state, state);
    const times = tcp.sendTimes(1600);
    assert.ok(times.length >= 2, `sent at ${times}`);
    for (const segment of tcp.sent.splice(0)) {
      assert.deepEqual([segment.flags, segment.seq], [ACK | FIN, tcp.ours(0)]);
    }
    const seq = state === 'CLOSING' ? tcp.theirs(1) : tcp.theirs(0);
    tcp.gets({ flags: ACK, ack: tcp.ours(1), seq });
    assert.equal(tcp.state, state === 'CLOSING' ? 'TIME-WAIT' : 'FIN-WAIT-2');
    tcp.after(3000);
    tcp.sendsNothing();
  });
}

function timeWait(ignoreTimeWaitRst: boolean): TcpPeer {
  const tcp = closing(TcpPeer.established({ tcp: { ignoreTimeWaitRst } }));
  tcp.gets({ flags: ACK | FIN, ack: tcp.ours(1) });
  tcp.sends({ flags: ACK, ack: tcp.theirs(1) });
  assert.equal(tcp.state, 'TIME-WAIT');
  return tcp;
}

test('RST ends TIME-WAIT, unless the option of RFC 1337 says otherwise', () => {
  const ends = timeWait(false);
  ends.gets({ flags: RST, seq: ends.theirs(1) });
  assert.equal(ends.stack.counts().connections, 0);
  assert.equal(ends.socket!.error, '');
  const stays = timeWait(true);
  stays.gets({ flags: RST, seq: stays.theirs(1) });
  assert.equal(stays.state, 'TIME-WAIT');
  stays.sendsNothing();
});

test('a RST that carries data resets all the same', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: RST | ACK, data: 'because' });
  assert.equal(tcp.socket!.error, 'ECONNRESET');
});

test('data acknowledged in time keeps the user timeout away, late it is of no use', () => {
  for (const [at, error] of [
    [1500, ''],
    [3500, 'ETIMEDOUT'],
  ] as const) {
    const tcp = TcpPeer.established();
    tcp.socket!.setUserTimeout(2000);
    tcp.write('x');
    tcp.leap(at);
    tcp.sent.length = 0;
    tcp.gets({ flags: ACK, ack: tcp.ours(1) });
    if (error !== '') tcp.sends({ flags: RST, seq: tcp.ours(1) });
    tcp.leap(5000);
    assert.equal(tcp.socket!.error, error);
  }
});

test('a retransmission has an IPv4 identification of its own', () => {
  for (const length of [1, 512]) {
    const tcp = TcpPeer.established();
    tcp.write('x'.repeat(length));
    const ids = [tcp.sends({ seq: tcp.ours(0) }).ipId];
    for (let i = 0; i < 3; i++) {
      tcp.after(1 << (8 + i));
      for (const segment of tcp.sent.splice(0)) ids.push(segment.ipId);
    }
    assert.ok(ids.length >= 3);
    assert.equal(new Set(ids).size, ids.length);
  }
});

test('the RTO doubles from one retransmission to the next', () => {
  const tcp = TcpPeer.established({ rttMs: 50 });
  const { rtoMs } = tcp.socket!.connection!;
  tcp.write('x');
  tcp.sent.length = 0;
  const times = tcp.sendTimes(rtoMs * 16);
  const gaps = times.map((time, i) => time - (times[i - 1] ?? 0));
  assert.deepEqual(
    gaps.map((gap) => Math.round(gap / rtoMs)),
    [1, 2, 4, 8],
  );
});

test('closing a listener resets the connections that nobody accepted', () => {
  const tcp = TcpPeer.established();
  tcp.listener!.close();
  const waiting = TcpPeer.listening();
  waiting.gets({ flags: SYN, seq: PEER_ISN, mss: 1460 });
  waiting.sends({ flags: SYN | ACK });
  waiting.gets({ flags: ACK });
  waiting.listener!.close();
  waiting.pump();
  waiting.sends({ flags: RST | ACK, srcPort: STACK_PORT });
  assert.equal(waiting.stack.counts().connections, 0);
  assert.equal(tcp.state, 'ESTABLISHED', 'an accepted one goes on');
});

test('info() tells a calm connection from one that lost everything', () => {
  const tcp = TcpPeer.established({ mss: 1000, sack: true, rttMs: 40 });
  const calm = tcp.socket!.info()!;
  assert.ok(calm.rttVarUs > 0 && calm.rtoMs > 0 && calm.cwndBytes > 0);
  assert.equal(calm.congestionState, 'open');
  tcp.write('x'.repeat(5000));
  tcp.after(1000);
  const lost = tcp.socket!.info()!;
  assert.equal(lost.congestionState, 'loss');
  assert.equal(lost.cwndBytes, lost.sendMss, 'one segment');
});
