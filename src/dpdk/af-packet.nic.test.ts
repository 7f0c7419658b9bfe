import assert from 'node:assert/strict';
import test from 'node:test';
import * as L from '../link/layout.gen.ts';
import { receiveFrames, sendFrame } from '../testing/frames.ts';
import { kernelSetup, kernelTalks } from './kernel-peer.ts';
import { openPort } from './open-port.ts';
import { enterNamespace, ip, macOf } from './test-namespace.ts';

await enterNamespace();

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
    [0, 0, 0, 0],
  );
  port.close();
});

test('af_packet: frames larger than the receive buffers are refused with what helps', () => {
  const device = 'net_af_packet5,iface=v0,framesz=9216,blocksz=36864,framecnt=256';
  assert.throws(() => openPort({ device }), { code: 'ENOMEM', remedy: /framesz=.*mtuMax/ });
  const port = openPort({ device, mtu: 9000, mtuMax: 9216 });
  assert.equal(port.mtu, 9000);
  port.close();
});

test('af_packet: short frames are filled up with zeros, not with what lay in the slot', () => {
  ip('link set v1 up');
  const from = openPort({ device: 'net_af_packet3,iface=v0' });
  const to = openPort({ device: 'net_af_packet4,iface=v1' });
  const link = from.links[0]!;
  const { ring, arena } = link;
  const slots = ring.slice(L.SLOT_BASE, L.SLOT_BASE + ring[L.SLOT_COUNT]!);
  for (const slot of slots) arena.bytes.fill(0x55, slot, slot + 2048);
  const frames = [42, 54, 59, 60, 61].map((bytes) => new Uint8Array(bytes).fill(0x66));
  for (const frame of frames) assert.ok(sendFrame(link, frame));
  const found: Uint8Array[] = [];
  const deadline = Date.now() + 120_000;
  while (found.length < frames.length) {
    assert.ok(Date.now() < deadline, `${found.length} frames came`);
    link.exchange();
    // Both ends also see what the kernel says on them.
    const ours = receiveFrames(to.links[0]!).filter(({ bytes }) => bytes[0] === 0x66);
    found.push(...ours.map(({ bytes }) => bytes.slice()));
  }
  for (const [i, frame] of frames.entries()) {
    const padded = new Uint8Array(Math.max(60, frame.length));
    padded.set(frame);
    assert.deepEqual(found[i], padded);
  }
  to.close();
  from.close();
});

test('af_packet: an interface that is not there is named', () => {
  assert.throws(() => openPort({ device: 'net_af_packet2,iface=nosuch' }), {
    name: 'DpdkError',
    message: /nosuch[\s\S]*no such interface here/,
  });
});
