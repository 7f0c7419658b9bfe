import assert from 'node:assert/strict';
import test from 'node:test';
import { TcpPeer } from '../../testing/tcp-peer.ts';
import { ACK, SYN } from '../../wire/tcp.ts';
import { Flows } from '../flows.ts';

/** SYNs of `count` connections from one stack, all at the same time. */
function syns(peer: TcpPeer, count: number): TcpPeer['sent'] {
  const { tcp } = peer.stack;
  tcp.connect({ address: peer.peerAddress, port: 9 });
  peer.pump();
  for (let i = 1; i < count; i++) {
    tcp.connect({ address: peer.peerAddress, port: 9 + (i % 64) });
    peer.pump();
  }
  return peer.sent.splice(0);
}

test('row 15: initial numbers look random: bits are balanced, none repeats, steps say nothing', () => {
  const isns = syns(new TcpPeer(), 2000).map(({ seq }) => seq);
  assert.equal(new Set(isns).size, isns.length);
  for (let bit = 0; bit < 32; bit++) {
    const ones = isns.filter((isn) => (isn >>> bit) & 1).length;
    // Four and a half standard deviations of 2000 coins.
    assert.ok(Math.abs(ones - 1000) < 101, `bit ${bit}: ${ones} of 2000`);
  }
  const steps = new Set(isns.map((isn, i) => ((isn - (isns[i - 1] ?? 0)) | 0) >> 16));
  assert.ok(steps.size > 1900, 'no common step');
});

test('row 15: two stacks, or one started again, share no numbers', () => {
  const [a, b] = [1, 2].map((seed) => syns(new TcpPeer({ seed }), 50).map(({ seq }) => seq));
  assert.equal(a!.filter((isn) => b!.includes(isn)).length, 0);
});

test('row 15: the number of a 4-tuple grows with time, so an old segment is outside of the new one', () => {
  const peer = new TcpPeer();
  const { tcp } = peer.stack;
  const path = tcp.net.paths.acquire(0, 0, 0xffff, 0x0a000002, 0, 0, 0, 0)!;
  let last = tcp.secrets.isn(path, 1, 2, 0);
  for (let ms = 1; ms < 100_000; ms += 997) {
    const next = tcp.secrets.isn(path, 1, 2, ms);
    assert.ok(((next - last) | 0) > 0);
    last = next;
  }
});

test('row 16: timestamps tell each peer another time, and none how long we are up', () => {
  const values = new Set<number>();
  for (let seed = 1; seed <= 20; seed++) {
    const [syn] = syns(new TcpPeer({ seed }), 1);
    values.add(syn!.tsVal >> 20);
  }
  assert.ok(values.size >= 19, 'no two begin near each other');
});

test('row 18: ports cannot be told from those towards another destination', () => {
  const peer = new TcpPeer();
  const { tcp } = peer.stack;
  const ports = (port: number): number[] =>
    Array.from({ length: 40 }, () => tcp.connect({ address: peer.peerAddress, port }).localPort);
  const [one, other] = [ports(80), ports(443)];
  assert.equal(new Set(one).size, 40);
  assert.ok(Math.abs(one[0]! - other[0]!) > 80, 'they begin elsewhere');
  const again = new TcpPeer({ seed: 9 });
  const { localPort } = again.stack.tcp.connect({ address: again.peerAddress, port: 80 });
  assert.notEqual(localPort, one[0]);
});

test('row 28: the flow table is keyed: whoever does not know the key cannot aim at a chain', () => {
  const peer = TcpPeer.listening();
  peer.gets({ flags: SYN, seq: 1, mss: 1460 });
  peer.sends({ flags: SYN | ACK });
  const c = peer.stack.tcp.connections[0]!;
  const hashes = new Set<number>();
  for (let key = 0; key < 100; key++) {
    const flows = new Flows(peer.stack.tcp.connections, key, ~key);
    hashes.add(flows.hashOf(c.path!, c.ports));
  }
  assert.ok(hashes.size >= 99);
});
