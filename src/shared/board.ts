/**
 * A board: what each of several threads has to say to all the others.
 *
 * Every writer has a lane of its own, a circle of records; nobody else writes there. Any number of
 * readers follow all lanes, each at its own pace, and nobody waits for anybody: a reader that
 * falls behind by more than a lane's records misses the oldest, and knows how many. One word, the
 * generation, moves with every record, so that looking for news costs one load when there is none.
 *
 *     | generation  lanes  records  words | lane 0: head | version data ... | version data ... | lane 1 ...
 *
 * A record's version is its number in the lane once it is whole, and the complement of that while
 * it is written: who reads the same number before and after the data has read all of it.
 * @module
 */
import { StackError } from '../base/errors.ts';

const GENERATION = 0;
const LANES = 1;
const RECORDS = 2;
const WORDS = 3;
/** Words in front of the lanes, and in front of a lane's records: a cache line each. */
const HEADER = 16;
/** What BoardReader.next() says when there is nothing new. */
export const NO_NEWS = -1;

export interface BoardShape {
  /** Writers. */
  readonly lanes: number;
  /** Records a lane keeps; a power of two. */
  readonly records: number;
  /** Int32 words of a record. */
  readonly words: number;
}

export class Board {
  /** The memory to give to another thread, which makes its own Board over it. */
  readonly memory: SharedArrayBuffer;
  readonly shape: BoardShape;
  readonly #cells: Int32Array;

  /** A view of a board that allocate() made. */
  constructor(memory: SharedArrayBuffer) {
    const cells = new Int32Array(memory);
    this.memory = memory;
    this.#cells = cells;
    this.shape = { lanes: cells[LANES]!, records: cells[RECORDS]!, words: cells[WORDS]! };
  }

  /** A new board, empty. Throws StackError EINVAL for an impossible shape. */
  static allocate({ lanes, records, words }: BoardShape): Board {
    if (lanes < 1 || words < 1 || records < 1 || (records & (records - 1)) !== 0) {
      throw new StackError('EINVAL', `a board of ${lanes} lanes, ${records} records of ${words}`);
    }
    const total = HEADER + lanes * laneWords(records, words);
    const memory = new SharedArrayBuffer(4 * total);
    const cells = new Int32Array(memory);
    cells[LANES] = lanes;
    cells[RECORDS] = records;
    cells[WORDS] = words;
    return new Board(memory);
  }

  /** Moves with every record, and with every ring(); compare it with what it was. */
  get generation(): number {
    return Atomics.load(this.#cells, GENERATION);
  }

  /** Makes everybody look, for news that lie elsewhere. */
  ring(): void {
    Atomics.add(this.#cells, GENERATION, 1);
  }

  /** Says something on a lane; its only writer calls this. */
  publish(lane: number, record: Int32Array): void {
    const cells = this.#cells;
    const headAt = this.#laneAt(lane);
    const number = (Atomics.load(cells, headAt) + 1) | 0;
    const at = this.#recordAt(headAt, number);
    Atomics.store(cells, at, ~number);
    const { words } = this.shape;
    for (let i = 0; i < words; i++) Atomics.store(cells, at + 1 + i, record[i]!);
    Atomics.store(cells, at, number);
    Atomics.store(cells, headAt, number);
    this.ring();
  }

  /** Number of the last record of a lane: it wraps, so compare by subtraction. */
  head(lane: number): number {
    return Atomics.load(this.#cells, this.#laneAt(lane));
  }

  /** Copies a record; false when it has been written over meanwhile. */
  read(lane: number, number: number, into: Int32Array): boolean {
    const cells = this.#cells;
    const at = this.#recordAt(this.#laneAt(lane), number);
    if (Atomics.load(cells, at) !== number) return false;
    const { words } = this.shape;
    for (let i = 0; i < words; i++) into[i] = Atomics.load(cells, at + 1 + i);
    return Atomics.load(cells, at) === number;
  }

  #laneAt(lane: number): number {
    return HEADER + lane * laneWords(this.shape.records, this.shape.words);
  }

  #recordAt(headAt: number, number: number): number {
    const { records, words } = this.shape;
    return headAt + HEADER + (number & (records - 1)) * (1 + words);
  }
}

/** Follows the lanes of a board, all but one. */
export class BoardReader {
  /** Records that were written over before they were read. */
  missed = 0;
  /** The record that next() found. */
  readonly record: Int32Array;
  readonly #board: Board;
  readonly #own: number;
  /** The last record read of each lane. */
  readonly #cursors: Int32Array;
  #heard: number;

  /** Begins with what still stands on the board. `own`: the lane not to read, -1: none. */
  constructor(board: Board, own: number) {
    this.#board = board;
    this.#own = own;
    this.record = new Int32Array(board.shape.words);
    this.#cursors = new Int32Array(board.shape.lanes);
    // At first a look is worth it in any case.
    this.#heard = (board.generation - 1) | 0;
  }

  /** Whether anything was said since the last time that next() found nothing more. */
  get hasNews(): boolean {
    return this.#board.generation !== this.#heard;
  }

  /** Reads one more record and returns its lane, or NO_NEWS. */
  next(): number {
    // Before the lanes are looked at: what is said from now on counts as new.
    const generation = this.#board.generation;
    for (let lane = 0; lane < this.#cursors.length; lane++) {
      if (lane !== this.#own && this.#nextOf(lane)) return lane;
    }
    this.#heard = generation;
    return NO_NEWS;
  }

  #nextOf(lane: number): boolean {
    const head = this.#board.head(lane);
    const behind = (head - this.#cursors[lane]!) | 0;
    const { records } = this.#board.shape;
    if (behind > records) {
      this.missed += behind - records;
      this.#cursors[lane] = (head - records) | 0;
    }
    while (this.#cursors[lane] !== head) {
      const number = (this.#cursors[lane]! + 1) | 0;
      this.#cursors[lane] = number;
      if (this.#board.read(lane, number, this.record)) return true;
      this.missed++;
    }
    return false;
  }
}

/** Words of a lane: its head, and its records. */
function laneWords(records: number, words: number): number {
  return HEADER + Math.ceil((records * (1 + words)) / HEADER) * HEADER;
}
