/**
 * `dpdk-net queues`: which queue is served where.
 * @module
 */
import type { Command } from 'commander';
import type { QueueReport } from '../control/report.ts';
import { type AttachOptions, attachOptions, printList } from './attached.ts';
import { tableText } from './table.ts';

export function addQueuesCommand(program: Command): void {
  attachOptions(program.command('queues'))
    .summary('the queues of a running process: device, worker, core')
    .description('Which queue of which device is served by which worker on which core.')
    .action((options: AttachOptions) => printList<QueueReport>('queues', {}, options, queuesText));
}

/** The plan of `--dry-run` has the same columns. */
export function queuesText(
  queues: readonly Omit<QueueReport, 'mac' | 'mtu' | 'features'>[],
): string {
  const headings = ['port', 'queue', 'worker', 'core', 'numa', 'device', 'driver', 'addresses'];
  return tableText(
    headings,
    queues.map(({ port, queue, worker, core, numa, device, driver, addresses }) => [
      port,
      queue,
      worker,
      core < 0 ? 'any' : core,
      numa < 0 ? '-' : numa,
      device,
      driver,
      addresses.join(' ') || '-',
    ]),
  );
}
