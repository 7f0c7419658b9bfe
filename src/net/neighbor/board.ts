/**
 * What several stacks over one device tell each other about neighbors: each is a queue of the
 * device and hears only the answers that come to that queue.
 *
 * Whoever learns publishes, and the others take it in by NeighborCache.hear(); before somebody asks
 * on the wire he claims the question, so that each address is asked for once and not once by every
 * queue; before somebody probes he asks the others. Their clocks must have one origin.
 * @module
 */
import { StackError } from '../../base/errors.ts';
import { Board, BoardReader, NO_NEWS } from '../../shared/board.ts';
import { Claims } from '../../shared/claims.ts';
import { AddressHash } from '../address-hash.ts';
import type { Neighbor } from './neighbor.ts';

/** Kinds of records. Heard: a station told us its MAC without being asked. */
export const HEARD = 0;
/** The station answered one of us at ARRIVED_AT. */
export const ANSWERED = 1;
/** One of us gets through to it: confirmed at CONFIRMED_AT, by answers or by TCP's progress. */
export const CONFIRMED = 2;
/** One of us would like to know whether another gets through to it. */
export const DOES_ANYBODY_KNOW = 3;

/** Words of a record. */
export const KIND = 0;
export const NIC = 1;
export const ADDRESS = 2;
export const MAC_HIGH = 6;
export const MAC_LOW = 7;
export const AT = 8;
const WORDS = 9;

/** Records a queue's lane keeps: as many neighbors can be learned between two polls of another. */
const RECORDS = 4096;
/** Questions on the wire at once. */
const CLAIMS = 16_384;
/** Two hashes of two words each. */
const KEY_WORDS = 4;
const QUEUES_MAX = 255;

/** The memory behind a NeighborBoard, to be posted to the threads that share it. */
export interface NeighborBoardMemory {
  readonly board: SharedArrayBuffer;
  readonly claims: SharedArrayBuffer;
}

export class NeighborBoard {
  /** The queue that this side is. */
  readonly queue: number;
  /** The last thing heard. */
  readonly record: Int32Array;
  readonly #board: Board;
  readonly #reader: BoardReader;
  readonly #claims: Claims;
  readonly #hash: AddressHash;
  readonly #mark: AddressHash;
  readonly #words: Int32Array = new Int32Array(WORDS);

  constructor(memory: NeighborBoardMemory, queue: number) {
    const key = new Int32Array(memory.claims, 0, KEY_WORDS);
    let next = 0;
    const nextKey = (): number => key[next++]!;
    this.queue = queue;
    this.#board = new Board(memory.board);
    this.#reader = new BoardReader(this.#board, queue);
    this.record = this.#reader.record;
    this.#claims = new Claims(memory.claims, 4 * KEY_WORDS, CLAIMS);
    this.#hash = new AddressHash(nextKey);
    this.#mark = new AddressHash(nextKey);
  }

  /**
   * Memory for a board of so many queues; `random` gives int32 numbers that nobody can predict.
   * Throws StackError EINVAL for more than 255.
   */
  static allocate(queues: number, random: () => number): NeighborBoardMemory {
    if (queues > QUEUES_MAX) throw new StackError('EINVAL', `a neighbor board of ${queues} queues`);
    const board = Board.allocate({ lanes: queues, records: RECORDS, words: WORDS }).memory;
    const claims = new SharedArrayBuffer(4 * KEY_WORDS + 8 * CLAIMS);
    const key = new Int32Array(claims, 0, KEY_WORDS);
    for (let i = 0; i < KEY_WORDS; i++) key[i] = random();
    return { board, claims };
  }

  /** Whether another queue has said something: one load. */
  get hasNews(): boolean {
    return this.#reader.hasNews;
  }

  /** Makes all queues look, for news that lie elsewhere. */
  ring(): void {
    this.#board.ring();
  }

  /** Records that were missed because they were too many. */
  get missed(): number {
    return this.#reader.missed;
  }

  /** Reads one more record; false when there is none. */
  next(): boolean {
    return this.#reader.next() !== NO_NEWS;
  }

  /** Tells all other queues. */
  say(kind: number, neighbor: Neighbor, at: number): void {
    const words = this.#words;
    words[KIND] = kind;
    words[NIC] = neighbor.nic.index;
    words[ADDRESS] = neighbor.w0;
    words[ADDRESS + 1] = neighbor.w1;
    words[ADDRESS + 2] = neighbor.w2;
    words[ADDRESS + 3] = neighbor.w3;
    words[MAC_HIGH] = neighbor.macHigh;
    words[MAC_LOW] = neighbor.macLow;
    words[AT] = at;
    this.#board.publish(this.queue, words);
  }

  /** True: this queue is the one to ask on the wire. False: another does, until its deadline. */
  claim(neighbor: Neighbor, now: number, deadline: number): boolean {
    const { w0, w1, w2, w3 } = neighbor;
    const { index } = neighbor.nic;
    const hash = this.#hash.one(w0, w1, w2, w3, index);
    const mark = this.#mark.one(w0, w1, w2, w3, index);
    return this.#claims.claim(hash, mark, this.queue, now, deadline);
  }

  /** Whether any queue has asked for the address, so recently that an answer is one. */
  isAsked(nic: number, w0: number, w1: number, w2: number, w3: number, now: number): boolean {
    const hash = this.#hash.one(w0, w1, w2, w3, nic);
    const mark = this.#mark.one(w0, w1, w2, w3, nic);
    return this.#claims.isClaimed(hash, mark, now);
  }
}
