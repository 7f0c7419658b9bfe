/**
 * An error that a worker's program did not catch, told on stderr as Node tells of it.
 * @module
 */
import { readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

const STDERR = 2;

export function printUncaught(error: unknown): void {
  const isError = error instanceof Error;
  const text = isError ? inspect(error) : `Uncaught:\n${inspect(error)}`;
  const place = isError ? placeIn(error.stack ?? '') : '';
  writeSync(STDERR, `${place}${text}\n\nNode.js ${process.version}\n`);
}

/** The line that threw, with a mark below it: 'file:line', the line, '^'. Empty when unknown. */
function placeIn(stack: string): string {
  const frame = /\n\s+at (?:.*\()?((?:file:\/\/)?\/[^\n()]+):(\d+):(\d+)\)?/.exec(stack);
  if (frame === null) return '';
  const file = frame[1]!.startsWith('file:') ? fileURLToPath(frame[1]!) : frame[1]!;
  try {
    const line = readFileSync(file, 'utf8').split('\n')[Number(frame[2]) - 1] ?? '';
    return `${file}:${frame[2]}\n${line}\n${' '.repeat(Number(frame[3]) - 1)}^\n\n`;
  } catch {
    return '';
  }
}
