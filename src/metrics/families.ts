/**
 * Everything that is measured, under the names by which the world outside knows it: what Prometheus
 * and OpenTelemetry are given is made of this, so that both tell the same.
 * @module
 */
import type { CounterName } from '../base/counters.ts';
import * as Drop from '../base/drops.ts';
import type { StatsReport } from '../control/report.ts';
import * as NetStats from '../net/stats.ts';
import type { Histogram } from '../runtime/loop-meter.ts';
import * as TcpStats from '../tcp/stats.ts';

export type Labels = Readonly<Record<string, string>>;

interface Named {
  /** With our prefix; of counters with `_total`, of times with `_seconds`. */
  readonly name: string;
  readonly help: string;
}

export interface Numbers extends Named {
  readonly kind: 'counter' | 'gauge';
  readonly points: readonly { readonly labels: Labels; readonly value: number }[];
}

export interface Times extends Named {
  readonly kind: 'histogram';
  /** Microseconds; the bounds are BOUNDS of the loop's meter. */
  readonly points: readonly { readonly labels: Labels; readonly times: Histogram }[];
}

export type Family = Numbers | Times;

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
  heapBytes: ['heap_bytes', 'Bytes of socket buffers and packets that wait.'],
};

const LOOP: Readonly<Record<keyof StatsReport['loop'], readonly [string, string]>> = {
  turns: ['loop_turns_total', 'Turns of the poll loop.'],
  sleeps: ['loop_sleeps_total', 'Times it slept.'],
  oversleeps: ['loop_oversleeps_total', 'Sleeps that a frame was waiting at the end of.'],
  wakes: ['loop_wakes_total', 'Sleeps that a frame, or another thread, has ended.'],
};

const TIMES: Readonly<Record<keyof StatsReport['times'], readonly [string, string]>> = {
  poll: [
    'poll_duration_seconds',
    "One poll with work to do, and the program's answers to its events.",
  ],
  lag: [
    'loop_lag_seconds',
    'From when a turn of the poll loop could have begun to its beginning: what Node and the program took.',
  ],
};

/** All of them. Every counter is there, also those that are zero. */
export function familiesOf(reports: readonly StatsReport[]): Family[] {
  return [
    dropsOf(reports),
    ...counted(NetStats.family.names, reports, ({ counters }) => counters.net),
    ...counted(TcpStats.family.names, reports, ({ counters }) => counters.tcp),
    ...Object.entries(GAUGES).map(([key, [name, help]]) =>
      each('gauge', name, help, reports, ({ counts }) => counts[key as keyof typeof counts]),
    ),
    ...Object.entries(LOOP).map(([key, [name, help]]) =>
      each('counter', name, help, reports, ({ loop }) => loop[key as keyof typeof loop]),
    ),
    ...Object.entries(TIMES).map(([key, [name, help]]): Times => {
      const points = reports.map((report) => ({
        labels: labelsOf(report),
        times: report.times[key as keyof StatsReport['times']],
      }));
      return { kind: 'histogram', name: PREFIX + name, help, points };
    }),
    each(
      'gauge',
      'report_late',
      '1 when the thread of the stack did not answer.',
      reports,
      (report) => (report.isLate ? 1 : 0),
    ),
    ...byName(reports),
    ...ofDevices(reports),
  ];
}

function dropsOf(reports: readonly StatsReport[]): Numbers {
  return {
    kind: 'counter',
    name: `${PREFIX}drops_total`,
    help: 'Frames, packets and segments that were dropped, by reason.',
    points: reports.flatMap((report) =>
      Drop.family.names.map(({ name }) => ({
        labels: { ...labelsOf(report), reason: name },
        value: report.counters.drops[name] ?? 0,
      })),
    ),
  };
}

function counted(
  names: readonly CounterName[],
  reports: readonly StatsReport[],
  read: (report: StatsReport) => Readonly<Record<string, number>>,
): Numbers[] {
  return names.map(({ name, meaning }) =>
    each('counter', `${name}_total`, meaning, reports, (report) => read(report)[name] ?? 0),
  );
}

/** What has names of its own: they become a label. */
function byName(reports: readonly StatsReport[]): Numbers[] {
  const named = (
    label: string,
    read: (report: StatsReport) => Readonly<Record<string, number>>,
  ): Numbers['points'] =>
    reports.flatMap((report) =>
      Object.entries(read(report)).map(([name, value]) => ({
        labels: { ...labelsOf(report), [label]: name },
        value,
      })),
    );
  return [
    {
      kind: 'gauge',
      name: `${PREFIX}neighbors`,
      help: 'Neighbors, by what is known of them.',
      points: named('state', ({ neighbors }) => neighbors),
    },
    {
      kind: 'counter',
      name: `${PREFIX}queue_events_total`,
      help: 'What the addon counts for a queue, frames from and to other queues included, by name.',
      points: named('name', ({ link }) => link),
    },
    {
      kind: 'gauge',
      name: `${PREFIX}offload`,
      help: 'Work that a card can do, and who does it: always 1.',
      points: reports.flatMap((report) =>
        Object.entries(report.features).map(([work, by]) => ({
          labels: { ...labelsOf(report), work, by },
          value: 1,
        })),
      ),
    },
  ];
}

/** What the device, its driver and the packet pools count; the driver's names are its own. */
function ofDevices(reports: readonly StatsReport[]): Numbers[] {
  const found = reports.flatMap(({ port, device }) => (device === null ? [] : { port, device }));
  const named = (values: (at: (typeof found)[number]) => Readonly<Record<string, number>>) =>
    found.flatMap((at) =>
      Object.entries(values(at)).map(([name, value]) => ({
        labels: { port: at.port, name },
        value,
      })),
    );
  const pools = (read: 'size' | 'inUse') =>
    found.flatMap(({ port, device }) =>
      device.pools.map((pool, index) => ({
        labels: { port, pool: `${index}` },
        value: pool[read],
      })),
    );
  const gauge = (name: string, help: string, points: Numbers['points']): Numbers => ({
    kind: 'gauge',
    name: PREFIX + name,
    help,
    points,
  });
  return [
    {
      kind: 'counter',
      name: `${PREFIX}device_events_total`,
      help: "The device's counters (rte_eth_stats), by name.",
      points: named(({ device }) => device.events),
    },
    gauge(
      'driver_value',
      "The driver's own counters (xstats), by its names.",
      named(({ device }) => device.driver),
    ),
    gauge('pool_slots', 'Packet slots of a pool.', pools('size')),
    gauge('pool_slots_in_use', 'Of these those in use.', pools('inUse')),
  ];
}

function each(
  kind: 'counter' | 'gauge',
  name: string,
  help: string,
  reports: readonly StatsReport[],
  read: (report: StatsReport) => number,
): Numbers {
  const points = reports.map((report) => ({ labels: labelsOf(report), value: read(report) }));
  return { kind, name: PREFIX + name, help, points };
}

function labelsOf({ port, queue, worker }: StatsReport): Labels {
  return { port, queue: `${queue}`, worker: `${worker}` };
}
