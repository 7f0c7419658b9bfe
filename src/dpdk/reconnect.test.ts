import assert from 'node:assert/strict';
import test from 'node:test';
import { RECONNECT_MS, Reconnect } from './reconnect.ts';

/** A client whose server is up `handshakeMs` after each start; when each start was, until it is up. */
function startsUntilUp(reconnect: Reconnect, handshakeMs: number, from = 0): number[] {
  const starts: number[] = [];
  for (let now = from; now < from + 60_000; now += RECONNECT_MS) {
    const isUp = reconnect.isStarted && now - starts.at(-1)! >= handshakeMs;
    if (reconnect.isDue(now, isUp)) {
      reconnect.stopped();
      starts.push(now);
      reconnect.started(now);
    } else if (isUp) return starts;
  }
  assert.fail(`not up after ${starts.length} starts`);
}

test('isDue() starts a client once, and again when its server has gone', () => {
  const reconnect = new Reconnect();
  assert.deepEqual(startsUntilUp(reconnect, 40), [0]);
  assert.equal(reconnect.isDue(1000, true), false);
  assert.equal(reconnect.isDue(1020, false), true);
});

test('isDue() tries again at once when there is no server to start with', () => {
  const reconnect = new Reconnect();
  for (let now = 0; now < 1000; now += RECONNECT_MS) {
    assert.equal(reconnect.isDue(now, false), true);
    // The start fails.
  }
});

test('isDue() gives a server that is slow more time, whatever it needs', () => {
  for (const handshakeMs of [299, 301, 700, 1500, 9000]) {
    const starts = startsUntilUp(new Reconnect(), handshakeMs);
    assert.ok(starts.length <= 7, `${handshakeMs} ms: ${starts}`);
  }
});

test('isDue() is as impatient as before once the server was there', () => {
  const reconnect = new Reconnect();
  startsUntilUp(reconnect, 5000);
  assert.equal(reconnect.isDue(50_000, true), false);
  assert.equal(reconnect.isDue(50_020, false), true);
  reconnect.started(50_020);
  assert.equal(reconnect.isDue(50_040, false), false);
  assert.equal(reconnect.isDue(50_320, false), true);
});
