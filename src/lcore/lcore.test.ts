import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { after, before } from 'node:test';
import { Worker } from 'node:worker_threads';
import { LaunchBuilder, launchOn, launchOnWorkers, waitAllWorkers } from './launch.ts';
import { type LaunchTask, Lcore } from './lcore.ts';
import { type Lcores, openLcores } from './lcores.ts';

const MODULE = new URL(`./test-functions${import.meta.url.slice(-3)}`, import.meta.url);
const task = (name: string, argument?: unknown): LaunchTask => ({ module: MODULE, name, argument });

let lcores: Lcores;
before(async () => {
  lcores = await openLcores({ count: 3 });
});
after(() => lcores.close());

test('the lcores there are: the main one, and those that were opened, which wait', () => {
  assert.equal(Lcore.main.id, 0);
  assert.equal(Lcore.main.role, 'main');
  assert.equal(Lcore.current?.id, 0);
  assert.deepEqual(
    Lcore.all.map(({ id }) => id),
    [0, 1, 2, 3],
  );
  const workers = Lcore.workers.map(({ role, state, cpu, queue }) => ({ role, state, cpu, queue }));
  assert.deepEqual(
    workers,
    Array.from({ length: 3 }, () => ({ role: 'worker', state: 'waiting', cpu: -1, queue: -1 })),
  );
  assert.equal(Lcore.fromId(2)?.id, 2);
  assert.equal(Lcore.fromId(77), null);
});

test('a function runs in the thread of its lcore, which sees the others', async () => {
  const [lcore] = lcores.all;
  assert.deepEqual(await lcore!.run(task('whoAmI', { any: 'thing' })), {
    argument: { any: 'thing' },
    id: lcore!.id,
    queue: -1,
    role: 'worker',
    state: 'running',
    isCurrent: true,
    hasStack: false,
    all: [0, 1, 2, 3],
    hasParent: true,
  });
  assert.equal(lcore!.state, 'waiting');
});

test('a handle is asked without waiting, awaited, and waited for by its lcore', async () => {
  const [lcore] = lcores.all;
  const handle = lcore!.launch<number>(task('sum', Float64Array.of(1, 2, 39)));
  assert.equal(lcore!.state, 'running');
  assert.equal(handle.isDone, false);
  assert.equal(handle.poll(), undefined);
  assert.equal(await handle, 42);
  assert.equal(handle.isDone, true);
  assert.equal(handle.poll(), 42);
  assert.equal(await lcore!.wait(), 42);
});

test('one function at a time: the second is refused, and the first goes on', async () => {
  const [lcore] = lcores.all;
  const handle = lcore!.launch(task('untilAborted'));
  assert.throws(() => lcore!.launch(task('sum')), { code: 'EBUSY' });
  assert.throws(() => launchOnWorkers(task('sum')), { code: 'EBUSY' });
  assert.equal(Lcore.workers.filter(({ state }) => state === 'running').length, 1);
  handle.abort('enough');
  assert.equal(await handle, 'enough');
});

test('a signal aborts, before and while it runs', async () => {
  const [lcore] = lcores.all;
  const controller = new AbortController();
  const handle = lcore!.launch({ ...task('untilAborted'), signal: controller.signal });
  controller.abort('later');
  assert.equal(await handle, 'later');
  const aborted = AbortSignal.abort('before');
  assert.equal(await lcore!.run({ ...task('untilAborted'), signal: aborted }), 'before');
});

test('what a function throws is thrown: class, code and stack, and what is no error', async () => {
  const [lcore] = lcores.all;
  const handle = lcore!.launch(task('fail'));
  await assert.rejects(handle.wait(), (error: Error & { code?: string }) => {
    assert.equal(error.name, 'RangeError');
    assert.equal(error.message, 'as told');
    assert.equal(error.code, 'EXAMPLE');
    assert.match(error.stack!, /test-functions/);
    return true;
  });
  assert.throws(() => handle.poll(), /as told/);
  assert.equal(handle.state, 'threw');
  await assert.rejects(lcore!.run(task('failWithText')), { message: 'just a text' });
  await assert.rejects(lcore!.run(task('nothing')), /has no function 'nothing'/);
  await assert.rejects(lcore!.run({ module: 'file:///not/there.js' }), {
    code: /MODULE_NOT_FOUND/,
  });
  await assert.rejects(lcore!.run(task('answerFunction')), { name: 'DataCloneError' });
  assert.throws(() => lcore!.launch(task('sum', () => 1)), { name: 'DataCloneError' });
  assert.equal(lcore!.state, 'waiting');
});

test('an argument and a result are moved', async () => {
  const buffer = new ArrayBuffer(1 << 16);
  const [lcore] = lcores.all;
  const filled = await lcore!.run<ArrayBuffer>({ ...task('fill', buffer), transfer: [buffer] });
  assert.equal(buffer.byteLength, 0);
  assert.ok(new Uint8Array(filled).every((byte) => byte === 7));
});

test('on many: each gets an argument of its own, and the results are in order', async () => {
  const group = launchOn<number>(lcores.all, (_, index) => task('sum', Float64Array.of(index, 1)));
  assert.equal(group.isDone, false);
  assert.deepEqual(await group.wait(), [1, 2, 3]);
  assert.deepEqual(await waitAllWorkers(), [1, 2, 3]);
  assert.equal(group.isDone, true);
});

test('the builder: NUMA node, those that wait, a number of them', async () => {
  const builder = (): LaunchBuilder<number> => new LaunchBuilder<number>(MODULE, 'sum');
  const nodes = new Set(lcores.all.map(({ socket }) => socket));
  for (const node of nodes) {
    const expected = lcores.all.filter(({ socket }) => socket === node).length;
    assert.equal(builder().onSocket(node).lcores.length, expected);
  }
  assert.equal(builder().onSocket(99).lcores.length, 0);
  assert.equal(builder().serving().lcores.length, 0);
  const [first, second] = lcores.all;
  const busy = first!.launch(task('untilAborted'));
  assert.deepEqual(
    builder()
      .atMost(1)
      .lcores.map(({ id }) => id),
    [second!.id],
  );
  assert.deepEqual(builder().on([first!]).lcores, []);
  busy.abort();
  await busy;
  const group = builder()
    .serving(false)
    .atMost(2)
    .argument(() => Float64Array.of(5))
    .launch();
  assert.deepEqual(await group.wait(), [5, 5]);
});

test('an lcore that ends fails what it runs, says why, and takes nothing any more', async () => {
  const more = await openLcores({ count: 3 });
  const [exits, crashes, killed] = more.all;
  await assert.rejects(exits!.run(task('exit', 3)), { code: 'ECANCELED', message: /exit code 3/ });
  await assert.rejects(crashes!.run(task('crashLater')), {
    code: 'ECANCELED',
    message: /crashed as told/,
  });
  const handle = killed!.launch(task('untilAborted'));
  await handle.kill();
  await assert.rejects(handle.wait(), { code: 'ECANCELED' });
  for (const { state } of [exits!, crashes!, killed!]) assert.equal(state, 'ended');
  assert.throws(() => exits!.launch(task('sum')), { code: 'EPERM' });
  await more.close();
  assert.equal(Lcore.workers.length, 3);
});

test('with restart another takes its place', async () => {
  const more = await openLcores({ count: 1, restart: true });
  const [lcore] = more.all;
  await assert.rejects(lcore!.run(task('exit', 0)), { code: 'ECANCELED' });
  while (lcore!.state !== 'waiting') await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await lcore!.run(task('sum', Float64Array.of(6))), 6);
  assert.equal(more.restarts, 1);
  await more.close();
});

test('the end aborts what runs', async () => {
  const more = await openLcores({ count: 1 });
  const handle = more.all[0]!.launch<Error>(task('untilAborted'));
  await Promise.allSettled([more.close(), handle]);
  assert.equal(handle.isDone, true);
});

test("a worker thread of the program's own sees the lcores and may not launch", async () => {
  const index = new URL(`./index${import.meta.url.slice(-3)}`, import.meta.url);
  const script = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(index.href)}).then(({ Lcore }) => {
      let code = '';
      try { Lcore.workers[0].launch({ module: '' }); } catch (error) { code = error.code; }
      parentPort.postMessage([Lcore.all.length, Lcore.current, Lcore.main.id, code]);
    });`;
  const worker = new Worker(script, { eval: true });
  const [answer] = (await once(worker, 'message')) as [unknown[]];
  assert.deepEqual(answer, [4, null, 0, 'EPERM']);
  await worker.terminate();
});
