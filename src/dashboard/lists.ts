/**
 * The lists: drops by reason, with what they mean, and the neighbors.
 * @module
 */
import { byId, make, setText } from './dom.ts';
import type { Board } from './feed.ts';
import { age, perSecond, short } from './format.ts';

interface Drop {
  readonly total: number;
  readonly rate: number;
}

/** Drops that were told a second ago, to see which go on. */
const RATE_OVER_MS = 1000;
const KINDS: Readonly<Record<string, string>> = {
  reachable: 'good',
  static: 'good',
  failed: 'bad',
  incomplete: 'warn',
  probe: 'warn',
  verify: 'warn',
  delay: 'warn',
};

export class DropList {
  readonly #list: HTMLElement = byId('drops');
  readonly #note: HTMLElement = byId('drops-note');
  #reasons: Readonly<Record<string, string>> = {};
  #before: { readonly time: number; readonly totals: Map<string, number> } | null = null;

  constructor() {
    // It scrolls: the keyboard has to get there.
    this.#list.tabIndex = 0;
  }

  draw({ stats, slow, time }: Board): void {
    this.#reasons = slow?.reasons ?? this.#reasons;
    const before = this.#before;
    if (before !== null && time - before.time < RATE_OVER_MS) return;
    const totals = new Map<string, number>();
    for (const { counters } of stats) {
      for (const [name, count] of Object.entries(counters.drops)) {
        totals.set(name, (totals.get(name) ?? 0) + count);
      }
    }
    this.#before = { time, totals };
    const seconds = before === null ? 1 : (time - before.time) / 1000;
    const drops = [...totals].map(([name, total]): [string, Drop] => {
      const was = before?.totals.get(name) ?? total;
      return [name, { total, rate: Math.max(0, total - was) / seconds }];
    });
    drops.sort(([, a], [, b]) => b.rate - a.rate || b.total - a.total);
    const all = drops.reduce((sum, [, { total }]) => sum + total, 0);
    setText(this.#note, all === 0 ? '' : `${short(all)} since the start`);
    this.#list.replaceChildren(
      drops.length === 0 ? nothing('nothing was dropped') : this.#table(drops),
    );
  }

  #table(drops: readonly (readonly [string, Drop])[]): HTMLElement {
    return table(
      ['reason', 'now', 'all'],
      drops.map(([name, { total, rate }]) => [
        make(
          'td',
          {},
          make('code', {}, name),
          make('div', { class: 'meaning' }, this.#reasons[name] ?? ''),
        ),
        make(
          'td',
          { class: 'number' },
          make('span', { class: rate > 0 ? 'chip bad' : 'chip' }, perSecond(+rate.toPrecision(3))),
        ),
        make('td', { class: 'number' }, short(total)),
      ]),
    );
  }
}

export class NeighborList {
  readonly #list: HTMLElement = byId('neighbors');
  readonly #note: HTMLElement = byId('neighbors-note');

  constructor() {
    this.#list.tabIndex = 0;
  }

  draw({ slow, stats }: Board): void {
    if (slow === null) return;
    const { neighbors } = slow;
    const isSeveral = stats.length > 1;
    setText(this.#note, neighbors.length === 0 ? '' : `${neighbors.length}`);
    if (neighbors.length === 0) {
      this.#list.replaceChildren(nothing('nobody was asked for yet'));
      return;
    }
    this.#list.replaceChildren(
      table(
        ['address', 'MAC', 'state', ...(isSeveral ? ['queue'] : []), 'seen', 'paths'],
        neighbors.map(({ address, mac, state, queue, ageMs, references }) => [
          make('td', {}, make('code', {}, address)),
          make('td', {}, make('code', {}, mac || '–')),
          make('td', {}, make('span', { class: `chip ${KINDS[state] ?? ''}` }, state)),
          ...(isSeveral ? [make('td', { class: 'number' }, `${queue}`)] : []),
          make('td', { class: 'number' }, age(ageMs / 1000)),
          make('td', { class: 'number' }, `${references}`),
        ]),
      ),
    );
  }
}

function table(columns: readonly string[], rows: readonly (readonly HTMLElement[])[]): HTMLElement {
  const wide = new Set(['reason', 'address', 'MAC', 'state']);
  const heads = columns.map((name) =>
    make('th', { scope: 'col', ...(wide.has(name) ? {} : { class: 'number' }) }, name),
  );
  const lines = rows.map((cells) => make('tr', {}, ...cells));
  return make(
    'table',
    {},
    make('thead', {}, make('tr', {}, ...heads)),
    make('tbody', {}, ...lines),
  );
}

const nothing = (text: string): HTMLElement => make('div', { class: 'nothing' }, text);
