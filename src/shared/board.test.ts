import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { Board, BoardReader, NO_NEWS } from './board.ts';

const WORDS = 6;

interface WriterTask {
  readonly memory: SharedArrayBuffer;
  readonly lane: number;
  readonly count: number;
}

/** In a thread of its own: says `count` things, each recognizable as whole. */
function write({ memory, lane, count }: WriterTask): void {
  const board = new Board(memory);
  const record = new Int32Array(WORDS);
  for (let i = 1; i <= count; i++) {
    for (let word = 0; word < WORDS; word++) record[word] = Math.imul(i, word + 1) ^ lane;
    board.publish(lane, record);
  }
  parentPort!.postMessage('done');
}

if (isMainThread) declareTests();
else write(workerData as WriterTask);

function declareTests(): void {
  test('every reader hears everything that others said, in the order of each lane', () => {
    const said = fc.record({ lane: fc.nat(2), value: fc.integer() });
    const step = fc.oneof(said, fc.record({ reader: fc.nat(2) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const board = Board.allocate({ lanes: 3, records: 64, words: 1 });
        const readers = [0, 1, 2].map((own) => new BoardReader(board, own));
        const heard: number[][][] = readers.map(() => [[], [], []]);
        const spoken: number[][] = [[], [], []];
        const listen = (i: number): void => {
          const reader = readers[i]!;
          for (let lane = reader.next(); lane !== NO_NEWS; lane = reader.next()) {
            heard[i]![lane]!.push(reader.record[0]!);
          }
          assert.equal(reader.hasNews, false);
        };
        for (const one of steps) {
          if ('reader' in one) listen(one.reader);
          else {
            board.publish(one.lane, Int32Array.of(one.value));
            spoken[one.lane]!.push(one.value);
            assert.ok(readers.every((reader) => reader.hasNews));
          }
        }
        for (const i of [0, 1, 2]) {
          listen(i);
          assert.deepEqual(
            heard[i],
            spoken.map((values, lane) => (lane === i ? [] : values)),
          );
          assert.equal(readers[i]!.missed, 0);
        }
      }),
    );
  });

  test('who comes late hears what still stands, and knows how much he missed', () => {
    const board = Board.allocate({ lanes: 2, records: 4, words: 1 });
    for (let i = 0; i < 10; i++) board.publish(1, Int32Array.of(i));
    const reader = new BoardReader(board, 0);
    const heard: number[] = [];
    while (reader.next() !== NO_NEWS) heard.push(reader.record[0]!);
    assert.deepEqual(heard, [6, 7, 8, 9]);
    assert.equal(reader.missed, 6);
  });

  test('ring() makes readers look although no lane has anything new', () => {
    const board = Board.allocate({ lanes: 2, records: 4, words: 1 });
    const reader = new BoardReader(board, 0);
    assert.equal(reader.next(), NO_NEWS);
    assert.equal(reader.hasNews, false);
    board.ring();
    assert.equal(reader.hasNews, true);
    assert.equal(reader.next(), NO_NEWS);
    assert.equal(reader.hasNews, false);
  });

  test('an impossible shape is refused', () => {
    for (const records of [0, 3, -4]) {
      assert.throws(() => Board.allocate({ lanes: 1, records, words: 1 }), { code: 'EINVAL' });
    }
  });

  test('threads that write as fast as they can never show a torn record', async () => {
    const count = 100_000;
    // Few records, so that the writers run over the readers all the time.
    const board = Board.allocate({ lanes: 2, records: 8, words: WORDS });
    const writers = [0, 1].map(
      (lane) =>
        new Worker(new URL(import.meta.url), {
          workerData: { memory: board.memory, lane, count } satisfies WriterTask,
        }),
    );
    let running = writers.length;
    const ended = writers.map((worker) => once(worker, 'message').then(() => running--));
    const reader = new BoardReader(board, -1);
    const last = [0, 0];
    let whole = 0;
    while (running > 0 || reader.hasNews) {
      for (let lane = reader.next(); lane !== NO_NEWS; lane = reader.next()) {
        const i = reader.record[0]! ^ lane;
        assert.ok(i > last[lane]!, 'in order');
        last[lane] = i;
        for (let word = 0; word < WORDS; word++) {
          assert.equal(reader.record[word], Math.imul(i, word + 1) ^ lane, 'torn');
        }
        if (++whole % 1024 === 0) break;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(ended);
    assert.deepEqual(last, [count, count]);
    assert.equal(whole + reader.missed, 2 * count);
  });
}
