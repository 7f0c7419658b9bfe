import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TX_COUNT } from '../link/layout.gen.ts';
import { internetChecksum } from '../testing/bytes.ts';
import type { Decoded } from '../testing/decode.ts';
import * as Build from '../testing/packet.ts';
import { HOST, HOST6, Host, PEER, PEER6 } from './harness.test.ts';
import type { Path } from './path.ts';

const text = (length: number): string => 'abcdefgh'.repeat(length / 8 + 1).slice(0, length);

/** The payloads of fragments, joined; asserts that they fit the MTU and each other. */
function joined(frames: Decoded[], mtu: number): { bytes: number[]; ids: Set<number> } {
  const bytes: number[] = [];
  for (const [index, frame] of frames.entries()) {
    const ip = frame.ip!;
    assert.ok(ip.totalLength <= mtu);
    assert.equal(ip.checksumGood, true);
    assert.equal(ip.fragmentOffset, bytes.length);
    assert.equal(ip.moreFragments, index < frames.length - 1);
    assert.equal(ip.dontFragment, ip.version === 6);
    const header = ip.version === 4 ? 20 : 48;
    bytes.push(...frame.payload.slice(frame.payload.length - (ip.totalLength - header)));
  }
  return { bytes, ids: new Set(frames.map(({ ip }) => ip!.id)) };
}

test('a ping larger than the MTU comes back in fragments, whole and with a good checksum', () => {
  for (const [src, dst] of [
    [PEER, HOST],
    [PEER6, HOST6],
  ] as const) {
    const host = new Host().knowsPeer();
    const payload = text(1400);
    const request = Build.icmpEcho({ src, dst, payload });
    const path = pathBack(host, src);
    host.net.paths.lowerMtu(path, 1280);
    const frames = host.gets(request);
    assert.equal(frames.length, 2);
    const { bytes, ids } = joined(frames, 1280);
    assert.equal(ids.size, 1);
    assert.equal(String.fromCharCode(...bytes.slice(8)), payload);
    const pseudo =
      src === PEER
        ? []
        : [...Build.addressBytes(dst), ...Build.addressBytes(src), 0, 0, 5, 128, 0, 0, 0, 58];
    assert.equal(internetChecksum(Uint8Array.from(pseudo), Uint8Array.from(bytes)), 0);
  }
});

test('no fragment goes out when there is not room for all', () => {
  const host = new Host().knowsPeer();
  const path = pathBack(host, PEER);
  const { fragmentsOut } = host.net;
  host.nic.ring[TX_COUNT] = 126;
  assert.equal(fragmentsOut.send(path, 17, fragmentsOut.scratchAt, 5000), false);
  assert.equal(host.nic.ring[TX_COUNT], 126);
  host.nic.ring[TX_COUNT] = 0;
  assert.equal(fragmentsOut.send(path, 17, fragmentsOut.scratchAt, 5000), true);
  assert.equal(host.nic.ring[TX_COUNT], 4);
});

function pathBack(host: Host, peer: string): Path {
  return peer === PEER
    ? host.net.paths.acquire(0, 0, 0xffff, 0x0a000001, 0, 0, 0xffff, 0x0a000002)!
    : host.net.paths.acquire(0xfd000000 | 0, 0, 0, 1, 0xfd000000 | 0, 0, 0, 2)!;
}
