import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { EMPTY, SharedRing } from './ring.ts';

const MESSAGES = 5000;

/** What message `i` looks like: its length and every byte follow from its number. */
function message(i: number): Uint8Array {
  return new Uint8Array(i % 97).fill(i & 0xff);
}

/** In a thread of its own: pushes all messages, trying again while the ring is full. */
function produce(memory: SharedArrayBuffer): void {
  const ring = new SharedRing(memory);
  for (let i = 0; i < MESSAGES; i++) {
    const bytes = message(i);
    while (!ring.push(bytes, 0, bytes.length));
  }
}

if (isMainThread) declareTests();
else produce(workerData as SharedArrayBuffer);

function declareTests(): void {
  test('what comes out is what went in, in order, and a full ring refuses', () => {
    const action = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(null));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
        const ring = SharedRing.allocate(128);
        const model: Uint8Array[] = [];
        let used = 0;
        const size = (bytes: Uint8Array): number => 4 + Math.ceil(bytes.length / 4) * 4;
        for (const bytes of actions) {
          if (bytes === null) {
            const expected = model.shift();
            const into = new Uint8Array(50);
            const length = ring.take(into, 3);
            assert.equal(length, expected?.length ?? EMPTY);
            if (expected === undefined) continue;
            assert.deepEqual(into.slice(3, 3 + length), expected);
            used -= size(expected);
          } else {
            const fits = used + size(bytes) <= 128;
            assert.equal(ring.push(bytes, 0, bytes.length), fits);
            if (!fits) continue;
            model.push(bytes);
            used += size(bytes);
          }
        }
        assert.equal(ring.peek(), model[0]?.length ?? EMPTY);
      }),
    );
  });

  test('part of an array is pushed', () => {
    const ring = SharedRing.allocate(64);
    ring.push(Uint8Array.of(1, 2, 3, 4, 5), 1, 4);
    const into = new Uint8Array(3);
    assert.equal(ring.take(into, 0), 3);
    assert.deepEqual(into, Uint8Array.of(2, 3, 4));
  });

  test('a capacity that is no power of two is refused', () => {
    assert.throws(() => SharedRing.allocate(100), { code: 'EINVAL' });
  });

  test('two threads: nothing is lost, torn or out of order', async () => {
    const ring = SharedRing.allocate(4096);
    const worker = new Worker(new URL(import.meta.url), { workerData: ring.memory });
    const exited = once(worker, 'exit');
    const into = new Uint8Array(128);
    for (let i = 0; i < MESSAGES; ) {
      const length = ring.take(into, 0);
      if (length === EMPTY) await new Promise((resolve) => setImmediate(resolve));
      else assert.equal(Buffer.compare(into.subarray(0, length), message(i++)), 0);
    }
    assert.deepEqual(await exited, [0]);
    assert.equal(ring.peek(), EMPTY);
  });
}
