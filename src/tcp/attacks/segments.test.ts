import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Random } from '../../testing/random.ts';
import { PEER_ISN, TcpPeer } from '../../testing/tcp-peer.ts';
import { ACK, FIN, PSH, RST, SYN, URG } from '../../wire/tcp.ts';

test('row 2: options of length 0 or 1, or longer than the header, are dropped, never looped over', () => {
  for (const options of [
    [2, 0, 5, 180],
    [8, 1, 0, 0],
    [1, 1, 3, 20],
    [99, 0, 0, 0],
    [1, 1, 1, 2],
  ]) {
    const tcp = TcpPeer.listening();
    tcp.gets({ flags: SYN, seq: PEER_ISN, options });
    tcp.sendsNothing();
    assert.equal(tcp.stack.report().drops['tcp_malformed'], 1);
  }
  fc.assert(
    fc.property(fc.array(fc.nat(255), { maxLength: 40 }), (options) => {
      const tcp = TcpPeer.listening();
      tcp.gets({ flags: SYN, seq: PEER_ISN, options });
      assert.ok(tcp.sent.length <= 1);
    }),
    { numRuns: 50 },
  );
});

test('row 6: segments of one byte with holes between them cost no more than their bound', () => {
  const tcp = TcpPeer.established({ sack: true, tcp: { maxOutOfOrderRanges: 64 } });
  for (let i = 1; i <= 3000; i++) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(2 * i), data: 'x' });
    tcp.sent.length = 0;
  }
  const c = tcp.stack.tcp.connections[0]!;
  assert.equal(c.outOfOrder!.count, 64);
  assert.equal(tcp.stack.report().drops['tcp_too_many_holes'], 3000 - 64);
  assert.ok(tcp.stack.heap.live <= tcp.stack.tcp.options.receiveBufferBytes);
  // The stream goes on, and the ranges that were kept collapse into it.
  tcp.gets({ flags: ACK, seq: tcp.theirs(0), data: '01' });
  assert.equal(tcp.read(), '01x');
});

test('row 6: what overlaps and touches collapses into one range, and is stored once', () => {
  const tcp = TcpPeer.established({ sack: true });
  const random = new Random(11);
  for (let i = 0; i < 2000; i++) {
    const at = 1 + ((random.next() >>> 0) % 4000);
    tcp.gets({
      flags: ACK,
      seq: tcp.theirs(at),
      data: 'y'.repeat(1 + ((random.next() >>> 0) % 40)),
    });
    tcp.sent.length = 0;
  }
  assert.ok(tcp.stack.tcp.connections[0]!.outOfOrder!.count <= 32);
  assert.ok(tcp.stack.heap.live <= 8192, `${tcp.stack.heap.live} bytes for 4 KiB of stream`);
});

test('row 7: a SACK flood splits the scoreboard up to its bound, and every byte still arrives', () => {
  const tcp = TcpPeer.established({ sack: true, mss: 216, rttMs: 10 });
  tcp.write('z'.repeat(20_000));
  tcp.gets({ flags: ACK, ack: tcp.ours(2000) });
  const c = tcp.stack.tcp.connections[0]!;
  const limit = 4096 + 16;
  for (let i = 0; i < 400; i++) {
    const from = 2001 + ((i * 37) % Math.max(1, c.flight - 2));
    tcp.gets({
      flags: ACK,
      ack: tcp.ours(2000),
      sack: [
        [tcp.ours(from), tcp.ours(from + 1)],
        [tcp.ours(from + 4), tcp.ours(from + 5)],
        [tcp.ours(from + 8), tcp.ours(from + 9)],
      ],
    });
    assert.ok((c.board?.count ?? 0) <= limit);
  }
  tcp.sent.length = 0;
  let acked = 2000;
  for (let ms = 0; ms < 200_000 && acked < 20_000; ms += 200) {
    tcp.leap(200);
    for (const { seq, data } of tcp.sent.splice(0)) {
      const at = (seq - tcp.ours(0)) | 0;
      if (at <= acked) acked = Math.max(acked, at + data.length);
    }
    tcp.gets({ flags: ACK, ack: tcp.ours(acked) });
  }
  assert.equal(acked, 20_000);
});

test('row 7: SACK blocks upside down, in the past or beyond what was sent change nothing', () => {
  const tcp = TcpPeer.established({ sack: true });
  tcp.write('a'.repeat(5000));
  tcp.sent.length = 0;
  const c = tcp.stack.tcp.connections[0]!;
  for (const block of [
    [3000, 2000],
    [4000, 9_000_000],
    [-5000, -4000],
    [6000, 7000],
    [2000, 2000],
  ]) {
    tcp.gets({ flags: ACK, sack: [[tcp.ours(block[0]!), tcp.ours(block[1]!)]] });
    assert.equal(c.board?.sackedBytes ?? 0, 0);
  }
});

test('row 8: a peer that states a tiny MSS gets no tiny segments', () => {
  for (const mss of [1, 48, 100, 215]) {
    const tcp = TcpPeer.established({ mss });
    tcp.write('b'.repeat(1000));
    assert.equal(tcp.sent[0]!.data.length, 216);
    assert.ok(tcp.sent.length <= 10, 'and no more of them at a time than the initial window');
  }
});

test('row 11: only a RST with the exact number resets; others in the window are challenged', () => {
  for (const offset of [1, 1000, 60_000]) {
    const tcp = TcpPeer.established();
    tcp.gets({ flags: RST, seq: tcp.theirs(offset) });
    tcp.sends({ flags: ACK, seq: tcp.ours(0), ack: tcp.theirs(0) });
    assert.equal(tcp.state, 'ESTABLISHED');
  }
  for (const offset of [-1, 70_000, 0x40000000, -0x40000000]) {
    const tcp = TcpPeer.established();
    tcp.gets({ flags: RST, seq: tcp.theirs(offset) });
    tcp.sendsNothing();
    assert.equal(tcp.state, 'ESTABLISHED');
  }
  const tcp = TcpPeer.established();
  tcp.gets({ flags: RST, seq: tcp.theirs(0) });
  assert.equal(tcp.stack.counts().connections, 0);
});

test('row 11: a SYN on a connection is challenged, wherever it lies, and twice in a row once', () => {
  for (const offset of [-5, 0, 5, 1_000_000]) {
    const tcp = TcpPeer.established();
    tcp.gets({ flags: SYN, seq: tcp.theirs(offset) });
    tcp.sends({ flags: ACK, seq: tcp.ours(0), ack: tcp.theirs(0) });
    tcp.gets({ flags: SYN, seq: tcp.theirs(offset) });
    tcp.sendsNothing();
    assert.equal(tcp.state, 'ESTABLISHED');
  }
});

test('row 11: bare segments outside of the window are answered twice a second at the most', () => {
  const tcp = TcpPeer.established();
  for (let i = 0; i < 1000; i++) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(500_000) });
    tcp.after(1);
  }
  const count = tcp.sent.splice(0).length;
  assert.ok(count >= 2 && count <= 3, `${count} ACKs in a second: an ACK loop would feed on more`);
  // Data that was lost on our way back is another matter.
  tcp.gets({ flags: ACK, data: 'one' });
  tcp.sent.length = 0;
  for (let i = 0; i < 3; i++) {
    tcp.gets({ flags: ACK, seq: tcp.theirs(0), data: 'one' });
    tcp.sends({ flags: ACK, ack: tcp.theirs(3) });
  }
});

test('row 12: data whose ACK is older than the largest window, or of the future, is not taken', () => {
  for (const offset of [-70_000, -0x10000000, 1, 0x20000000]) {
    const tcp = TcpPeer.established();
    tcp.gets({ flags: ACK | PSH, ack: tcp.ours(offset), data: 'injected' });
    assert.equal(tcp.read(), '');
    assert.equal(tcp.stack.report().drops['tcp_bad_ack'], 1);
  }
});

test('row 24: SYN with FIN, all flags, no flags and FIN alone end nothing and open nothing', () => {
  const all = FIN | SYN | RST | PSH | ACK | URG;
  const tcp = TcpPeer.listening();
  for (const flags of [SYN | FIN, all, 0, FIN, FIN | PSH | URG, SYN | RST, PSH, URG]) {
    tcp.gets({ flags, seq: PEER_ISN });
    assert.equal(tcp.stack.tcp.connections.length, 0, `flags ${flags}`);
  }
  tcp.sendsNothing();
  const open = TcpPeer.established();
  for (const flags of [SYN | FIN, all, 0, FIN, FIN | PSH | URG, PSH, URG]) {
    open.gets({ flags, seq: open.theirs(0), ack: open.ours(0) });
    assert.equal(open.state, 'ESTABLISHED', `flags ${flags}`);
  }
});

test('row 26: ACKs of what was not sent are refused, and many ACKs are worth no more than one', () => {
  const windowAfter = (acks: number[]): number => {
    const tcp = TcpPeer.established({ mss: 1000, rttMs: 10 });
    tcp.write('c'.repeat(8000));
    tcp.after(10);
    for (const ack of acks) tcp.gets({ flags: ACK, ack: tcp.ours(ack) });
    return tcp.stack.tcp.connections[0]!.cwnd;
  };
  const split = Array.from({ length: 1000 }, (_, i) => i + 1);
  assert.ok(windowAfter(split) <= windowAfter([1000]), 'one segment, one segment more');
  const tcp = TcpPeer.established();
  tcp.write('d'.repeat(1000));
  const { cwnd } = tcp.stack.tcp.connections[0]!;
  for (let i = 1; i < 50; i++) tcp.gets({ flags: ACK, ack: tcp.ours(1000 + i) });
  assert.equal(tcp.stack.tcp.connections[0]!.cwnd, cwnd);
  assert.equal(tcp.stack.report().drops['tcp_bad_ack'], 49);
});

test('row 33: no urgent pointer reads outside of the segment or loses a byte', () => {
  for (const flags of [ACK | URG, ACK | URG | PSH, SYN | URG]) {
    const tcp = TcpPeer.established();
    tcp.gets({ flags, data: 'urgent' });
    assert.equal(tcp.read(), flags & SYN ? '' : 'urgent');
    assert.equal(tcp.state, 'ESTABLISHED');
  }
});

test('row 34: a window scale outside of a SYN is ignored, one above 14 counts as 14', () => {
  const tcp = TcpPeer.established({ windowScale: 3 });
  tcp.gets({ flags: ACK, options: [1, 3, 3, 14], window: 100 });
  const c = tcp.stack.tcp.connections[0]!;
  assert.deepEqual([c.sndWndScale, c.sndWnd], [3, 800]);
  const large = TcpPeer.established({ windowScale: 255 });
  assert.equal(large.stack.tcp.connections[0]!.sndWndScale, 14);
});
