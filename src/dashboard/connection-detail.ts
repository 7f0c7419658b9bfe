/**
 * One connection: its round trip, window and retransmissions over time, and all that is known.
 * @module
 */
import { color } from './canvas.ts';
import type { Row } from './connection-table.ts';
import { byId, make, setText } from './dom.ts';
import type { Board } from './feed.ts';
import { bits, bytes, duration, end, short } from './format.ts';
import { LineChart } from './line-chart.ts';

type Detail = NonNullable<Board['detail']>;

interface Curve {
  readonly title: string;
  readonly line: string;
  readonly read: (detail: Detail) => number;
  readonly format: (value: number) => string;
}

const KEPT = 300;

const CURVES: readonly Curve[] = [
  { title: 'Round trip', line: '--q0', read: ({ info }) => info.rttUs, format: duration },
  { title: 'Congestion window', line: '--q1', read: ({ info }) => info.cwndBytes, format: bytes },
  {
    title: 'Segments sent again',
    line: '--bad',
    read: ({ info }) => info.totalRetransmits,
    format: short,
  },
];

const FACTS: readonly (readonly [string, (detail: Detail) => string])[] = [
  ['state', ({ state }) => state],
  ['queue, core', ({ port, queue, core }) => `${port} · ${queue}, ${core < 0 ? 'any' : core}`],
  ['congestion control', ({ info }) => `${info.congestion}, ${info.congestionState}`],
  [
    'slow start threshold',
    ({ info }) => (info.ssthreshBytes === null ? 'none' : bytes(info.ssthreshBytes)),
  ],
  [
    'round trip, least and variation',
    ({ info }) => `${duration(info.minRttUs)}, ± ${duration(info.rttVarUs)}`,
  ],
  ['retransmission timeout', ({ info }) => duration(info.rtoMs * 1000)],
  ['delivery rate', ({ info }) => (info.deliveryRate === 0 ? '–' : bits(8 * info.deliveryRate))],
  ['in flight, lost', ({ info }) => `${info.unacked}, ${info.lost} segments`],
  ['received, sent', ({ info }) => `${bytes(info.bytesReceived)}, ${bytes(info.bytesSent)}`],
  [
    'waiting to be read, sent',
    ({ receiveQueue, sendQueue }) => `${bytes(receiveQueue)}, ${bytes(sendQueue)}`,
  ],
  [
    'windows, ours and theirs',
    ({ info }) => `${bytes(info.receiveWindow)}, ${bytes(info.sendWindow)}`,
  ],
  ['MSS, path MTU', ({ info }) => `${info.sendMss}, ${info.pathMtu}`],
  ['options', ({ info }) => optionsOf(info)],
  ['last heard', ({ info }) => duration(info.lastReceivedMs * 1000)],
];

function optionsOf({ timestamps, sack, windowScaling, ecn }: Detail['info']): string {
  const has = { timestamps, SACK: sack, scaling: windowScaling, ECN: ecn };
  const names = Object.entries(has).flatMap(([name, is]) => (is ? [name] : []));
  return names.length === 0 ? 'none' : names.join(', ');
}

export class ConnectionDetail {
  readonly #panel: HTMLElement = byId('detail');
  #title: HTMLElement | null = null;
  #note: HTMLElement | null = null;
  #charts: { readonly curve: Curve; readonly chart: LineChart; readonly now: HTMLElement }[] = [];
  #facts: HTMLElement[] = [];
  #seen: { readonly time: number; readonly detail: Detail }[] = [];

  /** Shows the panel; null takes it away. */
  open(row: Row | null, onClose: () => void): void {
    this.#seen = [];
    this.#panel.hidden = row === null;
    if (row === null) {
      this.#panel.replaceChildren();
      return;
    }
    const close = make(
      'button',
      { type: 'button', title: 'Close (Esc)', 'aria-label': 'Close' },
      '✕',
    );
    close.addEventListener('click', onClose);
    const title = `${end(row.local, row.localPort)} → ${end(row.remote, row.remotePort)}`;
    this.#title = make('h3', {}, title);
    this.#note = make('p', { class: 'quiet' });
    const heads = make('div', {}, this.#title, this.#note);
    this.#charts = [];
    const curves = CURVES.flatMap((curve) => {
      const canvas = make('canvas', { role: 'img', 'aria-label': `${curve.title} over time` });
      const now = make('b');
      this.#charts.push({
        curve,
        now,
        chart: new LineChart(canvas, { format: short, isBare: true, isFitted: true }),
      });
      return [make('h4', {}, curve.title, now), canvas];
    });
    this.#facts = FACTS.map(() => make('dd'));
    const facts = FACTS.flatMap(([name], i) => [make('dt', {}, name), this.#facts[i]!]);
    this.#panel.replaceChildren(
      make('div', { class: 'top' }, heads, close),
      ...curves,
      make('dl', {}, ...facts),
    );
  }

  draw({ detail, time }: Board): void {
    if (this.#panel.hidden || this.#note === null) return;
    setText(this.#note, detail === null ? 'it has ended, or is not found' : '');
    if (detail === null) return;
    this.#seen.push({ time, detail });
    if (this.#seen.length > KEPT) this.#seen.shift();
    const times = this.#seen.map((seen) => seen.time);
    for (const { curve, chart, now } of this.#charts) {
      const values = this.#seen.map((seen) => curve.read(seen.detail));
      setText(now, curve.format(values.at(-1)!));
      chart.draw(times, [{ name: curve.title, color: color(curve.line), values }]);
    }
    for (const [i, [, read]] of FACTS.entries()) setText(this.#facts[i]!, read(detail));
  }
}
