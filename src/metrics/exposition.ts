/**
 * All that is measured in Prometheus's text format, made when it is asked for.
 *
 * prom-client does the format; it is an optional dependency, needed only where there is an admin
 * server.
 * @module
 */
import type { Metric, MetricObjectWithValues, MetricValue } from 'prom-client';
import type { StatsReport } from '../control/report.ts';
import { BOUNDS, type Histogram } from '../runtime/loop-meter.ts';
import { type Family, familiesOf, type Labels } from './families.ts';

type Client = typeof import('prom-client');
type Value = MetricValue<string> & { readonly metricName?: string };

const SECOND_US = 1e6;

/** Loaded once it is needed. Rejects with an Error that says what to install. */
async function loadClient(): Promise<Client> {
  try {
    return await import('prom-client');
  } catch (error) {
    throw new Error('metrics need the package prom-client: npm install prom-client', {
      cause: error,
    });
  }
}

/** The whole text. */
export async function metricsText(reports: readonly StatsReport[]): Promise<string> {
  const client = await loadClient();
  const registry = new client.Registry();
  for (const family of familiesOf(reports)) {
    registry.registerMetric(metricOf(family) as unknown as Metric);
  }
  return await registry.metrics();
}

/** What a registry asks a metric for. Its own classes would count again what is counted already. */
interface Given {
  readonly name: string;
  get(): Promise<Omit<MetricObjectWithValues<Value>, 'collect'>>;
}

function metricOf(family: Family): Given {
  const { name, help, kind } = family;
  const values: Value[] =
    family.kind === 'histogram'
      ? family.points.flatMap(({ labels, times }) => histogramValues(name, labels, times))
      : family.points.map(({ labels, value }) => ({ labels, value }));
  const type = kind as unknown as MetricObjectWithValues<Value>['type'];
  return { name, get: async () => ({ name, help, type, aggregator: 'sum', values }) };
}

/** How many stayed below each bound; the bounds in seconds. */
function histogramValues(
  name: string,
  labels: Labels,
  { buckets, sum, count }: Histogram,
): Value[] {
  let below = 0;
  const bounded = BOUNDS.map((bound, index) => {
    below += buckets[index]!;
    return { le: bound / SECOND_US, value: below };
  });
  return [
    ...[...bounded, { le: '+Inf', value: count }].map(({ le, value }) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le },
      value,
    })),
    { metricName: `${name}_sum`, labels, value: sum / SECOND_US },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
