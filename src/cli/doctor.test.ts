import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Card } from '../runtime/find-device.ts';
import { whyNoTap } from '../runtime/tap.ts';
import * as Checks from './checks.ts';
import { findingsText } from './doctor.ts';

const main = fileURLToPath(import.meta.url.replace(/doctor\.test\.(ts|js)$/, 'main.$1'));
const root = mkdtempSync(join(tmpdir(), 'dpdk-net-doctor-'));
after(() => rmSync(root, { recursive: true }));
const empty = join(root, 'empty');

const card: Card = {
  pci: '0000:01:00.0',
  driver: 'ixgbe',
  interfaces: ['eth0'],
  numa: 0,
  usable: false,
};

test('Node and the system', () => {
  assert.equal(Checks.checkNode('20.19.0').verdict, 'good');
  assert.equal(Checks.checkNode('26.0.0').verdict, 'good');
  assert.equal(Checks.checkNode('20.18.3').verdict, 'bad');
  assert.equal(Checks.checkKernel('darwin').verdict, 'note');
});

test('a card or a tap is enough; without either nothing runs, and the remedy is told', () => {
  const verdicts = (cards: Card[], tap: string | null): string[] =>
    Checks.checkDevices(cards, tap).map(({ verdict }) => verdict);
  const noTap = 'there is no /dev/net/tun: load it with `modprobe tun`';
  assert.deepEqual(verdicts([{ ...card, usable: true }], null), ['good', 'good']);
  assert.deepEqual(verdicts([{ ...card, usable: true }], noTap), ['good', 'note']);
  assert.deepEqual(verdicts([card], null), ['note', 'good']);
  assert.deepEqual(verdicts([], noTap), ['note', 'bad']);
  const [cards, tap] = Checks.checkDevices([card], noTap);
  assert.match(cards!.remedy!, /^dpdk-devbind\.py -b vfio-pci 0000:01:00\.0/);
  assert.deepEqual(
    [tap!.says, tap!.remedy],
    ['there is no /dev/net/tun', 'load it with `modprobe tun`'],
  );
});

test('hugepages, IOMMU, vfio, NUMA and IPv6 are read where the kernel tells them', () => {
  const pool = join(root, 'sys/kernel/mm/hugepages/hugepages-2048kB');
  mkdirSync(pool, { recursive: true });
  writeFileSync(join(pool, 'nr_hugepages'), '512\n');
  writeFileSync(join(pool, 'free_hugepages'), '500\n');
  mkdirSync(join(root, 'sys/kernel/iommu_groups/0'), { recursive: true });
  mkdirSync(join(root, 'sys/bus/pci/drivers/vfio-pci'), { recursive: true });
  for (const node of ['node0', 'node1'])
    mkdirSync(join(root, 'sys/devices/system/node', node), { recursive: true });
  mkdirSync(join(root, 'proc/net/if_inet6'), { recursive: true });
  const looks = (place: string): Checks.Finding[] => [
    Checks.checkHugepages(place),
    Checks.checkIommu(place, [card]),
    Checks.checkVfio(place, [card]),
    Checks.checkNuma(place),
    Checks.checkV6(place),
  ];
  assert.deepEqual(
    looks(root).map(({ says }) => says),
    ['500 of 512 free (2048kB)', '1 groups', 'loaded', '2 nodes', 'the kernel has it'],
  );
  assert.deepEqual(
    looks(empty).map(({ verdict }) => verdict),
    ['note', 'note', 'note', 'good', 'note'],
  );
  assert.equal(Checks.checkIommu(empty, []).verdict, 'good');
  writeFileSync(join(pool, 'nr_hugepages'), '0\n');
  assert.equal(Checks.checkHugepages(root).remedy, 'sysctl -w vm.nr_hugepages=512');
});

test('every line that is not good says what to do', () => {
  const text = findingsText(Checks.examine());
  const lines = text.trimEnd().split('\n');
  for (const [index, line] of lines.entries()) {
    assert.match(line, /^(ok|--|!!| ->| {2})/);
    if (/^(--|!!)/.test(line)) assert.match(lines[index + 1] ?? '', /^ +-> \S/, line);
  }
});

test('the command says the truth, with rights and without', () => {
  const doctor = (program: string, ...args: string[]): { status: number | null; tap: string } => {
    const { status, stdout } = spawnSync(program, [...args, main, 'doctor', '--json'], {
      encoding: 'utf8',
    });
    const findings = JSON.parse(stdout) as Checks.Finding[];
    assert.equal(status, findings.some(({ verdict }) => verdict === 'bad') ? 1 : 0);
    return { status, tap: findings.find(({ what }) => what === 'tap devices')!.verdict };
  };
  assert.equal(doctor(process.execPath).tap === 'good', whyNoTap() === null);
  // As in a container that was started without --cap-add NET_ADMIN.
  const without = doctor(
    'setpriv',
    '--bounding-set=-net_admin',
    '--inh-caps=-net_admin',
    process.execPath,
  );
  assert.notEqual(without.tap, 'good');
});
