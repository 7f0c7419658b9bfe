import assert from 'node:assert/strict';
import test from 'node:test';
import { ACCEPTABLE } from '../base/events.ts';
import { PEER_ISN, TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, CWR, ECE, FIN, RST, SYN } from '../wire/tcp.ts';
import { linuxCounters } from './stats-linux.ts';

type Options = NonNullable<Parameters<typeof TcpPeer.listening>[0]>;

/** A listener that answers every SYN with a cookie. */
function always(options: Options = {}): TcpPeer {
  return TcpPeer.listening({ ...options, tcp: { synCookies: 'always', ...options.tcp } });
}

/** The peer's ACK of the cookie; what the connection then knows. */
function acknowledge(tcp: TcpPeer, data = ''): void {
  tcp.gets({ flags: ACK, seq: tcp.theirs(0), ack: tcp.ours(0), data });
}

for (const version of [4, 6] as const) {
  test(`a SYN cookie makes a connection only when its ACK comes (IPv${version})`, () => {
    const tcp = always({ version });
    tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400 });
    tcp.sends({ flags: SYN | ACK, ack: PEER_ISN + 1, mss: version === 4 ? 1460 : 1440 });
    assert.deepEqual([tcp.stack.tcp.connections.length, tcp.stack.counts().timers], [0, 0]);
    acknowledge(tcp);
    tcp.sendsNothing();
    assert.equal(tcp.state, 'ESTABLISHED');
    assert.equal(tcp.stack.nextEvent(), tcp.listener);
    assert.equal(tcp.listener!.takeEvents(), ACCEPTABLE);
    tcp.socket = tcp.listener!.accept();
    assert.equal(tcp.listener!.halfOpen, 0);
    tcp.gets({ flags: ACK, data: 'hello' });
    tcp.sends({ flags: ACK, ack: tcp.theirs(5) });
    assert.equal(tcp.read(), 'hello');
    tcp.write('world');
    tcp.sends({ seq: tcp.ours(0), data: 'world' });
    const { tcp: stats } = tcp.stack.report();
    assert.equal(stats['tcp_syn_cookies_sent'], 1);
    assert.equal(stats['tcp_syn_cookies_received'], 1);
    assert.equal(stats['tcp_passive_opens'], 1);
  });
}

test('the options of the SYN come back in the timestamp', () => {
  for (let windowScale = 0; windowScale <= 14; windowScale++) {
    for (const sack of [false, true]) {
      const tcp = always();
      tcp.tsVal = 7000;
      tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400, windowScale, sackPermitted: sack });
      const synAck = tcp.sends({ flags: SYN | ACK, tsEcr: 7000, sackPermitted: sack });
      assert.ok(synAck.windowScale >= 0);
      acknowledge(tcp);
      const c = tcp.stack.tcp.connections[0]!;
      assert.deepEqual(
        [c.sndWndScale, c.sackOk, c.tsOk, c.mss],
        [windowScale, sack ? 1 : 0, 1, 1388],
      );
    }
  }
});

test('ECN is agreed on by a cookie where a timestamp can remember it', () => {
  for (const [tsVal, ecn] of [
    [7000, 'on'],
    [Number.NaN, 'on'],
    [7000, 'off'],
  ] as const) {
    const tcp = always({ tcp: { ecn } });
    tcp.tsVal = tsVal;
    tcp.gets({ flags: SYN | ECE | CWR, seq: PEER_ISN, mss: 1400 });
    const agreed = ecn === 'on' && !Number.isNaN(tsVal);
    tcp.sends({ flags: agreed ? SYN | ACK | ECE : SYN | ACK });
    acknowledge(tcp);
    assert.equal(tcp.state, 'ESTABLISHED');
    assert.equal(tcp.stack.tcp.connections[0]!.ecn !== null, agreed);
  }
});

test('a timestamp with a cookie is not ahead of those that follow', () => {
  for (let ms = 0; ms < 130; ms++) {
    const tcp = always();
    tcp.tsVal = 1;
    tcp.after(ms);
    tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400, windowScale: 14, sackPermitted: true });
    const { tsVal } = tcp.sends({ flags: SYN | ACK });
    acknowledge(tcp, 'x');
    const next = tcp.sends({ flags: ACK });
    const ahead = (next.tsVal - tsVal) | 0;
    assert.ok(ahead >= 0 && ahead < 128, `${ahead}`);
  }
});

test('without timestamps only the MSS is offered and kept', () => {
  for (const [mss, kept] of [
    [1460, 1460],
    [1459, 1440],
    [1220, 1220],
    [700, 536],
    [300, 216],
    [0, 536],
    [9000, 1460],
  ] as const) {
    const tcp = always();
    tcp.gets({ flags: SYN, seq: PEER_ISN, mss, windowScale: 7, sackPermitted: true });
    tcp.sends({ flags: SYN | ACK, windowScale: -1, sackPermitted: false });
    acknowledge(tcp);
    const c = tcp.stack.tcp.connections[0]!;
    assert.deepEqual([c.sndWndScale, c.rcvWndScale, c.sackOk, c.mss], [0, 0, 0, kept]);
  }
});

test('data and FIN may come with the ACK of a cookie', () => {
  const tcp = always();
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400, data: 'not yet' });
  tcp.sends({ flags: SYN | ACK, ack: PEER_ISN + 1 });
  tcp.gets({ flags: ACK | FIN, data: 'all at once' });
  tcp.sends({ flags: ACK, ack: tcp.theirs(12) });
  tcp.socket = tcp.listener!.accept();
  assert.equal(tcp.state, 'CLOSE-WAIT');
  assert.equal(tcp.read(), 'all at once');
});

test('cookies begin where the half-open connections are at their bound', () => {
  const tcp = TcpPeer.listening({ tcp: { maxHalfOpen: 3 } });
  for (let port = 1; port <= 5; port++) {
    tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: port, mss: 1460 });
    tcp.sends({ flags: SYN | ACK, dstPort: port });
  }
  assert.equal(tcp.stack.counts().halfOpen, 3);
  tcp.gets({ flags: ACK, srcPort: 5 });
  assert.equal(tcp.listener!.waiting, 1);
  const report = tcp.stack.report();
  assert.equal(report.tcp['tcp_syn_cookies_sent'], 2);
  assert.equal(report.tcp['tcp_syn_queue_full_cookies'], 2);
  assert.equal(report.drops['tcp_syn_queue_full'], undefined);
});

test('a wrong cookie is counted and answered with RST', () => {
  const tcp = always();
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400 });
  tcp.sends({ flags: SYN | ACK });
  const wrong = [
    { flags: ACK, ack: tcp.ours(16) },
    { flags: ACK, ack: tcp.ours(0) ^ 0x40000000 },
    { flags: ACK, seq: tcp.theirs(1) },
    { flags: ACK, srcPort: 40001 },
    { flags: SYN | ACK },
  ];
  for (const segment of wrong) {
    tcp.gets(segment);
    tcp.sends({ flags: RST, seq: segment.ack ?? tcp.ours(0) });
  }
  assert.equal(tcp.stack.report().tcp['tcp_syn_cookies_failed'], 4);
  const { TcpExt } = linuxCounters(tcp.stack.tcp);
  assert.deepEqual([TcpExt['SyncookiesSent'], TcpExt['SyncookiesFailed']], [1, 4]);
  assert.equal(tcp.stack.tcp.connections.length, 0);
  acknowledge(tcp);
  assert.equal(tcp.state, 'ESTABLISHED', 'the right one is still good');
});

test('no guess near a cookie is one: only the key and the MSS bits may differ', () => {
  const tcp = always({ tcp: { resetsPerSecond: 1_000_000 } });
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400 });
  tcp.sends({ flags: SYN | ACK });
  for (let bit = 3; bit < 32; bit++) {
    tcp.gets({ flags: ACK, ack: tcp.ours(0) ^ (1 << bit) });
    tcp.sends({ flags: RST });
  }
  assert.equal(tcp.stack.tcp.connections.length, 0);
});

test('a cookie is good for at least one rotation of the key and at most two', () => {
  for (const [before, wait, isGood] of [
    [0, 59_000, true],
    [30_000, 59_000, true],
    [59_000, 59_000, true],
    [0, 121_000, false],
    [59_000, 62_000, false],
    [0, 300_000, false],
  ] as const) {
    const tcp = always();
    const asks = (): void => {
      tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: 9, mss: 1400 });
      tcp.sends({ flags: SYN | ACK });
    };
    asks();
    tcp.leap(before);
    tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400 });
    tcp.sends({ flags: SYN | ACK });
    const { iss } = tcp;
    for (let ms = 0; ms < wait; ms += 1000) {
      tcp.leap(1000);
      asks();
    }
    tcp.gets({ flags: ACK, ack: (iss + 1) | 0 });
    assert.equal(tcp.listener!.waiting, isGood ? 1 : 0, `${before} + ${wait} ms`);
  }
});

test('a SYN that is sent again gets the same number as long as the key lasts', () => {
  const tcp = always();
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400 });
  const { seq } = tcp.sends({ flags: SYN | ACK });
  tcp.after(3000);
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400 });
  tcp.sends({ flags: SYN | ACK, seq });
});

test('a full accept queue drops cookies and never resets them', () => {
  const tcp = always({ backlog: 1 });
  for (const srcPort of [1, 2]) {
    tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort, mss: 1400 });
  }
  const [first, second] = [tcp.sends({ flags: SYN | ACK }), tcp.sends({ flags: SYN | ACK })];
  tcp.gets({ flags: ACK, srcPort: 1, ack: first.seq + 1 });
  tcp.gets({ flags: ACK, srcPort: 2, ack: second.seq + 1 });
  tcp.gets({ flags: ACK, srcPort: 2, ack: second.seq + 1, data: 'please' });
  tcp.gets({ flags: SYN, srcPort: 3, seq: PEER_ISN, mss: 1400 });
  tcp.sendsNothing();
  assert.equal(tcp.stack.counts().connections, 1);
  const { tcp: stats } = tcp.stack.report();
  assert.equal(stats['tcp_listen_overflows'], 3);
  assert.equal(stats['tcp_listen_drops'], 3);
  assert.ok(tcp.listener!.accept());
  tcp.gets({ flags: ACK, srcPort: 2, ack: second.seq + 1, data: 'please' });
  tcp.sends({ flags: ACK, dstPort: 2, ack: tcp.theirs(6) });
  assert.equal(tcp.listener!.waiting, 1);
});

test('an ACK is looked at for a cookie only while one may be out', () => {
  const tcp = TcpPeer.listening();
  tcp.gets({ flags: ACK, ack: 1 });
  tcp.sends({ flags: RST });
  assert.equal(tcp.stack.report().tcp['tcp_syn_cookies_failed'], undefined);
});

test('a connection out of a cookie retransmits, and measures its first round trip', () => {
  const tcp = always();
  tcp.gets({ flags: SYN, seq: PEER_ISN, mss: 1400 });
  tcp.sends({ flags: SYN | ACK });
  tcp.after(3000);
  acknowledge(tcp);
  tcp.socket = tcp.listener!.accept();
  const c = tcp.stack.tcp.connections[0]!;
  assert.deepEqual([c.srtt, c.rtoMs, c.backoff], [0, 1000, 0]);
  assert.equal((c.sndSml - c.sndUna) | 0, -1, 'nothing small is in flight, for Nagle');
  tcp.write('ask');
  tcp.sends({ data: 'ask' });
  assert.deepEqual(tcp.sendTimes(1500), [1000]);
  tcp.sends({ data: 'ask' });
  tcp.gets({ flags: ACK, ack: tcp.ours(3) });
  tcp.write('more');
  tcp.sends({ data: 'more' });
  tcp.after(20);
  tcp.gets({ flags: ACK, ack: tcp.ours(7) });
  assert.ok(c.srtt > 0);
});

test('a cookie leaves no path and no neighbor behind, whoever the SYN says it is from', () => {
  const tcp = always();
  const { net } = tcp.stack;
  const before = [net.paths.size, net.neighbors.size];
  for (let i = 0; i < 200; i++) {
    tcp.gets({ flags: SYN, seq: i, srcPort: 1 + i, mss: 1460 });
    tcp.sends({ flags: SYN | ACK, dstPort: 1 + i });
  }
  assert.deepEqual([net.paths.size, net.neighbors.size], before);
  assert.equal(tcp.stack.counts().connections, 0);
});

test('never: half-open connections beyond their bound are dropped, and give up sooner', () => {
  const tcp = TcpPeer.listening({ tcp: { maxHalfOpen: 4, synCookies: 'never' } });
  for (let port = 1; port <= 6; port++) tcp.gets({ flags: SYN, seq: 1, srcPort: port, mss: 1460 });
  assert.equal(tcp.sent.length, 4);
  assert.equal(tcp.stack.report().tcp['tcp_listen_drops'], 2);
  tcp.leap(8000);
  assert.equal(tcp.stack.counts().halfOpen, 2, 'half of the bound is no crowd');
  tcp.leap(130_000);
  assert.equal(tcp.stack.counts().halfOpen, 0);
});
