/**
 * The control socket of a process with all of its stacks: what `dpdk-net stats` and its like ask.
 * @module
 */
import { cpus } from 'node:os';
import type { Port } from '../dpdk/index.ts';
import { listCards } from '../runtime/find-device.ts';
import type { RunningStack } from '../runtime/open-stack.ts';
import { type BoardRequest, boardOf } from './board.ts';
import type { ConnectionFilter } from './connections.ts';
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
  /** The device whose queues are the workers'; its counters are with those of the first. */
  readonly device?: Port | null;
  readonly folder?: string;
}

/** Listens. Close it when the process ends. Null, with a warning, when there can be no socket. */
export function openControl(options: ProcessOptions): ControlServer | null {
  try {
    const methods = methodsOf(options);
    return new ControlServer({ ...options, version, methods, streams: streamsOf(options) });
  } catch (error) {
    const reason = (error as Error).message;
    process.emitWarning(`no control socket: ${reason}`, { code: 'DPDK_NET_CONTROL' });
    return null;
  }
}

/** The one stack of a process that has no workers. */
export function reporterOf(running: RunningStack): Reporter {
  const { port, queue, worker, core, numa } = placesOf(running.config.ports[0]!, false)[0]!;
  return localReporter(new StackReporter(running, { port, queue, worker, core, numa }));
}

/** The questions, each answered for all stacks together. */
export function methodsOf({ title, reporters, device = null }: ProcessOptions): Methods {
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
      const all = (await lists('stats')(params)) as StatsReport[];
      const first = all.find(({ queue }) => queue === 0);
      if (device === null || first === undefined) return all;
      const driver = (params as StatsRequest).driver !== false;
      const whole = { ...first, device: deviceReport(device, driver) };
      return all.map((report) => (report === first ? whole : report));
    },
    neighbors: lists('neighbors'),
    listeners: lists('listeners'),
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
