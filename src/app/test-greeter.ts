/**
 * For tests: the worker of an application, that tells each client which queue serves it.
 * @module
 */
import type { WorkerContext } from './worker-context.ts';

export default function greet({ queueId, listeners, running }: WorkerContext): void {
  const listener = listeners.get('front')!;
  const accept = (): void => {
    for (let socket = listener.accept(); socket !== null; socket = listener.accept()) {
      socket.write(Buffer.from(`queue ${queueId}`));
      socket.close();
    }
  };
  listener.owner = { onEvents: accept };
  // It has listened for a while.
  accept();
  running.loop.wake();
}
