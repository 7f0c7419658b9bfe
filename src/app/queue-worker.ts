/**
 * What an application with several queues launches on each of its lcores, one after the other:
 * attach(), listen(), work(). lcore-stage.ts is the other end.
 * @module
 */
import { type MessagePort, threadId } from 'node:worker_threads';
import { StackReporter } from '../control/report.ts';
import { answerOver } from '../control/reporter.ts';
import type { LcoreContext } from '../lcore/lcore.ts';
import type { RunningStack } from '../runtime/open-stack.ts';
import type { TcpListener } from '../stack/index.ts';
import { Logger, type LoggerOptions } from './logger.ts';
import { aborted, listenFor, workerOf } from './worker-context.ts';

/** What attach() gets. */
export interface Attachment {
  /** For the messages below, and for questions. */
  readonly port: MessagePort;
  readonly logger: Pick<LoggerOptions, 'level' | 'format'>;
}

/** From a queue's worker: a line for the log. */
export interface AppLogLine {
  readonly appLog: string;
}

/** From a queue's worker: what ToQueueWorker asked for is done. */
export interface AppFinished {
  readonly appFinished: true;
}

export interface ToQueueWorker {
  /** Let connections end by themselves. */
  readonly appFinish: true;
}

/** Of this thread, whose queue is one. */
interface Seat {
  readonly port: string;
  readonly running: RunningStack;
  readonly reporter: StackReporter;
  readonly logger: Logger;
}

let seat: Seat | null = null;
let listeners: Map<string, TcpListener> = new Map();

/** Answers for the queue from now on. */
export function attach({ port, logger }: Attachment, context: LcoreContext): void {
  const running = context.running!;
  const { queue, cpu: core } = context.lcore;
  const { name } = running.config.ports[0]!;
  const post = (message: AppLogLine | AppFinished): void => port.postMessage(message);
  const reporter = new StackReporter(running, {
    port: name,
    queue,
    worker: threadId,
    core,
    numa: -1,
  });
  const write = (line: string): void => post({ appLog: line });
  const own = new Logger({ ...logger, write }, { port: name, queue });
  seat = { port: name, running, reporter, logger: own };
  answerOver(port, reporter);
  port.on('message', (message: Partial<ToQueueWorker>) => {
    if (message.appFinish !== true) return;
    void running.finish().finally(() => post({ appFinished: true }));
  });
  port.unref();
}

export function listen(): void {
  const { running, port } = seat!;
  listeners = listenFor(running.config, port, running.stack);
}

/** Ends when the program's worker has, and no listener of the configuration needs it. */
export async function work(module: string, { lcore, signal }: LcoreContext): Promise<void> {
  const { port, running, reporter, logger } = seat!;
  const worker = await workerOf(new URL(module));
  const returned = worker({
    port,
    queueId: lcore.queue,
    lcore: lcore.cpu,
    stack: running.stack,
    running,
    listeners,
    logger,
    metrics: () => reporter.stats({}),
    signal,
  });
  await Promise.race([returned, aborted(signal)]);
  if (listeners.size > 0) await aborted(signal);
}
