/**
 * What `dpdk-net doctor` looks at: each check reads the machine and says in one line what is so,
 * and, where something is missing, the command that mends it.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlFolder } from '../control/folder.ts';
import { addon } from '../dpdk/addon.ts';
import { type Card, listCards } from '../runtime/find-device.ts';
import { whyNoTap } from '../runtime/tap.ts';

/** 'bad': nothing runs; 'note': something that may be wanted is missing. */
export type Verdict = 'good' | 'note' | 'bad';

export interface Finding {
  readonly what: string;
  readonly verdict: Verdict;
  readonly says: string;
  /** The command, or the step, that mends it. */
  readonly remedy?: string;
}

const OLDEST_NODE = [20, 19];
/** What 512 of 2 MiB come to is plenty for several ports. */
const HUGEPAGES_REMEDY = 'sysctl -w vm.nr_hugepages=512';

/** All findings. `root` is where /sys, /proc and /dev are. */
export function examine(root = '/'): Finding[] {
  const cards = listCards(join(root, 'sys'));
  return [
    checkNode(process.versions.node),
    checkKernel(process.platform),
    checkAddon(),
    ...checkDevices(cards, whyNoTap()),
    checkHugepages(root),
    checkIommu(root, cards),
    checkVfio(root, cards),
    checkLockedMemory(readText(join(root, 'proc/self/limits'))),
    checkIp(),
    checkV6(root),
    checkNuma(root),
    checkControl(),
  ];
}

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantMajor, wantMinor] = OLDEST_NODE as [number, number];
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) {
    return good('node', version);
  }
  const oldest = OLDEST_NODE.join('.');
  return bad(
    'node',
    `${version} is older than ${oldest}`,
    'install a newer one: https://nodejs.org',
  );
}

export function checkKernel(platform: string): Finding {
  if (platform === 'linux') return good('system', 'Linux');
  return note('system', `${platform}: no devices, only the loopback of the stack`, 'use Linux');
}

function checkAddon(): Finding {
  try {
    return good('addon', addon().ealState().version);
  } catch (error) {
    return bad('addon', (error as Error).message.split('\n')[0]!, 'node tools/build-native.mjs');
  }
}

/** A card or a TAP device: one of them is enough. `tapReason`: why there can be no TAP. */
export function checkDevices(cards: readonly Card[], tapReason: string | null): Finding[] {
  const usable = cards.filter((card) => card.usable).map(({ pci }) => pci);
  const tap =
    tapReason === null
      ? good('tap devices', 'yes: vdev = "net_tap0,iface=dtap0"')
      : splitRemedy('tap devices', tapReason, usable.length > 0 ? 'note' : 'bad');
  if (usable.length > 0) return [good('cards', usable.join(', ')), tap];
  const first = cards[0];
  const says =
    first === undefined
      ? 'none on the PCI bus'
      : `the kernel has all: ${cards.map(({ pci, driver }) => `${pci} (${driver || 'no driver'})`).join(', ')}`;
  const remedy =
    first === undefined
      ? 'virtual devices do without'
      : `dpdk-devbind.py -b vfio-pci ${first.pci}   (the kernel loses it)`;
  return [note('cards', says, remedy), tap];
}

/** 'this is so: do that' -> both parts. */
function splitRemedy(what: string, reason: string, verdict: 'note' | 'bad'): Finding {
  const at = reason.indexOf(': ');
  const [says, remedy] = [reason.slice(0, at), reason.slice(at + 2)];
  return at < 0 ? { what, verdict, says: reason } : { what, verdict, says, remedy };
}

export function checkHugepages(root: string): Finding {
  const folder = join(root, 'sys/kernel/mm/hugepages');
  const sizes = existsSync(folder) ? readdirSync(folder) : [];
  const pools = sizes.map((name) => ({
    size: name.replace('hugepages-', ''),
    all: Number(readText(join(folder, name, 'nr_hugepages'))),
    free: Number(readText(join(folder, name, 'free_hugepages'))),
  }));
  const there = pools.filter(({ all }) => all > 0);
  if (there.length > 0) {
    return good(
      'hugepages',
      there.map(({ size, all, free }) => `${free} of ${all} free (${size})`).join(', '),
    );
  }
  return note(
    'hugepages',
    'none; virtual devices do without, cards are faster with',
    HUGEPAGES_REMEDY,
  );
}

export function checkIommu(root: string, cards: readonly Card[]): Finding {
  const folder = join(root, 'sys/kernel/iommu_groups');
  const groups = existsSync(folder) ? readdirSync(folder).length : 0;
  if (groups > 0) return good('iommu', `${groups} groups`);
  const says = 'none: cards can be had through vfio only without its protection';
  if (cards.length === 0) return good('iommu', 'none, and no card that would need it');
  return note(
    'iommu',
    says,
    'add intel_iommu=on iommu=pt (AMD: iommu=pt) to the kernel command line; in a virtual machine: echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode',
  );
}

export function checkVfio(root: string, cards: readonly Card[]): Finding {
  if (existsSync(join(root, 'sys/bus/pci/drivers/vfio-pci'))) return good('vfio-pci', 'loaded');
  if (cards.length === 0) return good('vfio-pci', 'not loaded, and no card that would need it');
  return note('vfio-pci', 'not loaded: no card can be given to DPDK', 'modprobe vfio-pci');
}

/** `limits` is the text of /proc/self/limits. */
export function checkLockedMemory(limits: string): Finding {
  const soft = limits.match(/^Max locked memory +(\S+)/m)?.[1] ?? 'unlimited';
  const mib = soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft) / 2 ** 20;
  if (process.getuid?.() === 0 || mib >= 64)
    return good('locked memory', soft === 'unlimited' ? soft : `${mib} MiB`);
  return note(
    'locked memory',
    `${mib.toFixed(1)} MiB: cards need their memory locked`,
    'ulimit -l unlimited',
  );
}

function checkIp(): Finding {
  const { status, stdout } = spawnSync('ip', ['-V'], { encoding: 'utf8' });
  if (status === 0) return good('ip', stdout.trim());
  return note('ip', 'not there; host_ip of a tap device needs it', 'apt-get install iproute2');
}

export function checkV6(root: string): Finding {
  if (existsSync(join(root, 'proc/net/if_inet6'))) return good('ipv6', 'the kernel has it');
  return note(
    'ipv6',
    "the kernel has none; the stack's own does not need it, a tap's host side does",
    'boot without ipv6.disable=1',
  );
}

export function checkNuma(root: string): Finding {
  const folder = join(root, 'sys/devices/system/node');
  const nodes = existsSync(folder)
    ? readdirSync(folder).filter((name) => /^node\d+$/.test(name))
    : [];
  return good('numa', nodes.length < 2 ? 'one node' : `${nodes.length} nodes`);
}

function checkControl(): Finding {
  try {
    return good('control socket', controlFolder());
  } catch (error) {
    return note(
      'control socket',
      (error as Error).message,
      'set XDG_RUNTIME_DIR to a folder of yours',
    );
  }
}

function good(what: string, says: string): Finding {
  return { what, verdict: 'good', says };
}

function note(what: string, says: string, remedy: string): Finding {
  return { what, verdict: 'note', says, remedy };
}

function bad(what: string, says: string, remedy: string): Finding {
  return { what, verdict: 'bad', says, remedy };
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}
