import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../testing/bytes.ts';
import type { Decoded } from '../testing/decode.ts';
import * as Build from '../testing/packet.ts';
import { HOST6, Host, PEER6 } from './harness.test.ts';

const UDP = 17;

/** What a host does with UDP behind these extension headers. */
function outcome(
  first: number,
  bytes: Uint8Array,
  dst = HOST6,
): { lengths: number[]; error: Decoded | undefined; drops: Record<string, number> } {
  const host = new Host().knowsPeer();
  const lengths: number[] = [];
  host.net.register(UDP, {
    receive: ({ length }) => lengths.push(length),
    failed: () => undefined,
  });
  const dstMac = dst === HOST6 ? '02:00:00:00:00:02' : '33:33:00:00:00:01';
  const frame = Build.udp({
    src: PEER6,
    dst,
    dstMac,
    srcPort: 1,
    dstPort: 2,
    payload: 'abc',
    extensions: { first, bytes },
  });
  return { error: host.gets(frame)[0], lengths, drops: host.dropped() };
}

const options = (next: number, ...bytes: number[]): Uint8Array => Uint8Array.of(next, 0, ...bytes);
const padding = (next: number): Uint8Array => options(next, 1, 4, 0, 0, 0, 0);

test('hop-by-hop, destination options and an empty routing header are passed over', () => {
  const routing = Uint8Array.of(60, 0, 4, 0, 0, 0, 0, 0);
  const chain = concat(padding(43), routing, options(UDP, 0, 5, 2, 0, 0, 0));
  assert.deepEqual(outcome(0, chain).lengths, [11]);
  assert.deepEqual(outcome(60, options(UDP, 0x1e, 4, 1, 2, 3, 4)).lengths, [11]);
});

test('more than eight headers are too many', () => {
  const chain = (count: number): Uint8Array =>
    concat(...Array.from({ length: count }, (_, i) => padding(i === count - 1 ? UDP : 60)));
  assert.deepEqual(outcome(60, chain(8)).lengths, [11]);
  assert.deepEqual(outcome(60, chain(9)).drops, { ipv6_bad_extension: 1 });
});

test('hop-by-hop options anywhere but first are a parameter problem', () => {
  const { error, drops } = outcome(60, concat(padding(0), padding(UDP)));
  assert.deepEqual([error?.icmp?.type, error?.icmp?.code, error?.payload[3]], [4, 1, 40]);
  assert.deepEqual(drops, { ipv6_bad_extension: 1 });
});

test('routing headers with segments left are refused, type 0 always (RFC 5095)', () => {
  const routing = (type: number, left: number): Uint8Array =>
    Uint8Array.of(UDP, 0, type, left, 0, 0, 0, 0);
  const left = outcome(43, routing(4, 1));
  assert.deepEqual(
    [left.error?.icmp?.type, left.error?.icmp?.code, left.error?.payload[3]],
    [4, 0, 42],
  );
  for (const header of [routing(4, 1), routing(0, 0), routing(0, 1)]) {
    assert.deepEqual(outcome(43, header).drops, { ipv6_routing_header: 1 });
  }
});

test('unknown options do what their two highest bits say (RFC 8200 4.2)', () => {
  const unknown = (type: number): Uint8Array => options(UDP, 1, 0, type, 2, 0, 0);
  assert.deepEqual(outcome(60, unknown(0x1e)).lengths, [11]);
  const discard = outcome(60, unknown(0x5e));
  assert.deepEqual(
    [discard.lengths, discard.error, discard.drops],
    [[], undefined, { ipv6_bad_extension: 1 }],
  );
  for (const type of [0x9e, 0xde]) {
    const { error } = outcome(60, unknown(type));
    assert.deepEqual([error?.icmp?.type, error?.icmp?.code, error?.payload[3]], [4, 2, 44]);
  }
  assert.equal(outcome(60, unknown(0x9e), 'ff02::1').error?.icmp?.type, 4);
  assert.equal(outcome(60, unknown(0xde), 'ff02::1').error, undefined);
});

test('headers and options that do not fit are dropped', () => {
  for (const bad of [
    Uint8Array.of(UDP, 9, 1, 4, 0, 0, 0, 0),
    options(UDP, 1, 9, 0, 0, 0, 0),
    options(UDP, 1, 3, 0, 0, 0, 1),
  ]) {
    const { lengths, drops } = outcome(60, bad);
    assert.deepEqual([lengths, drops], [[], { ipv6_bad_extension: 1 }]);
  }
});
