import assert from 'node:assert/strict';
import test from 'node:test';
import { TcpPeer } from '../testing/tcp-peer.ts';
import { ACK, FIN, PSH } from '../wire/tcp.ts';
import type { TcpInfo } from './info.ts';
import { linuxInfo } from './info-linux.ts';

const FULL = 'x'.repeat(1460);

function infoOf(tcp: TcpPeer): TcpInfo {
  const info = tcp.socket!.info();
  assert.ok(info !== null);
  return info;
}

function linuxOf(tcp: TcpPeer): Record<string, number> {
  return linuxInfo(infoOf(tcp));
}

test('a fresh connection tells what its handshake has agreed on', () => {
  const tcp = TcpPeer.established({
    mss: 1400,
    windowScale: 7,
    sack: true,
    timestamps: 1,
    rttMs: 30,
  });
  const info = infoOf(tcp);
  assert.equal(info.state, 'ESTABLISHED');
  assert.equal(info.congestionState, 'open');
  assert.deepEqual([info.timestamps, info.sack, info.windowScaling], [true, true, true]);
  assert.equal(info.sendScale, 7);
  assert.equal(info.sendMss, 1400 - 12);
  assert.equal(info.advertisedMss, 1460);
  assert.equal(info.pathMtu, 1500);
  assert.equal(info.rttUs, 30_000);
  assert.equal(info.minRttUs, 30_000);
  assert.equal(info.cwndBytes, 10 * 1388);
  assert.equal(info.ssthreshBytes, Number.POSITIVE_INFINITY);
  assert.equal(info.sendWindow, 65535 << 7);
  const linux = linuxInfo(info);
  assert.equal(linux['tcpi_state'], 1);
  assert.equal(linux['tcpi_options'], 7);
  assert.equal(linux['tcpi_snd_cwnd'], 10);
  assert.equal(linux['tcpi_snd_ssthresh'], 0x7fffffff);
  assert.equal(linux['tcpi_rto'], 230_000);
});

test('segments and bytes are counted, with and without payload', () => {
  const tcp = TcpPeer.established({ mss: 1460 });
  const before = infoOf(tcp);
  tcp.gets({ flags: ACK | PSH, data: 'hello' });
  tcp.sends({ flags: ACK });
  tcp.read();
  tcp.gets({ flags: ACK | PSH, seq: tcp.theirs(5), data: 'you' });
  tcp.sends({ flags: ACK });
  tcp.write('good day');
  tcp.sends({ data: 'good day' });
  const open = infoOf(tcp);
  assert.equal(open.bytesSent, 8);
  assert.equal(open.bytesAcked, 0);
  assert.equal(open.unacked, 1);
  assert.equal(open.delivered, 1);
  tcp.gets({ flags: ACK, seq: tcp.theirs(8), ack: tcp.ours(8) });
  const info = infoOf(tcp);
  assert.equal(info.bytesReceived, 8);
  assert.equal(info.bytesAcked, 8);
  assert.equal(info.dataSegmentsIn, 2);
  assert.equal(info.dataSegmentsOut, 1);
  assert.equal(info.segmentsIn - before.segmentsIn, 3);
  assert.equal(info.segmentsOut - before.segmentsOut, 3);
  assert.equal(info.delivered, 2);
  assert.equal(info.unacked, 0);
});

test('what is in flight, sacked, lost and sent again is told in segments', () => {
  const tcp = TcpPeer.established({ mss: 1460, sack: true, rttMs: 20 });
  tcp.write(FULL.repeat(6));
  tcp.after(20);
  tcp.gets({ flags: ACK, ack: tcp.ours(0), sack: [[tcp.ours(1460), tcp.ours(2920)]] });
  let info = infoOf(tcp);
  assert.equal(info.congestionState, 'disorder');
  assert.deepEqual([info.unacked, info.sacked, info.lost], [6, 1, 0]);
  assert.equal(info.delivered, 2);
  tcp.after(1);
  tcp.gets({ flags: ACK, ack: tcp.ours(0), sack: [[tcp.ours(1460), tcp.ours(4 * 1460)]] });
  info = infoOf(tcp);
  assert.equal(info.congestionState, 'recovery');
  assert.deepEqual([info.unacked, info.sacked, info.lost, info.retransmitted], [6, 3, 1, 1]);
  assert.equal(info.totalRetransmits, 1);
  assert.equal(info.bytesRetransmitted, 1460);
  assert.equal(info.bytesSent, 7 * 1460);
  assert.equal(info.delivered, 4);
  assert.equal(linuxInfo(info)['tcpi_ca_state'], 3);
  assert.ok(info.ssthreshBytes < 10 * 1460);
});

test('timeouts are counted, and how long the recovery from them takes', () => {
  const tcp = TcpPeer.established({ mss: 1460 });
  tcp.write(FULL.repeat(2));
  tcp.after(650);
  let info = infoOf(tcp);
  assert.equal(info.congestionState, 'loss');
  assert.equal(info.retransmits, 2);
  assert.equal(info.backoff, 2);
  assert.equal(info.timeouts, 2);
  assert.equal(info.timeoutRecoveries, 1);
  const going = info.timeoutMs;
  assert.ok(going > 400, `${going} ms`);
  tcp.gets({ flags: ACK, ack: tcp.ours(2920) });
  tcp.after(500);
  info = infoOf(tcp);
  assert.equal(info.congestionState, 'open');
  assert.equal(info.timeoutMs, going);
  assert.equal(info.timeoutRecoveries, 1);
});

test('a SYN that is lost counts as a timeout', () => {
  const tcp = TcpPeer.synSent();
  tcp.after(1500);
  const info = infoOf(tcp);
  assert.equal(info.state, 'SYN-SENT');
  assert.equal(info.timeouts, 1);
  assert.equal(linuxInfo(info)['tcpi_state'], 2);
  assert.equal(info.delivered, 0);
});

test('arrivals ahead of a hole and duplicates told of are counted', () => {
  const tcp = TcpPeer.established({ mss: 1460, sack: true });
  tcp.gets({ flags: ACK, seq: tcp.theirs(5), data: 'later' });
  assert.equal(infoOf(tcp).outOfOrderIn, 1);
  tcp.write('hello');
  tcp.gets({ flags: ACK, ack: tcp.ours(5), sack: [] });
  tcp.write('again');
  tcp.gets({ flags: ACK, ack: tcp.ours(5), sack: [[tcp.ours(0), tcp.ours(5)]] });
  assert.equal(infoOf(tcp).dsacksIn, 1);
});

test('a record of the unusual is not left to the next connection', () => {
  const tcp = TcpPeer.established({ mss: 1460 });
  tcp.write(FULL);
  tcp.after(300);
  assert.equal(infoOf(tcp).totalRetransmits, 1);
  tcp.socket!.abort();
  assert.equal(tcp.socket!.info(), null);
  assert.equal(tcp.stack.tcp.connections[0]!.tally, null);
});

test('states have the numbers that Linux gives them', () => {
  const tcp = TcpPeer.established({ mss: 1460 });
  tcp.gets({ flags: ACK | FIN });
  assert.equal(linuxOf(tcp)['tcpi_state'], 8);
  tcp.socket!.shutdown();
  tcp.pump();
  assert.equal(linuxOf(tcp)['tcpi_state'], 9);
});

test('the time since payload arrived is told apart from that since anything did', () => {
  const tcp = TcpPeer.established();
  tcp.gets({ flags: ACK, data: 'x' });
  tcp.after(300);
  tcp.gets({ flags: ACK, seq: tcp.theirs(1) });
  tcp.after(100);
  const linux = linuxOf(tcp);
  assert.deepEqual([linux['tcpi_last_data_recv'], linux['tcpi_last_ack_recv']], [400, 100]);
});

test('a paced connection tells its rates', () => {
  const tcp = TcpPeer.established({ mss: 1460, sack: true, rttMs: 10, tcp: { congestion: 'bbr' } });
  for (let i = 0; i < 4; i++) {
    tcp.write(FULL.repeat(4));
    tcp.after(10);
    tcp.gets({ flags: ACK, ack: tcp.ours((i + 1) * 4 * 1460) });
  }
  const { pacingRate, deliveryRate } = infoOf(tcp);
  // Four segments in a round trip of 10 ms are 584,000 bytes per second.
  assert.ok(deliveryRate > 250_000 && deliveryRate < 1_200_000, `${deliveryRate}`);
  assert.ok(pacingRate > 250_000, `${pacingRate}`);
});

test('every field of struct tcp_info is there, as a number', () => {
  const linux = linuxOf(TcpPeer.established({}));
  const names = Object.keys(linux);
  assert.equal(names.length, 61);
  for (const name of names) {
    assert.match(name, /^tcpi_/);
    assert.ok(Number.isFinite(linux[name]), name);
  }
});
