/**
 * `dpdk-net neighbors`: who answers for which address, as `ip neighbor` would tell it.
 * @module
 */
import type { Command } from 'commander';
import type { NeighborReport } from '../control/report.ts';
import { type AttachOptions, attachOptions, printList } from './attached.ts';
import { tableText } from './table.ts';

export function addNeighborsCommand(program: Command): void {
  attachOptions(program.command('neighbors'))
    .summary('the neighbors a running process knows (ARP, Neighbor Discovery)')
    .description('The neighbors that each stack of a running process knows.')
    .action((options: AttachOptions) =>
      printList<NeighborReport>('neighbors', {}, options, neighborsText),
    );
}

function neighborsText(neighbors: readonly NeighborReport[]): string {
  if (neighbors.length === 0) return 'no neighbor is known\n';
  return tableText(
    ['address', 'mac', 'state', 'seen', 'used by', 'waiting', 'port', 'queue'],
    neighbors.map(({ address, mac, state, ageMs, references, waiting, port, queue }) => [
      address,
      mac || '-',
      state,
      state === 'static' ? '-' : `${(ageMs / 1000).toFixed(1)} s ago`,
      references,
      waiting,
      port,
      queue,
    ]),
  );
}
