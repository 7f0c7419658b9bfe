/**
 * The loop that drives a stack under Node's event loop.
 *
 * Polling never blocks the program: a turn is a few polls in a setImmediate callback, after which
 * Node sees to its own timers, files and promises. While there is traffic the next turn follows
 * at once. After a while without, the loop sleeps until the stack's next timer.
 *
 * Where the device has a receive interrupt a frame wakes it. Where it has none the loop looks again
 * after a millisecond, after IDLE_MS without traffic every 8, and after LONG_IDLE_MS every 16: that is the
 * bound of what sleeping adds to a frame's latency. How long it keeps looking before it sleeps adapts:
 * sleeping turned out wrong when the first poll afterwards finds frames.
 * @module
 */
import type { EventSource } from '../base/events.ts';
import { LoopMeter } from './loop-meter.ts';
import { nowMicros } from './now.ts';

/** What the loop drives; a Stack is one. */
export interface Pollable {
  poll(now: number): number;
  pollAt(): number;
  nextEvent(): EventSource | null;
  readonly linkGone: number;
}

/** What `owner` of a socket has to be for its events to be told. */
export interface EventOwner {
  /** `events` are the bits of base/events.ts that were raised since the last call. */
  onEvents(events: number, source: EventSource): void;
}

/** What tells a sleeping loop that there is something to do; a DpdkLink is one. */
export interface Sleeper {
  /** `callback` ends a sleep. True when frames that the device receives do, too. */
  onWake(callback: () => void): boolean;
  /** The loop is about to sleep; false when there is something to do already. */
  sleep(): boolean;
}

/** What is looked after between polls of the stack; the worker's side of a bridge is one. */
export interface LoopPart {
  /** Does what there is to do, a bounded amount; returns how much, 0: nothing. */
  poll(): number;
  /** The loop is about to sleep; false when there is something to do already. Else wake() ends it. */
  sleep(): boolean;
}

export interface PollLoopOptions {
  /** Never sleep: the lowest latency, and all of one core. */
  readonly spin?: boolean;
  /**
   * Longest sleep in milliseconds where no frame ends it; when not given, 1 after traffic, 8
   * when there has been none for a while, and 16 in the end. A stack that has only its loopback can sleep until its
   * next timer.
   */
  readonly maxSleepMs?: number;
  /** Of the link that frames come from; none: nothing ends a sleep. */
  readonly sleeper?: Sleeper | null;
  /** A link is gone for good (the device was unplugged). Called once. */
  readonly onLinkGone?: () => void;
}

/** Polls in one turn, at most: enough to make a turn's 0.8 us cheap, few enough to stay polite. */
const POLLS_PER_TURN = 8;
/** Polls in one turn while nothing holds the process: turns are then a millisecond apart. */
const POLLS_PER_TICK = 64;
/** How long to look for frames before sleeping, in microseconds: the bounds of the adaptation. */
const SHORTEST_LOOK = 50;
const LONGEST_LOOK = 3200;
/** After so many milliseconds without a frame one more or less does not matter. */
const IDLE_MS = 100;
/** After so many looking is the only thing that an idle program spends a processor on. */
const LONG_IDLE_MS = 5000;
const SHORT_SLEEP_MS = 1;
const LONG_SLEEP_MS = 8;
const LONGEST_BLIND_MS = 16;
/** With a receive interrupt: nothing has to be looked for. */
const LONGEST_SLEEP_MS = 60_000;

export class PollLoop {
  /** For reports: turns taken, sleeps, and sleeps that a frame was waiting at the end of. */
  turns = 0;
  sleeps = 0;
  oversleeps = 0;
  /** Sleeps that a frame, or another thread, has ended. */
  wakes = 0;
  /** How long polls take, and how late turns begin. */
  readonly meter: LoopMeter = new LoopMeter();
  readonly #stack: Pollable;
  readonly #spin: boolean;
  readonly #maxSleepMs: number | null;
  readonly #sleeper: Sleeper | null;
  readonly #parts: LoopPart[] = [];
  #isInterrupted = false;
  readonly #onLinkGone: () => void;
  #holds = 0;
  #immediate: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #running = false;
  #polling = false;
  #isTurnOver = false;
  #slept = false;
  #toldGone = false;
  #lastBusy = 0;
  #look = 200;
  /** The clock when the last poll was over, and when the next turn could begin. */
  #now = 0;
  #dueAt = 0;

  constructor(stack: Pollable, options: PollLoopOptions = {}) {
    this.#stack = stack;
    this.#spin = options.spin ?? false;
    this.#maxSleepMs = options.maxSleepMs ?? null;
    this.#sleeper = options.sleeper ?? null;
    this.#onLinkGone = options.onLinkGone ?? (() => {});
  }

  /** Starts polling; idempotent. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#now = nowMicros();
    this.#lastBusy = this.#now;
    if (!this.#spin && this.#sleeper !== null) {
      this.#isInterrupted = this.#sleeper.onWake(this.#awake);
    }
    this.#schedule(0);
  }

  /** Stops polling; idempotent. The stack stays as it is. */
  stop(): void {
    this.#running = false;
    this.#cancel();
  }

  /** The stack has work (something was written): poll in the next turn. Never polls inside. */
  wake(): void {
    if (!this.#running) return;
    this.#slept = false;
    // The clock costs more than the rest: what is sent counts as traffic when it is.
    if (this.#immediate !== null || this.#polling) return;
    this.#now = nowMicros();
    this.#lastBusy = this.#now;
    this.#cancel();
    this.#schedule(0);
  }

  /** No more polls in this turn: what native code has put off comes before the peer's answer. */
  endTurn(): void {
    this.#isTurnOver = true;
  }

  readonly #awake = (): void => {
    this.wakes++;
    this.wake();
  };

  /** Looks after `part`, too, from now on: once a turn. */
  join(part: LoopPart): void {
    this.#parts.push(part);
    this.wake();
  }

  /** No longer. */
  leave(part: LoopPart): void {
    const index = this.#parts.indexOf(part);
    if (index >= 0) this.#parts.splice(index, 1);
  }

  /** One more reason to keep the process alive. */
  hold(): void {
    this.#holds++;
    if (this.#holds === 1) this.#reschedule();
  }

  /** One reason less. */
  release(): void {
    if (this.#holds === 0) throw new Error('release() without hold()');
    this.#holds--;
    if (this.#holds === 0) this.#reschedule();
  }

  /** How many reasons there are. */
  get holds(): number {
    return this.#holds;
  }

  readonly #turn = (): void => {
    this.#immediate = null;
    this.#timer = null;
    this.#polling = true;
    this.turns++;
    this.#now = nowMicros();
    this.meter.began(Math.max(0, this.#now - this.#dueAt));
    // A listener that throws is the program's affair (uncaughtException); the loop goes on.
    try {
      this.#pollSome();
    } finally {
      this.#polling = false;
      if (this.#running) this.#schedule(this.#nap());
    }
    if (this.#stack.linkGone !== 0 && !this.#toldGone) {
      this.#toldGone = true;
      this.#onLinkGone();
    }
  };

  #pollSome(): void {
    this.#isTurnOver = false;
    if (this.#parts.length > 0) this.#pollParts();
    const polls = this.#holds > 0 ? POLLS_PER_TURN : POLLS_PER_TICK;
    for (let i = 0; i < polls; i++) {
      const now = this.#now;
      const moved = this.#stack.poll(now);
      if (moved > 0) this.#adapt(now);
      this.#dispatch();
      this.#now = nowMicros();
      if (moved === 0 || !this.#running || this.#isTurnOver) return;
      this.meter.polled(this.#now - now);
    }
  }

  #pollParts(): void {
    let done = 0;
    for (const part of this.#parts) done += part.poll();
    if (done === 0) return;
    this.#slept = false;
    this.#lastBusy = nowMicros();
  }

  /** Tells every socket with events. A socket without an owner keeps its bits for later. */
  #dispatch(): void {
    for (let source = this.#stack.nextEvent(); source !== null; source = this.#stack.nextEvent()) {
      const owner = source.owner as EventOwner | null;
      if (owner !== null) owner.onEvents(source.takeEvents(), source);
    }
  }

  #adapt(now: number): void {
    if (this.#slept) {
      this.oversleeps++;
      this.#look = Math.min(this.#look * 2, LONGEST_LOOK);
    }
    this.#slept = false;
    this.#lastBusy = now;
  }

  /** Milliseconds to sleep before the next turn; 0: none. */
  #nap(): number {
    if (this.#spin) return 0;
    const now = this.#now;
    if (now - this.#lastBusy < this.#look) return 0;
    const due = this.#stack.pollAt() - now;
    if (due < 1000) return 0;
    // Slept and found nothing: looking for so long was in vain.
    if (this.#slept) this.#look = Math.max(this.#look - 10, SHORTEST_LOOK);
    if (this.#sleeper !== null && this.#stack.linkGone === 0 && !this.#sleeper.sleep()) return 0;
    if (this.#parts.length > 0 && !this.#parts.every((part) => part.sleep())) return 0;
    this.#slept = true;
    this.sleeps++;
    return Math.min(Math.floor(due / 1000), this.#longest(now));
  }

  #longest(now: number): number {
    if (this.#isInterrupted) return LONGEST_SLEEP_MS;
    if (this.#maxSleepMs !== null) return this.#maxSleepMs;
    const idle = now - this.#lastBusy;
    if (idle >= LONG_IDLE_MS * 1000) return LONGEST_BLIND_MS;
    return idle >= IDLE_MS * 1000 ? LONG_SLEEP_MS : SHORT_SLEEP_MS;
  }

  /** An immediate that holds nothing would not run while Node waits: then it is a timer. */
  #schedule(delay: number): void {
    if (delay === 0 && this.#holds > 0) {
      this.#dueAt = this.#now;
      this.#immediate = setImmediate(this.#turn);
      return;
    }
    const wait = Math.max(delay, 1);
    this.#dueAt = this.#now + wait * 1000;
    this.#timer = setTimeout(this.#turn, wait);
    if (this.#holds === 0) this.#timer.unref();
  }

  #reschedule(): void {
    if (!this.#running || this.#polling) return;
    this.#cancel();
    this.#now = nowMicros();
    this.#schedule(0);
  }

  #cancel(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#immediate = null;
    this.#timer = null;
  }
}
