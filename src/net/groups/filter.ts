/**
 * From which sources a group is heard (RFC 3376 2 and 3.2, RFC 3810 4.2): the ones listed, or all but
 * the ones listed. Filters do not change; what changes is which one somebody has.
 * @module
 */
import type { Address } from '../../base/address.ts';

/** The modes, with the numbers that a record of the current state has for them. */
export const INCLUDE = 1;
export const EXCLUDE = 2;

export class SourceFilter {
  /** Nobody: not in the group. */
  static readonly NONE: SourceFilter = new SourceFilter(INCLUDE, []);
  /** Everybody. */
  static readonly ALL: SourceFilter = new SourceFilter(EXCLUDE, []);

  readonly mode: number;
  readonly sources: readonly Address[];

  constructor(mode: number, sources: readonly Address[]) {
    this.mode = mode;
    this.sources = sources;
  }

  get isNone(): boolean {
    return this.mode === INCLUDE && this.sources.length === 0;
  }

  lists(source: Address): boolean {
    return has(this.sources, source);
  }

  hears({ w0, w1, w2, w3 }: Address): boolean {
    return this.hearsWords(w0, w1, w2, w3);
  }

  hearsWords(w0: number, w1: number, w2: number, w3: number): boolean {
    const isListed = this.sources.some(
      (source) => source.w3 === w3 && source.w2 === w2 && source.w1 === w1 && source.w0 === w0,
    );
    return isListed === (this.mode === INCLUDE);
  }

  /** The same with one source more, or fewer, in the list. */
  with(source: Address): SourceFilter {
    return new SourceFilter(this.mode, [...this.sources, source]);
  }

  without(source: Address): SourceFilter {
    return new SourceFilter(this.mode, minus(this.sources, [source]));
  }

  equals(other: SourceFilter): boolean {
    return (
      this.mode === other.mode &&
      this.sources.length === other.sources.length &&
      this.sources.every((source) => other.lists(source))
    );
  }
}

/** What an interface has to hear for all of `filters` to get theirs (RFC 3376 3.2). */
export function merge(filters: readonly SourceFilter[]): SourceFilter {
  const including = filters.filter(({ mode }) => mode === INCLUDE);
  const excluding = filters.filter(({ mode }) => mode === EXCLUDE);
  const wanted = including.flatMap(({ sources }) => sources);
  const [first, ...others] = excluding;
  if (first === undefined) return new SourceFilter(INCLUDE, unique(wanted));
  const unwanted = first.sources.filter((source) => others.every((other) => other.lists(source)));
  return new SourceFilter(EXCLUDE, minus(unwanted, wanted));
}

function has(list: readonly Address[], address: Address): boolean {
  return list.some((known) => known.equals(address));
}

/** The addresses of `list` that are not in `other`. */
export function minus(list: readonly Address[], other: readonly Address[]): Address[] {
  return list.filter((address) => !has(other, address));
}

/** Each address of `list` once. */
export function unique(list: readonly Address[]): Address[] {
  return list.filter((address, i) => list.findIndex((known) => known.equals(address)) === i);
}
