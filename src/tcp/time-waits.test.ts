import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from './connection.ts';
import { CLOSED, TIME_WAIT } from './state.ts';
import { TimeWaits } from './time-waits.ts';

/** As many connections as asked for, none of which waits. */
function connectionsOf(count: number): Connection[] {
  return Array.from({ length: count }, (_, index) => ({ index, state: CLOSED }) as Connection);
}

function enter(waits: TimeWaits, c: Connection): void {
  c.state = TIME_WAIT;
  waits.count++;
  waits.push(c);
}

function leave(waits: TimeWaits, c: Connection): void {
  c.state = CLOSED;
  waits.count--;
}

test('the oldest comes first, and what has ended otherwise not at all', () => {
  const connections = connectionsOf(3);
  const waits = new TimeWaits(connections);
  for (const c of connections) enter(waits, c);
  leave(waits, connections[0]!);
  assert.equal(waits.oldest(), connections[1]);
  assert.equal(waits.oldest(), connections[2]);
  assert.equal(waits.oldest(), null);
});

test('one that waits for long does not keep the entries of those that come and go', () => {
  const connections = connectionsOf(2);
  const [patient, busy] = connections as [Connection, Connection];
  const waits = new TimeWaits(connections);
  enter(waits, patient);
  for (let i = 0; i < 100_000; i++) {
    enter(waits, busy);
    assert.ok(waits.entries <= 100, `${waits.entries} entries for ${waits.count} connections`);
    leave(waits, busy);
  }
  enter(waits, busy);
  assert.equal(waits.oldest(), patient);
  assert.equal(waits.oldest(), busy);
});

test('who waits again is as old as this wait, not as its last one', () => {
  const connections = connectionsOf(200);
  const waits = new TimeWaits(connections);
  const [again, once] = [connections[150]!, connections[7]!];
  enter(waits, again);
  enter(waits, once);
  leave(waits, again);
  enter(waits, again);
  assert.equal(waits.oldest(), once);
  assert.equal(waits.oldest(), again);
  assert.equal(waits.oldest(), null);
});
