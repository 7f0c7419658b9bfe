/**
 * `dpdk-net lcores`: the cores of the machine and what runs there.
 * @module
 */
import type { Command } from 'commander';
import type { LcoreReport } from '../control/process.ts';
import { type AttachOptions, attachOptions, printList } from './attached.ts';
import { tableText } from './table.ts';

export function addLcoresCommand(program: Command): void {
  attachOptions(program.command('lcores'))
    .summary('the cores, and which queue each serves')
    .description('The cores of the machine, and the queues of a running process that each serves.')
    .action((options: AttachOptions) => printList<LcoreReport>('lcores', {}, options, lcoresText));
}

function lcoresText(lcores: readonly LcoreReport[]): string {
  return tableText(
    ['core', 'serves', 'model'],
    lcores.map(({ core, serves, model }) => [
      core < 0 ? 'any' : String(core),
      serves.map(({ port, queue, worker }) => `${port}/${queue} (worker ${worker})`).join(', ') ||
        '-',
      model,
    ]),
  );
}
