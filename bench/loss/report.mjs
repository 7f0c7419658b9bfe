/**
 * The figures of the loss benchmark as Markdown and as a picture.
 * @module
 */
import { digits, readable } from '../harness/statistics.mjs';

const CELL_WIDTH = 92;
const CELL_HEIGHT = 30;
const LEFT = 90;
const TOP = 84;

/** @param report { matrix, fairness, kernel, notes } */
export function markdown({ matrix, fairness, kernel, notes }) {
  const parts = [
    '# Goodput under loss',
    '',
    'Made by `npm run bench -- loss --out bench/results/loss`. Loss is that of each direction.',
    '',
    '## In the simulator',
    '',
    'One connection through 100 Mbit/s and a queue of 256 KiB, CUBIC; virtual time, so the figures are the same',
    'everywhere. Median of the seeds, MB/s; *reordering*: 5 % of the frames let up to eight later ones pass. The',
    'payload was compared byte for byte in every cell.',
    '',
    ...matrixTable(matrix),
    '',
    '## Shares of a bottleneck',
    '',
    ...fairnessTable(fairness),
  ];
  if (kernel.length > 0) parts.push('', '## Against the Linux kernel', '', ...kernelTable(kernel));
  for (const note of notes) parts.push('', note);
  return `${parts.join('\n')}\n`;
}

function matrixTable(matrix) {
  const columns = columnsOf(matrix);
  const head = ['loss', ...columns.map(({ title }) => title)];
  const rows = [...new Set(matrix.map(({ loss }) => loss))].map((loss) => [
    percent(loss),
    ...columns.map((column) => {
      const cell = find(matrix, loss, column);
      return `${megabytes(cell.bytesPerSecond)}${cell.intact ? '' : ' BROKEN'}`;
    }),
  ]);
  return tableOf(head, rows);
}

function fairnessTable(fairness) {
  const rows = fairness.map(({ flows, seed, index, used }) => [
    String(flows),
    String(seed),
    index.toFixed(4),
    percent(used),
  ]);
  return [
    'Flows of 125 kbit/s each over 400 ms, a queue of one BDP that drops its tail; over 200 s of virtual time.',
    '',
    ...tableOf(['flows', 'seed', "Jain's index", 'of the bottleneck used'], rows),
  ];
}

function kernelTable(kernel) {
  const head = ['loss', 'RTT', 'connections', 'ours send', "the kernel's send", 'ratio'];
  const rows = kernel.map(({ loss, rttMs, flows, ours, kernel: peer, ratio }) => [
    percent(loss),
    `${rttMs} ms`,
    String(flows),
    readable(ours, 'bytes/s'),
    readable(peer, 'bytes/s'),
    digits(ratio),
  ]);
  return [
    `The same path for both, a TAP device with our fault link, at the same time, one in each direction; both use`,
    `${kernel[0].congestion}, the receiver is the other one. The goodput of all connections together after slow start,`,
    `median of ${kernel[0].rates.ours.length} runs; the ratio is the median of the runs' ratios.`,
    '',
    ...tableOf(head, rows),
  ];
}

function tableOf(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** The matrix as a map of heat. */
export function picture({ matrix }) {
  const columns = columnsOf(matrix);
  const losses = [...new Set(matrix.map(({ loss }) => loss))];
  const most = Math.max(...matrix.map(({ bytesPerSecond }) => bytesPerSecond));
  const width = LEFT + columns.length * CELL_WIDTH;
  const height = TOP + losses.length * CELL_HEIGHT;
  const parts = [
    text(0, 18, 'Goodput of one connection under loss, MB/s', 'head'),
    text(0, 38, 'simulated: 100 Mbit/s, CUBIC; loss in each direction', ''),
  ];
  columns.forEach((column, x) => {
    const [rtt, order] = column.title.split(', ');
    parts.push(text(LEFT + x * CELL_WIDTH + 6, 60, rtt, ''));
    parts.push(text(LEFT + x * CELL_WIDTH + 6, 76, order, ''));
  });
  losses.forEach((loss, row) => {
    const y = TOP + row * CELL_HEIGHT;
    parts.push(text(0, y + 19, percent(loss), ''));
    columns.forEach((column, x) => {
      const { bytesPerSecond } = find(matrix, loss, column);
      const share = Math.max(0.06, Math.log10(1 + (999 * bytesPerSecond) / most) / 3);
      const at = `x="${LEFT + x * CELL_WIDTH}" y="${y}"`;
      const size = `width="${CELL_WIDTH - 2}" height="${CELL_HEIGHT - 2}"`;
      parts.push(`<rect ${at} ${size} fill="#2563eb" fill-opacity="${share.toFixed(2)}"/>`);
      parts.push(text(LEFT + x * CELL_WIDTH + 6, y + 19, megabytes(bytesPerSecond), ''));
    });
  });
  const style =
    'text { font: 12px system-ui, sans-serif; fill: #333 } .head { font-size: 16px; font-weight: 600 } ' +
    '@media (prefers-color-scheme: dark) { text { fill: #ddd } }';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<style>${style}</style>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function columnsOf(matrix) {
  const seen = new Map();
  for (const { rttMs, reorder } of matrix) {
    const title = `${rttMs} ms, ${reorder === 0 ? 'in order' : 'reordering'}`;
    seen.set(title, { title, rttMs, reorder });
  }
  return [...seen.values()];
}

function find(matrix, loss, { rttMs, reorder }) {
  return matrix.find(
    (cell) => cell.loss === loss && cell.rttMs === rttMs && cell.reorder === reorder,
  );
}

function text(x, y, words, kind) {
  return `<text x="${x}" y="${y}"${kind === '' ? '' : ` class="${kind}"`}>${words}</text>`;
}

function percent(loss) {
  return `${Number((loss * 100).toPrecision(3))} %`;
}

function megabytes(bytesPerSecond) {
  const value = bytesPerSecond / 1e6;
  return value >= 0.1 ? digits(value) : value.toPrecision(2);
}
