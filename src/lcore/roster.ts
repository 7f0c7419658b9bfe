/**
 * The lcores of the process, as all its threads see them.
 *
 * One table in shared memory, which the threads that are started from now on inherit. Who opens
 * lcores writes their places, each lcore its own state.
 * @module
 */
import { getEnvironmentData, setEnvironmentData, threadId } from 'node:worker_threads';

const KEY = 'dpdk-net.lcores';
/** DPDK's own bound (RTE_MAX_LCORE). */
const MOST_LCORES = 128;
/** Words of a place: a cache line. */
const WORDS = 16;

const USE = 0;
const ID = 1;
const SOCKET = 2;
const CPU = 3;
const STATE = 4;
const THREAD = 5;
const QUEUE = 6;

const FREE = 0;
const TAKEN = 1;
/** The main lcore is in the first place, and its number is 0 as EAL's is. */
export const MAIN = 0;

const STATES = ['starting', 'waiting', 'running', 'ended'] as const;
/** 'waiting' for a function, or 'running' one; 'ended': its Worker is gone. */
export type LcoreState = (typeof STATES)[number];

/** What is known of an lcore. */
export interface LcorePlace {
  readonly id: number;
  readonly socket: number;
  readonly cpu: number;
  readonly thread: number;
  readonly queue: number;
}

export class Roster {
  readonly #words: Int32Array;

  private constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** The process's; made by whoever asks first, which has to be before the lcores are started. */
  static get shared(): Roster {
    let memory = getEnvironmentData(KEY) as unknown as SharedArrayBuffer | undefined;
    if (memory === undefined) {
      memory = new SharedArrayBuffer(4 * WORDS * MOST_LCORES);
      setEnvironmentData(KEY, memory as unknown as string);
      const roster = new Roster(memory);
      roster.#set(MAIN, USE, TAKEN);
      roster.describe(MAIN, { id: 0, socket: -1, cpu: -1, thread: 0, queue: -1 });
      roster.setState(MAIN, 'running');
    }
    return new Roster(memory);
  }

  /** Takes a place; -1 when there is none left. */
  take(): number {
    for (let place = 0; place < MOST_LCORES; place++) {
      const at = place * WORDS + USE;
      if (Atomics.compareExchange(this.#words, at, FREE, TAKEN) === FREE) return place;
    }
    return -1;
  }

  free(place: number): void {
    this.#set(place, USE, FREE);
  }

  /** Places that are taken, in the order of their lcores' numbers. */
  get places(): number[] {
    return Array.from({ length: MOST_LCORES }, (_, place) => place)
      .filter((place) => this.#at(place, USE) === TAKEN)
      .sort((a, b) => this.#at(a, ID) - this.#at(b, ID));
  }

  /** Where this thread is; -1: it is no lcore. */
  get own(): number {
    const isOwn = (place: number): boolean =>
      this.#at(place, THREAD) === threadId && this.state(place) !== 'ended';
    return this.places.find(isOwn) ?? -1;
  }

  at(place: number): LcorePlace {
    return {
      id: this.#at(place, ID),
      socket: this.#at(place, SOCKET),
      cpu: this.#at(place, CPU),
      thread: this.#at(place, THREAD),
      queue: this.#at(place, QUEUE),
    };
  }

  describe(place: number, { id, socket, cpu, thread, queue }: LcorePlace): void {
    this.#set(place, ID, id);
    this.#set(place, SOCKET, socket);
    this.#set(place, CPU, cpu);
    this.#set(place, THREAD, thread);
    this.#set(place, QUEUE, queue);
  }

  state(place: number): LcoreState {
    return STATES[this.#at(place, STATE)]!;
  }

  setState(place: number, state: LcoreState): void {
    this.#set(place, STATE, STATES.indexOf(state));
    Atomics.notify(this.#words, place * WORDS + STATE);
  }

  /** Blocks until the lcore has ended, `ms` at most; for the end of the process. */
  waitForEnd(place: number, ms: number): void {
    const deadline = Date.now() + ms;
    for (let state = this.state(place); state !== 'ended'; state = this.state(place)) {
      const left = deadline - Date.now();
      if (left <= 0) return;
      Atomics.wait(this.#words, place * WORDS + STATE, STATES.indexOf(state), left);
    }
  }

  #at(place: number, word: number): number {
    return Atomics.load(this.#words, place * WORDS + word);
  }

  #set(place: number, word: number, value: number): void {
    Atomics.store(this.#words, place * WORDS + word, value);
  }
}
