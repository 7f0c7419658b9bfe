import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findDevice, listCards } from './find-device.ts';

const folder = mkdtempSync(join(tmpdir(), 'dpdk-net-sys-'));
after(() => rmSync(folder, { recursive: true }));

/** A /sys with cards: PCI address, driver, interface, NUMA node. */
function sysWith(name: string, cards: [string, string, string, number][]): string {
  const sys = join(folder, name);
  for (const [pci, driver, iface, numa] of cards) {
    const path = join(sys, 'bus/pci/devices', pci);
    mkdirSync(join(sys, 'drivers', driver), { recursive: true });
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'class'), '0x020000\n');
    writeFileSync(join(path, 'numa_node'), `${numa}\n`);
    symlinkSync(join(sys, 'drivers', driver), join(path, 'driver'));
    if (iface === '') continue;
    mkdirSync(join(path, 'net', iface), { recursive: true });
    mkdirSync(join(sys, 'class/net', iface), { recursive: true });
  }
  const disk = join(sys, 'bus/pci/devices/0000:09:00.0');
  mkdirSync(disk, { recursive: true });
  writeFileSync(join(disk, 'class'), '0x010802\n');
  mkdirSync(join(sys, 'class/net/bridge0'), { recursive: true });
  return sys;
}

const mixed = sysWith('mixed', [
  ['0000:01:00.0', 'vfio-pci', '', 1],
  ['0000:02:00.0', 'ixgbe', 'eth0', 0],
]);
const shared = sysWith('shared', [
  ['0000:01:00.0', 'mlx5_core', 'eth0', -1],
  ['0000:01:00.1', 'mlx5_core', 'eth1', -1],
]);
const none = sysWith('none', []);
const taken = sysWith('taken', [['0000:02:00.0', 'virtio-pci', 'eth0', 0]]);

test('the cards of a machine, and nothing that is no network card', () => {
  assert.deepEqual(listCards(mixed), [
    { pci: '0000:01:00.0', driver: 'vfio-pci', interfaces: [], numa: 1, usable: true },
    { pci: '0000:02:00.0', driver: 'ixgbe', interfaces: ['eth0'], numa: 0, usable: false },
  ]);
  assert.deepEqual(listCards(join(folder, 'nowhere')), []);
});

test('a PCI address, short or long, is the card there, with its NUMA node', () => {
  for (const name of ['0000:01:00.0', '01:00.0']) {
    const { device, numa } = findDevice(name, mixed);
    assert.deepEqual([device, numa], ['0000:01:00.0', 1]);
  }
  assert.throws(
    () => findDevice('0000:03:00.0', mixed),
    /no network card at 0000:03:00\.0; the machine has 0000:01:00\.0, 0000:02:00\.0/,
  );
});

test("an interface's name is its card, if DPDK may have that", () => {
  assert.equal(findDevice('eth1', shared).device, '0000:01:00.1');
  assert.throws(
    () => findDevice('eth0', mixed),
    /driver ixgbe; .*`dpdk-devbind\.py -b vfio-pci 0000:02:00\.0`, .*net_af_packet0,iface=eth0/,
  );
  assert.throws(
    () => findDevice('bridge0', mixed),
    /no card of its own .*net_af_packet0,iface=bridge0/,
  );
});

test('a virtual device, and a name of which nothing is known, are left to DPDK', () => {
  assert.equal(findDevice('net_tap0,iface=x', none).device, 'net_tap0,iface=x');
  assert.equal(findDevice('my_port', none).device, 'my_port');
});

test('auto is the only card for DPDK; when it can not be told, it says what to do', () => {
  assert.equal(findDevice('auto', mixed).device, '0000:01:00.0');
  assert.throws(() => findDevice('auto', shared), /several cards .*0000:01:00\.0, 0000:01:00\.1/);
  assert.throws(() => findDevice('auto', none), /no network card on the PCI bus; a virtual device/);
  assert.throws(
    () => findDevice('auto', taken),
    /none is free: 0000:02:00\.0 \(virtio-pci\); .*dpdk-devbind\.py/,
  );
});
