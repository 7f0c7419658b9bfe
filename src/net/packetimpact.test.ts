/** What gVisor's packetimpact tests of IP and ICMP check, where our own tests did not yet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as Build from '../testing/packet.ts';
import { HOST6, Host, PEER6 } from './harness.test.ts';

const UDP = 17;

test('IPv6: an unknown next header is a parameter problem that points at the field', () => {
  const host = new Host().knowsPeer();
  const plain = Build.ip({ src: PEER6, dst: HOST6 }, 253, new Uint8Array(8));
  const [direct] = host.gets(plain);
  assert.deepEqual([direct?.icmp?.type, direct?.icmp?.code], [4, 1]);
  assert.deepEqual([...direct!.payload.slice(0, 4)], [0, 0, 0, 6]);
  const header = Uint8Array.of(253, 0, 1, 4, 0, 0, 0, 0);
  const extensions = { first: 60, bytes: header };
  const [behind] = host.gets(
    Build.ip({ src: PEER6, dst: HOST6, extensions }, 253, new Uint8Array(8)),
  );
  assert.deepEqual([...behind!.payload.slice(0, 4)], [0, 0, 0, 40]);
});

const ACTIONS = [
  ['skip', 0x1e],
  ['discard', 0x5e],
  ['discard and say so', 0x9e],
  ['discard and say so to a unicast', 0xde],
] as const;
const HEADERS = [
  ['hop-by-hop', 0],
  ['destination', 60],
] as const;

for (const [action, option] of ACTIONS) {
  for (const [name, first] of HEADERS) {
    for (const group of [false, true]) {
      const to = group ? 'a group' : 'us';
      test(`IPv6: an unknown ${name} option to ${to} that says "${action}" is obeyed`, () => {
        const host = new Host().knowsPeer();
        let delivered = 0;
        host.net.register(UDP, { receive: () => delivered++, failed: () => {} });
        const bytes = Uint8Array.of(UDP, 0, option, 4, 0, 0, 0, 0);
        const [dst, dstMac] = group
          ? ['ff02::1', '33:33:00:00:00:01']
          : [HOST6, '02:00:00:00:00:02'];
        const fields = { src: PEER6, dst, dstMac, extensions: { first, bytes } };
        const answers = host.gets(Build.ip(fields, UDP, new Uint8Array(8)));
        assert.equal(delivered, option === 0x1e ? 1 : 0);
        const speaks = option === 0x9e || (option === 0xde && !group);
        assert.equal(answers.length, speaks ? 1 : 0);
        if (!speaks) return;
        assert.deepEqual([answers[0]?.icmp?.type, answers[0]?.icmp?.code], [4, 2]);
        assert.deepEqual([...answers[0]!.payload.slice(0, 4)], [0, 0, 0, 42]);
      });
    }
  }
}

/** An IPv6 fragment of UDP's protocol. */
function fragment(offset: number, more: boolean, bytes: Uint8Array): Uint8Array {
  const field = offset | (more ? 1 : 0);
  const header = Uint8Array.of(UDP, 0, field >> 8, field & 255, 0, 0, 0, 77);
  const extensions = { first: 44, bytes: header };
  return Build.ip({ src: PEER6, dst: HOST6, extensions }, UDP, bytes);
}

test('IPv6: a fragment whose length is no multiple of eight is told so, with the place', () => {
  const host = new Host().knowsPeer();
  const [error] = host.gets(fragment(0, true, new Uint8Array(17)));
  assert.deepEqual([error?.icmp?.type, error?.icmp?.code], [4, 0]);
  assert.deepEqual([...error!.payload.slice(0, 4)], [0, 0, 0, 4], 'the payload length');
});

test('IPv6: a fragment that would end beyond 65,535 bytes is told so, with the place', () => {
  const host = new Host().knowsPeer();
  const [error] = host.gets(fragment(65_528, false, new Uint8Array(64)));
  assert.deepEqual([error?.icmp?.type, error?.icmp?.code], [4, 0]);
  assert.deepEqual([...error!.payload.slice(0, 4)], [0, 0, 0, 42], 'the fragment offset');
});

for (const [what, frames, reported] of [
  ['with its first fragment', [fragment(0, true, new Uint8Array(16))], true],
  ['without its first fragment', [fragment(16, true, new Uint8Array(16))], false],
  [
    'whose first fragment came late',
    [fragment(16, true, new Uint8Array(16)), fragment(0, true, new Uint8Array(8))],
    true,
  ],
] as [string, Uint8Array[], boolean][]) {
  test(`IPv6: a datagram given up ${what} is ${reported ? '' : 'not '}reported`, () => {
    const host = new Host().knowsPeer();
    assert.deepEqual(host.gets(...frames), []);
    const errors = host.advance(61_000).filter((frame) => frame.icmp?.type === 3);
    assert.equal(errors.length, reported ? 1 : 0);
    if (reported) assert.equal(errors[0]?.icmp?.code, 1);
  });
}
