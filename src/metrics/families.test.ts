import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as Drop from '../base/drops.ts';
import { metricsText } from './exposition.ts';
import { familiesOf } from './families.ts';
import { sampleReports } from './sample.ts';

const reports = sampleReports();

test('every drop reason has a value for every queue, and names are given once', () => {
  const families = familiesOf(reports);
  const drops = families.find(({ name }) => name === 'dpdk_net_drops_total')!;
  assert.equal(drops.points.length, Drop.family.names.length * reports.length);
  assert.equal(new Set(families.map(({ name }) => name)).size, families.length);
  for (const { name, kind, help } of families) {
    assert.match(name, /^dpdk_net_[a-z0-9_]+$/);
    assert.match(help, /^[A-Z0-9"'].*\.$/, `${name}: ${help}`);
    assert.equal(name.endsWith('_total'), kind === 'counter', name);
  }
});

test('the text has histograms in seconds, cumulative, with sum and count', async () => {
  const lines = (await metricsText(reports)).split('\n');
  const of = (start: string): string[] => lines.filter((line) => line.startsWith(start));
  const where = 'port="port0",queue="1",worker="2"';
  const poll = 'dpdk_net_poll_duration_seconds';
  assert.ok(lines.includes(`# TYPE ${poll} histogram`));
  const buckets = of(`${poll}_bucket{${where},`).map((line) => Number(line.split(' ').at(-1)));
  assert.equal(buckets.at(-1), 3);
  assert.deepEqual(
    buckets,
    [...buckets].sort((a, b) => a - b),
  );
  assert.ok(lines.includes(`${poll}_bucket{${where},le="0.000004"} 2`), buckets.join());
  assert.deepEqual(of(`${poll}_count{${where}}`), [`${poll}_count{${where}} 3`]);
  assert.deepEqual(of(`${poll}_sum{${where}}`), [`${poll}_sum{${where}} 0.001004`]);
});

test('neighbors, cross-queue traffic, pools, offloads and late threads are told', async () => {
  const lines = (await metricsText(reports)).split('\n');
  const first = 'port="port0",queue="0",worker="1"';
  for (const line of [
    `dpdk_net_neighbors{${first},state="reachable"} 2`,
    `dpdk_net_queue_events_total{${first},name="rxHandedOver"} 5`,
    `dpdk_net_offload{${first},work="txChecksum",by="hardware"} 1`,
    'dpdk_net_pool_slots_in_use{port="port0",pool="0"} 17',
    'dpdk_net_device_events_total{port="port0",name="rxMissed"} 4',
    'dpdk_net_report_late{port="port0",queue="1",worker="2"} 1',
  ]) {
    assert.ok(lines.includes(line), line);
  }
});
