import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as Build from '../testing/packet.ts';
import { HOST, HOST6, Host, PEER, PEER_MAC, PEER6 } from './harness.test.ts';

test('an echo request is answered, IPv4 and IPv6', () => {
  const host = new Host().knowsPeer();
  for (const [src, dst, type] of [
    [PEER, HOST, 0],
    [PEER6, HOST6, 129],
  ] as const) {
    const payload = 'abcdefghijklm';
    const [reply, ...more] = host.gets(Build.icmpEcho({ src, dst, id: 77, sequence: 3, payload }));
    assert.equal(more.length, 0);
    assert.equal(reply?.icmp?.type, type);
    assert.equal(reply?.icmp?.checksumGood, true);
    assert.equal(reply?.ip?.checksumGood, true);
    assert.deepEqual([reply?.ip?.src, reply?.ip?.dst], [dst, src]);
    assert.equal(reply?.ethernet.dst, PEER_MAC);
    assert.deepEqual(Buffer.from(reply!.payload), Buffer.from(`\0M\0\x03${payload}`, 'latin1'));
  }
  assert.deepEqual(host.dropped(), {});
});
