import assert from 'node:assert/strict';
import test from 'node:test';
import { DeliveryRate } from './delivery-rate.ts';
import { RATE_UNIT } from './pacer.ts';

const MSS = 1000;
/** Bytes per millisecond as a rate. */
const perMs = (bytes: number): number => bytes * RATE_UNIT;

/** A segment every `gapUs` for `count` segments; each arrives `delayUs` later. */
function stream(rate: DeliveryRate, count: number, gapUs: number, delayUs: number, fromUs = 0) {
  const window = Math.ceil(delayUs / gapUs);
  for (let i = 0; i < count + window; i++) {
    const now = (fromUs + i * gapUs) | 0;
    const acked = i - window;
    if (acked >= 0)
      rate.arrived(MSS, (fromUs + acked * gapUs) | 0, (now + (delayUs % gapUs)) | 0, 0);
    if (i < count) rate.sent(Math.min(i + 1, window) * MSS, i === 0 ? 1 : 0, now);
  }
}

test('segments that arrive every millisecond make a rate of a segment per millisecond', () => {
  const rate = new DeliveryRate();
  stream(rate, 200, 1000, 20_000);
  assert.equal(rate.rate, perMs(MSS));
  assert.equal(rate.delivered, 200 * MSS);
  assert.equal(rate.sampleDelivered, 20 * MSS);
});

test('the clock may wrap meanwhile', () => {
  const rate = new DeliveryRate();
  stream(rate, 200, 1000, 20_000, 2 ** 31 - 50_000);
  assert.equal(rate.rate, perMs(MSS));
});

test('ACKs that come together do not make the path faster than what was sent', () => {
  const rate = new DeliveryRate();
  for (let i = 0; i < 10; i++) rate.sent((i + 1) * MSS, i === 0 ? 1 : 0, i * 1000);
  rate.arrived(10 * MSS, 9000, 50_000, 0);
  assert.ok(rate.rate <= perMs((10 * MSS) / 9), `${rate.rate / RATE_UNIT} bytes/ms`);
});

test('a sample shorter than the least round trip says nothing', () => {
  const rate = new DeliveryRate();
  rate.sent(MSS, 1, 0);
  rate.arrived(MSS, 0, 1000, 5000);
  assert.deepEqual([rate.hasSample, rate.rate], [1, 0]);
});

test('what was sent while the program had no more is marked, what came after it is not', () => {
  const rate = new DeliveryRate();
  rate.sent(MSS, 1, 0);
  rate.limitedByProgram(MSS);
  rate.sent(2 * MSS, 0, 1000);
  rate.arrived(MSS, 0, 10_000, 0);
  assert.equal(rate.appLimited, 0);
  rate.arrived(MSS, 1000, 11_000, 0);
  assert.equal(rate.appLimited, 1);
  rate.sent(MSS, 0, 12_000);
  rate.arrived(MSS, 12_000, 22_000, 0);
  assert.equal(rate.appLimited, 0);
});

test('losses since a segment left are counted, and what was in flight with it', () => {
  const rate = new DeliveryRate();
  rate.sent(MSS, 1, 0);
  rate.sent(7 * MSS, 0, 1000);
  rate.lost += 3 * MSS;
  rate.sent(5 * MSS, 0, 5000);
  rate.arrived(MSS, 1000, 11_000, 0);
  assert.deepEqual([rate.sampleLost, rate.inFlight], [3 * MSS, 7 * MSS]);
  rate.arrived(MSS, 5000, 15_000, 0);
  assert.deepEqual([rate.sampleLost, rate.inFlight], [0, 5 * MSS]);
});

test('a duplicate or late ACK of something long forgotten makes no sample', () => {
  const rate = new DeliveryRate();
  stream(rate, 100, 1000, 10_000);
  rate.arrived(MSS, 5000, 200_000, 0);
  assert.equal(rate.hasSample, 0);
  rate.arrived(0, 99_000, 200_000, 0);
  assert.equal(rate.hasSample, 0);
});

test('thousands of segments under way keep a bounded number of snapshots', () => {
  const rate = new DeliveryRate();
  for (let i = 0; i < 20_000; i++) rate.sent((i + 1) * MSS, i === 0 ? 1 : 0, i * 200);
  rate.arrived(MSS, 19_999 * 200, 5_000_000, 0);
  assert.equal(rate.hasSample, 1);
  rate.arrived(MSS, 200, 5_000_000, 0);
  assert.equal(rate.hasSample, 0);
});
