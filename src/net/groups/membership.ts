/**
 * What one interface has to tell about one group: changes, each as often as the robustness variable
 * says (RFC 3376 5.1, RFC 3810 6.1), and answers to queries (5.2, 6.2).
 * @module
 */
import type { Address } from '../../base/address.ts';
import { EXCLUDE, INCLUDE, minus, SourceFilter, unique } from './filter.ts';

/** Types of a record; those of the current state are the filter's modes. */
export const TO_INCLUDE = 3;
export const TO_EXCLUDE = 4;
export const ALLOW = 5;
export const BLOCK = 6;

/** A query that lists more sources than this is answered as one about the whole group. */
const ASKED_MAX = 64;

/** A group record of a report. */
export interface GroupRecord {
  readonly type: number;
  readonly group: Address;
  readonly sources: readonly Address[];
}

/** A source that began or ceased to be heard, and how often that is still to be told. */
interface ChangedSource {
  readonly source: Address;
  left: number;
}

export class Membership {
  readonly group: Address;
  filter: SourceFilter = SourceFilter.NONE;
  /** An answer is due at `answerAt` (int32 ms). */
  isAsked = false;
  answerAt = 0;
  /** About these sources; null: about the whole group. */
  #asked: readonly Address[] | null = null;
  #modeTells = 0;
  #changed: ChangedSource[] = [];

  constructor(group: Address) {
    this.group = group;
  }

  get hasChanges(): boolean {
    return this.#modeTells > 0 || this.#changed.length > 0;
  }

  /** From now on `filter` is what the interface hears; told `times` times. */
  change(filter: SourceFilter, times: number): void {
    const old = this.filter;
    this.filter = filter;
    // A record of a new mode names all sources.
    if (filter.mode !== old.mode || this.#modeTells > 0) {
      this.#modeTells = times;
      this.#changed = [];
      return;
    }
    const moved = [...minus(filter.sources, old.sources), ...minus(old.sources, filter.sources)];
    const others = this.#changed.filter(({ source }) => !moved.some((each) => each.equals(source)));
    this.#changed = [...others, ...moved.map((source) => ({ source, left: times }))];
  }

  /** The records of the next report of changes, which are told once more by that. */
  takeChanges(): GroupRecord[] {
    const { group, filter } = this;
    if (this.#modeTells > 0) {
      this.#modeTells--;
      const type = filter.mode === INCLUDE ? TO_INCLUDE : TO_EXCLUDE;
      return [{ type, group, sources: filter.sources }];
    }
    const sources = this.#changed.map(({ source }) => source);
    for (const changed of this.#changed) changed.left--;
    this.#changed = this.#changed.filter(({ left }) => left > 0);
    return [
      { type: ALLOW, group, sources: sources.filter((source) => filter.hears(source)) },
      { type: BLOCK, group, sources: sources.filter((source) => !filter.hears(source)) },
    ].filter((record) => record.sources.length > 0);
  }

  /** A router asks, about `sources` only unless that is empty; the answer is due at `at`. */
  ask(at: number, sources: readonly Address[]): void {
    if (!this.isAsked) {
      this.isAsked = true;
      this.answerAt = at;
      this.#asked = sources.length === 0 ? null : sources.slice(0, ASKED_MAX + 1);
    } else {
      if (((at - this.answerAt) | 0) < 0) this.answerAt = at;
      const isWhole = this.#asked === null || sources.length === 0;
      this.#asked = isWhole ? null : unique([...this.#asked!, ...sources.slice(0, ASKED_MAX + 1)]);
    }
    if (this.#asked !== null && this.#asked.length > ASKED_MAX) this.#asked = null;
  }

  /** The record that answers what was asked; null when there is nothing to say. */
  takeAnswer(): GroupRecord | null {
    const { group, filter } = this;
    const asked = this.#asked;
    this.forget();
    if (filter.isNone) return null;
    if (asked === null) return { type: filter.mode, group, sources: filter.sources };
    const sources = asked.filter((source) => filter.hears(source));
    return sources.length === 0 ? null : { type: INCLUDE, group, sources };
  }

  /** What was asked is answered, or need not be. */
  forget(): void {
    this.isAsked = false;
    this.#asked = null;
  }

  /** Nothing of what changed is told any more. */
  forgetChanges(): void {
    this.#modeTells = 0;
    this.#changed = [];
  }
}

/**
 * Splits records so that each list fits a frame: `room` bytes, `head` bytes a record, `each` a source.
 * A list of what is not heard can not be split; it is cut (RFC 3376 4.2.16): more is heard then.
 */
export function pack(
  records: readonly GroupRecord[],
  room: number,
  head: number,
  each: number,
): GroupRecord[][] {
  const most = Math.floor((room - head) / each);
  const frames: GroupRecord[][] = [];
  let left = 0;
  for (const { type, group, sources } of records) {
    const cannotSplit = type === EXCLUDE || type === TO_EXCLUDE;
    const end = cannotSplit ? Math.min(sources.length, most) : sources.length;
    for (let start = 0; start === 0 || start < end; start += most) {
      const part = sources.slice(start, Math.min(start + most, end));
      const size = head + part.length * each;
      if (frames.length === 0 || size > left) {
        frames.push([]);
        left = room;
      }
      left -= size;
      frames.at(-1)!.push({ type, group, sources: part });
    }
  }
  return frames;
}
