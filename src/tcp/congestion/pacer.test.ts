import assert from 'node:assert/strict';
import test from 'node:test';
import { TcpPeer } from '../../testing/tcp-peer.ts';
import { ACK } from '../../wire/tcp.ts';
import { bytesIn, MOST_RATE, Pacer, RATE_UNIT, rateOf } from './pacer.ts';

const MSS = 1000;

/** Sends segments whenever it may, looking every `stepUs`; bytes sent in `ms`. */
function run(pacer: Pacer, ms: number, stepUs: number): number {
  let sent = 0;
  for (let us = 0; us < ms * 1000; us += stepUs) {
    while (pacer.allowance(MSS, us) > 0) {
      pacer.sent(MSS);
      sent += MSS;
    }
  }
  return sent;
}

test('rates and volumes convert into each other, and end at the largest', () => {
  assert.equal(rateOf(1000, 1000), 1000 * RATE_UNIT);
  assert.equal(bytesIn(rateOf(123_456, 10_000), 10_000), 123_455);
  assert.equal(rateOf(0x3fffffff, 1), MOST_RATE);
  assert.equal(bytesIn(MOST_RATE, MOST_RATE), MOST_RATE);
  assert.equal(rateOf(1000, 0), rateOf(1000, 1));
});

test('the rate comes out, however often it is looked at', () => {
  for (const bytesPerMs of [100, 1500, 20_000, 60_000]) {
    for (const stepUs of [10, 333, 1000]) {
      const pacer = new Pacer();
      pacer.rate = bytesPerMs * RATE_UNIT;
      const sent = run(pacer, 400, stepUs);
      const wanted = 400 * bytesPerMs + pacer.quantum(MSS);
      assert.ok(Math.abs(sent - wanted) < 0.02 * wanted + 2 * MSS, `${bytesPerMs}: ${sent}`);
    }
  }
});

test('a release is two segments, a millisecond, at most 64 KiB', () => {
  const pacer = new Pacer();
  for (const [bytesPerMs, quantum] of [
    [1, 2 * MSS],
    [5000, 5000],
    [1_000_000, 65_536],
  ] as const) {
    pacer.rate = bytesPerMs * RATE_UNIT;
    assert.equal(pacer.quantum(MSS), quantum);
  }
});

test('what was not used while idle does not come as a burst, and no wait is longer than a second', () => {
  const pacer = new Pacer();
  pacer.rate = 2000 * RATE_UNIT;
  run(pacer, 10, 1000);
  let burst = 0;
  for (; pacer.allowance(MSS, 60_000_000) > 0; burst += MSS) {
    pacer.sent(MSS);
  }
  assert.ok(burst <= 3 * pacer.quantum(MSS), `${burst} bytes`);
  // After half an hour and more the clock's difference is negative.
  assert.ok(pacer.allowance(MSS, (60_000_000 + 2 ** 31 + 5_000_000) | 0) > 0);
  pacer.rate = 1;
  while (pacer.allowance(MSS, 0) > 0) pacer.sent(MSS);
  assert.ok(pacer.waitMs(0) <= 1001, `${pacer.waitMs(0)} ms`);
});

test('without pacing a connection has no pacer, and a window leaves at once', () => {
  const peer = TcpPeer.established({ mss: MSS, rttMs: 100 });
  assert.equal(peer.socket!.connection!.pacer, null);
  peer.write('x'.repeat(10 * MSS));
  assert.equal(peer.sent.length, 10);
});

test('with pacing the first window leaves over half a round trip, woken by the wheel', () => {
  const peer = TcpPeer.established({ mss: MSS, rttMs: 100, tcp: { pacing: true } });
  peer.write('x'.repeat(10 * MSS));
  assert.equal(peer.sent.length, 2);
  // 20 segments per 100 ms: two every ten.
  assert.deepEqual(
    peer.sendTimes(60),
    [10, 10, 20, 20, 30, 30, 40, 40].map((ms) => ms + 1),
  );
});

test('an ACK takes the new rate, a retransmission waits its turn too', () => {
  const peer = TcpPeer.established({ mss: MSS, rttMs: 100, sack: true, tcp: { pacing: true } });
  const c = peer.socket!.connection!;
  const before = c.pacer!.rate;
  peer.write('x'.repeat(10 * MSS));
  peer.after(60);
  peer.gets({ flags: ACK, ack: peer.ours(2 * MSS) });
  assert.ok(c.pacer!.rate > before);
  peer.sent.length = 0;
  peer.gets({
    flags: ACK,
    ack: peer.ours(2 * MSS),
    sack: [[peer.ours(8 * MSS), peer.ours(10 * MSS)]],
  });
  assert.equal(c.board!.lostBytes + peer.sent.length * MSS, 6 * MSS);
  assert.ok(peer.sent.length <= 2, `${peer.sent.length} at once`);
});

test('a connection that ends gives its pacer back, the next one begins anew', () => {
  const peer = TcpPeer.established({ mss: MSS, rttMs: 100, tcp: { congestion: 'bbr' } });
  const c = peer.socket!.connection!;
  const { pacer } = c;
  assert.ok(pacer?.model);
  peer.write('x'.repeat(10 * MSS));
  peer.socket!.setCongestion('cubic');
  assert.deepEqual([c.pacer, pacer.model], [null, null]);
  peer.after(50);
  assert.equal(peer.sent.length, 10);
  peer.socket!.setCongestion('bbr');
  assert.equal(c.pacer, pacer);
  assert.equal(pacer.model!.rate.delivered, 0);
  peer.socket!.abort();
  assert.equal(c.pacer, null);
});
