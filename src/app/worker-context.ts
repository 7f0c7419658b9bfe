/**
 * What the worker of an application gets, in whichever thread it runs.
 * @module
 */
import type { Config } from '../config/config.ts';
import type { StatsReport } from '../control/report.ts';
import type { RunningStack } from '../runtime/open-stack.ts';
import type { Stack, TcpListener } from '../stack/index.ts';
import type { Logger } from './logger.ts';

/** What a worker gets: its stack, and all that belongs to it. */
export interface WorkerContext {
  /** The name of the port. */
  readonly port: string;
  readonly queueId: number;
  /** The core the worker is pinned to, -1: none. */
  readonly lcore: number;
  readonly stack: Stack;
  /** What drives the stack: hold(), release(), wake(). */
  readonly running: RunningStack;
  /** The [[listeners]] with service = "app", by name; they listen already. */
  readonly listeners: ReadonlyMap<string, TcpListener>;
  readonly logger: Logger;
  /** All that is counted of its queue, as `dpdk-net stats --json` tells it. */
  metrics(): StatsReport;
  /** Aborted when the application stops. */
  readonly signal: AbortSignal;
}

/** What one worker does. It may return at once, or when it has ended. */
export type AppWorker = (context: WorkerContext) => void | Promise<void>;

/** The default export of a module. */
export async function workerOf(url: URL): Promise<AppWorker> {
  const module = (await import(url.href)) as { default?: unknown };
  if (typeof module.default === 'function') return module.default as AppWorker;
  throw new Error(`${url.pathname} is no worker: its default export has to be a function`);
}

/** Opens what the configuration wants of a port for its worker, by name. Throws StackError. */
export function listenFor(config: Config, port: string, stack: Stack): Map<string, TcpListener> {
  const own = new Map<string, TcpListener>();
  for (const { name, service, on, address, ...listener } of config.listeners) {
    if (service !== 'app' || (on !== '' && on !== port)) continue;
    const options = { port: listener.port, backlog: listener.backlog };
    own.set(name, stack.tcp.listen({ ...options, ...(address === null ? {} : { address }) }));
  }
  return own;
}

/** Resolves when it is. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
