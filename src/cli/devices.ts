/**
 * `dpdk-net devices`: the network cards of the machine, and whether DPDK can have them.
 * @module
 */
import type { Command } from 'commander';
import { type Card, listCards } from '../runtime/find-device.ts';
import { jsonText, print } from './attached.ts';
import { tableText } from './table.ts';

const HELP = `
A card belongs to the kernel until it is bound to vfio-pci: dpdk-devbind.py -b vfio-pci ADDRESS
takes it away from there, with the connections that it carries.
Virtual devices need no card: vdev = "net_tap0,iface=dtap0" and others.`;

export function addDevicesCommand(program: Command): void {
  program
    .command('devices')
    .summary('the network cards of this machine')
    .description('The network cards of this machine, and whether DPDK can have them as they are.')
    .option('--json', 'as JSON')
    .exitOverride()
    .addHelpText('after', HELP)
    .action(({ json }: { json?: boolean }) => {
      const cards = listCards();
      print(json === true ? jsonText(cards) : cardsText(cards));
    });
}

function cardsText(cards: readonly Card[]): string {
  if (cards.length === 0) return 'there is no network card on the PCI bus\n';
  return tableText(
    ['pci', "kernel's driver", 'interfaces', 'numa', 'for DPDK'],
    cards.map(({ pci, driver, interfaces, numa, usable }) => [
      pci,
      driver || '-',
      interfaces.join(' ') || '-',
      numa < 0 ? '-' : String(numa),
      usable ? 'yes' : `after dpdk-devbind.py -b vfio-pci ${pci}`,
    ]),
  );
}
