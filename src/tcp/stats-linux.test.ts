import assert from 'node:assert/strict';
import test from 'node:test';
import { TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, RST, SYN } from '../wire/tcp.ts';
import { type LinuxCounters, linuxCounters } from './stats-linux.ts';

const FULL = 'x'.repeat(1460);

function counters(tcp: TcpPeer): LinuxCounters {
  return linuxCounters(tcp.stack.tcp);
}

test('a connection counts while it is established', () => {
  const tcp = TcpPeer.established();
  assert.equal(counters(tcp).Tcp['CurrEstab'], 1);
  assert.equal(counters(tcp).Tcp['PassiveOpens'], 1);
  tcp.gets({ flags: RST });
  assert.equal(counters(tcp).Tcp['CurrEstab'], 0);
  assert.equal(counters(tcp).Tcp['EstabResets'], 1);
});

test('segments sent again are not in OutSegs but in RetransSegs (RFC 4022)', () => {
  const tcp = TcpPeer.established({ mss: 1460 });
  const before = counters(tcp).Tcp['OutSegs']!;
  tcp.write(FULL.repeat(2));
  tcp.after(300);
  const { Tcp, TcpExt } = counters(tcp);
  assert.equal(Tcp['OutSegs']! - before, 2);
  assert.equal(Tcp['RetransSegs'], 1);
  assert.deepEqual([TcpExt['TCPTimeouts'], TcpExt['TCPSlowStartRetrans']], [1, 1]);
});

test('a SYN-ACK sent again, and an RST for it', () => {
  const tcp = TcpPeer.synReceived();
  tcp.after(1500);
  assert.equal(counters(tcp).TcpExt['TCPSynRetrans'], 1);
  tcp.gets({ flags: RST, seq: tcp.theirs(0) });
  assert.equal(counters(tcp).TcpExt['EmbryonicRsts'], 1);
});

test('recoveries with and without SACK are told apart', () => {
  const withSack = TcpPeer.established({ mss: 1460, sack: true });
  withSack.write(FULL.repeat(6));
  withSack.gets({
    flags: ACK,
    ack: withSack.ours(0),
    sack: [[withSack.ours(1460), withSack.ours(5 * 1460)]],
  });
  assert.equal(counters(withSack).TcpExt['TCPSackRecovery'], 1);
  assert.equal(counters(withSack).TcpExt['TCPRenoRecovery'], 0);
  assert.equal(counters(withSack).TcpExt['TCPFastRetrans'], 1);
  const without = TcpPeer.established({ mss: 1460 });
  without.write(FULL.repeat(6));
  for (let i = 0; i < 3; i++) without.gets({ flags: ACK, ack: without.ours(0) });
  assert.equal(counters(without).TcpExt['TCPSackRecovery'], 0);
  assert.equal(counters(without).TcpExt['TCPRenoRecovery'], 1);
});

test('a SACK block of what was never sent is discarded', () => {
  const tcp = TcpPeer.established({ mss: 1460, sack: true });
  tcp.write('hello');
  tcp.gets({ flags: ACK, ack: tcp.ours(0), sack: [[tcp.ours(100), tcp.ours(200)]] });
  assert.equal(counters(tcp).TcpExt['TCPSACKDiscard'], 1);
});

test('why connections were reset: unread input, late data', () => {
  const unread = TcpPeer.established();
  unread.gets({ flags: ACK, data: 'hello' });
  unread.socket!.close();
  assert.equal(counters(unread).TcpExt['TCPAbortOnClose'], 1);
  const late = TcpPeer.established();
  late.socket!.close();
  late.pump();
  late.gets({ flags: ACK, data: 'hello', ack: late.ours(1) });
  assert.equal(counters(late).TcpExt['TCPAbortOnData'], 1);
});

test('probes of closed windows and of silent peers are told apart', () => {
  const tcp = TcpPeer.established();
  tcp.socket!.setKeepAlive(true, 1000, 1000, 5);
  tcp.after(2500);
  assert.equal(counters(tcp).TcpExt['TCPKeepAlive'], 2);
  assert.equal(counters(tcp).TcpExt['TCPWinProbe'], 0);
});

test('segments with a wrong checksum or impossible flags are errors', () => {
  const tcp = TcpPeer.listening();
  tcp.gets({ flags: SYN | 1, seq: 1 });
  assert.equal(counters(tcp).Tcp['InErrs'], 1);
  assert.equal(counters(tcp).Tcp['InCsumErrors'], 0);
});
