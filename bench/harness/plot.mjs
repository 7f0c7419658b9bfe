/**
 * The results as a picture: a panel of bars per result, longer is better, as SVG that shows in a
 * browser and on a code host, in light and in dark.
 * @module
 */
import { median, readable } from './statistics.mjs';

const WIDTH = 860;
const LABEL_WIDTH = 230;
const VALUE_WIDTH = 90;
const BAR = 15;
const PANEL_GAP = 20;
const TITLE = 22;
const HEADER = 52;

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .name { font-weight: 600; font-size: 13px }
  .head { font-size: 16px; font-weight: 600 }
  .ours { fill: #2563eb } .kernel { fill: #9ca3af } .elsewhere { fill: none; stroke: #9ca3af; stroke-dasharray: 3 2 }
  @media (prefers-color-scheme: dark) { text { fill: #ddd } .ours { fill: #60a5fa } .kernel { fill: #6b7280 } }
`;

/** The text of an SVG file. */
export function plot({ machine, results }) {
  const parts = [];
  let y = HEADER;
  for (const panel of panels(results)) {
    parts.push(text(0, y + 13, panel.title, 'name'));
    y += TITLE;
    const largest = Math.max(...panel.bars.map(({ value }) => value));
    for (const bar of panel.bars) {
      parts.push(drawn(bar, y, bar.value / largest, panel.unit));
      y += BAR + 3;
    }
    y += PANEL_GAP;
  }
  const where = `${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, Node ${machine.node}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}">`,
    `<style>${STYLE}</style>`,
    text(0, 18, 'dpdk-net: medians, longer is better', 'head'),
    text(0, 36, where, ''),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

/** One panel per case: our variants first, then the kernel's ways. */
function panels(results) {
  return [...byName(results)].map(([name, same]) => {
    const bars = new Map();
    for (const { runs, measuredElsewhere = {} } of same) {
      for (const [label, values] of Object.entries(runs)) {
        const kind = label.startsWith('ours') ? 'ours' : 'kernel';
        if (values.length > 0) bars.set(label, { label, kind, value: median(values) });
      }
      for (const [stack, value] of Object.entries(measuredElsewhere)) {
        const label = `${stack}, measured elsewhere`;
        bars.set(label, { label, kind: 'elsewhere', value });
      }
    }
    const order = ['ours', 'kernel', 'elsewhere'];
    const sorted = [...bars.values()].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    return { title: `${name} (${same[0].unit})`, unit: same[0].unit, bars: sorted };
  });
}

function byName(results) {
  const groups = new Map();
  for (const result of results)
    groups.set(result.name, [...(groups.get(result.name) ?? []), result]);
  return groups;
}

function drawn({ label, kind, value }, y, share, unit) {
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const width = Math.max(1, share * room).toFixed(1);
  return [
    text(LABEL_WIDTH - 8, y + 12, label, '', 'end'),
    `<rect class="${kind}" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
    text(LABEL_WIDTH + Number(width) + 6, y + 12, readable(value, unit), ''),
  ].join('');
}

function text(x, y, content, kind, anchor = 'start') {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" class="${kind}" text-anchor="${anchor}">${safe}</text>`;
}
