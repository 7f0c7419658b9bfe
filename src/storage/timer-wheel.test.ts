import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { NO_TIMER, TimerWheel } from './timer-wheel.ts';

function fired(wheel: TimerWheel): number[] {
  const timers: number[] = [];
  for (let t = wheel.pop(); t !== NO_TIMER; t = wheel.pop()) timers.push(t);
  return timers;
}

test('a timer fires at its tick, on each level of the wheel, and across the wrap', () => {
  for (const start of [0, 250, 0xfff0, 0x7ffffff0]) {
    for (const delay of [1, 255, 256, 257, 65535, 65536, 70000, 16777216, 20000000]) {
      const wheel = new TimerWheel(start | 0);
      wheel.schedule(7, (start + delay) | 0);
      wheel.advance((start + delay - 1) | 0);
      assert.deepEqual(fired(wheel), [], `${delay} from ${start}: early`);
      wheel.advance((start + delay) | 0);
      assert.deepEqual(fired(wheel), [7], `${delay} from ${start}: not fired`);
      assert.equal(wheel.size, 0);
    }
  }
});

test('a cancelled timer does not fire and a moved one fires once', () => {
  const wheel = new TimerWheel(0);
  wheel.schedule(1, 10);
  wheel.schedule(2, 10);
  wheel.cancel(1);
  wheel.schedule(2, 400);
  wheel.advance(399);
  assert.deepEqual(fired(wheel), []);
  wheel.advance(400);
  assert.deepEqual(fired(wheel), [2]);
});

test('ticksUntilNext() is never later than the next timer', () => {
  const wheel = new TimerWheel(100);
  assert.equal(wheel.ticksUntilNext(), -1);
  wheel.schedule(1, 150);
  assert.equal(wheel.ticksUntilNext(), 50);
  wheel.schedule(2, 100);
  assert.equal(wheel.ticksUntilNext(), 0);
});

test('property: it agrees with a list of deadlines', () => {
  const action = fc.record({
    kind: fc.constantFrom('schedule', 'cancel', 'advance', 'sleep'),
    timer: fc.nat(40),
    ticks: fc.oneof(fc.nat(300), fc.nat(70000), fc.nat(20_000_000)),
  });
  fc.assert(
    fc.property(fc.integer(), fc.array(action, { maxLength: 60 }), (start, actions) => {
      const wheel = new TimerWheel(start);
      const model = new Map<number, number>();
      let now = start;
      for (const { kind, timer, ticks } of actions) {
        if (kind === 'schedule') {
          wheel.schedule(timer, (now + ticks) | 0);
          model.set(timer, (now + ticks) | 0);
        } else if (kind === 'cancel') {
          wheel.cancel(timer);
          model.delete(timer);
        } else {
          const next = wheel.ticksUntilNext();
          for (const at of model.values()) assert.ok(next <= Math.max(0, (at - now) | 0));
          now = (now + (kind === 'sleep' && next > 0 ? next : ticks)) | 0;
          wheel.advance(now);
          const due = [...model].filter(([, at]) => ((at - now) | 0) <= 0).map(([t]) => t);
          for (const t of due) model.delete(t);
          assert.deepEqual(
            fired(wheel).sort((a, b) => a - b),
            due.sort((a, b) => a - b),
          );
        }
        assert.equal(wheel.size, model.size);
      }
    }),
    { numRuns: 300 },
  );
});
