import assert from 'node:assert/strict';
import test from 'node:test';
import { astrayLimits, runAstray } from './queues/astray.mjs';

test('500 connections each way on 2 queues, one flow in ten astray: none fails, none is reordered', async () => {
  const found = await runAstray(2, 500);
  for (const [what, holds] of astrayLimits(found)) {
    assert.ok(holds, `${what}: ${JSON.stringify(found)}`);
  }
});
