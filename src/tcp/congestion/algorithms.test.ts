import assert from 'node:assert/strict';
import test from 'node:test';
import { PEER_PORT, TcpPeer } from '../../testing/tcp-peer.ts';
import { ACK } from '../../wire/tcp.ts';
import { CONGESTION_NAMES } from './algorithms.ts';

const UNKNOWN = {
  code: 'EINVAL',
  message: new RegExp(CONGESTION_NAMES.map((name) => `'${name}'`).join(', ')),
};

test('a stack, a listener, an outgoing and an accepted connection each have their algorithm', () => {
  const peer = TcpPeer.established({ tcp: { congestion: 'newreno' } });
  assert.equal(peer.socket!.congestion, 'newreno');
  const tcp = peer.stack.tcp;
  const address = peer.peerAddress;
  assert.equal(tcp.connect({ address, port: PEER_PORT }).congestion, 'newreno');
  const none = tcp.connect({ address, port: PEER_PORT, congestion: 'none' });
  assert.equal(none.congestion, 'none');
  assert.equal(tcp.listen({ port: 81 }).congestion, 'newreno');
  assert.equal(tcp.listen({ port: 82, congestion: 'cubic' }).congestion, 'cubic');
});

test('an accepted connection has the algorithm of its listener', () => {
  const peer = TcpPeer.listening();
  peer.listener!.setCongestion('newreno');
  peer.gets({ flags: 2, seq: peer.theirs(-1), mss: 1000 });
  peer.sends({ mss: 1460 });
  peer.gets({ flags: ACK });
  assert.equal(peer.listener!.accept()!.congestion, 'newreno');
});

test('an unknown name is refused with those there are, wherever it is given', () => {
  const peer = TcpPeer.established();
  const { tcp } = peer.stack;
  const connect = { address: peer.peerAddress, port: PEER_PORT, congestion: 'vegas' };
  assert.throws(() => peer.socket!.setCongestion('vegas'), UNKNOWN);
  assert.throws(() => peer.socket!.setCongestion('constructor'), UNKNOWN);
  assert.throws(() => peer.listener!.setCongestion(''), UNKNOWN);
  assert.throws(() => tcp.listen({ port: 81, congestion: 'vegas' }), UNKNOWN);
  assert.throws(() => tcp.connect(connect), UNKNOWN);
  assert.throws(() => TcpPeer.established({ tcp: { congestion: 'vegas' as 'cubic' } }), UNKNOWN);
  assert.equal(tcp.listeners.count, 1);
  assert.equal(peer.socket!.congestion, 'cubic');
});

test('a change keeps the window that is in use, and never opens it', () => {
  const peer = TcpPeer.established({ mss: 1000 });
  const c = peer.socket!.connection!;
  c.cwnd = 7000;
  c.ssthresh = 5000;
  peer.socket!.setCongestion('newreno');
  assert.deepEqual([peer.socket!.congestion, c.cwnd, c.ssthresh], ['newreno', 7000, 5000]);
  peer.socket!.setCongestion('none');
  assert.ok(c.cwnd > 1e9);
  peer.socket!.setCongestion('cubic');
  assert.equal(c.cwnd, 10_000);
});

test('before the handshake a change is what the connection begins with', () => {
  const peer = TcpPeer.synSent();
  peer.socket!.setCongestion('none');
  peer.gets({ flags: 18, seq: peer.theirs(-1), ack: peer.ours(0), mss: 1000 });
  assert.ok(peer.socket!.connection!.cwnd > 1e9);
});

test('none sends all that the peer takes, and goes on so after a loss', () => {
  const peer = TcpPeer.established({ mss: 1000, tcp: { congestion: 'none' } });
  peer.write('x'.repeat(60_000));
  assert.equal(peer.sent.length, 60);
  for (let i = 0; i < 3; i++) peer.gets({ flags: ACK, ack: peer.ours(0) });
  assert.equal(peer.socket!.connection!.ssthresh, 0x3fffffff);
  peer.gets({ flags: ACK, ack: peer.ours(60_000) });
  peer.sent.length = 0;
  peer.write('x'.repeat(60_000));
  assert.equal(peer.sent.length, 60);
});
