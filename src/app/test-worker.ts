/**
 * For tests: the worker of an application with several queues. It does what DPDK_NET_TEST_WORKER
 * says, and tells in the log what it sees.
 * @module
 */
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { Address } from '../base/address.ts';
import type { WorkerContext } from './worker-context.ts';

export default async function worker(context: WorkerContext): Promise<void> {
  const { port, queueId, listeners, logger, metrics, running, signal, stack } = context;
  const [what, mark = ''] = (process.env['DPDK_NET_TEST_WORKER'] ?? '').split(' ');
  if (what === 'throw' && queueId === 1) throw new RangeError('mine');
  if (what === 'crash' && queueId === 1 && !existsSync(mark)) {
    writeFileSync(mark, '');
    setImmediate(() => {
      throw new Error('crashed as told');
    });
    await once(signal, 'abort');
  }
  if (what === 'return') return;
  const client = stack.tcp.connect({ address: Address.parse('127.0.0.1'), port: 80 });
  running.loop.wake();
  while (client.stateName !== 'ESTABLISHED') await new Promise(setImmediate);
  const names = [...listeners.keys()].join();
  const isOwn = metrics().port === port && metrics().queue === queueId;
  logger.info('up', { isMainThread, names, isOwn, waiting: listeners.get('front')!.waiting });
}
