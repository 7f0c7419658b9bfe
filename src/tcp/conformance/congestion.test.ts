/** RFC 5681, 5961, 6298, 7323 and 9438, where no other test shows a requirement by itself. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { PEER_ISN, TcpPeer } from '../../testing/tcp-peer.ts';
import { ACK, RST, SYN } from '../../wire/tcp.ts';
import { DEFAULTS } from '../options.ts';

const MSS = 1000;

/** A connection in congestion avoidance: its window was halved by a loss and it has data for ever. */
function sending(congestion: 'newreno' | 'cubic'): TcpPeer {
  const tcp = TcpPeer.established({ mss: MSS, rttMs: 100, tcp: { congestion } });
  tcp.window = 65_535;
  tcp.write('x'.repeat(250_000));
  return tcp;
}

/** The peer acknowledges each segment that was sent; the bytes it acknowledged. */
function acknowledgeAll(tcp: TcpPeer, acked: number): number {
  let end = acked;
  for (const segment of tcp.sent.splice(0)) {
    const to = (segment.seq + segment.data.length - tcp.ours(0)) | 0;
    if (to <= end) continue;
    end = to;
    tcp.gets({ flags: ACK, ack: tcp.ours(end) });
  }
  return end;
}

test('congestion avoidance adds one segment per round trip (RFC 5681 3.1)', () => {
  const tcp = sending('newreno');
  const c = tcp.socket!.connection!;
  c.ssthresh = 10 * MSS;
  let acked = 0;
  const windows: number[] = [];
  for (let round = 0; round < 5; round++) {
    tcp.after(100);
    acked = acknowledgeAll(tcp, acked);
    windows.push(c.cwnd);
  }
  const steps = windows.slice(1).map((window, i) => window - windows[i]!);
  for (const step of steps) assert.ok(Math.abs(step - MSS) <= 100, `windows ${windows}`);
});

for (const congestion of ['newreno', 'cubic'] as const) {
  const rule = congestion === 'newreno' ? 'RFC 5681 3.1' : 'RFC 9438 4.8';
  test(`${congestion}: a timeout lowers the threshold once and leaves one segment (${rule})`, () => {
    const tcp = sending(congestion);
    const c = tcp.socket!.connection!;
    const flight = c.flight;
    tcp.after(c.rtoMs + 1);
    assert.equal(c.cwnd, MSS);
    const threshold = c.ssthresh;
    const most = congestion === 'newreno' ? flight / 2 : flight * 0.7;
    assert.ok(threshold <= most + 1 && threshold >= 2 * MSS, `${threshold} of ${flight}`);
    tcp.after(c.rtoMs + 1);
    assert.equal(c.ssthresh, threshold, 'the same segment again says nothing new');
  });
}

test('a RST outside of the window is dropped in silence (RFC 5961 3.2)', () => {
  const tcp = TcpPeer.established();
  for (const seq of [tcp.theirs(-1), tcp.theirs(1 << 20), tcp.theirs(-(1 << 20))]) {
    tcp.gets({ flags: RST, seq });
    tcp.sendsNothing();
  }
  assert.equal(tcp.state, 'ESTABLISHED');
});

test('a SYN on an established connection gets a challenge ACK, whatever its number (RFC 5961 4.2)', () => {
  for (const seq of [0, -1, 100, 1 << 20, -(1 << 20)]) {
    const tcp = TcpPeer.established();
    tcp.gets({ flags: SYN, seq: tcp.theirs(seq), mss: 1460 });
    tcp.sends({ flags: ACK, seq: tcp.ours(0), ack: tcp.theirs(0) });
    tcp.sendsNothing();
    assert.equal(tcp.state, 'ESTABLISHED');
  }
});

test('challenge ACKs are limited, by connection (RFC 5961 7)', () => {
  const tcp = TcpPeer.established();
  for (let i = 0; i < 50; i++) tcp.gets({ flags: SYN, seq: tcp.theirs(i) });
  assert.equal(tcp.sent.splice(0).length, 1);
  tcp.after(600);
  tcp.gets({ flags: SYN, seq: tcp.theirs(1) });
  assert.equal(tcp.sent.splice(0).length, 1);
});

test('SRTT and RTTVAR follow the formulas, measurement by measurement (RFC 6298 2)', () => {
  const tcp = TcpPeer.established({ rttMs: 100 });
  const c = tcp.socket!.connection!;
  let srtt = 100;
  let rttvar = 50;
  for (const rtt of [250, 20, 100, 100, 200]) {
    tcp.write('x');
    const sent = tcp.sent.splice(0)[0]!;
    tcp.after(rtt);
    tcp.sent.length = 0;
    tcp.gets({ flags: ACK, ack: (sent.seq + 1) | 0 });
    rttvar += (Math.abs(srtt - rtt) - rttvar) / 4;
    srtt += (rtt - srtt) / 8;
    assert.ok(Math.abs(c.srtt / 8000 - srtt) < 1, `SRTT ${c.srtt / 8000}, not ${srtt}`);
    assert.ok(Math.abs(c.rttvar / 4000 - rttvar) < 1, `RTTVAR ${c.rttvar / 4000}, not ${rttvar}`);
    const { minRtoMs } = DEFAULTS;
    assert.ok(Math.abs(c.rtoMs - (srtt + Math.max(minRtoMs, 4 * rttvar))) <= 5);
  }
});

test('RTO is never more than its ceiling, which is at least a minute (RFC 6298 2.5)', () => {
  assert.ok(DEFAULTS.maxRtoMs >= 60_000);
  const tcp = TcpPeer.established({ tcp: { maxRtoMs: 5000 } });
  tcp.write('x');
  tcp.leap(40_000);
  assert.equal(tcp.socket!.connection!.rtoMs, 5000);
});

test('the timer stops with the last ACK and starts anew with each new one (RFC 6298 5)', () => {
  const tcp = TcpPeer.established({ mss: MSS, rttMs: 100 });
  const c = tcp.socket!.connection!;
  tcp.write('x'.repeat(3 * MSS));
  tcp.sent.length = 0;
  for (let acked = 1; acked < 3; acked++) {
    tcp.after(c.rtoMs - 50);
    tcp.gets({ flags: ACK, ack: tcp.ours(acked * MSS) });
    tcp.sendsNothing();
  }
  tcp.gets({ flags: ACK, ack: tcp.ours(3 * MSS) });
  tcp.leap(60_000);
  tcp.sendsNothing();
});

test('a lost SYN does not leave a short timeout behind (RFC 6298 5.7)', () => {
  const tcp = TcpPeer.synSent();
  tcp.after(1005);
  tcp.sends({ flags: SYN });
  tcp.gets({ flags: SYN | ACK, seq: PEER_ISN, mss: 1460 });
  tcp.sends({ flags: ACK });
  tcp.write('x');
  tcp.sends({ data: 'x' });
  tcp.after(990);
  tcp.sendsNothing();
});

test('a SYN echoes nothing (RFC 7323 3.2)', () => {
  const { synSegment } = TcpPeer.synSent();
  assert.equal(synSegment.tsEcr, 0);
  assert.ok(!Number.isNaN(synSegment.tsVal));
});
