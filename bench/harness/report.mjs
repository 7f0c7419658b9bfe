/**
 * The figures on a terminal: progress while they are made, a table at the end.
 * @module
 */
import { readable } from './statistics.mjs';

/** Reports progress to the terminal: one changing line, or one line per run where there is none. */
export function makeProgress(stream, runs) {
  return ({ program, round, way, found, failure, cases }) => {
    const head = `${program} ${round}/${runs}  ${way}`;
    if (found === undefined && failure === undefined) {
      if (stream.isTTY) stream.write(`\r\u001b[2K${head} …`);
      return;
    }
    if (stream.isTTY) stream.write('\r\u001b[2K');
    const tail =
      failure?.split('\n')[0] ??
      cases.map(({ name, unit }) => `${name}: ${readable(found.get(name).rate, unit)}`).join('   ');
    stream.write(`${head.padEnd(44)}  ${tail}\n`);
  };
}

/** The results as text. */
export function table({ results, references }) {
  const compared = results.filter(({ measuredElsewhere }) => measuredElsewhere === undefined);
  const pair = results.filter(({ measuredElsewhere }) => measuredElsewhere !== undefined);
  const parts = [];
  if (compared.length > 0) parts.push(comparison(compared));
  if (references.length > 0) parts.push(secondOpinions(references));
  if (pair.length > 0) parts.push(pairTable(pair));
  return parts.join('\n\n');
}

function comparison(results) {
  const rows = results.map((result) => [
    result.name,
    result.variant,
    readable(result.ours ?? Number.NaN, result.unit),
    readable(result.peer ?? Number.NaN, result.unit),
    result.ratio === null ? '-' : `${result.ratio.toFixed(2)}x`,
    cores(result.cpu.ours),
    cores(result.cpu.peer),
    result.peerWay ?? '',
  ]);
  const head = ['', 'variant', 'ours', 'Node, kernel', 'ratio', 'cores', 'cores', 'peer'];
  return [
    'medians; ratio above 1: ours is better; cores: processor seconds per second of both processes,',
    'ours and the peer; peer: Node on the kernel where it did best',
    '',
    aligned([head, ...rows]),
  ].join('\n');
}

function cores(cpu) {
  if (cpu === null || cpu.wallSeconds === null) return '-';
  return (cpu.cpuSeconds / cpu.wallSeconds).toFixed(2);
}

function secondOpinions(references) {
  const rows = references.map(({ name, way, value, unit }) => [
    name,
    way,
    `${readable(value, unit)} ${unit}`,
  ]);
  return `a second opinion on the peer, not part of the ratio\n\n${aligned(rows)}`;
}

function pairTable(results) {
  const stacks = [...new Set(results.flatMap((result) => Object.keys(result.measuredElsewhere)))];
  const rows = results.map(({ name, ours, unit, measuredElsewhere }) => [
    name,
    readable(ours ?? Number.NaN, unit),
    ...stacks.map((stack) => readable(measuredElsewhere[stack] ?? Number.NaN, unit)),
  ]);
  return [
    'both ends in one process on one core; every column but ours was MEASURED ELSEWHERE (another',
    'time, a machine of this kind): to compare by eye, not by ratio',
    '',
    aligned([['', 'ours', ...stacks], ...rows]),
  ].join('\n');
}

function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
