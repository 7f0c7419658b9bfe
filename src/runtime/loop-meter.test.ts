import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { BOUNDS, BUCKETS, LoopMeter, quantileOf } from './loop-meter.ts';

test('a time is counted in the bucket whose bound it stays below', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 31 - 1, noNaN: true }), (us) => {
      const meter = new LoopMeter();
      meter.polled(us);
      const { poll, lag } = meter.read();
      const bucket = poll.buckets.indexOf(1);
      assert.ok(us < (BOUNDS[bucket] ?? Number.POSITIVE_INFINITY));
      assert.ok(bucket === 0 || us >= BOUNDS[bucket - 1]!);
      assert.deepEqual([poll.count, poll.sum, lag.count, lag.sum], [1, us, 0, 0]);
    }),
  );
  assert.equal(BOUNDS.length, BUCKETS - 1);
});

test('polls and lags are told apart, and quantiles are bounds', () => {
  const meter = new LoopMeter();
  for (let i = 0; i < 99; i++) meter.polled(3);
  meter.polled(900);
  meter.began(0.5);
  const { poll, lag } = meter.read();
  assert.deepEqual(
    [quantileOf(poll, 0.5), quantileOf(poll, 0.99), quantileOf(poll, 1)],
    [4, 4, 1024],
  );
  assert.equal(quantileOf(lag, 0.5), 1);
  assert.equal(quantileOf(new LoopMeter().read().lag, 0.5), 0);
});

test('another thread that is stuck can be read', async () => {
  const meter = new LoopMeter();
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const source = `const { parentPort, workerData: { values, gate, url } } = require('node:worker_threads');
    import(url).then(({ LoopMeter }) => {
      new LoopMeter(values).polled(5);
      parentPort.postMessage('polled');
      Atomics.wait(gate, 0, 0);
    });`;
  const url = import.meta.url.replace('.test.', '.');
  const worker = new Worker(source, {
    eval: true,
    workerData: { values: meter.values, gate, url },
  });
  await once(worker, 'message');
  assert.equal(meter.read().poll.buckets[3], 1);
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  await once(worker, 'exit');
});
