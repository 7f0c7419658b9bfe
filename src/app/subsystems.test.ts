import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inOrder, RunningSubsystems, type Subsystem, SubsystemError } from './subsystems.ts';

const part = (name: string, ...needs: string[]): Subsystem<string[]> => ({
  name,
  needs,
  start: (log) => void log.push(`+${name}`),
  stop: (log) => void log.push(`-${name}`),
});

test('each starts after what it needs, and stops before it', async () => {
  const log: string[] = [];
  const running = new RunningSubsystems(log);
  await running.start([part('app', 'metrics', 'ports'), part('metrics', 'ports'), part('ports')]);
  assert.deepEqual(log, ['+ports', '+metrics', '+app']);
  assert.deepEqual(await running.stop(), []);
  assert.deepEqual(log.slice(3), ['-app', '-metrics', '-ports']);
  assert.deepEqual(await running.stop(), []);
});

test('when one fails the others are stopped, and its error is told', async () => {
  const log: string[] = [];
  const bad = { ...part('bad', 'a'), start: () => Promise.reject(new Error('no luck')) };
  const stubborn = { ...part('a'), stop: () => Promise.reject(new Error('I stay')) };
  const start = (first: Subsystem<string[]>): Promise<void> =>
    new RunningSubsystems(log).start([bad, first, part('b', 'bad')]);
  await assert.rejects(start(part('a')), { message: 'no luck' });
  assert.deepEqual(log, ['+a', '-a']);
  await assert.rejects(start(stubborn), (error: AggregateError) => {
    assert.deepEqual(
      error.errors.map(({ message }: Error) => message),
      ['no luck', 'I stay'],
    );
    return true;
  });
});

test('a circle, a missing one and a twin are named', () => {
  const refuses = (subsystems: Subsystem<string[]>[], message: RegExp): void =>
    assert.throws(() => inOrder(subsystems), { name: 'SubsystemError', message });
  refuses(
    [part('x', 'a'), part('a', 'b'), part('b', 'c'), part('c', 'a')],
    /circle: a -> b -> c -> a$/,
  );
  refuses([part('a', 'a')], /circle: a -> a$/);
  refuses([part('a', 'b')], /'a' needs 'b', which there is not; there are a$/);
  refuses([part('a'), part('a')], /two subsystems called 'a'/);
});

test('whatever they need, the order fits or a circle is named', () => {
  const needs = fc.array(fc.array(fc.nat(7), { maxLength: 3 }), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(needs, (lists) => {
      const parts = lists.map((list, index) => part(`${index}`, ...list.map(String)));
      try {
        const names = inOrder(parts).map(({ name }) => name);
        assert.equal(names.length, parts.length);
        for (const { name, needs: wanted = [] } of parts) {
          for (const other of wanted) assert.ok(names.indexOf(other) < names.indexOf(name));
        }
      } catch (error) {
        assert.ok(error instanceof SubsystemError, String(error));
      }
    }),
  );
});
