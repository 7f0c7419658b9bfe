import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Logger, type LoggerOptions } from './logger.ts';

function logger(options: Partial<LoggerOptions> = {}): {
  log: Logger;
  lines: string[];
  clock: { ms: number };
} {
  const lines: string[] = [];
  const clock = { ms: 0 };
  const write = (line: string): void => void lines.push(line);
  const log = new Logger({ level: 'info', format: 'text', write, now: () => clock.ms, ...options });
  return { log, lines, clock };
}

test('a line has its time, level, event and fields', () => {
  const { log, lines } = logger();
  log.with({ port: 'a' }).info('listening', { service: 'echo', why: 'it was "asked"', at: 7 });
  log.error('failed', { error: new Error('no luck') });
  assert.deepEqual(lines, [
    '1970-01-01T00:00:00.000Z info  listening port=a service=echo why="it was \\"asked\\"" at=7\n',
    '1970-01-01T00:00:00.000Z error failed error="no luck"\n',
  ]);
});

test('as JSON each line is an object, a line end inside cannot make another', () => {
  const { log, lines } = logger({ format: 'json' });
  log.warn('odd', { text: 'a\nb', error: new Error('x') });
  const { time, level, event, text, error } = JSON.parse(lines[0]!) as Record<string, unknown>;
  assert.deepEqual([time, level, event, text], ['1970-01-01T00:00:00.000Z', 'warn', 'odd', 'a\nb']);
  assert.equal((error as Error).message, 'x');
  assert.equal(lines[0]!.split('\n').length, 2);
});

test('what is below the level is not told', () => {
  const { log, lines } = logger({ level: 'warn' });
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  assert.deepEqual(
    lines.map((line) => line.split(' ').at(-1)),
    ['c\n', 'd\n'],
  );
});

test('an event that does not stop is told ten times a second, and how often it was not', () => {
  const { log, lines, clock } = logger();
  for (let i = 0; i < 1000; i++) log.with({ i }).warn('dropped');
  log.warn('other');
  assert.equal(lines.length, 11);
  clock.ms = 1000;
  log.warn('dropped');
  assert.match(lines.at(-1)!, /dropped suppressed=990\n$/);
});
