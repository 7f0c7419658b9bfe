import assert from 'node:assert/strict';
import test from 'node:test';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import { kernelSetup, kernelTalks } from './kernel-peer.ts';
import { openPort } from './open-port.ts';
import { inNamespace, ip, macOf } from './test-namespace.ts';

inNamespace(import.meta.url, () => {
  ip('link add v0 type veth peer name v1');
  ip('link set v0 up');

  test('af_packet: a kernel on the other end of a veth understands us', async () => {
    const port = openPort({ device: 'net_af_packet0,iface=v0' });
    const link = port.links[0]!;
    for (const line of kernelSetup('v1', link)) ip(line);
    await kernelTalks({ link, kernelMac: macOf('v1') });
    port.close();
  });

  test('af_packet: neither a stalled nor a dead interface blocks or loses slots', () => {
    const port = openPort({ device: 'net_af_packet1,iface=v0', txDescriptors: 512 });
    const link = port.links[0]!;
    const frame = new Uint8Array(60).fill(0xff);
    // The kernel's ring is full as long as the interface is down and nothing completes.
    for (const state of ['down', 'up', 'down']) {
      ip(`link set v0 ${state}`);
      for (let burst = 0; burst < 200; burst++) {
        for (let i = 0; i < 64; i++) sendFrame(link, frame);
        receiveFrames(link);
      }
    }
    ip('link set v0 up');
    link.close();
    port.device.stop();
    assert.deepEqual(
      port.usage().map(({ inUse }) => inUse),
      [0, 0, 0],
    );
    port.close();
  });

  test('af_packet: an interface that is not there is named', () => {
    assert.throws(() => openPort({ device: 'net_af_packet2,iface=nosuch' }), {
      name: 'DpdkError',
      message: /nosuch[\s\S]*no such interface here/,
    });
  });
});
