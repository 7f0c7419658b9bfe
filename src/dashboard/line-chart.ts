/**
 * Lines over the last minute, on a canvas, with a value at the pointer for each.
 * @module
 */
import { color, type Surface, surfaceOf } from './canvas.ts';

export interface Line {
  readonly name: string;
  readonly color: string;
  readonly values: readonly number[];
}

export interface ChartOptions {
  readonly format: (value: number) => string;
  /** Told where the pointer is: index of the look, -1: nowhere. */
  readonly onPoint?: (index: number) => void;
  /** No axes: for tiles and the like. */
  readonly isBare?: boolean;
  /** As wide as what there is, not a minute. */
  readonly isFitted?: boolean;
  /** The least that the scale ends at. */
  readonly least?: number;
}

const SPAN_MS = 60_000;
/** Of a chart that is as wide as what there is. */
const SHORTEST_MS = 5000;
const LEFT = 62;
const BOTTOM = 20;
const FONT = '11px system-ui, "DejaVu Sans", sans-serif';

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly most: number;
}

export class LineChart {
  readonly #canvas: HTMLCanvasElement;
  readonly #options: ChartOptions;
  #times: readonly number[] = [];
  #lines: readonly Line[] = [];
  #pointerX = -1;

  constructor(canvas: HTMLCanvasElement, options: ChartOptions) {
    this.#canvas = canvas;
    this.#options = options;
    if (options.onPoint === undefined) return;
    canvas.addEventListener('pointermove', ({ offsetX }) => {
      this.#pointerX = offsetX;
      this.#paint();
    });
    canvas.addEventListener('pointerleave', () => {
      this.#pointerX = -1;
      this.#paint();
    });
  }

  /** `times`: milliseconds, one for each value of each line. */
  draw(times: readonly number[], lines: readonly Line[]): void {
    this.#times = times;
    this.#lines = lines;
    this.#paint();
  }

  #paint(): void {
    const surface = surfaceOf(this.#canvas);
    if (surface === null) return;
    const { context, width, height } = surface;
    const { isBare = false, isFitted = false, least = 1, format } = this.#options;
    let most = least;
    for (const { values } of this.#lines) for (const value of values) most = Math.max(most, value);
    const frame: Frame = isBare
      ? { left: 0, right: width, top: 4, bottom: height - 1, most: most * 1.05 }
      : { left: LEFT, right: width - 6, top: 8, bottom: height - BOTTOM, most: niceAbove(most) };
    if (!isBare) paintAxes(surface, frame, format);
    const now = this.#times.at(-1) ?? 0;
    const span = isFitted ? Math.max(SHORTEST_MS, now - (this.#times[0] ?? 0)) : SPAN_MS;
    const xOf = (time: number): number =>
      frame.right - ((now - time) / span) * (frame.right - frame.left);
    const xs = this.#times.map(xOf);
    const hasFill = this.#lines.length === 1;
    context.save();
    context.beginPath();
    context.rect(frame.left, 0, frame.right - frame.left, height);
    context.clip();
    for (const line of this.#lines) paintLine(context, frame, xs, line, hasFill);
    context.restore();
    this.#paintPointer(context, frame, xs);
  }

  #paintPointer(context: CanvasRenderingContext2D, frame: Frame, xs: readonly number[]): void {
    const { onPoint } = this.#options;
    if (onPoint === undefined) return;
    if (this.#pointerX < frame.left || xs.length === 0) {
      onPoint(-1);
      return;
    }
    let nearest = 0;
    for (const [index, x] of xs.entries()) {
      if (Math.abs(x - this.#pointerX) < Math.abs(xs[nearest]! - this.#pointerX)) nearest = index;
    }
    context.strokeStyle = color('--quiet');
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(xs[nearest]!, frame.top);
    context.lineTo(xs[nearest]!, frame.bottom);
    context.stroke();
    onPoint(nearest);
  }
}

/** 1, 2 or 5 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value)!;
}

function paintAxes({ context }: Surface, frame: Frame, format: (value: number) => string): void {
  const { left, right, top, bottom, most } = frame;
  context.font = FONT;
  context.lineWidth = 1;
  context.strokeStyle = color('--line');
  context.fillStyle = color('--quiet');
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const steps = most.toString().startsWith('2') ? 4 : 5;
  for (let i = 0; i <= steps; i++) {
    const y = Math.round(bottom - (i / steps) * (bottom - top)) + 0.5;
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(right, y);
    context.stroke();
    context.fillText(format((most * i) / steps), left - 8, y);
  }
  paintTimes(context, frame);
}

/** How long ago, below. */
export function paintTimes(
  context: CanvasRenderingContext2D,
  { left, right, bottom }: Pick<Frame, 'left' | 'right' | 'bottom'>,
): void {
  context.font = FONT;
  context.fillStyle = color('--quiet');
  context.textBaseline = 'alphabetic';
  for (const seconds of [60, 45, 30, 15, 0]) {
    const x = right - ((seconds * 1000) / SPAN_MS) * (right - left);
    context.textAlign = seconds === 60 ? 'left' : seconds === 0 ? 'right' : 'center';
    context.fillText(seconds === 0 ? 'now' : `−${seconds} s`, x, bottom + 15);
  }
}

function paintLine(
  context: CanvasRenderingContext2D,
  { top, bottom, most }: Frame,
  xs: readonly number[],
  { values, color: stroke }: Line,
  hasFill: boolean,
): void {
  if (xs.length < 2) return;
  const yOf = (value: number): number => bottom - (value / most) * (bottom - top);
  context.beginPath();
  for (const [i, x] of xs.entries()) context.lineTo(x, yOf(values[i] ?? 0));
  context.strokeStyle = stroke;
  context.lineWidth = 1.6;
  context.lineJoin = 'round';
  context.stroke();
  if (!hasFill) return;
  context.lineTo(xs.at(-1)!, bottom);
  context.lineTo(xs[0]!, bottom);
  context.globalAlpha = 0.13;
  context.fillStyle = stroke;
  context.fill();
  context.globalAlpha = 1;
}
