/**
 * How often which latency, over the last minute: a column for each look, a row for each bucket.
 * @module
 */
import { color, surfaceOf } from './canvas.ts';
import { duration } from './format.ts';
import { paintTimes } from './line-chart.ts';

const LEFT = 62;
const BOTTOM = 20;
const TOP = 6;
const SPAN_MS = 60_000;
const COLUMNS = 300;
/** Bounds that are written at the side, as powers of two of a microsecond. */
const LABELED = [0, 3, 7, 10, 13, 17, 20];
const SHADES = 64;

export interface HeatColumn {
  readonly time: number;
  readonly hits: readonly number[];
}

export class HeatMap {
  readonly #canvas: HTMLCanvasElement;
  /** A pixel for each cell, which is then drawn large. */
  readonly #cells: HTMLCanvasElement = document.createElement('canvas');

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  draw(columns: readonly HeatColumn[]): void {
    const surface = surfaceOf(this.#canvas);
    if (surface === null) return;
    const { context, width, height } = surface;
    const [right, bottom] = [width - 6, height - BOTTOM];
    const rows = columns.at(-1)?.hits.length ?? 22;
    this.#fill(columns, rows);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#cells, LEFT, TOP, right - LEFT, bottom - TOP);
    context.strokeStyle = color('--line');
    context.strokeRect(LEFT + 0.5, TOP + 0.5, right - LEFT - 1, bottom - TOP - 1);
    context.font = '11px system-ui, "DejaVu Sans", sans-serif';
    context.fillStyle = color('--quiet');
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const power of LABELED) {
      const y = bottom - ((power + 1) / rows) * (bottom - TOP);
      context.fillText(duration(2 ** power), LEFT - 8, Math.max(y, TOP + 6));
    }
    paintTimes(context, { left: LEFT, right, bottom });
  }

  #fill(columns: readonly HeatColumn[], rows: number): void {
    const cells = this.#cells;
    if (cells.width !== COLUMNS || cells.height !== rows) {
      cells.width = COLUMNS;
      cells.height = rows;
    }
    const context = cells.getContext('2d')!;
    const image = context.createImageData(COLUMNS, rows);
    const shades = shadesOf();
    const now = columns.at(-1)?.time ?? 0;
    for (const { time, hits } of columns) {
      const x = COLUMNS - 1 - Math.round(((now - time) / SPAN_MS) * COLUMNS);
      const all = hits.reduce((sum, each) => sum + each, 0);
      if (x < 0 || all === 0) continue;
      for (const [row, each] of hits.entries()) {
        if (each === 0) continue;
        // Rare ones are what one looks for: the root lifts them out of the dark.
        const shade = 1 + Math.floor(Math.sqrt(each / all) * (SHADES - 2));
        const at = 4 * ((rows - 1 - row) * COLUMNS + x);
        image.data.set(shades[Math.min(shade, SHADES - 1)]!, at);
      }
    }
    context.putImageData(image, 0, 0);
  }
}

/** From seldom to always. */
function shadesOf(): Uint8ClampedArray[] {
  const stops = [1, 2, 3].map((index) => rgbOf(color(`--heat${index}`)));
  return Array.from({ length: SHADES }, (_, shade) => {
    const place = (shade / (SHADES - 1)) * (stops.length - 1);
    const below = Math.min(Math.floor(place), stops.length - 2);
    const mix = stops[below]!.map(
      (part, i) => part + (stops[below + 1]![i]! - part) * (place - below),
    );
    return Uint8ClampedArray.from([...mix, 255]);
  });
}

/** '#0d9488' */
function rgbOf(hex: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}
