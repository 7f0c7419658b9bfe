import assert from 'node:assert/strict';
import test from 'node:test';
import * as Packet from '../testing/packet.ts';
import { withMark } from './congestion-mark.ts';

const V4 = { src: '10.0.0.1', dst: '10.0.0.2', srcPort: 1, dstPort: 2, payload: 'x' };
const V6 = { ...V4, src: 'fd00::1', dst: 'fd00::2' };

test('a packet that may be marked becomes the one that would have been sent with CE', () => {
  for (const fields of [V4, V6, { ...V4, vlan: 7 }, { ...V6, vlan: 7 }]) {
    for (const field of [1, 2, 3]) {
      const given = Packet.tcp({ ...fields, trafficClass: 0xa0 | field });
      const before = given.slice();
      assert.deepEqual(withMark(given, true), Packet.tcp({ ...fields, trafficClass: 0xa3 }));
      assert.deepEqual(given, before);
    }
  }
});

test('a checksum that is still to be filled in stays empty', () => {
  const given = Packet.tcp({ ...V4, trafficClass: 2 });
  given.fill(0, 24, 26);
  assert.deepEqual(withMark(given, false)!.slice(24, 26), new Uint8Array(2));
});

test('what no router may mark is left alone', () => {
  assert.equal(withMark(Packet.tcp(V4), true), null);
  assert.equal(withMark(Packet.tcp(V6), true), null);
  const arp = { operation: 'request', senderIp: '10.0.0.1', targetIp: '10.0.0.2' } as const;
  assert.equal(withMark(Packet.arp(arp), true), null);
});
