/**
 * A hierarchical timer wheel: schedule, reschedule and cancel in constant time for any number of
 * timers (Varghese and Lauck 1987).   hot path
 *
 * A timer is a small integer chosen by the caller; time is an int32 tick of the caller's unit.
 * Four wheels of 256 slots: the first holds the next 256 ticks, each further one 256 times as
 * many. Lists run through int32 arrays, so timers are free of garbage. Timers may fire late when
 * advance() is called late, never early.
 * @module
 */
export const NO_TIMER = -1;

const SLOT_BITS = 8;
const SLOTS = 1 << SLOT_BITS;
const MASK = SLOTS - 1;
const LEVELS = 4;
/** Words of a timer. */
const WORDS = 4;
const NEXT = 0;
const PREV = 1;
const AT = 2;
/** Stored plus one, so that fresh memory means: not scheduled. */
const SLOT = 3;
/** The list of what is due comes after the slots. */
const DUE = LEVELS * SLOTS;

export class TimerWheel {
  /** Timers scheduled now. */
  size = 0;
  /** The tick up to which time has advanced. */
  now: number;
  /** Four words a timer, one cache line for all of them: next, previous, tick, slot + 1 or 0. */
  #links: Int32Array;
  /** First timer of each slot; the last list holds what is due. */
  readonly #heads: Int32Array = new Int32Array(LEVELS * SLOTS + 1).fill(NO_TIMER);
  /** One bit per slot that is not empty. */
  readonly #occupied: Int32Array = new Int32Array((LEVELS * SLOTS) >> 5);

  constructor(now: number, capacity = 64) {
    this.now = now;
    this.#links = new Int32Array(capacity * WORDS);
  }

  isScheduled(timer: number): boolean {
    return timer * WORDS < this.#links.length && this.#links[timer * WORDS + SLOT] !== 0;
  }

  /** The tick a scheduled timer is due at. */
  dueAt(timer: number): number {
    return this.#links[timer * WORDS + AT]!;
  }

  /** Schedules or moves a timer; a tick that has passed is due at the next advance(). */
  schedule(timer: number, at: number): void {
    if (timer * WORDS >= this.#links.length) this.#grow(timer);
    if (this.#links[timer * WORDS + SLOT] !== 0) this.#unlink(timer);
    else this.size++;
    this.#links[timer * WORDS + AT] = at;
    this.#place(timer, at);
  }

  cancel(timer: number): void {
    if (!this.isScheduled(timer)) return;
    this.#unlink(timer);
    this.size--;
  }

  /** Moves time to `now`; then pop() gives the timers that are due. */
  advance(now: number): void {
    while (((now - this.now) | 0) > 0) {
      if (this.size === 0) {
        this.now = now;
        return;
      }
      const empty = this.#emptyTicks();
      const left = (now - this.now) | 0;
      if (empty > 0) {
        // Nothing happens in the rest of this turn of the first wheel: skip up to its end.
        this.now = (this.now + (empty < left ? empty : left)) | 0;
        continue;
      }
      this.now = (this.now + 1) | 0;
      if ((this.now & MASK) === 0) this.#cascade(1);
      this.#moveAll(this.now & MASK, DUE);
    }
  }

  /** True when pop() has something to give already. */
  get hasDue(): boolean {
    return this.#heads[DUE] !== NO_TIMER;
  }

  /** Takes the next due timer off the wheel, or NO_TIMER. */
  pop(): number {
    const timer = this.#heads[DUE]!;
    if (timer === NO_TIMER) return NO_TIMER;
    this.#unlink(timer);
    this.size--;
    return timer;
  }

  /**
   * Ticks from now until something may be due: a lower bound that is exact within the first
   * wheel. -1 when no timer is scheduled.
   */
  ticksUntilNext(): number {
    if (this.size === 0) return -1;
    if (this.#heads[DUE] !== NO_TIMER) return 0;
    let least = 0x7fffffff;
    for (let level = 0; level < LEVELS; level++) {
      const ticks = this.#ticksInLevel(level);
      if (ticks < least) least = ticks;
    }
    return least;
  }

  /** Ticks until the next occupied slot of a level begins; a slot of its next turn: until that. */
  #ticksInLevel(level: number): number {
    const shift = level * SLOT_BITS;
    const here = (this.now >>> shift) & MASK;
    let slot = this.#firstOccupied(level, here + 1);
    if (slot === -1) {
      if (this.#firstOccupied(level, 0) === -1) return 0x7fffffff;
      slot = SLOTS;
    }
    const intoSlot = this.now & ((1 << shift) - 1);
    const ticks = (slot - here) * 2 ** shift - intoSlot;
    return ticks < 0x7fffffff ? ticks : 0x7fffffff;
  }

  /** How many of the coming ticks have empty slots and cause no cascade. */
  #emptyTicks(): number {
    const here = this.now & MASK;
    const slot = this.#firstOccupied(0, here + 1);
    return (slot === -1 ? SLOTS : slot) - here - 1;
  }

  /** The first occupied slot of a level from `from` on, without wrapping; -1: none. */
  #firstOccupied(level: number, from: number): number {
    const base = level << (SLOT_BITS - 5);
    for (let slot = from; slot < SLOTS; ) {
      const bits = this.#occupied[base + (slot >> 5)]! >>> (slot & 31);
      if (bits !== 0) return slot + 31 - Math.clz32(bits & -bits);
      slot = (slot | 31) + 1;
    }
    return -1;
  }

  #cascade(level: number): void {
    if (level === LEVELS) return;
    const index = (this.now >>> (level * SLOT_BITS)) & MASK;
    if (index === 0) this.#cascade(level + 1);
    const slot = level * SLOTS + index;
    let timer = this.#heads[slot]!;
    while (timer !== NO_TIMER) {
      const following = this.#links[timer * WORDS + NEXT]!;
      this.#unlink(timer);
      this.#place(timer, this.#links[timer * WORDS + AT]!);
      timer = following;
    }
  }

  /** Puts a timer into the slot of its tick, seen from now. */
  #place(timer: number, at: number): void {
    const ticks = (at - this.now) | 0;
    if (ticks <= 0) this.#link(timer, DUE);
    else if (ticks < SLOTS) this.#link(timer, at & MASK);
    else if (ticks < 1 << 16) this.#link(timer, SLOTS + ((at >>> 8) & MASK));
    else if (ticks < 1 << 24) this.#link(timer, 2 * SLOTS + ((at >>> 16) & MASK));
    else this.#link(timer, 3 * SLOTS + ((at >>> 24) & MASK));
  }

  #link(timer: number, slot: number): void {
    const head = this.#heads[slot]!;
    this.#links[timer * WORDS + NEXT] = head;
    this.#links[timer * WORDS + PREV] = NO_TIMER;
    if (head !== NO_TIMER) this.#links[head * WORDS + PREV] = timer;
    this.#heads[slot] = timer;
    this.#links[timer * WORDS + SLOT] = slot + 1;
    if (slot !== DUE) this.#occupied[slot >> 5]! |= 1 << (slot & 31);
  }

  #unlink(timer: number): void {
    const slot = this.#links[timer * WORDS + SLOT]! - 1;
    const next = this.#links[timer * WORDS + NEXT]!;
    const prev = this.#links[timer * WORDS + PREV]!;
    if (next !== NO_TIMER) this.#links[next * WORDS + PREV] = prev;
    if (prev !== NO_TIMER) this.#links[prev * WORDS + NEXT] = next;
    else this.#heads[slot] = next;
    this.#links[timer * WORDS + SLOT] = 0;
    if (slot !== DUE && this.#heads[slot] === NO_TIMER) {
      this.#occupied[slot >> 5]! &= ~(1 << (slot & 31));
    }
  }

  #moveAll(slot: number, to: number): void {
    let timer = this.#heads[slot]!;
    while (timer !== NO_TIMER) {
      const following = this.#links[timer * WORDS + NEXT]!;
      this.#unlink(timer);
      this.#link(timer, to);
      timer = following;
    }
  }

  /** cold: once per doubling. */
  #grow(timer: number): void {
    let words = this.#links.length;
    while (words <= timer * WORDS) words *= 2;
    const links = new Int32Array(words);
    links.set(this.#links);
    this.#links = links;
  }
}
