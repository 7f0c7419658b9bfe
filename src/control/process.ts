/**
 * The control socket of a process with all of its stacks: what `dpdk-net stats` and its like ask.
 * @module
 */
import { cpus } from 'node:os';
import type { Change } from '../config/reload.ts';
import { listCards } from '../runtime/find-device.ts';
import type { RunningStack } from '../runtime/open-stack.ts';
import { type BoardRequest, boardOf } from './board.ts';
import type { ConnectionFilter } from './connections.ts';
import { type Device, flowCommands, flowsOf } from './flows.ts';
import { filterOf } from './frame-filter.ts';
import {
  deviceReport,
  placesOf,
  type QueueReport,
  StackReporter,
  type StatsReport,
  type StatsRequest,
} from './report.ts';
import { type Listening, localReporter, type Question, type Reporter } from './reporter.ts';
import { ControlServer, type Emit, type End, type Methods, type Streams } from './server.ts';
import { version } from './version.ts';

export interface ProcessOptions {
  /** What runs, for those who have to choose among several. */
  readonly title: string;
  /** Made anew for every question: workers come and go. */
  readonly reporters: () => readonly Reporter[];
  /** Those that this thread has opened; none when not given. */
  readonly devices?: () => readonly Device[];
  /** Reads the configuration again; undefined where there is no file to read. */
  readonly reload?: () => Promise<Change[]>;
  readonly folder?: string;
}

/** Listens. Close it when the process ends. Null, with a warning, when there can be no socket. */
export function openControl(options: ProcessOptions): ControlServer | null {
  try {
    const methods = { ...methodsOf(options), ...commandsOf(options) };
    return new ControlServer({ ...options, version, methods, streams: streamsOf(options) });
  } catch (error) {
    const reason = (error as Error).message;
    process.emitWarning(`no control socket: ${reason}`, { code: 'DPDK_NET_CONTROL' });
    return null;
  }
}

/** What changes something: for the control socket alone. */
function commandsOf({ devices = () => [], reload }: ProcessOptions): Methods {
  return {
    ...flowCommands(devices),
    reload: () => {
      if (reload !== undefined) return reload();
      throw new Error('this program reads no configuration again: `dpdk-net run` and `start` do');
    },
  };
}

/** The one stack of a process that has no workers. */
export function reporterOf(running: RunningStack): Reporter {
  const { port, queue, worker, core, numa } = placesOf(running.config.ports[0]!, false)[0]!;
  return localReporter(new StackReporter(running, { port, queue, worker, core, numa }));
}

/** Its device as the configuration calls it; none when it has only its loopback. */
export function devicesOf({ config, port }: RunningStack): Device[] {
  return port === null ? [] : [{ name: config.ports[0]!.name, port }];
}

/** The questions, each answered for all stacks together. None changes anything. */
export function methodsOf({ title, reporters, devices = () => [] }: ProcessOptions): Methods {
  const askAll = async (question: Question, params = {}): Promise<unknown[]> =>
    await Promise.all(reporters().map((reporter) => reporter.ask(question, params)));
  const lists =
    (question: Question) =>
    async (params: Readonly<Record<string, unknown>>): Promise<unknown[]> =>
      (await askAll(question, params)).flat();
  const methods: Methods = {
    info: () => ({
      version,
      title,
      pid: process.pid,
      node: process.version,
      uptimeSeconds: process.uptime(),
      memory: process.memoryUsage(),
    }),
    queues: lists('queue'),
    stats: async (params) => {
      const reports = (await lists('stats')(params)) as StatsReport[];
      return withDevices(reports, devices(), (params as StatsRequest).driver !== false);
    },
    neighbors: lists('neighbors'),
    listeners: lists('listeners'),
    flows: () => flowsOf(devices()),
    connections: async (params) => {
      const filter = params as ConnectionFilter;
      const found = await lists('connections')(params);
      return filter.limit === undefined ? found : found.slice(0, filter.limit);
    },
    lcores: async () => lcoresOf((await askAll('queue')) as QueueReport[]),
    devices: () => listCards(),
    board: async (params) => await boardOf(reporters(), methods, params as BoardRequest),
  };
  return methods;
}

/** The counters of a device that workers share are with those of its first queue. */
function withDevices(
  reports: readonly StatsReport[],
  devices: readonly Device[],
  driver: boolean,
): StatsReport[] {
  return reports.map((report) => {
    const device = devices.find(({ name }) => name === report.port);
    const isTheirs = report.device === null && report.queue === 0;
    return device === undefined || !isTheirs
      ? report
      : { ...report, device: deviceReport(device.port, driver) };
  });
}

/** What goes on until the client has enough; each stack tells for itself. */
function streamsOf({ reporters }: ProcessOptions): Streams {
  const start =
    (what: Listening) =>
    (params: Readonly<Record<string, unknown>>, emit: Emit): End => {
      filterOf(params);
      const ends = reporters().map((reporter) => reporter.listen(what, params, emit));
      return () => {
        for (const end of ends) end();
      };
    };
  return { capture: start('capture'), trace: start('trace') };
}

export interface LcoreReport {
  readonly core: number;
  readonly model: string;
  /** Workers pinned to it, and what they serve. */
  readonly serves: readonly {
    readonly worker: number;
    readonly port: string;
    readonly queue: number;
  }[];
}

/** Every core of the machine, and who runs there; core -1: those that are not pinned. */
function lcoresOf(queues: readonly QueueReport[]): LcoreReport[] {
  const cores = cpus().map(({ model }, core) => ({ core, model }));
  return [...cores, { core: -1, model: 'any' }].map(({ core, model }) => ({
    core,
    model,
    serves: queues
      .filter((report) => report.core === core)
      .map(({ worker, port, queue }) => ({ worker, port, queue })),
  }));
}
