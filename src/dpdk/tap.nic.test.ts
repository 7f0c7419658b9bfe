import assert from 'node:assert/strict';
import test from 'node:test';
import { kernelSetup, kernelTalks } from './kernel-peer.ts';
import { openPort } from './open-port.ts';
import type { PortOptions } from './port-options.ts';
import { enterNamespace, ip, macOf } from './test-namespace.ts';

await enterNamespace();

async function talkOver(options: PortOptions): Promise<void> {
  const port = openPort(options);
  const link = port.links[0]!;
  for (const line of kernelSetup('dtap0', link)) ip(line);
  await kernelTalks({ link, kernelMac: macOf('dtap0') });
  link.close();
  port.device.stop();
  assert.equal(port.usage()[1]!.inUse, 0);
  port.close();
  assert.doesNotMatch(ip('-o link'), /dtap0/);
}

test('tap: a kernel understands us, checksums in the driver', async () => {
  await talkOver({ device: 'net_tap0,iface=dtap0' });
});

test('tap: a kernel understands us, checksums in the addon', async () => {
  await talkOver({ device: 'net_tap1,iface=dtap0', hardwareChecksums: false });
});

test('tap: the receive descriptor can be polled, and the features are told', () => {
  const port = openPort({ device: 'net_tap2,iface=dtap2' });
  assert.ok(port.rxInterruptFd(0) > 0);
  assert.deepEqual(port.links[0]!.features.txChecksum, 'hardware');
  port.close();
});

test('tap: two queues are two links with memory of their own', () => {
  const port = openPort({ device: 'net_tap3,iface=dtap3', queues: 2 });
  const [a, b] = port.links;
  assert.notEqual(a!.ring.byteOffset, b!.ring.byteOffset);
  assert.notEqual(a!.arena.reserve(64), b!.arena.reserve(64));
  assert.equal(a!.exchange() >= 0 && b!.exchange() >= 0, true);
  port.close();
  assert.equal(a!.exchange(), -1);
});

test('tap: an interface name that is taken is refused with the reason', () => {
  ip('tuntap add mode tun name taken0');
  assert.throws(() => openPort({ device: 'net_tap4,iface=taken0' }), {
    name: 'DpdkError',
    message: /net_tap4.*rte_dev_probe[\s\S]*tap/i,
  });
});
