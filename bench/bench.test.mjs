import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { connectionsPlot, connectionsTable } from './connections-report.mjs';
import { plot } from './harness/plot.mjs';
import { table } from './harness/report.mjs';
import { median, readable } from './harness/statistics.mjs';
import { ResponseCounter } from './http-response.mjs';
import { runOnce } from './layer/turns.mjs';

const RESPONSE = (body) =>
  `HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test('ResponseCounter counts responses however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', '\r', '\n', ':') }), { maxLength: 6 }),
      fc.array(fc.nat(80)),
      (bodies, cuts) => {
        const stream = Buffer.from(bodies.map(RESPONSE).join(''), 'latin1');
        const counter = new ResponseCounter();
        let counted = 0;
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          const part = stream.subarray(at, at + cut);
          counted += counter.take(part, part.length);
          at += part.length;
        }
        assert.equal(counted, bodies.length);
      },
    ),
  );
});

test('ResponseCounter refuses what is not a response with a length', () => {
  for (const text of ['HTTP/1.1 500 No\r\n\r\n', 'HTTP/1.1 200 OK\r\nDate: now\r\n\r\n']) {
    const bytes = Buffer.from(text);
    assert.throws(() => new ResponseCounter().take(bytes, bytes.length));
  }
});

test('median() takes the middle, readable() three digits', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
  assert.deepEqual(
    [999, 1234, 56_789, 1_500_000].map((n) => readable(n)),
    ['999', '1.23 k', '56.8 k', '1.50 M'],
  );
  assert.equal(readable(2.5e9, 'bytes/s'), '2.50 GB/s');
});

const RESULT = {
  name: 'echo <1>',
  variant: 'lean',
  ours: 300,
  peer: 100,
  unit: 'round trips/s',
  ratio: 3,
  peerWay: 'kernel veth',
  cpu: { ours: { cpuSeconds: 2, wallSeconds: 1 }, peer: { cpuSeconds: 0.5, wallSeconds: 1 } },
  runs: { 'ours, lean': [300], 'kernel veth': [100] },
};

test('the table shows the ratio, the peer and the cores', () => {
  const text = table({ results: [RESULT], references: [] });
  assert.match(text, /echo <1> +lean +300 +100 +3\.00x +2\.00 +0\.50 +kernel veth/);
});

test('the plot has a bar for every way, ours three times as long as the peer', () => {
  const svg = plot({ machine: { cpu: 'a & b', cores: 2 }, results: [RESULT] });
  const widths = [...svg.matchAll(/class="(\w+)" x="230" y="\d+" width="([\d.]+)"/g)];
  assert.deepEqual(
    widths.map(([, kind]) => kind),
    ['ours', 'kernel'],
  );
  assert.ok(Math.abs(Number(widths[0][2]) / Number(widths[1][2]) - 3) < 0.01);
  assert.ok(svg.includes('a &amp; b') && svg.includes('echo &lt;1>'));
});

const side = (perCpu, ns) => ({ perCpu, ns, collections: { count: 1, ms: 3 } });
const step = (count, bytes, rate) => ({
  count,
  bytes,
  idle: { many: side(rate, 500), few: side(400_000, 480), ratio: 0.96 },
  inTurn: { many: side(rate / 2, 900), few: side(400_000, 450), ratio: 0.5 },
});

test('the figures of connections: a row and a point of the line for each number', () => {
  const steps = [step(10, null, 200_000), step(100_000, 985.4, 400_000)];
  assert.match(connectionsTable(steps), /100 k +985 +400 k +96\.0 % +500 +900 +50\.0 % +2/);
  const machine = { cpu: 'a & b', node: 'v1', loadAtStart: 0 };
  const svg = connectionsPlot({ machine, notes: [], steps });
  const points = svg.match(/class="idle" points="([^"]*)"/)[1].split(' ');
  const [low, high] = points.map((point) => Number(point.split(',')[1]));
  // The axis begins at zero: half the rate is half as high.
  assert.ok(Math.abs(320 - low - (320 - high) / 2) < 0.2, svg);
  assert.ok(svg.includes('985 B each') && svg.includes('a &amp; b'));
});

test('both ends in one process: closed and paced loads tell what they did', () => {
  const quick = { load: 'echo', connections: 4, units: 500, warmUnits: 500 };
  const closed = runOnce('kernel', quick);
  assert.ok(closed.units >= 500 && closed.cpuSeconds > 0);
  assert.equal(closed.latencyMs, undefined);
  const paced = runOnce('stack', { ...quick, perSecond: 2000 });
  const { p50, p99, p999 } = paced.latencyMs;
  assert.ok(p50 > 0 && p50 <= p99 && p99 <= p999, JSON.stringify(paced));
  assert.equal(paced.units, 500);
  assert.ok(runOnce('stack', { ...quick, load: 'http' }).units >= 500);
  assert.ok(runOnce('stream', quick).units >= 500);
});
