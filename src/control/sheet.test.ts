import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import * as Drop from '../base/drops.ts';
import { parseConfig } from '../config/config.ts';
import * as NetStats from '../net/stats.ts';
import { openStack } from '../runtime/open-stack.ts';
import { StackReporter, type StatsReport } from './report.ts';
import { answerOver, remoteReporter } from './reporter.ts';
import { readSheet, sheetOf } from './sheet.ts';

const running = openStack(parseConfig('dpdk.port = "loopback"\nroutes.kernel = []', 'a.toml'));
after(() => running.close());
const { stack } = running;
const place = { port: 'port0', queue: 0, worker: 1, core: -1, numa: -1 };

test('a sheet tells what the stack itself reports, sums included', () => {
  stack.net.nics[0]!.counters[NetStats.NIC_FRAMES_IN] = 7;
  stack.drops[Drop.UDP_NO_SOCKET] = 3;
  const { counters, interface: own } = readSheet(sheetOf(running));
  assert.deepEqual(counters, stack.report());
  assert.equal(counters.net['frames_in'], 7);
  assert.equal(own['frames_in'], 7);
});

test('a sheet that is posted is the same memory', async () => {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(sheetOf(running));
  const [sheet] = await once(port2, 'message');
  stack.drops[Drop.UDP_NO_SOCKET]!++;
  assert.deepEqual(readSheet(sheet).counters.drops, stack.report().drops);
  port1.close();
});

test('a stack that does not answer any more is told by its memory, and that it is late', async () => {
  const { port1, port2 } = new MessageChannel();
  const reporter = remoteReporter(port1, 20);
  answerOver(port2, new StackReporter(running, place));
  const stats = (): Promise<StatsReport> => reporter.ask('stats', {}) as Promise<StatsReport>;
  const before = await stats();
  assert.equal(before.isLate, false);
  port2.removeAllListeners('message');
  stack.drops[Drop.UDP_NO_SOCKET]! += 10;
  const held = setInterval(() => {}, 1000);
  const late = await stats();
  clearInterval(held);
  assert.equal(late.isLate, true);
  assert.deepEqual(late.counters, stack.report());
  assert.deepEqual(late.counts, before.counts);
  port1.close();
});
