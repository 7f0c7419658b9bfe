import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, formatSize, parseDuration, parseSize } from './units.ts';

test('parseSize() knows whole numbers and units', () => {
  assert.equal(parseSize(65536), 65536);
  assert.equal(parseSize('65536'), 65536);
  assert.equal(parseSize('64KiB'), 65536);
  assert.equal(parseSize('64 KiB'), 65536);
  assert.equal(parseSize('1.5MiB'), 1572864);
  assert.equal(parseSize('1kB'), 1000);
});

test('parseSize() refuses what could mean two things, or nothing', () => {
  for (const value of [
    1.5,
    '64K',
    '64kb',
    '-1KiB',
    '',
    'KiB',
    '1 2KiB',
    '0.3B',
    true,
    null,
    '1toString',
  ]) {
    assert.equal(parseSize(value), null, String(value));
  }
});

test('parseDuration() needs a unit', () => {
  assert.equal(parseDuration('30s'), 30_000);
  assert.equal(parseDuration('200ms'), 200);
  assert.equal(parseDuration('1.5min'), 90_000);
  assert.equal(parseDuration('2h'), 7_200_000);
  for (const value of [30, '30', '30 seconds', 's', '1d']) assert.equal(parseDuration(value), null);
});

test('what is formatted is parsed to the same', () => {
  fc.assert(
    fc.property(fc.nat(), (amount) => {
      assert.equal(parseSize(formatSize(amount)), amount);
      assert.equal(parseDuration(formatDuration(amount)), amount);
    }),
  );
});
