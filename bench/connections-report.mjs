/**
 * The figures of connections.mjs as a table and as a picture.
 * @module
 */
import { digits, readable } from './harness/statistics.mjs';

const WIDTH = 860;
const HEIGHT = 380;
const LEFT = 70;
const RIGHT = 20;
const TOP = 64;
const BOTTOM = 60;
const GRID_LINES = 4;

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .head { font-size: 16px; font-weight: 600 }
  .grid { stroke: #9ca3af; stroke-opacity: 0.4 } polyline { fill: none; stroke-width: 2 }
  .idle { stroke: #2563eb } .alone { stroke: #9ca3af; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) { text { fill: #ddd } .idle { stroke: #60a5fa } }
`;

/** @param steps what measureConnections() tells. */
export function connectionsTable(steps) {
  const head = [
    'connections',
    'bytes',
    'echoes',
    'of alone',
    'ns',
    'in turn: ns',
    'of alone',
    'GC',
  ];
  const rows = steps.map(({ count, bytes, idle, inTurn }) => [
    readable(count),
    bytes === null ? '-' : bytes.toFixed(0),
    readable(idle.many.perCpu),
    percent(idle.ratio),
    idle.many.ns.toFixed(0),
    inTurn.many.ns.toFixed(0),
    percent(inTurn.ratio),
    `${idle.many.collections.count + inTurn.many.collections.count}`,
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i].length)));
  const line = (row) => row.map((cell, i) => cell.padStart(widths[i])).join('  ');
  return [
    'bytes: of one end, idle; echoes: round trips per processor second of both ends, 100 active among',
    'all; ns: of a segment; in turn: every connection is active, 100 at a time; of alone: compared with',
    '100 connections by themselves, in windows that take turns; GC: collections in those windows',
    '',
    ...[head, ...rows].map(line),
  ].join('\n');
}

/** Echoes per processor second over the number of connections, as SVG. */
export function connectionsPlot({ machine, notes, steps }) {
  const most = Math.max(...steps.flatMap(({ idle }) => [idle.many.perCpu, idle.few.perCpu]));
  const decades = Math.max(1, Math.log10(steps.at(-1).count) - 1);
  const x = (count) => LEFT + ((Math.log10(count) - 1) / decades) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - (value / most) * (HEIGHT - TOP - BOTTOM);
  const parts = [];
  for (let i = 0; i <= GRID_LINES; i++) {
    const value = (most * i) / GRID_LINES;
    parts.push(
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/>`,
      text(LEFT - 8, y(value) + 4, readable(value), 'end'),
    );
  }
  for (const { count, bytes } of steps) {
    const anchor = count === steps.at(-1).count && steps.length > 1 ? 'end' : 'middle';
    parts.push(text(x(count), HEIGHT - BOTTOM + 18, readable(count), anchor));
    if (bytes !== null)
      parts.push(text(x(count), HEIGHT - BOTTOM + 34, `${bytes.toFixed(0)} B each`, anchor));
  }
  for (const [kind, side] of [
    ['alone', 'few'],
    ['idle', 'many'],
  ]) {
    const points = steps.map(
      (step) => `${x(step.count).toFixed(1)},${y(step.idle[side].perCpu).toFixed(1)}`,
    );
    parts.push(`<polyline class="${kind}" points="${points.join(' ')}"/>`);
  }
  const where = [
    `${machine.cpu}, Node ${machine.node}, load ${machine.loadAtStart}`,
    ...notes,
  ].join('; ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}">`,
    `<style>${STYLE}</style>`,
    text(
      0,
      18,
      'Echoes per processor second, 100 active among so many connections',
      'start',
      'head',
    ),
    text(0, 36, 'both ends in one process; dashed: 100 by themselves, measured in turns with it'),
    text(0, HEIGHT - 8, where),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function percent(ratio) {
  return `${digits(100 * ratio)} %`;
}

function text(x, y, content, anchor = 'start', kind = '') {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${kind}" text-anchor="${anchor}">${safe}</text>`;
}
