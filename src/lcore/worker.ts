/**
 * What runs in each lcore's Worker: the stack of its queue, if it serves one, and what is launched.
 * @module
 */
import { type MessagePort, threadId, workerData } from 'node:worker_threads';
import { serveBridge } from '../bridge/worker-side.ts';
import { Eal } from '../dpdk/index.ts';
import { setCurrent } from '../node/current.ts';
import type { CloseReport, RunningStack } from '../runtime/open-stack.ts';
import { openQueue } from '../runtime/queues.ts';
import { Lcore, type LcoreContext, type LcoreFunction } from './lcore.ts';
import { type FromLcore, type LcoreTask, postedOf, type ToLcore } from './messages.ts';
import { Roster } from './roster.ts';

type Launch = Extract<ToLcore, { type: 'launch' }>;

const { place, ticket, cpu, register, port } = workerData as LcoreTask;
const post = (message: FromLcore): void => port.postMessage(message);
const roster = Roster.shared;
const running = ticket === null ? null : openQueue(ticket);
enroll();
const own = new Lcore(place);
/** What runs: its number, and what aborts it. */
let current: { readonly id: number; readonly controller: AbortController } | null = null;

port.on('message', (message: ToLcore) => {
  switch (message.type) {
    case 'launch':
      void launch(message);
      break;
    case 'abort':
      if (current?.id === message.id) current.controller.abort(message.reason);
      break;
    case 'bridge':
      if (running === null) message.port.close();
      else serveBridge(running, message.port);
      break;
    case 'end':
      end(running, message.deadlineMs);
      break;
    default:
      break;
  }
});
if (running !== null) {
  setCurrent(running);
  // It serves its queue at full speed for as long as it lives.
  running.loop.hold();
  unlessOrderly(running);
}
post({ type: 'up' });

/** Puts on the roster what only this thread knows. */
function enroll(): void {
  const before = roster.at(place);
  // With a queue it is registered already, and this only asks.
  const { lcore, socket } = register
    ? Eal.registerThread({ cpu })
    : { lcore: before.id, socket: before.socket };
  roster.describe(place, { ...before, id: lcore, socket, thread: threadId });
}

async function launch({ id, module, name, argument }: Launch): Promise<void> {
  const controller = new AbortController();
  const moved: (ArrayBuffer | MessagePort)[] = [];
  const context: LcoreContext = {
    lcore: own,
    stack: running?.stack ?? null,
    running,
    signal: controller.signal,
    transfer: (...objects) => void moved.push(...(objects as ArrayBuffer[])),
  };
  current = { id, controller };
  try {
    const value = await (await functionOf(module, name))(argument, context);
    const message: FromLcore = { type: 'returned', id, value };
    port.postMessage(message, moved as ArrayBuffer[]);
  } catch (error) {
    post({ type: 'threw', id, error: postedOf(error) });
  } finally {
    current = null;
  }
}

async function functionOf(module: string, name: string): Promise<LcoreFunction> {
  const found = ((await import(module)) as Record<string, unknown>)[name];
  if (typeof found === 'function') return found as LcoreFunction;
  throw new TypeError(`${module} has no function '${name}'`);
}

/** Connections are told, and the Worker ends. */
function end(stack: RunningStack | null, deadlineMs: number | undefined): void {
  const report: CloseReport | null = stack?.close(deadlineMs) ?? null;
  post({ type: 'closed', report });
  roster.setState(place, 'ended');
  process.exit(0);
}

/** A program's error ends the Worker: the next has the queue as soon as possible. */
function unlessOrderly(stack: RunningStack): void {
  process.on('uncaughtExceptionMonitor', () => stack.abandon());
}
