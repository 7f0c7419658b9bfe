import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { NO_SLOT, SharedEvents } from './events.ts';

const SLOTS = 5;
const ROUNDS = 20_000;

function produce(memory: SharedArrayBuffer): void {
  const events = new SharedEvents(memory, 0, SLOTS);
  const counts = new Int32Array(memory, SharedEvents.bytesFor(SLOTS), SLOTS);
  for (let i = 0; i < ROUNDS; i++) {
    const slot = (i * 7) % SLOTS;
    Atomics.add(counts, slot, 1);
    if (events.raise(slot, 1 << (i % 4))) parentPort!.postMessage('wake');
  }
  parentPort!.close();
}

if (isMainThread) declareTests();
else produce(workerData as SharedArrayBuffer);

function declareTests(): void {
  const allocate = (): SharedEvents =>
    new SharedEvents(new SharedArrayBuffer(SharedEvents.bytesFor(SLOTS)), 0, SLOTS);

  test('a slot is queued once, with all its bits, in the order of the first of them', () => {
    const events = allocate();
    for (let round = 0; round < 20; round++) {
      events.raise(3, 1);
      events.raise(1, 4);
      events.raise(3, 2);
      assert.equal(events.next(), 3);
      assert.equal(events.take(3), 3);
      events.raise(3, 8);
      assert.equal(events.next(), 1);
      // Not taken yet: it is not queued again.
      events.raise(1, 1);
      assert.equal(events.take(1), 5);
      assert.equal(events.next(), 3);
      assert.equal(events.take(3), 8);
      assert.equal(events.next(), NO_SLOT);
    }
  });

  test('who sleeps is woken by the first event, once; with news nobody falls asleep', () => {
    const events = allocate();
    assert.equal(events.raise(0, 1), false);
    assert.equal(events.sleep(), false);
    events.take(events.next());
    assert.equal(events.sleep(), true);
    assert.equal(events.raise(0, 1), true);
    assert.equal(events.raise(1, 1), false);
    events.take(events.next());
    events.take(events.next());
    assert.equal(events.sleep(), true);
    events.wake();
    assert.equal(events.raise(0, 1), false);
  });

  test('two threads: every event is seen, and no sleep is for ever', async () => {
    const bytes = SharedEvents.bytesFor(SLOTS);
    const memory = new SharedArrayBuffer(bytes + 4 * SLOTS);
    const events = new SharedEvents(memory, 0, SLOTS);
    const counts = new Int32Array(memory, bytes, SLOTS);
    const worker = new Worker(new URL(import.meta.url), { workerData: memory });
    const exited = once(worker, 'exit');
    const seen = new Int32Array(SLOTS);
    const sum = (): number => seen.reduce((total, count) => total + count, 0);
    while (sum() < ROUNDS) {
      const slot = events.next();
      if (slot !== NO_SLOT) {
        assert.notEqual(events.take(slot), 0);
        // What had happened by the time of the bits is to be seen after them.
        seen[slot] = Atomics.load(counts, slot);
      } else if (events.sleep()) {
        await once(worker, 'message');
      }
    }
    assert.deepEqual(await exited, [0]);
    // The last may have been counted with the event before it, and raised after that.
    for (let slot = events.next(); slot !== NO_SLOT; slot = events.next()) {
      assert.notEqual(events.take(slot), 0);
      assert.equal(counts[slot], seen[slot]);
    }
  });
}
