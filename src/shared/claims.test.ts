import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Claims } from './claims.ts';

const CELLS = 4096;
const THINGS = 1000;

interface ClaimerTask {
  readonly memory: SharedArrayBuffer;
  readonly gate: SharedArrayBuffer;
  readonly owner: number;
}

/** In a thread of its own: claims every thing once, and tells which it got. */
function claimAll({ memory, gate, owner }: ClaimerTask): void {
  const claims = new Claims(memory, 0, CELLS);
  Atomics.wait(new Int32Array(gate), 0, 0);
  const got: number[] = [];
  for (let thing = 0; thing < THINGS; thing++) {
    if (claims.claim(Math.imul(thing, 0x9e3779b1) >>> 8, thing, owner, 0, 1000)) got.push(thing);
  }
  parentPort!.postMessage(got);
}

if (isMainThread) declareTests();
else claimAll(workerData as ClaimerTask);

function declareTests(): void {
  const claims = (): Claims => new Claims(new SharedArrayBuffer(8 * CELLS), 0, CELLS);

  test('a claim keeps others out until its deadline, and its owner may renew it', () => {
    const table = claims();
    assert.equal(table.claim(5, 77, 0, 100, 1100), true);
    assert.equal(table.claim(5, 77, 1, 100, 1100), false);
    assert.equal(table.isClaimed(5, 77, 1099), true);
    assert.equal(table.claim(5, 77, 0, 600, 1600), true);
    assert.equal(table.claim(5, 77, 1, 1100, 2100), false);
    assert.equal(table.isClaimed(5, 77, 1600), false);
    assert.equal(table.claim(5, 77, 1, 1600, 2600), true);
    assert.equal(table.claim(5, 77, 0, 1600, 2600), false);
  });

  test('deadlines are compared across the wrap of int32', () => {
    const table = claims();
    const now = 0x7fffff00;
    assert.equal(table.claim(1, 2, 0, now, (now + 1000) | 0), true);
    assert.equal(table.claim(1, 2, 1, (now + 999) | 0, 0), false);
    assert.equal(table.claim(1, 2, 1, (now + 1000) | 0, (now + 2000) | 0), true);
  });

  test('things that share cells are kept apart; a table without room grants', () => {
    const table = claims();
    for (let mark = 0; mark < 8; mark++) assert.equal(table.claim(9, mark, 0, 0, 10), true);
    for (let mark = 0; mark < 8; mark++) assert.equal(table.claim(9, mark, 1, 0, 10), false);
    assert.equal(table.claim(9, 8, 0, 0, 10), true);
    assert.equal(table.claim(9, 8, 1, 0, 10), true);
  });

  test('of threads that want the same at the same time one gets it', async () => {
    const memory = new SharedArrayBuffer(8 * CELLS);
    const gate = new SharedArrayBuffer(4);
    const workers = [0, 1, 2, 3].map(
      (owner) =>
        new Worker(new URL(import.meta.url), {
          workerData: { memory, gate, owner } satisfies ClaimerTask,
        }),
    );
    await Promise.all(workers.map((worker) => once(worker, 'online')));
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    const got = await Promise.all(workers.map((worker) => once(worker, 'message')));
    const things = got.flat(2) as number[];
    assert.deepEqual(
      things.sort((a, b) => a - b),
      Array.from({ length: THINGS }, (_, i) => i),
    );
  });
}
