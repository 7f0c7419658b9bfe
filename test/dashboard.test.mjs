/**
 * What of the dashboard needs no browser: numbers, and rates made of counters. The rest is seen by
 * tools/dashboard.mjs in a browser.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as Format from '../dist/dashboard/format.js';
import { History, quantile } from '../dist/dashboard/history.js';
import { at } from '../tools/house/root.mjs';

test('numbers have three digits and a unit', () => {
  const { short, bits, bytes, duration, percent, end } = Format;
  assert.deepEqual(
    [0, 7, 999, 999.6, 1000, 12_345, 1e9, -1500].map((value) => short(value)),
    ['0', '7', '999', '1.00 k', '1.00 k', '12.3 k', '1.00 G', '−1.50 k'],
  );
  assert.deepEqual([bits(0), bits(2_500_000)], ['0 b/s', '2.50 Mb/s']);
  assert.deepEqual(
    [bytes(800), bytes(1536), bytes(5 * 2 ** 30)],
    ['800 B', '1.50 KiB', '5.00 GiB'],
  );
  assert.deepEqual([0, 0.5, 12, 1024, 16_384, 2_000_000].map(duration), [
    '0',
    '0.5 µs',
    '12 µs',
    '1.02 ms',
    '16.4 ms',
    '2 s',
  ]);
  assert.deepEqual([percent(0.034), percent(0.5)], ['3.4 %', '50 %']);
  assert.deepEqual([end('10.0.0.1', 80), end('fd00::1', 80)], ['10.0.0.1:80', '[fd00::1]:80']);
});

const report = (framesIn, drops, lag) => ({
  port: 'port0',
  queue: 0,
  worker: 0,
  counts: { connections: 3 },
  counters: { net: { frames_in: framesIn, bytes_in: 100 * framesIn }, drops: { a: drops } },
  times: {
    poll: { buckets: [0, framesIn, 0], count: framesIn, sum: 0 },
    lag: { buckets: lag, count: lag.reduce((a, b) => a + b), sum: 0 },
  },
  link: { rxHandedOver: 0 },
});

test('rates are differences by time; who counts from zero again begins anew', () => {
  const history = new History();
  history.add({ time: 1000, stats: [report(100, 0, [1, 0, 0])] });
  assert.equal(history.last, null);
  history.add({ time: 1500, stats: [report(300, 5, [2, 0, 9])] });
  const [sample] = history.last.samples;
  assert.deepEqual(
    [sample.framesIn, sample.bitsIn, sample.drops, sample.connections, sample.lag],
    [400, 320_000, 10, 3, 4],
  );
  assert.deepEqual(sample.pollHits, [0, 200, 0]);
  history.add({ time: 1700, stats: [report(0, 0, [0, 0, 1])] });
  assert.equal(history.last, null);
});

test('a minute is kept', () => {
  const history = new History();
  for (let i = 0; i < 1000; i++)
    history.add({ time: 200 * i, stats: [report(i, 0, [i + 1, 0, 0])] });
  assert.ok(history.looks.length <= 301);
  assert.ok(history.last.time - history.looks[0].time <= 61_000);
});

test('quantiles are bounds of buckets', () => {
  assert.equal(quantile([0, 0, 0], 0.5), 0);
  assert.equal(quantile([1, 98, 1], 0.5), 2);
  assert.equal(quantile([1, 98, 1], 0.999), 4);
});

test('the page takes nothing from elsewhere, and no script or style stands in it', () => {
  const page = readFileSync(at('src/dashboard/index.html'), 'utf8');
  assert.doesNotMatch(page, /https?:|\sstyle=|\son[a-z]+=|<style/);
  assert.doesNotMatch(
    page.replace(/<script type="module" src="main.js"><\/script>/, ''),
    /<script/,
  );
  for (const [, id] of readFileSync(at('src/dashboard/main.ts'), 'utf8').matchAll(
    /byId(?:<\w+>)?\('([\w-]+)'\)/g,
  )) {
    assert.ok(page.includes(`id="${id}"`), id);
  }
});
