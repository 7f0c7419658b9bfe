/**
 * All that is measured, sent to an OpenTelemetry collector now and then (OTLP over HTTP).
 *
 * OpenTelemetry's own SDK does it; its packages are optional, and loaded only where the configuration
 * has [opentelemetry]. Nothing is counted twice: the SDK is handed the values that are there, by a
 * metric producer, when it is about to send them. Its OTEL_... variables work as everywhere.
 * @module
 */
import type {
  MetricData,
  MetricDescriptor,
  MetricProducer,
  PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import type { StatsReport } from '../control/report.ts';
import { BOUNDS } from '../runtime/loop-meter.ts';
import { type Family, familiesOf } from './families.ts';

/** Where it goes, and how often. */
export interface OpenTelemetryOptions {
  /** Of the collector, such as 'http://127.0.0.1:4318/v1/metrics'. */
  readonly url: string;
  readonly intervalMs: number;
  readonly version: string;
  /** Made by the SDK's own for OTLP when not given. */
  readonly exporter?: PushMetricExporter;
}

export interface OpenTelemetry {
  /** Sends what is measured now. */
  flush(): Promise<void>;
  /** Sends it once more, and no more. */
  stop(): Promise<void>;
}

type Sdk = typeof import('@opentelemetry/sdk-metrics');
type Time = [number, number];

/** What has to be installed. */
const PACKAGES = [
  '@opentelemetry/api',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/resources',
  '@opentelemetry/exporter-metrics-otlp-http',
];
const SECOND_US = 1e6;
const SECOND_MS = 1000;
const MS_NS = 1e6;

/** Starts; rejects with an Error that says what to install. It holds nothing alive. */
export async function startOpenTelemetry(
  options: OpenTelemetryOptions,
  stats: () => Promise<readonly StatsReport[]>,
): Promise<OpenTelemetry> {
  const { url, intervalMs, version } = options;
  const { sdk, resources, otlp } = await loadPackages();
  const scope = { name: 'dpdk-net', version };
  const startTime = timeOf(Date.now());
  const producer: MetricProducer = {
    collect: async () => {
      const endTime = timeOf(Date.now());
      const metrics = familiesOf(await stats()).map((family) =>
        metricOf(sdk, family, startTime, endTime),
      );
      const scopeMetrics = [{ scope, metrics }];
      return { resourceMetrics: { resource: resources.emptyResource(), scopeMetrics }, errors: [] };
    },
  };
  const reader = new sdk.PeriodicExportingMetricReader({
    exporter: options.exporter ?? new otlp.OTLPMetricExporter({ url }),
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(intervalMs, 10 * SECOND_MS),
    metricProducers: [producer],
  });
  const resource = resources
    .resourceFromAttributes({ 'service.name': 'dpdk-net', 'process.pid': process.pid })
    .merge(resources.detectResources({ detectors: [resources.envDetector] }));
  const provider = new sdk.MeterProvider({ resource, readers: [reader] });
  return { flush: () => provider.forceFlush(), stop: () => provider.shutdown() };
}

async function loadPackages() {
  try {
    const [sdk, resources, otlp] = await Promise.all([
      import('@opentelemetry/sdk-metrics'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/exporter-metrics-otlp-http'),
    ]);
    return { sdk, resources, otlp };
  } catch (cause) {
    const packages = PACKAGES.join(' ');
    throw new Error(`[opentelemetry] needs its packages: npm install ${packages}`, { cause });
  }
}

function metricOf(sdk: Sdk, family: Family, startTime: Time, endTime: Time): MetricData {
  const { name, help: description } = family;
  const aggregationTemporality = sdk.AggregationTemporality.CUMULATIVE;
  const unit = family.kind === 'histogram' ? 's' : '';
  const descriptor: MetricDescriptor = { name, description, unit, valueType: DOUBLE };
  if (family.kind === 'histogram') {
    const boundaries = BOUNDS.map((bound) => bound / SECOND_US);
    const dataPoints = family.points.map(({ labels, times: { buckets, sum, count } }) => ({
      startTime,
      endTime,
      attributes: { ...labels },
      value: { buckets: { boundaries, counts: [...buckets] }, sum: sum / SECOND_US, count },
    }));
    return {
      descriptor,
      aggregationTemporality,
      dataPointType: sdk.DataPointType.HISTOGRAM,
      dataPoints,
    };
  }
  const dataPoints = family.points.map(({ labels, value }) => ({
    startTime,
    endTime,
    attributes: { ...labels },
    value,
  }));
  if (family.kind === 'gauge') {
    return {
      descriptor,
      aggregationTemporality,
      dataPointType: sdk.DataPointType.GAUGE,
      dataPoints,
    };
  }
  return {
    descriptor,
    aggregationTemporality,
    dataPointType: sdk.DataPointType.SUM,
    dataPoints,
    isMonotonic: true,
  };
}

/** ValueType.DOUBLE of @opentelemetry/api. */
const DOUBLE = 1;

/** Seconds and nanoseconds since 1970. */
function timeOf(ms: number): Time {
  return [Math.floor(ms / SECOND_MS), Math.round((ms % SECOND_MS) * MS_NS)];
}
