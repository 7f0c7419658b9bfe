import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import {
  AggregationTemporality,
  type HistogramMetricData,
  InMemoryMetricExporter,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import { familiesOf } from './families.ts';
import { startOpenTelemetry } from './opentelemetry.ts';
import { sampleReports } from './sample.ts';

const reports = sampleReports();
const families = familiesOf(reports);
const options = { url: 'http://127.0.0.1:1', intervalMs: 3_600_000, version: '1.2.3' };

/** All that was handed out, by name. */
async function exported(): Promise<Map<string, MetricData>> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const telemetry = await startOpenTelemetry({ ...options, exporter }, async () => reports);
  await telemetry.flush();
  const [{ scopeMetrics, resource } = { scopeMetrics: [] }] = exporter.getMetrics();
  assert.equal(resource?.attributes['service.name'], 'dpdk-net');
  assert.deepEqual(scopeMetrics[0]!.scope, { name: 'dpdk-net', version: '1.2.3' });
  const metrics = scopeMetrics[0]!.metrics.map(
    (metric) => [metric.descriptor.name, metric] as const,
  );
  await telemetry.stop();
  return new Map(metrics);
}

test("the SDK's in-memory exporter has the values that Prometheus is told", async () => {
  const metrics = await exported();
  assert.equal(metrics.size, families.length);
  for (const family of families) {
    const metric = metrics.get(family.name)!;
    assert.equal(metric.descriptor.description, family.help);
    assert.deepEqual(
      metric.dataPoints.map(({ attributes }) => attributes),
      family.points.map(({ labels }) => labels),
    );
    if (family.kind === 'histogram') continue;
    assert.deepEqual(
      metric.dataPoints.map(({ value }) => value),
      family.points.map(({ value }) => value),
    );
  }
});

test('histograms have bounds in seconds, and a bucket more than bounds', async () => {
  const metric = (await exported()).get('dpdk_net_poll_duration_seconds')!;
  const { value } = (metric as HistogramMetricData).dataPoints[0]!;
  assert.equal(metric.descriptor.unit, 's');
  assert.equal(value.count, 3);
  assert.equal(value.sum, 0.001004);
  assert.deepEqual(value.buckets.boundaries.slice(0, 3), [1e-6, 2e-6, 4e-6]);
  assert.equal(value.buckets.counts.length, value.buckets.boundaries.length + 1);
  assert.deepEqual(value.buckets.counts.slice(0, 3), [0, 1, 1]);
});

test('a collector is sent them over HTTP', async () => {
  const collector = createServer();
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  const { port } = collector.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v1/metrics`;
  const telemetry = await startOpenTelemetry({ ...options, url }, async () => reports);
  const asked = once(collector, 'request') as Promise<
    [import('node:http').IncomingMessage, import('node:http').ServerResponse]
  >;
  const flushed = telemetry.flush();
  const [request, response] = await asked;
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end('{}');
  await flushed;
  assert.equal(request.url, '/v1/metrics');
  const [{ scopeMetrics }] = JSON.parse(body).resourceMetrics;
  const drops = scopeMetrics[0].metrics.find(
    ({ name }: { name: string }) => name === 'dpdk_net_drops_total',
  );
  assert.equal(drops.sum.isMonotonic, true);
  collector.close();
});
