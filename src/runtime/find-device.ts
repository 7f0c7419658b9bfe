/**
 * From what people call a device to what DPDK calls it: a PCI address, a virtual device, or the
 * name of a kernel's interface; "auto" is the only card that DPDK may have. Linux, through /sys.
 * @module
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Drivers of the kernel that leave a card to a program. */
const FREE_DRIVERS = ['vfio-pci', 'igb_uio', 'uio_pci_generic'];
/** Drivers whose card the kernel and DPDK can have at the same time. */
const SHARED_DRIVERS = ['mlx5_core', 'mlx4_core', 'mana'];
const PCI_ADDRESS = /^(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i;
/** The class of network controllers, the first digits. */
const NETWORK_CLASS = '0x02';

export interface FoundDevice {
  /** For openPort(). */
  readonly device: string;
  /** What is behind it, in words. */
  readonly what: string;
  /** DPDK's driver where the name tells it, else the kernel's for the card; '?': unknown. */
  readonly driver: string;
  /** NUMA node; -1: none, or unknown. */
  readonly numa: number;
}

/** A network card of the machine. */
export interface Card {
  readonly pci: string;
  /** The kernel's driver, '' for none. */
  readonly driver: string;
  /** The kernel's names of it. */
  readonly interfaces: readonly string[];
  readonly numa: number;
  /** Whether DPDK can have it as it is. */
  readonly usable: boolean;
}

/** All network cards, by PCI address. `sys` is where /sys is. */
export function listCards(sys = '/sys'): Card[] {
  const folder = join(sys, 'bus/pci/devices');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .filter((pci) => textOf(join(folder, pci, 'class')).startsWith(NETWORK_CLASS))
    .map((pci) => cardAt(pci, join(folder, pci)));
}

function cardAt(pci: string, path: string): Card {
  const driver = linkOf(join(path, 'driver'));
  const net = join(path, 'net');
  return {
    pci,
    driver,
    interfaces: existsSync(net) ? readdirSync(net).sort() : [],
    numa: Number(textOf(join(path, 'numa_node')) || -1),
    usable: FREE_DRIVERS.includes(driver) || SHARED_DRIVERS.includes(driver),
  };
}

/** Finds what `name` means. Throws an Error that says what to do when there is no such device. */
export function findDevice(name: string, sys = '/sys'): FoundDevice {
  if (name === 'auto') return findAny(listCards(sys));
  if (/^(net|eth|crypto)_/.test(name)) {
    const driver = name.match(/^[a-z]+_[a-z_]*[a-z]/)![0];
    return { device: name, what: `virtual, ${driver}`, driver, numa: -1 };
  }
  if (PCI_ADDRESS.test(name)) return findCard(name, listCards(sys));
  const found = findInterface(name, sys);
  // Anything else may be a name that DPDK knows: it will say if it does not.
  return found ?? { device: name, what: 'as DPDK calls it', driver: '?', numa: -1 };
}

function findAny(cards: readonly Card[]): FoundDevice {
  const usable = cards.filter((card) => card.usable);
  if (usable.length === 1) return found(usable[0]!);
  if (usable.length > 1) {
    const names = usable.map(({ pci }) => pci).join(', ');
    throw new Error(`device "auto": there are several cards for DPDK, name one of them: ${names}`);
  }
  const bound = cards.map(({ pci, driver }) => `${pci} (${driver || 'no driver'})`);
  const remedy =
    bound.length === 0
      ? 'there is no network card on the PCI bus; a virtual device does without: vdev = "net_tap0,iface=dtap0"'
      : `none is free: ${bound.join(', ')}; give one to DPDK with \`dpdk-devbind.py -b vfio-pci ${cards[0]!.pci}\``;
  throw new Error(`device "auto": ${remedy}`);
}

function findCard(name: string, cards: readonly Card[]): FoundDevice {
  const pci = name.length < 12 ? `0000:${name.toLowerCase()}` : name.toLowerCase();
  const card = cards.find((candidate) => candidate.pci === pci);
  if (card === undefined) {
    const there = cards.map((candidate) => candidate.pci).join(', ') || 'none';
    throw new Error(`there is no network card at ${name}; the machine has ${there}`);
  }
  return usableCard(card, name);
}

function findInterface(name: string, sys: string): FoundDevice | null {
  const path = join(sys, 'class/net', name);
  if (!/^[\w.-]+$/.test(name) || !existsSync(path)) return null;
  const card = listCards(sys).find(({ interfaces }) => interfaces.includes(name));
  if (card !== undefined) return usableCard(card, name);
  throw new Error(
    `${name} is no card of its own but an interface of the kernel; DPDK can share it through a packet socket: vdev = "net_af_packet0,iface=${name}"`,
  );
}

/** Unbinding it ourselves could cut the machine off: the user says so, or nobody. */
function usableCard(card: Card, name: string): FoundDevice {
  if (card.usable) return found(card);
  throw new Error(
    `the card ${name} belongs to the kernel's driver ${card.driver || '(none)'}; give it to DPDK with \`dpdk-devbind.py -b vfio-pci ${card.pci}\`, or share it: vdev = "net_af_packet0,iface=${card.interfaces[0] ?? name}"`,
  );
}

function found({ pci, driver, interfaces, numa }: Card): FoundDevice {
  const names = interfaces.length === 0 ? '' : `, ${interfaces.join(' ')}`;
  return { device: pci, what: `a card with the kernel's driver ${driver}${names}`, driver, numa };
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}

function linkOf(path: string): string {
  try {
    return basename(readlinkSync(path));
  } catch {
    return '';
  }
}
