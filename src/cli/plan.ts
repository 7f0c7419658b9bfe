/**
 * A plan, for people: what `--dry-run` prints.
 * @module
 */
import type { Plan } from '../app/plan.ts';
import { queuesText } from './queues.ts';
import { tableText } from './table.ts';

/** The queues as `dpdk-net queues` reports them, then what belongs to all of them. */
export function planText({ queues, gateways, kernelRoutes, listeners }: Plan): string {
  const rows = listeners.map(({ name, service, address, port }) => [name, service, address, port]);
  const parts = [
    queuesText(queues),
    rows.length === 0 ? '' : `\n${tableText(['listener', 'service', 'address', 'port'], rows)}`,
    gateways.length === 0 ? '' : `\ngateway  ${gateways.join('  ')}\n`,
    `\nkernel   ${kernelRoutes.join('  ') || 'nothing'} (what the stack leaves to it)\n`,
  ];
  return parts.join('');
}
