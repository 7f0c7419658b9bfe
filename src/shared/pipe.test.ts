import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { SharedPipe } from './pipe.ts';

const BYTES = 60_000;
const CAPACITY = 1024;

/** In a thread of its own: writes all bytes, as pieces of different lengths. */
function produce(memory: SharedArrayBuffer): void {
  const pipe = new SharedPipe(memory, 0, CAPACITY);
  for (let sent = 0, piece = 1; sent < BYTES; piece = (piece % 700) + 13) {
    const bytes = Uint8Array.from({ length: Math.min(piece, BYTES - sent) }, (_, i) => sent + i);
    sent += pipe.write(bytes, 0, bytes.length);
  }
}

if (isMainThread) declareTests();
else produce(workerData as SharedArrayBuffer);

function declareTests(): void {
  const newPipe = (): SharedPipe => new SharedPipe(SharedPipe.allocate(64), 0, 64);

  test('what comes out is what went in, however it is written and read', () => {
    const action = fc.record({
      write: fc.boolean(),
      lent: fc.boolean(),
      bytes: fc.uint8Array({ maxLength: 80 }),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const pipe = newPipe();
        let model: number[] = [];
        for (const { write, lent, bytes } of actions) {
          if (write) {
            const count = lent
              ? Math.min(bytes.length, pipe.writablePiece)
              : Math.min(bytes.length, 64 - model.length);
            if (lent) {
              pipe.bytes.set(bytes.subarray(0, count), pipe.tailAt);
              pipe.commit(count);
            } else assert.equal(pipe.write(bytes, 0, bytes.length), count);
            model.push(...bytes.subarray(0, count));
          } else {
            const into = new Uint8Array(bytes.length);
            const count = lent
              ? Math.min(bytes.length, pipe.readablePiece)
              : pipe.copyOut(into, 0, into.length);
            if (lent) into.set(pipe.bytes.subarray(pipe.headAt, pipe.headAt + count));
            else assert.equal(count, Math.min(bytes.length, model.length));
            assert.deepEqual([...into.subarray(0, count)], model.slice(0, count));
            pipe.consume(count);
            model = model.slice(count);
          }
          assert.equal(pipe.readable, model.length);
          assert.equal(pipe.writable, 64 - model.length);
        }
      }),
    );
  });

  test('a producer that waits is told once, when half of the pipe is free', () => {
    const pipe = newPipe();
    assert.equal(pipe.awaitRoom(), false, 'there is room');
    pipe.write(new Uint8Array(64), 0, 64);
    assert.equal(pipe.awaitRoom(), true);
    assert.equal(pipe.consume(31), false);
    assert.equal(pipe.consume(1), true);
    assert.equal(pipe.consume(10), false);
  });

  test('reset() leaves an empty pipe', () => {
    const pipe = newPipe();
    pipe.write(new Uint8Array(64), 0, 64);
    pipe.awaitRoom();
    pipe.reset();
    assert.equal(pipe.readable, 0);
    assert.equal(pipe.consume(0), false);
  });

  test('a capacity that is no power of two is refused', () => {
    assert.throws(() => new SharedPipe(SharedPipe.allocate(100), 0, 100), { code: 'EINVAL' });
  });

  test('two threads: no byte is lost or out of order', async () => {
    const memory = SharedPipe.allocate(CAPACITY);
    const pipe = new SharedPipe(memory, 0, CAPACITY);
    const worker = new Worker(new URL(import.meta.url), { workerData: memory });
    const exited = once(worker, 'exit');
    const into = new Uint8Array(100);
    for (let received = 0; received < BYTES; ) {
      const count = pipe.copyOut(into, 0, into.length);
      for (let i = 0; i < count; i++) {
        if (into[i] !== ((received + i) & 0xff)) assert.fail(`byte ${received + i} is ${into[i]}`);
      }
      pipe.consume(count);
      received += count;
      if (count === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(await exited, [0]);
    assert.equal(pipe.readable, 0);
  });
}
