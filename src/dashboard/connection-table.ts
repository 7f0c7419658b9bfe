/**
 * The table of connections: as long as there are any, made only of the lines in sight.
 * @module
 */
import { byId, make, setText } from './dom.ts';
import type { Board } from './feed.ts';
import { bytes, duration, end, short } from './format.ts';

export type Row = Board['page']['rows'][number];

interface Column {
  readonly title: string;
  /** What the server sorts by. */
  readonly sort?: string;
  readonly isNumber?: boolean;
  readonly read: (row: Row) => string;
}

interface Line {
  readonly element: HTMLElement;
  readonly cells: readonly HTMLElement[];
}

export interface TableOptions {
  /** Something else is in sight. */
  readonly onMove: () => void;
  /** A connection is chosen; null: none any more. */
  readonly onChoice: (row: Row | null) => void;
}

const HEIGHT = 30;
const HEAD = 32;
/** Lines kept above and below what is in sight. */
const MARGIN = 6;
const STATES = [
  'ESTABLISHED',
  'SYN-SENT',
  'SYN-RECEIVED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];
const STATE = 2;

const COLUMNS: readonly Column[] = [
  { title: 'Local', read: ({ local, localPort }) => end(local, localPort) },
  { title: 'Remote', read: ({ remote, remotePort }) => end(remote, remotePort) },
  { title: 'State', read: ({ state }) => state },
  { title: 'Queue', isNumber: true, read: ({ queue }) => `${queue}` },
  {
    title: 'RTT',
    sort: 'rtt',
    isNumber: true,
    read: ({ rttUs }) => (rttUs === 0 ? '–' : duration(rttUs)),
  },
  { title: 'cwnd', sort: 'cwnd', isNumber: true, read: ({ cwndBytes }) => bytes(cwndBytes) },
  {
    title: 'Again',
    sort: 'retransmits',
    isNumber: true,
    read: ({ retransmits }) => short(retransmits),
  },
  {
    title: 'Queued',
    sort: 'queued',
    isNumber: true,
    read: ({ receiveQueue, sendQueue }) => bytes(receiveQueue + sendQueue),
  },
  {
    title: 'Received',
    sort: 'received',
    isNumber: true,
    read: ({ bytesReceived }) => bytes(bytesReceived),
  },
  { title: 'Sent', sort: 'sent', isNumber: true, read: ({ bytesSent }) => bytes(bytesSent) },
];

/** The same connection, wherever it is listed. */
export const nameOf = ({ local, localPort, remote, remotePort }: Row): string =>
  `${local} ${localPort} ${remote} ${remotePort}`;

export class ConnectionTable {
  readonly #options: TableOptions;
  readonly #grid: HTMLElement = byId('grid');
  readonly #body: HTMLElement = make('div', { class: 'body', role: 'rowgroup' });
  readonly #note: HTMLElement = byId('connections-note');
  readonly #heads: HTMLElement[] = [];
  readonly #lines: Line[] = [];
  #total = 0;
  /** Of the first line in sight, and how many are. */
  #skip = 0;
  #limit = 30;
  #sort = '';
  #active = 0;
  #chosen = '';
  #rows: readonly Row[] = [];
  #rowsAt = 0;
  #height = 0;

  constructor(options: TableOptions) {
    this.#options = options;
    this.#grid.setAttribute('role', 'grid');
    this.#grid.setAttribute('aria-labelledby', 'connections-title');
    this.#grid.setAttribute('aria-describedby', 'grid-keys');
    this.#grid.tabIndex = 0;
    this.#grid.append(this.#header(), this.#body);
    this.#grid.addEventListener('scroll', () => this.#look(), { passive: true });
    this.#grid.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#look()).observe(this.#grid);
    fillStates();
    this.#look();
  }

  /** What the server is to be asked for. */
  query(): Record<string, string> {
    const asked: Record<string, string> = { skip: `${this.#skip}`, limit: `${this.#limit}` };
    if (this.#sort !== '') asked['sort'] = this.#sort;
    return asked;
  }

  draw({ page }: Board): void {
    this.#rows = page.rows;
    this.#rowsAt = page.skip;
    this.#setTotal(page.total);
    this.#write();
  }

  /** From the beginning, as after another filter. */
  rewind(): void {
    this.#grid.scrollTop = 0;
    this.#active = 0;
    this.#look();
  }

  choose(row: Row | null): void {
    this.#chosen = row === null ? '' : nameOf(row);
    this.#options.onChoice(row);
    this.#write();
  }

  #header(): HTMLElement {
    const cells = COLUMNS.map(({ title, sort, isNumber }) => {
      const kind: Record<string, string> = isNumber === true ? { class: 'number' } : {};
      const cell = make('span', { role: 'columnheader', ...kind });
      if (sort === undefined) cell.append(title);
      else {
        const button = make('button', { type: 'button', title: `most first` }, title);
        button.addEventListener('click', () => this.#sortBy(sort));
        cell.append(button);
        cell.dataset['sort'] = sort;
      }
      this.#heads.push(cell);
      return cell;
    });
    const row = make('div', { class: 'columns', role: 'row', 'aria-rowindex': '1' }, ...cells);
    return make('div', { role: 'rowgroup', class: 'columns-group' }, row);
  }

  #sortBy(sort: string): void {
    this.#sort = this.#sort === sort ? '' : sort;
    for (const head of this.#heads) {
      if (head.dataset['sort'] === this.#sort) head.setAttribute('aria-sort', 'descending');
      else head.removeAttribute('aria-sort');
    }
    this.rewind();
    this.#options.onMove();
  }

  #setTotal(total: number): void {
    this.#total = total;
    setText(this.#note, total === 0 ? '' : total.toLocaleString('en'));
    this.#grid.setAttribute('aria-rowcount', `${total + 1}`);
    const height = Math.max(total * HEIGHT, 1);
    if (height === this.#height) return;
    this.#height = height;
    this.#body.style.height = `${height}px`;
  }

  /** Which lines are in sight. */
  #look(): void {
    const skip = Math.max(0, Math.floor(this.#grid.scrollTop / HEIGHT) - MARGIN);
    const limit = Math.ceil(this.#grid.clientHeight / HEIGHT) + 2 * MARGIN;
    if (skip === this.#skip && limit === this.#limit && this.#lines.length === limit) return;
    this.#skip = skip;
    this.#limit = limit;
    while (this.#lines.length < limit) this.#lines.push(this.#newLine());
    for (const { element } of this.#lines.splice(limit)) element.remove();
    this.#write();
    this.#options.onMove();
  }

  #newLine(): Line {
    const cells = COLUMNS.map(({ isNumber }, index) => {
      const kind: Record<string, string> = isNumber === true ? { class: 'number' } : {};
      const cell = make('span', { role: 'gridcell', ...kind });
      if (index < STATE) cell.append(make('code'));
      if (index === STATE) cell.append(make('span', { class: 'chip' }));
      return cell;
    });
    const element = make('div', { class: 'line', role: 'row' }, ...cells);
    element.addEventListener('click', () => {
      const row = this.#rows[Number(element.dataset['index']) - this.#rowsAt];
      this.#active = Number(element.dataset['index']);
      if (row !== undefined) this.choose(row);
    });
    this.#body.append(element);
    return { element, cells };
  }

  /** What is not here yet stays empty until it comes. */
  #write(): void {
    for (const [i, { element, cells }] of this.#lines.entries()) {
      const index = this.#skip + i;
      const row = this.#rows[index - this.#rowsAt];
      element.hidden = index >= this.#total;
      if (element.hidden) continue;
      if (element.dataset['index'] !== `${index}`) {
        element.dataset['index'] = `${index}`;
        element.id = `connection-${index}`;
        element.setAttribute('aria-rowindex', `${index + 2}`);
        element.style.transform = `translateY(${index * HEIGHT}px)`;
      }
      const isChosen = row !== undefined && nameOf(row) === this.#chosen;
      element.classList.toggle('active', index === this.#active || isChosen);
      element.setAttribute('aria-selected', `${isChosen}`);
      for (const [column, cell] of cells.entries()) {
        const text = row === undefined ? '' : COLUMNS[column]!.read(row);
        setText(column <= STATE ? cell.firstElementChild! : cell, text);
        if (column !== STATE) continue;
        cell.firstElementChild!.className = `chip ${text === 'ESTABLISHED' ? 'good' : 'warn'}`;
      }
    }
    this.#grid.setAttribute('aria-activedescendant', `connection-${this.#active}`);
  }

  #key(event: KeyboardEvent): void {
    if (event.target !== this.#grid) return;
    const page = Math.max(1, Math.floor((this.#grid.clientHeight - HEAD) / HEIGHT) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY,
    };
    const step = steps[event.key];
    if (step !== undefined) this.#moveTo(this.#active + step);
    else if (event.key === 'Enter') this.choose(this.#rows[this.#active - this.#rowsAt] ?? null);
    else if (event.key === 'Escape') this.choose(null);
    else return;
    event.preventDefault();
  }

  #moveTo(index: number): void {
    this.#active = Math.max(0, Math.min(index, this.#total - 1));
    const top = this.#active * HEIGHT;
    const grid = this.#grid;
    if (top < grid.scrollTop) grid.scrollTop = top;
    const least = top + HEIGHT + HEAD - grid.clientHeight;
    if (least > grid.scrollTop) grid.scrollTop = least + 2;
    this.#write();
  }
}

function fillStates(): void {
  byId('filter-state').append(...STATES.map((state) => make('option', { value: state }, state)));
}
