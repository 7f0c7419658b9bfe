import assert from 'node:assert/strict';
import test from 'node:test';
import { Address } from '../base/address.ts';
import { type Network, simulate } from '../testing/network.ts';
import { serve, type Transfer, transfer } from '../testing/programs.ts';
import { PEER_ISN, TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, AE, CWR, ECE, SYN } from '../wire/tcp.ts';
import { CE, ECT0, ECT1, NOT_ECT } from './ecn.ts';
import { ECN_MODES, type EcnMode } from './ecn-handshake.ts';

const MSS = 1000;
const ALL = AE | CWR | ECE;

/** A stack in `mode` that got a SYN with `flags` in a packet with `field`, and what it answers. */
function asked(mode: EcnMode, flags: number, field = NOT_ECT): { peer: TcpPeer; answer: number } {
  const peer = TcpPeer.listening({ tcp: { ecn: mode } });
  peer.gets({ flags: SYN | flags, seq: PEER_ISN, mss: MSS, ecn: field });
  return { peer, answer: peer.sends({ ecn: NOT_ECT }).flags & ALL };
}

/** An accepted connection; the ACK of the handshake has `flags`. */
function opened(mode: EcnMode, synFlags: number, ackFlags = 0): TcpPeer {
  const { peer } = asked(mode, synFlags);
  peer.gets({ flags: ACK | ackFlags });
  peer.socket = peer.listener!.accept();
  return peer;
}

const classic = (): TcpPeer => opened('passive', CWR | ECE);
/** Its ACK says that our SYN-ACK came without a mark. */
const accurate = (): TcpPeer => opened('accurate', ALL, CWR);

/** The AccECN option, order 0, with these counters. */
function counters(ect0: number, ce: number, ect1: number): number[] {
  const bytes = [ect0, ce, ect1].flatMap((n) => [(n >> 16) & 255, (n >> 8) & 255, n & 255]);
  return [172, 11, ...bytes];
}

test('a SYN that asks is answered as the mode says', () => {
  const answers: [EcnMode, number, number][] = [
    ['off', CWR | ECE, 0],
    ['off', ALL, 0],
    ['passive', CWR | ECE, ECE],
    ['passive', ALL, ECE],
    ['passive', ECE, 0],
    ['on', CWR | ECE, ECE],
    ['accurate', CWR | ECE, ECE],
    ['accurate', ALL, CWR],
    ['accurate', AE, CWR],
  ];
  for (const [mode, flags, answer] of answers)
    assert.equal(asked(mode, flags).answer, answer, mode);
  for (const mode of ECN_MODES) assert.equal(asked(mode, 0).answer, 0);
});

test('an accurate SYN-ACK tells which field the SYN came with (RFC 9768 table 2)', () => {
  const codes = [NOT_ECT, ECT1, ECT0, CE].map((field) => asked('accurate', ALL, field).answer);
  assert.deepEqual(codes, [CWR, CWR | ECE, AE, AE | CWR]);
});

test('our SYN asks as the mode says; one that was lost goes again without', () => {
  const flags = ECN_MODES.map((mode) => TcpPeer.synSent({ tcp: { ecn: mode } }).synSegment.flags);
  assert.deepEqual(flags, [SYN, SYN, SYN | CWR | ECE, SYN | ALL]);
  const peer = TcpPeer.synSent({ tcp: { ecn: 'on' } });
  peer.after(1100);
  peer.sends({ flags: SYN });
});

test('what the SYN-ACK says decides: classic, accurate, or nothing', () => {
  const modes: [EcnMode, number, number | null][] = [
    ['on', ECE, 1],
    ['on', 0, null],
    ['on', CWR | ECE, null],
    ['accurate', ECE, 1],
    ['accurate', AE | ECE, 1],
    ['accurate', CWR, 2],
    ['accurate', 0, null],
    ['accurate', ALL, null],
  ];
  for (const [mode, flags, agreed] of modes) {
    const peer = TcpPeer.synSent({ tcp: { ecn: mode } });
    peer.gets({ flags: SYN | ACK | flags, seq: PEER_ISN, ack: peer.ours(0), mss: MSS });
    const { ecn } = peer.socket!.connection!;
    assert.equal(ecn === null ? null : ecn.mode, agreed, `${mode} ${flags}`);
  }
});

test('no SYN, first or again, and no SYN-ACK is marked as able to (RFC 3168 6.1.1)', () => {
  for (const ecn of ['on', 'accurate'] as const) {
    const client = TcpPeer.synSent({ tcp: { ecn } });
    assert.equal(client.synSegment.ecn, NOT_ECT);
    client.after(8000);
    const again = client.sent.splice(0);
    assert.ok(again.length >= 2 && again.every((syn) => syn.ecn === NOT_ECT));
    const { peer } = asked(ecn, ALL);
    peer.after(8000);
    assert.ok(peer.sent.length >= 2 && peer.sent.every((synAck) => synAck.ecn === NOT_ECT));
  }
});

test('what was marked of ours is told, and whether the peer can be marked', () => {
  const peer = classic();
  const info = (): { ecn: boolean; ecnSeen: boolean; deliveredCe: number } => {
    const { ecn, ecnSeen, deliveredCe } = peer.socket!.info()!;
    return { ecn, ecnSeen, deliveredCe };
  };
  assert.deepEqual(info(), { ecn: true, ecnSeen: false, deliveredCe: 0 });
  peer.write('x'.repeat(5 * MSS));
  peer.gets({ flags: ACK, ack: peer.ours(MSS), data: 'a', ecn: ECT0 });
  assert.deepEqual(info(), { ecn: true, ecnSeen: true, deliveredCe: 0 });
  peer.gets({ flags: ACK | ECE, seq: peer.theirs(1), ack: peer.ours(4 * MSS) });
  assert.deepEqual(info(), { ecn: true, ecnSeen: true, deliveredCe: 3 });
  const exact = accurate();
  exact.write('x'.repeat(5 * MSS));
  exact.gets({ flags: ACK | ALL, ack: exact.ours(4 * MSS) });
  assert.equal(exact.socket!.info()!.deliveredCe, 2, 'the counter went from 5 to 7');
  assert.equal(exact.stack.report().tcp['tcp_delivered_ce'], 2);
});

test('new data is marked as able to, bare ACKs and retransmissions are not', () => {
  const peer = classic();
  peer.write('x'.repeat(MSS));
  peer.sends({ ecn: ECT0, seq: peer.ours(0) });
  peer.after(1500);
  peer.sends({ ecn: NOT_ECT, seq: peer.ours(0) });
  peer.sent.length = 0;
  peer.gets({ flags: ACK, ack: peer.ours(MSS), data: 'a' });
  peer.sends({ ecn: NOT_ECT, data: '' });
});

test('without agreement nothing is marked, and marks that come all the same say nothing', () => {
  const peer = opened('passive', 0);
  peer.write('x'.repeat(MSS));
  peer.sends({ ecn: NOT_ECT });
  peer.gets({ flags: ACK | ECE, ack: peer.ours(MSS), data: 'a', ecn: CE });
  assert.equal(peer.sends({}).flags & ALL, 0);
  assert.equal(peer.socket!.connection!.cwnd, 10 * MSS);
});

test('classic: ACKs carry ECE from a mark until the peer says CWR', () => {
  const peer = classic();
  const flags: number[] = [];
  for (const [i, given] of [0, CE, 0, 0, 0].entries()) {
    const reduced = i === 3 ? CWR : 0;
    peer.gets({ flags: ACK | reduced, seq: peer.theirs(i), data: 'a', ecn: given });
    flags.push(peer.sends({ ack: peer.theirs(i + 1) }).flags & ALL);
  }
  assert.deepEqual(flags, [0, ECE, ECE, 0, 0]);
});

test('classic: ECE shrinks the window once per round trip, by a sixth, and CWR goes out once', () => {
  const peer = classic();
  const c = peer.socket!.connection!;
  peer.write('x'.repeat(20 * MSS));
  const before = c.cwnd;
  peer.gets({ flags: ACK | ECE, ack: peer.ours(MSS) });
  assert.ok(c.cwnd >= 0.85 * before && c.cwnd <= 0.85 * before + MSS, `${before} to ${c.cwnd}`);
  const after = c.ssthresh;
  peer.gets({ flags: ACK | ECE, ack: peer.ours(3 * MSS) });
  peer.gets({ flags: ACK | ECE, ack: peer.ours(5 * MSS) });
  assert.equal(c.ssthresh, after);
  const told = peer.sent.filter(({ flags }) => flags & CWR);
  assert.deepEqual([told.length, told[0]!.ecn], [1, ECT0]);
  peer.gets({ flags: ACK | ECE, ack: peer.ours(12 * MSS) });
  assert.ok(c.ssthresh < after, 'a round trip later it is a new mark');
});

test('classic: a window that losses have reduced is told of, too', () => {
  const peer = classic();
  peer.write('x'.repeat(10 * MSS));
  peer.sent.length = 0;
  for (let i = 0; i < 3; i++) peer.gets({ flags: ACK });
  assert.equal(peer.sent[0]!.flags & CWR, 0, 'the repair does not');
  peer.gets({ flags: ACK, ack: peer.ours(10 * MSS) });
  peer.sent.length = 0;
  peer.write('x'.repeat(MSS));
  assert.equal(peer.sends({ ecn: ECT0 }).flags & CWR, CWR);
});

test('accurate: the ACE field counts marked packets, an option the bytes of each kind', () => {
  const peer = accurate();
  const fields = [ECT0, CE, CE, ECT1, CE];
  const aces: number[] = [];
  for (const [i, ecn] of fields.entries()) {
    const option = i === 0 ? counters(1, 0, 1) : [];
    const seq = peer.theirs(i * 10);
    peer.gets({ flags: ACK | AE | ECE, seq, data: 'x'.repeat(10), ecn, options: option });
    aces.push(peer.sends({}).flags & ALL);
  }
  assert.deepEqual(aces, [AE | ECE, AE | CWR, ALL, ALL, 0]);
  const { ect0Bytes, ect1Bytes, ceBytes } = peer.socket!.connection!.ecn!;
  assert.deepEqual([ect0Bytes, ceBytes, ect1Bytes], [11, 30, 11]);
});

test('accurate: what the peer counts shrinks the window once per round trip', () => {
  const peer = accurate();
  const c = peer.socket!.connection!;
  const tcp = peer.stack.tcp;
  const before = (): number => peer.stack.report().tcp.tcp_delivered_ce ?? 0;
  peer.write('x'.repeat(20 * MSS));
  peer.gets({ flags: ACK | AE | ECE, ack: peer.ours(MSS) });
  assert.deepEqual([before(), c.cwnd], [0, 11 * MSS]);
  peer.gets({ flags: ACK | ALL, ack: peer.ours(3 * MSS) });
  assert.equal(before(), 2);
  const reduced = c.ssthresh;
  assert.ok(reduced < 11 * MSS);
  // The counter goes round: 7, 0.
  peer.gets({ flags: ACK, ack: peer.ours(5 * MSS) });
  assert.deepEqual([before(), c.ssthresh], [3, reduced]);
  // An old ACK's counter is not a new one.
  peer.gets({ flags: ACK | AE | ECE, ack: peer.ours(3 * MSS) });
  assert.equal(before(), 3);
  assert.equal(tcp.connections[0]!.ecn!.peerPackets, 8);
});

test('accurate: where many are acknowledged at once, the bytes tell how often the counter went round', () => {
  const peer = accurate();
  const ce = (): number => peer.stack.report().tcp.tcp_delivered_ce ?? 0;
  peer.write('x'.repeat(10 * MSS));
  const nine = AE | CWR;
  const options = counters(1, 9 * MSS, 1);
  peer.gets({ flags: ACK | nine, ack: peer.ours(10 * MSS), options });
  assert.equal(ce(), 9);
});

test('accurate: a path that clears or changes the bits gets no marks of ours', () => {
  for (const flags of [0, CWR | ECE, AE, AE | CWR]) {
    const peer = opened('accurate', ALL, flags);
    peer.write('x'.repeat(MSS));
    peer.sends({ ecn: NOT_ECT });
  }
});

test('accurate: our first ACK tells which field the SYN-ACK came with', () => {
  const codes = [NOT_ECT, ECT1, ECT0, CE].map((ecn) => {
    const peer = TcpPeer.synSent({ tcp: { ecn: 'accurate' } });
    peer.gets({ flags: SYN | ACK | CWR, seq: PEER_ISN, ack: peer.ours(0), mss: MSS, ecn });
    return peer.sends({}).flags & ALL;
  });
  assert.deepEqual(codes, [CWR, CWR | ECE, AE, AE | CWR]);
});

interface Bottleneck {
  readonly network: Network;
  readonly received: () => number;
  readonly lost: () => number;
  readonly marked: () => number;
  readonly srttMs: () => number;
}

/** A transfer from a client in mode `ecn` to a server in mode `serverEcn`, for 3 seconds. */
function overMarks(
  ecn: EcnMode,
  serverEcn: EcnMode,
  congestion: string,
  body: (seen: Bottleneck) => void,
): void {
  simulate({ seed: 9, arenaBytes: 64 << 20 }, (network) => {
    const a = network.addHost('a', { tcp: { ecn } });
    const b = network.addHost('b', { tcp: { ecn: serverEcn } });
    const there = { delay: 10_000, bitsPerSecond: 20e6, queueBytes: 200_000, markBytes: 15_000 };
    const wire = network.join(a, '10.0.0.1/24 fd00::1/64', b, '10.0.0.2/24 fd00::2/64', {
      there,
      back: { delay: 10_000 },
    });
    const servers: Transfer[] = [];
    serve(b, 7, (socket) => servers.push(transfer(socket, new Uint8Array(0))));
    const address = Address.parse(ecn === 'on' ? '10.0.0.2' : 'fd00::2');
    const socket = a.stack.tcp.connect({ address, port: 7, congestion });
    transfer(socket, new Uint8Array(16 << 20));
    network.runFor(3e6);
    body({
      network,
      received: () => servers[0]!.received.length,
      lost: () => wire.faults.sent.overflowed,
      marked: () => wire.faults.sent.marked,
      srttMs: () => (socket.connection!.srtt >> 3) / 1000,
    });
  });
}

for (const congestion of ['cubic', 'newreno', 'bbr']) {
  for (const mode of ['on', 'accurate'] as const) {
    test(`${congestion}, ecn ${mode}: over a bottleneck that marks nothing is lost and the queue stays short`, () => {
      const serverMode = mode === 'on' ? 'passive' : 'accurate';
      overMarks(mode, serverMode, congestion, ({ received, lost, marked, srttMs }) => {
        assert.equal(lost(), 0);
        assert.ok(marked() > 0);
        assert.ok(received() > 0.75 * 3 * 2.5e6, `${received()} bytes`);
        // The path has 20 ms; 15,000 bytes wait 6 ms.
        assert.ok(srttMs() < 35, `${srttMs()} ms`);
      });
    });
  }
}

test('a client with accurate feedback and a server without it agree on the classic one', () => {
  overMarks('accurate', 'passive', 'cubic', ({ lost, marked, network }) => {
    assert.equal(lost(), 0);
    assert.ok(marked() > 0);
    assert.ok((network.hosts[0]!.stack.report().tcp.tcp_ecn_reductions ?? 0) > 0);
  });
});
