/**
 * The charts with a line for each queue, and the heat map beside them.
 * @module
 */
import { colorIndex, queueColor } from './canvas.ts';
import { byId, make, radioButtons, setText } from './dom.ts';
import type { Board } from './feed.ts';
import { bits, duration, perSecond } from './format.ts';
import { HeatMap } from './heat-map.ts';
import { type History, quantile, type Sample } from './history.ts';
import { LineChart } from './line-chart.ts';
import { dot, queueName } from './queues-panel.ts';

interface Shown {
  readonly title: string;
  readonly read: (sample: Sample) => number;
  readonly format: (value: number) => string;
  readonly least: number;
}

const RATES: readonly Shown[] = [
  { title: 'In', read: ({ bitsIn }) => bitsIn, format: bits, least: 1000 },
  { title: 'Out', read: ({ bitsOut }) => bitsOut, format: bits, least: 1000 },
  { title: 'Frames in', read: ({ framesIn }) => framesIn, format: perSecond, least: 10 },
  { title: 'Frames out', read: ({ framesOut }) => framesOut, format: perSecond, least: 10 },
];
const LAG: Shown = { title: 'Lag', read: ({ lag }) => lag, format: duration, least: 100 };
const HEATS = [
  { title: 'Poll', read: ({ pollHits }: Sample) => pollHits },
  { title: 'Loop lag', read: ({ lagHits }: Sample) => lagHits },
] as const;

/** A line for each queue, its legend, and the value at the pointer. */
class QueueChart {
  readonly #chart: LineChart;
  readonly #legend: HTMLElement;
  #shown: Shown;
  #history: History | null = null;
  #values: HTMLElement[] = [];
  #point = -1;

  constructor(id: string, shown: Shown) {
    this.#shown = shown;
    this.#legend = byId(`${id}-legend`);
    this.#chart = new LineChart(byId<HTMLCanvasElement>(id), {
      format: (value) => this.#shown.format(value),
      least: shown.least,
      onPoint: (index) => {
        this.#point = index;
        this.#writeLegend();
      },
    });
  }

  show(shown: Shown): void {
    this.#shown = shown;
    if (this.#history !== null) this.#paint(this.#history);
  }

  draw({ stats }: Board, history: History): void {
    this.#history = history;
    if (this.#values.length !== stats.length) {
      this.#values = stats.map(() => make('b'));
      this.#legend.replaceChildren(
        ...stats.map(({ port, queue }, i) =>
          make('span', {}, dot(`c${colorIndex(i)}`), queueName(port, queue), this.#values[i]!),
        ),
      );
    }
    this.#paint(history);
  }

  #paint({ looks }: History): void {
    const lines = this.#values.map((_, i) => ({
      name: `${i}`,
      color: queueColor(i),
      values: looks.map(({ samples }) => this.#shown.read(samples[i]!)),
    }));
    this.#chart.draw(
      looks.map(({ time }) => time),
      lines,
    );
  }

  #writeLegend(): void {
    const look = this.#history?.looks.at(this.#point);
    if (look === undefined) return;
    for (const [i, value] of this.#values.entries()) {
      setText(value, this.#shown.format(Math.round(this.#shown.read(look.samples[i]!))));
    }
  }
}

export class QueueCharts {
  readonly #rates: QueueChart = new QueueChart('throughput', RATES[0]!);
  readonly #lag: QueueChart = new QueueChart('lag', LAG);
  readonly #heat: HeatMap = new HeatMap(byId<HTMLCanvasElement>('heat'));
  readonly #heatNote: HTMLElement = byId('heat-note');
  #heatRead: (sample: Sample) => readonly number[] = HEATS[0].read;
  #history: History | null = null;

  constructor() {
    const titles = (list: readonly { readonly title: string }[]): string[] =>
      list.map(({ title }) => title);
    radioButtons(byId('throughput-tabs'), titles(RATES), (i) => this.#rates.show(RATES[i]!));
    radioButtons(byId('heat-tabs'), titles(HEATS), (i) => {
      this.#heatRead = HEATS[i]!.read;
      this.#paintHeat();
    });
  }

  draw(board: Board, history: History): void {
    this.#history = history;
    this.#rates.draw(board, history);
    this.#lag.draw(board, history);
    this.#paintHeat();
  }

  #paintHeat(): void {
    if (this.#history === null) return;
    const columns = this.#history.looks.map(({ time, samples }) => ({
      time,
      hits: addUp(samples.map(this.#heatRead)),
    }));
    this.#heat.draw(columns);
    const all = addUp(columns.map(({ hits }) => hits));
    const of = (share: number): string => duration(quantile(all, share));
    setText(this.#heatNote, all.length === 0 ? '' : `p50 < ${of(0.5)}  ·  p99 < ${of(0.99)}`);
  }
}

function addUp(lists: readonly (readonly number[])[]): number[] {
  return lists.reduce<number[]>((sums, list) => list.map((value, i) => (sums[i] ?? 0) + value), []);
}
