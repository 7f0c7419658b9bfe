/**
 * The row of figures on top, each with the minute that led to it.
 * @module
 */
import { color } from './canvas.ts';
import { byId, make, setText } from './dom.ts';
import type { Board } from './feed.ts';
import { bits, duration, perSecond, short } from './format.ts';
import { type History, quantile, type Sample, sumOf } from './history.ts';
import { LineChart } from './line-chart.ts';

interface Tile {
  readonly title: string;
  readonly unit: (value: number) => string;
  /** Of all queues together. */
  readonly read: (samples: readonly Sample[]) => number;
  /** Which of the style sheet's colours its line has. */
  readonly line: string;
  /** Anything but zero is bad news. */
  readonly isAlarm?: boolean;
}

const sum =
  (name: 'bitsIn' | 'bitsOut' | 'framesIn' | 'framesOut' | 'drops' | 'connections') =>
  (samples: readonly Sample[]): number =>
    sumOf(samples, (sample) => sample[name]);

const TILES: readonly Tile[] = [
  { title: 'Received', unit: bits, read: sum('bitsIn'), line: '--q0' },
  { title: 'Sent', unit: bits, read: sum('bitsOut'), line: '--q1' },
  {
    title: 'Frames, in and out',
    unit: perSecond,
    read: (samples) => sumOf(samples, ({ framesIn, framesOut }) => framesIn + framesOut),
    line: '--q4',
  },
  {
    title: 'Connections',
    unit: (value) => value.toLocaleString('en'),
    read: sum('connections'),
    line: '--q5',
  },
  {
    title: 'Drops',
    unit: perSecond,
    read: sum('drops'),
    line: '--bad',
    isAlarm: true,
  },
  {
    title: 'Poll, 99 in 100 below',
    unit: duration,
    read: (samples) => Math.max(0, ...samples.map(({ pollHits }) => quantile(pollHits, 0.99))),
    line: '--q2',
  },
];

export class Tiles {
  readonly #tiles: readonly { tile: Tile; value: HTMLElement; chart: LineChart }[];

  constructor() {
    const section = byId('tiles');
    this.#tiles = TILES.map((tile) => {
      const value = make('dd', {}, '–');
      const canvas = make('canvas', { 'aria-hidden': 'true' });
      section.append(make('dl', { class: 'tile' }, make('dt', {}, tile.title), value, canvas));
      return { tile, value, chart: new LineChart(canvas, { format: short, isBare: true }) };
    });
  }

  draw(_: Board, history: History): void {
    const times = history.looks.map(({ time }) => time);
    const recent = history.looks.slice(-5);
    for (const { tile, value, chart } of this.#tiles) {
      const values = history.looks.map(({ samples }) => tile.read(samples));
      const last = values.slice(-recent.length);
      // The mean of a second, so that the figure can be read; whole where it counts things.
      const mean = last.reduce((total, each) => total + each, 0) / Math.max(1, last.length);
      const shown = tile.title === 'Connections' ? (last.at(-1) ?? 0) : mean;
      writeValue(value, tile.unit(shown >= 100 ? Math.round(shown) : +shown.toFixed(1)));
      value.classList.toggle('alarm', tile.isAlarm === true && shown > 0.5);
      chart.draw(times, [{ name: tile.title, color: color(tile.line), values }]);
    }
  }
}

/** '1.23 Mb/s': the unit smaller than the number. */
function writeValue(element: HTMLElement, text: string): void {
  if (element.dataset['text'] === text) return;
  element.dataset['text'] = text;
  const at = text.indexOf(' ');
  if (at < 0) setText(element, text);
  else element.replaceChildren(text.slice(0, at), make('small', {}, text.slice(at + 1)));
}
