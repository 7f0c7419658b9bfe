import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseConfig } from '../config/config.ts';
import { loggerOf, openLog, tellDpdk } from './log.ts';
import { Logger } from './logger.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-log-'));
after(() => rmSync(folder, { recursive: true }));

test('without a table nothing is logged; with one, by its words', () => {
  const of = (text: string) => parseConfig(`dpdk.port = "loopback"\n${text}`, '/etc/a.toml').log;
  assert.equal(of(''), null);
  assert.deepEqual(of('[log]'), { level: 'info', format: 'text', file: '' });
  assert.deepEqual(of('log = { level = "warn", format = "json", file = "a.log" }'), {
    level: 'warn',
    format: 'json',
    file: '/etc/a.log',
  });
});

test('lines are appended to the file, each an object', () => {
  const file = join(folder, 'a.log');
  loggerOf({ level: 'info', format: 'json', file }).info('one', { port: 7 });
  loggerOf({ level: 'info', format: 'json', file }).warn('two');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    events.map(({ level, event, port }) => [level, event, port]),
    [
      ['info', 'one', 7],
      ['warn', 'two', undefined],
    ],
  );
});

test("DPDK's lines keep their level and say who wrote them; lost ones are counted", () => {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line.replace(/^\S+ /, ''));
  const logger = new Logger({ level: 'info', format: 'text', write });
  const text = '4EAL: no memory\n5tap: an odd thing\n7EAL: detail\n6plain words\n\n';
  tellDpdk(logger, { text, lost: 2 });
  assert.deepEqual(lines, [
    'error dpdk from=EAL says="no memory"\n',
    'warn  dpdk from=tap says="an odd thing"\n',
    'info  dpdk from=DPDK says="plain words"\n',
    'warn  dpdk-lost lines=2\n',
  ]);
});

test('a process tells what it opened and how it ended', () => {
  const file = join(folder, 'process.log');
  const log = openLog({ level: 'info', format: 'text', file }, null, 2)!;
  log.close({
    open: 3,
    reset: 1,
    ms: 4.4,
    left: { connections: 0, timers: 0, heapBytes: 0 },
    slots: 0,
  });
  const lines = readFileSync(file, 'utf8').replaceAll(/^\S+ /gm, '');
  assert.equal(
    lines,
    'info  open device=loopback driver=none mac="" mtu=0 queues=2\n' +
      'info  closed open=3 reset=1 ms=4 connections=0 timers=0 slots=0\n',
  );
  assert.equal(openLog(null, null, 1), null);
});
