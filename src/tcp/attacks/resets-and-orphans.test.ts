import assert from 'node:assert/strict';
import test from 'node:test';
import { Prefix } from '../../base/address.ts';
import { createPair } from '../../link/pair.ts';
import { createStack } from '../../stack/stack.ts';
import { Arena } from '../../storage/arena.ts';
import { Injector } from '../../testing/injector.ts';
import { tcp as segment } from '../../testing/packet.ts';
import { Random } from '../../testing/random.ts';
import { PEER_ISN, TcpPeer } from '../../testing/tcp-peer.ts';
import { ACK, FIN, RST, SYN } from '../../wire/tcp.ts';

test('row 10: RSTs to strangers have a limit, of random size, and it is refilled', () => {
  const tcp = TcpPeer.listening({ tcp: { resetsPerSecond: 100 } });
  const inOneSecond = (): number => {
    for (let i = 0; i < 500; i++) tcp.gets({ flags: ACK, ack: i, srcPort: 1 + i, dstPort: 9 });
    return tcp.sent.splice(0).length;
  };
  const counts = new Set<number>();
  for (let second = 0; second < 8; second++) {
    const count = inOneSecond();
    assert.ok(count >= 74 && count <= 126, `${count} RSTs`);
    counts.add(count);
    tcp.leap(1000);
  }
  assert.ok(counts.size > 3, 'nobody can know how many there will be');
  assert.ok(tcp.stack.report().drops['tcp_reset_limited']! > 8 * 300);
});

test('row 10: with resetsPerSecond 0 strangers get no RST at all', () => {
  const tcp = TcpPeer.listening({ tcp: { resetsPerSecond: 0 } });
  tcp.gets({ flags: SYN, seq: 1, dstPort: 9 });
  tcp.gets({ flags: ACK, ack: 1 });
  tcp.sendsNothing();
});

test('row 19: a peer whose RSTs are used up by forged addresses cannot tell', () => {
  const arena = Arena.allocate(32 << 20);
  const random = new Random(5);
  const [a, b] = createPair(arena);
  const injector = new Injector(a);
  const stack = createStack({
    arena,
    heapBytes: 1 << 20,
    random: () => random.next(),
    tcp: { resetsPerSecond: 100 },
  });
  stack.attach(injector, { addresses: [Prefix.parse('10.0.0.1/8')] });
  let now = 1e6;
  const resetsFor = (src: string, count: number): number => {
    for (let i = 0; i < count; i++) {
      injector.queue.push(
        segment({
          srcMac: '02:00:00:00:00:02',
          dstMac: '02:00:00:00:00:01',
          src,
          dst: '10.0.0.1',
          srcPort: 1 + i,
          dstPort: 9,
          flags: 'ACK',
          seq: 1,
          ack: 1,
        }),
      );
    }
    const before = stack.report().tcp['tcp_resets_out'] ?? 0;
    while (injector.queue.length > 0) {
      now += 10;
      stack.poll(now);
      b.exchange();
    }
    stack.poll(now);
    return (stack.report().tcp['tcp_resets_out'] ?? 0) - before;
  };
  assert.ok(resetsFor('10.0.0.66', 300) <= 126, 'one address has one budget');
  // 10.0.0.66 is dry; of 50 other addresses hardly one shares its budget.
  let served = 0;
  for (let i = 0; i < 50; i++) served += resetsFor(`10.0.1.${i + 1}`, 1);
  assert.ok(served >= 48, `${served} of 50`);
});

test('row 19: challenge ACKs are limited by connection, so nobody counts those of another', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: 2, mss: 1460 });
  const { seq } = tcp.sends({ flags: SYN | ACK });
  const other = { srcPort: 2, ack: (seq + 1) | 0 };
  tcp.gets({ flags: ACK, ...other });
  for (let i = 0; i < 50; i++) tcp.gets({ flags: SYN, seq: tcp.theirs(0) });
  tcp.sends({ flags: ACK });
  tcp.sendsNothing();
  tcp.gets({ ...other, flags: SYN | ACK, seq: tcp.theirs(0) });
  tcp.sends({ flags: ACK, dstPort: 2 });
});

test('row 25: an orphan with data for a peer that keeps its window closed is given up', () => {
  const tcp = TcpPeer.established({ tcp: { orphanRetries: 4 } });
  tcp.window = 0;
  tcp.gets({ flags: ACK });
  tcp.write('nobody will take this');
  tcp.socket!.close();
  tcp.pump();
  assert.equal(tcp.stack.tcp.orphans, 1);
  let probes = 0;
  while (tcp.stack.counts().connections > 0 && probes < 100) {
    tcp.leap(1000);
    for (const sent of tcp.sent.splice(0)) {
      probes++;
      if ((sent.flags & RST) === 0) tcp.gets({ flags: ACK });
    }
  }
  assert.ok(probes >= 4 && probes <= 7, `${probes} probes`);
  assert.equal(tcp.stack.report().tcp['tcp_orphans_aborted'], 1);
  assert.deepEqual(tcp.stack.counts(), { ...tcp.stack.counts(), connections: 0, heapBytes: 0 });
  assert.equal(tcp.stack.tcp.orphans, 0);
});

test('row 25: a program that still wants its data sent is not given up by a peer that answers', () => {
  const tcp = TcpPeer.established({ tcp: { orphanRetries: 4 } });
  tcp.window = 0;
  tcp.gets({ flags: ACK });
  tcp.write('somebody waits');
  for (let i = 0; i < 300; i++) {
    tcp.leap(1000);
    for (const _ of tcp.sent.splice(0)) tcp.gets({ flags: ACK });
  }
  assert.equal(tcp.state, 'ESTABLISHED');
});

test('row 27: orphans beyond their bound are reset, and the count comes back to zero', () => {
  const tcp = TcpPeer.listening({ tcp: { maxOrphans: 2 } });
  const sockets = [];
  for (let port = 1; port <= 4; port++) {
    tcp.gets({ flags: SYN, seq: PEER_ISN, srcPort: port, mss: 1460 });
    tcp.sends({ flags: SYN | ACK });
    tcp.gets({ flags: ACK, srcPort: port });
    sockets.push(tcp.listener!.accept()!);
  }
  for (const socket of sockets) socket.close();
  tcp.pump();
  const flags = tcp.sent.splice(0).map((sent) => sent.flags & (FIN | RST));
  assert.deepEqual(flags.sort(), [FIN, FIN, RST, RST]);
  assert.equal(tcp.stack.tcp.orphans, 2);
  tcp.leap(600_000);
  assert.equal(tcp.stack.tcp.orphans, 0);
  assert.equal(tcp.stack.counts().connections, 0);
});

test('row 27: an orphan whose peer is gone is retried less often than a connection in use', () => {
  const tries = (isOrphan: boolean): number => {
    const tcp = TcpPeer.established({ tcp: { orphanRetries: 3, dataRetries: 6 } });
    tcp.write('x');
    if (isOrphan) tcp.socket!.close();
    tcp.leap(600_000);
    assert.equal(tcp.stack.counts().connections, 0);
    return tcp.stack.report().tcp['tcp_timeouts']!;
  };
  assert.deepEqual([tries(true), tries(false)], [3, 6]);
});
