import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartDelay } from './restart-delay.ts';

test('crashes at the start wait twice as long each, up to ten seconds; another starts at once', () => {
  const delay = new RestartDelay();
  assert.deepEqual(
    [0, 999, 1].map((lived) => delay.next(lived)),
    [100, 200, 400],
  );
  assert.equal(delay.next(1000), 0);
  assert.equal(delay.next(0), 100);
  for (let i = 0; i < 20; i++) delay.next(0);
  assert.equal(delay.next(0), 10_000);
});
