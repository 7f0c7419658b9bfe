/**
 * The counters of all stacks in Prometheus's text format, made when they are asked for.
 *
 * prom-client does the format; it is an optional dependency, needed only where there is an admin
 * server.
 * @module
 */
import type { Registry } from 'prom-client';
import type { CounterName } from '../base/counters.ts';
import * as Drop from '../base/drops.ts';
import type { StatsReport } from '../control/report.ts';
import * as NetStats from '../net/stats.ts';
import * as TcpStats from '../tcp/stats.ts';

type Client = typeof import('prom-client');

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const PREFIX = 'dpdk_net_';

/** What each of a stack's counts is. */
const GAUGES: Readonly<Record<keyof StatsReport['counts'], readonly [string, string]>> = {
  connections: ['connections', 'TCP connections, TIME-WAIT included.'],
  halfOpen: ['half_open_connections', 'TCP connections whose handshake is not over.'],
  timeWait: ['time_wait_connections', 'TCP connections in TIME-WAIT.'],
  listeners: ['listeners', 'TCP listeners.'],
  udpSockets: ['udp_sockets', 'UDP sockets.'],
  pingSockets: ['ping_sockets', 'Ping sockets.'],
  timers: ['timers', 'Entries on the timer wheel.'],
  heapBytes: ['heap_bytes', 'Socket buffers and packets that wait.'],
};

/** Loaded once it is needed. Rejects with an Error that says what to install. */
export async function loadClient(): Promise<Client> {
  try {
    return await import('prom-client');
  } catch (error) {
    throw new Error('metrics need the package prom-client: npm install prom-client', {
      cause: error,
    });
  }
}

/** The whole text. Every counter is there, also those that are zero. */
export async function metricsText(reports: readonly StatsReport[]): Promise<string> {
  const client = await loadClient();
  const registry = new client.Registry();
  const page = new Page(client, registry);
  page.counter(
    'drops_total',
    'Frames, packets and segments that were dropped, by reason.',
    reports.flatMap((report) =>
      Drop.family.names.map(({ name }) => ({
        labels: { ...labelsOf(report), reason: name },
        value: report.counters.drops[name] ?? 0,
      })),
    ),
  );
  page.family(NetStats.family.names, reports, ({ counters }) => counters.net);
  page.family(TcpStats.family.names, reports, ({ counters }) => counters.tcp);
  for (const [key, [name, meaning]] of Object.entries(GAUGES)) {
    page.gauge(
      name,
      meaning,
      samples(reports, ({ counts }) => counts[key as keyof typeof counts]),
    );
  }
  page.counter(
    'loop_turns_total',
    'Turns of the poll loop.',
    samples(reports, ({ loop }) => loop.turns),
  );
  page.counter(
    'loop_sleeps_total',
    'Times it slept.',
    samples(reports, ({ loop }) => loop.sleeps),
  );
  page.device(reports);
  return await registry.metrics();
}

class Page {
  readonly #client: Client;
  readonly #registry: Registry;

  constructor(client: Client, registry: Registry) {
    this.#client = client;
    this.#registry = registry;
  }

  counter(name: string, help: string, list: readonly Sample[]): void {
    const metric = new this.#client.Counter(this.#options(name, help, list));
    for (const { labels, value } of list) metric.inc(labels, value);
  }

  gauge(name: string, help: string, list: readonly Sample[]): void {
    const metric = new this.#client.Gauge(this.#options(name, help, list));
    for (const { labels, value } of list) metric.set(labels, value);
  }

  /** A counter for each of the names. */
  family(
    names: readonly CounterName[],
    reports: readonly StatsReport[],
    read: (report: StatsReport) => Readonly<Record<string, number>>,
  ): void {
    for (const { name, meaning } of names) {
      this.counter(
        `${name}_total`,
        meaning,
        samples(reports, (report) => read(report)[name] ?? 0),
      );
    }
  }

  /** What the device, its driver and the packet pools count; the driver's names are its own. */
  device(reports: readonly StatsReport[]): void {
    const withDevice = reports.filter(({ device, queue }) => device !== null && queue === 0);
    const named = (read: (report: StatsReport) => Readonly<Record<string, number>>): Sample[] =>
      withDevice.flatMap((report) =>
        Object.entries(read(report)).map(([name, value]) => ({
          labels: { port: report.port, name },
          value,
        })),
      );
    this.counter(
      'device_events_total',
      "The device's counters (rte_eth_stats), by name.",
      named(({ device }) => device ?? {}),
    );
    this.gauge(
      'driver_value',
      "The driver's own counters (xstats), by its names.",
      named(({ driver }) => driver ?? {}),
    );
    const pools = (read: 'size' | 'inUse'): Sample[] =>
      withDevice.flatMap((report) =>
        report.pools.map((pool, index) => ({
          labels: { port: report.port, pool: `${index}` },
          value: pool[read],
        })),
      );
    this.gauge('pool_slots', 'Packet slots of a pool.', pools('size'));
    this.gauge('pool_slots_in_use', 'Of these those in use.', pools('inUse'));
  }

  #options(name: string, help: string, list: readonly Sample[]) {
    const labelNames = Object.keys(list[0]?.labels ?? {});
    return { name: PREFIX + name, help, labelNames, registers: [this.#registry] };
  }
}

function labelsOf({ port, queue, worker }: StatsReport): Record<string, string> {
  return { port, queue: `${queue}`, worker: `${worker}` };
}

function samples(reports: readonly StatsReport[], read: (report: StatsReport) => number): Sample[] {
  return reports.map((report) => ({ labels: labelsOf(report), value: read(report) }));
}
