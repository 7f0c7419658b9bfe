/**
 * What runs in each worker of `dpdk-net run --queues N`: the stack of its queue, Node's network on
 * it, and the program. A spare has loaded all but the program, and waits for a queue.
 * @module
 */
import Module from 'node:module';
import { threadId, workerData } from 'node:worker_threads';
import { LiveConfig } from '../config/reload.ts';
import { StackReporter } from '../control/report.ts';
import { answerOver } from '../control/reporter.ts';
import { install } from '../node/install.ts';
import { asMainThread } from '../runtime/as-main-thread.ts';
import type { FromWorker, ToWorker, WorkerTask } from '../runtime/messages.ts';
import { liveConfigOf, openQueue, type QueueTicket } from '../runtime/queues.ts';
import { atExit } from '../runtime/shutdown.ts';

const task = workerData as WorkerTask;
const { port, program, args, terminals } = task;
const post = (message: FromWorker): void => port.postMessage(message);

if (task.ticket !== null) serve(task.ticket);
else {
  // Its first use takes a while: it compiles the schema.
  new LiveConfig(task.config);
  port.once('message', (message: ToWorker) => {
    if (message.type === 'serve') serve(message.ticket);
  });
}

function serve(ticket: QueueTicket): void {
  const ending = asMainThread(port, terminals);
  const live = liveConfigOf(ticket);
  const running = openQueue(ticket, live.config);
  ending.finish = () => running.finish();
  let isCrashing = false;
  process.on('uncaughtExceptionMonitor', () => {
    isCrashing = true;
  });
  atExit(() => {
    // After a crash the next worker has the queue as soon as possible: the link stays as it is.
    if (isCrashing) running.abandon();
    else post({ type: 'closed', report: running.close(ending.deadlineMs) });
  });
  answerOver(
    port,
    new StackReporter(running, {
      port: running.config.ports[0]!.name,
      queue: ticket.queue,
      worker: threadId,
      core: ticket.cpu,
      numa: -1,
    }),
  );
  const { routes, dns } = running.config;
  const engine = install(running, { kernelRoutes: routes.kernel, dns });
  port.on('message', (message: ToWorker) => {
    if (message.type !== 'reload') return;
    live.take(message.source);
    running.reload(live.config);
    engine.kernelRoutes = live.config.routes.kernel;
  });
  port.unref();
  post({ type: 'up' });
  process.argv = [process.execPath, program, ...args];
  (Module as unknown as { runMain(): void }).runMain();
}
