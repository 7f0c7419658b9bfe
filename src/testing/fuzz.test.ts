import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FuzzPhase, fuzz } from './fuzz.ts';

test('no frame makes a stack throw, leak or stop serving', () => {
  const phases: FuzzPhase[] = [];
  fuzz({ seed: 1, frames: 60_000, onPhase: (phase) => phases.push(phase) });
  // The shots went where they should: most kinds of drops have happened.
  const reasons = new Set(phases.flatMap(({ report }) => Object.keys(report.drops)));
  assert.ok(reasons.size > 25, [...reasons].join(', '));
});
