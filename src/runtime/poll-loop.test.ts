import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { afterEach, test } from 'node:test';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { EventQueue, EventSource, READABLE, WRITABLE } from '../base/events.ts';
import { nowMicros } from './now.ts';
import { type EventOwner, type Pollable, PollLoop, type PollLoopOptions } from './poll-loop.ts';

/** A test that fails leaves nothing that keeps the process. */
const loops = new Set<PollLoop>();
afterEach(() => {
  for (const loop of loops) loop.stop();
  loops.clear();
});

function loopOver(machine: Pollable, options?: PollLoopOptions): PollLoop {
  const loop = new PollLoop(machine, options);
  loops.add(loop);
  return loop;
}

class Socket extends EventSource {}

/** A machine that does what a test tells it: so many polls with frames, then nothing. */
class Machine implements Pollable {
  linkGone = 0;
  polls = 0;
  busy = 0;
  at = Number.POSITIVE_INFINITY;
  readonly events: EventQueue = new EventQueue();

  poll(): number {
    this.polls++;
    return this.busy-- > 0 ? 1 : 0;
  }

  pollAt(): number {
    return this.at;
  }

  nextEvent(): EventSource | null {
    return this.events.next();
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(1);
}

test('frames are polled for many times a turn, and a turn is bounded', async () => {
  const machine = new Machine();
  const loop = loopOver(machine);
  loop.hold();
  loop.start();
  machine.busy = Number.POSITIVE_INFINITY;
  const before = machine.polls;
  const turns = loop.turns;
  for (let i = 0; i < 20; i++) await nextTurn();
  const polls = machine.polls - before;
  assert.ok(polls >= 20 * 4, `${polls}`);
  assert.ok(polls <= (loop.turns - turns) * 8, `${polls} polls in ${loop.turns - turns} turns`);
  loop.stop();
});

test('each poll with work is timed, and how late each turn begins', async () => {
  const machine = new Machine();
  machine.busy = 20;
  const loop = loopOver(machine);
  loop.hold();
  loop.start();
  await until(() => loop.sleeps > 0);
  loop.stop();
  const { poll, lag } = loop.meter.read();
  assert.equal(poll.count, 20);
  assert.equal(lag.count, loop.turns);
  const turns = loop.turns;
  loop.start();
  const stuckUntil = performance.now() + 20;
  while (performance.now() < stuckUntil);
  await until(() => loop.turns > turns);
  const late = loop.meter.read().lag.sum - lag.sum;
  assert.ok(late >= 19_000, `${late} us`);
});

test('without frames the loop sleeps; wake() ends the sleep', async () => {
  const machine = new Machine();
  const loop = loopOver(machine, { maxSleepMs: 60_000 });
  loop.hold();
  loop.start();
  await until(() => loop.sleeps > 0);
  const polls = machine.polls;
  await delay(20);
  assert.equal(machine.polls, polls);
  loop.wake();
  await nextTurn();
  await nextTurn();
  assert.ok(machine.polls > polls);
  loop.stop();
});

test('a sleep ends when the stack has a timer due', async () => {
  const machine = new Machine();
  const loop = loopOver(machine, { maxSleepMs: 60_000 });
  loop.hold();
  loop.start();
  await until(() => {
    // On a slow machine the time may come before the loop has had a look.
    if (loop.sleeps === 0) machine.at = nowMicros() + 30_000;
    return loop.sleeps > 0;
  });
  const polls = machine.polls;
  await until(() => machine.polls > polls);
  assert.ok(nowMicros() >= machine.at - 2000);
  loop.stop();
});

test('with spin it never sleeps', async () => {
  const machine = new Machine();
  const loop = loopOver(machine, { spin: true });
  loop.hold();
  loop.start();
  await until(() => machine.polls > 1000);
  assert.equal(loop.sleeps, 0);
  loop.stop();
});

test('events go to the owner, all bits at once; a socket without an owner keeps its bits', async () => {
  const machine = new Machine();
  const told: number[] = [];
  const owned = new Socket();
  owned.owner = { onEvents: (events) => told.push(events) } satisfies EventOwner;
  const orphan = new Socket();
  machine.events.raise(owned, READABLE);
  machine.events.raise(owned, WRITABLE);
  machine.events.raise(orphan, READABLE);
  const loop = loopOver(machine);
  loop.hold();
  loop.start();
  await until(() => told.length > 0);
  assert.deepEqual(told, [READABLE | WRITABLE]);
  assert.equal(orphan.events, READABLE);
  assert.equal(orphan.queued, 0);
  loop.stop();
});

test('a link that is gone is told once', async () => {
  const machine = new Machine();
  machine.linkGone = 1;
  let told = 0;
  const loop = loopOver(machine, { onLinkGone: () => told++ });
  loop.hold();
  loop.start();
  await until(() => loop.turns > 3);
  assert.equal(told, 1);
  loop.stop();
});

test('stop() inside an event ends it there', async () => {
  const machine = new Machine();
  const socket = new Socket();
  const loop = loopOver(machine);
  socket.owner = { onEvents: () => loop.stop() } satisfies EventOwner;
  machine.events.raise(socket, READABLE);
  machine.busy = Number.POSITIVE_INFINITY;
  loop.hold();
  loop.start();
  await until(() => socket.events === 0 && machine.polls > 0);
  const polls = machine.polls;
  await delay(10);
  assert.equal(machine.polls, polls);
});

test('release() without hold() is a mistake', () => {
  assert.throws(() => new PollLoop(new Machine()).release(), /without hold/);
});

/** Runs a program around a loop in a process of its own. */
function runProgram(body: string): { status: number | null; stdout: string } {
  const module = new URL('./poll-loop.js', import.meta.url);
  const source = new URL('./poll-loop.ts', import.meta.url);
  const code = `
    const { PollLoop } = await import('${import.meta.url.endsWith('.ts') ? source : module}');
    const machine = { linkGone: 0, polls: 0, events: [], poll() { this.polls++; return 0; },
      pollAt: () => Infinity, nextEvent() { return this.events.shift() ?? null; } };
    const loop = new PollLoop(machine);
    ${body}`;
  const args = ['--input-type=module', '-e', code];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, stdout };
}

test('a loop that nothing holds lets the process end', () => {
  assert.equal(runProgram('loop.start();').status, 0);
  assert.equal(
    runProgram('loop.start(); loop.hold(); setTimeout(() => loop.release(), 20);').status,
    0,
  );
});

test('a loop that is held keeps the process alive; one that is not still polls', () => {
  const held = runProgram(`
    const look = () => { if (machine.polls > 10) process.exit(7); setTimeout(look, 5).unref(); };
    loop.hold(); loop.start(); look();`);
  assert.equal(held.status, 7);
  const free = runProgram(`
    const look = () => { if (machine.polls <= 3) setTimeout(look, 5); else console.log('polled'); };
    loop.start(); look();`);
  assert.equal(free.status, 0);
  assert.equal(free.stdout, 'polled\n');
});

test('an exception of a listener reaches the program, and the loop goes on', () => {
  const { status, stdout } = runProgram(`
    const seen = [];
    process.on('uncaughtException', (error) => seen.push(error.message));
    const source = { owner: { onEvents() { throw new Error('mine'); } }, takeEvents: () => 1 };
    const after = { owner: { onEvents() { console.log(seen.join(), 'next'); process.exit(0); } }, takeEvents: () => 1 };
    machine.events.push(source, after);
    loop.hold(); loop.start();`);
  assert.equal(status, 0);
  assert.equal(stdout, 'mine next\n');
});

test('a link that can wake the loop lets it sleep for as long as the stack likes', async () => {
  const machine = new Machine();
  let awake = (): void => {};
  let asked = 0;
  const sleeper = {
    onWake: (callback: () => void) => {
      awake = callback;
      return true;
    },
    sleep: () => {
      asked++;
      return true;
    },
  };
  const loop = loopOver(machine, { sleeper });
  loop.hold();
  loop.start();
  while (loop.sleeps === 0) await new Promise((resolve) => setImmediate(resolve));
  const { turns } = loop;
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(loop.turns, turns, 'nothing woke it');
  awake();
  while (loop.sleeps === 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(loop.turns > turns);
  assert.equal(loop.wakes, 1);
  assert.equal(asked, 2);
  loop.stop();
});

test('the loop does not sleep when its link has something already', async () => {
  const machine = new Machine();
  let left = 5;
  const sleeper = { onWake: () => true, sleep: () => left-- <= 0 };
  const loop = loopOver(machine, { sleeper });
  loop.hold();
  loop.start();
  while (left >= 0) {
    assert.equal(loop.sleeps, 0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (loop.sleeps === 0) await new Promise((resolve) => setImmediate(resolve));
  loop.stop();
});

test('endTurn() ends the polling of a turn, not of the next', async () => {
  const machine = new Machine();
  const loop = loopOver(machine);
  const source = new Socket();
  const owner: EventOwner = { onEvents: () => loop.endTurn() };
  source.owner = owner;
  loop.hold();
  const poll = machine.poll.bind(machine);
  machine.poll = () => {
    machine.events.raise(source, READABLE);
    return poll();
  };
  machine.busy = Number.POSITIVE_INFINITY;
  loop.start();
  for (let i = 0; i < 20; i++) await nextTurn();
  loop.stop();
  assert.ok(loop.turns > 0);
  assert.equal(machine.polls, loop.turns);
});
