/**
 * How the load is spread over the queues, and which core serves which queue.
 * @module
 */
import { colorIndex } from './canvas.ts';
import { byId, draw, make, setText } from './dom.ts';
import type { Board } from './feed.ts';
import { percent, perSecond } from './format.ts';
import type { History } from './history.ts';

interface Row {
  readonly bar: HTMLElement;
  readonly share: HTMLElement;
  readonly rate: HTMLElement;
}

/** Looks that the spread is the mean of. */
const MEAN_OF = 10;
const ROW = 27;
const MOST_CORES = 16;

export const queueName = (port: string, queue: number): string => `${port} · ${queue}`;

export class QueuesPanel {
  readonly #spread: HTMLElement = byId('spread');
  readonly #cores: HTMLElement = byId('cores');
  readonly #note: HTMLElement = byId('spread-note');
  #rows: Row[] = [];
  #shown = '';

  draw({ stats, slow }: Board, history: History): void {
    const names = stats.map(({ port, queue }) => queueName(port, queue));
    if (names.length !== this.#rows.length) this.#build(names);
    const looks = history.looks.slice(-MEAN_OF);
    const rates = stats.map(
      (_, i) =>
        looks.reduce((sum, { samples }) => sum + samples[i]!.framesIn, 0) /
        Math.max(1, looks.length),
    );
    const all = rates.reduce((sum, rate) => sum + rate, 0);
    for (const [i, { bar, share, rate }] of this.#rows.entries()) {
      const part = all === 0 ? 0 : rates[i]! / all;
      bar.style.transform = `scaleX(${part.toFixed(3)})`;
      setText(share, percent(part));
      setText(rate, perSecond(Math.round(rates[i]!)));
    }
    const moved = history.recent((sample) => sample.moved);
    setText(this.#note, moved >= 1 ? `${perSecond(Math.round(moved))} move between queues` : '');
    if (slow !== null) this.#drawCores(slow);
  }

  #build(names: readonly string[]): void {
    this.#rows = [];
    this.#spread.replaceChildren(
      ...names.map((name, queue) => {
        const bar = make('div');
        const share = make('span');
        const rate = make('span', { class: 'quiet' });
        this.#rows.push({ bar, share, rate });
        const kind = `c${colorIndex(queue)}`;
        const label = make('span', { class: 'name' }, dot(kind), make('i', {}, name));
        const track = make('div', { class: `track ${kind}` }, bar);
        return make('div', { class: 'row' }, label, track, share, rate);
      }),
    );
  }

  /** Drawn anew only when somebody moved. */
  #drawCores({ queues, cores }: NonNullable<Board['slow']>): void {
    const shown = JSON.stringify([
      queues.map(({ port, queue, core }) => [port, queue, core]),
      cores,
    ]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const used = new Set(queues.map(({ core }) => core));
    const places = Array.from({ length: cores }, (_, core) => core);
    const listed = places.filter((core) => cores <= MOST_CORES || used.has(core));
    if (used.has(-1)) listed.push(-1);
    const height = ROW * Math.max(queues.length, listed.length) + 20;
    const yOf = (index: number, count: number): number =>
      20 + (height - 20) * ((index + 0.5) / count);
    const svg = draw('svg', {
      viewBox: `0 0 360 ${height}`,
      role: 'img',
      'aria-label': queues
        .map(({ port, queue, core }) => `${queueName(port, queue)} on ${coreName(core)}`)
        .join(', '),
    });
    svg.append(
      draw('text', { x: 4, y: 11, class: 'label' }, 'queue'),
      draw('text', { x: 246, y: 11, class: 'label' }, 'core'),
    );
    for (const [index, { core }] of queues.entries()) {
      const [from, to] = [yOf(index, queues.length), yOf(listed.indexOf(core), listed.length)];
      const way = `M112 ${from} C178 ${from} 178 ${to} 246 ${to}`;
      svg.append(draw('path', { d: way, class: `c${colorIndex(index)}` }));
    }
    for (const [index, { port, queue }] of queues.entries()) {
      node(svg, 2, yOf(index, queues.length), queueName(port, queue));
    }
    for (const [index, core] of listed.entries()) {
      node(svg, 246, yOf(index, listed.length), coreName(core));
    }
    this.#cores.replaceChildren(svg);
  }
}

const coreName = (core: number): string => (core < 0 ? 'any core' : `core ${core}`);

export const dot = (kind: string): HTMLElement => make('span', { class: `dot ${kind}` });

function node(svg: SVGElement, x: number, y: number, text: string): void {
  svg.append(
    draw('rect', { x, y: y - 10.5, width: 110, height: 21, rx: 6, class: 'node' }),
    draw('text', { x: x + 10, y: y + 4 }, text),
  );
}
