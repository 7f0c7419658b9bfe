import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as Drop from '../base/drops.ts';
import { concat } from '../testing/bytes.ts';
import type { Decoded } from '../testing/decode.ts';
import * as Build from '../testing/packet.ts';
import { HOST, HOST6, Host, PEER, PEER6 } from './harness.test.ts';
import * as Stats from './stats.ts';

const UDP = 17;

interface Piece {
  offset: number;
  more: boolean;
  bytes: Uint8Array;
  id?: number;
  src?: string;
  /** The ECN field. */
  ecn?: number;
}

/** An IPv4 fragment. */
function fragment4({ offset, more, bytes, id, src, ecn }: Piece): Uint8Array {
  const frame = Build.ip(
    { src: src ?? PEER, dst: HOST, id: id ?? 1, dontFragment: false, trafficClass: ecn ?? 0 },
    UDP,
    bytes,
  );
  const field = (offset >> 3) | (more ? 0x2000 : 0);
  frame.set([field >> 8, field & 255, 64, UDP, 0, 0], 20);
  let sum = 0;
  for (let at = 14; at < 34; at += 2) sum += (frame[at]! << 8) | frame[at + 1]!;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = ~((sum & 0xffff) + (sum >>> 16));
  frame.set([(sum >> 8) & 255, sum & 255], 24);
  return frame;
}

/** An IPv6 fragment. */
function fragment6({ offset, more, bytes, id, src, ecn }: Piece): Uint8Array {
  const field = offset | (more ? 1 : 0);
  const header = Uint8Array.of(UDP, 0, field >> 8, field & 255, 0, 0, 0, id ?? 1);
  const extensions = { first: 44, bytes: header };
  const fields = { src: src ?? PEER6, dst: HOST6, extensions, trafficClass: ecn ?? 0 };
  return Build.ip(fields, UDP, bytes);
}

/** A host that keeps the payload of every UDP packet, with its length and protocol. */
function collecting(host: Host = new Host()): { host: Host; got: Uint8Array[] } {
  const got: Uint8Array[] = [];
  host.net.register(UDP, {
    receive: ({ at, length }) => got.push(host.arena.bytes.slice(at, at + length)),
    failed: () => undefined,
  });
  return { host, got };
}

const counted = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7) & 255);

function cut(whole: Uint8Array, most: number): Piece[] {
  const pieces: Piece[] = [];
  for (let offset = 0; offset < whole.length; offset += most) {
    const bytes = whole.slice(offset, offset + most);
    pieces.push({ offset, more: offset + most < whole.length, bytes });
  }
  return pieces;
}

for (const [name, fragment] of [
  ['IPv4', fragment4],
  ['IPv6', fragment6],
] as const) {
  test(`${name} fragments in any order, some twice, make the datagram`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 9, max: 4000 }),
        fc.integer({ min: 1, max: 180 }),
        fc.infiniteStream(fc.nat()),
        (length, units, random) => {
          const { host, got } = collecting();
          const whole = counted(length);
          const wanted = Math.max(units, Math.ceil(length / 400)) * 8;
          const pieces = cut(whole, Math.min(wanted, (length - 1) & ~7));
          const shuffled = [...pieces, pieces[0]!]
            .map((piece) => ({ piece, key: random.next().value }))
            .sort((a, b) => a.key - b.key)
            .map(({ piece }) => piece);
          // The copy of the first piece comes before the datagram is whole, or starts another one.
          for (const piece of shuffled) host.gets(fragment(piece));
          assert.deepEqual(got[0], whole);
          assert.equal(got.length, 1);
          host.advance(31_000);
          assert.equal(host.net.reassembly.live, 0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test(`${name}: a mark on one fragment is one on the whole; on a sender without ECN it is dropped`, () => {
    const cases: [number[], number | null][] = [
      [[0, 0, 0], 0],
      [[2, 2, 2], 2],
      [[2, 3, 2], 3],
      [[3, 1, 1], 3],
      [[2, 0, 2], 0],
      [[0, 3, 0], null],
      [[3, 3, 0], null],
    ];
    for (const [fields, expected] of cases) {
      const host = new Host();
      let ecn: number | null = null;
      const receive = (packet: { ecn: number }): void => {
        ecn = packet.ecn;
      };
      host.net.register(UDP, { receive, failed: () => undefined });
      const pieces = cut(counted(300), 104);
      for (const [i, piece] of pieces.entries()) host.gets(fragment({ ...piece, ecn: fields[i]! }));
      assert.equal(ecn, expected, `${fields}`);
      assert.equal(host.drops[Drop.FRAGMENT_MIXED_ECN], expected === null ? 1 : 0);
      if (expected === 3) assert.equal(host.stat(Stats.CE_IN), 1);
    }
  });

  test(`${name}: overlap condemns the datagram, and what comes later of it`, () => {
    const { host, got } = collecting();
    const pieces = cut(counted(64), 16);
    host.gets(fragment(pieces[0]!), fragment({ offset: 8, more: true, bytes: counted(16) }));
    for (const piece of pieces) host.gets(fragment(piece));
    assert.deepEqual(got, []);
    assert.equal(host.dropped()['fragment_overlap'], 5);
    assert.equal(host.net.reassembly.live, 0);
  });

  test(`${name}: a datagram cannot end twice, nor go on behind its end`, () => {
    for (const second of [
      { offset: 32, more: false, bytes: counted(8) },
      { offset: 8, more: false, bytes: counted(16) },
      { offset: 40, more: true, bytes: counted(8) },
    ]) {
      const { host } = collecting();
      host.gets(fragment({ offset: 16, more: false, bytes: counted(16) }), fragment(second));
      assert.equal(host.dropped()['fragment_overlap'], 1);
    }
  });

  test(`${name}: fragments that no sender makes are malformed`, () => {
    const { host } = collecting();
    host.gets(fragment({ offset: 16, more: true, bytes: counted(15) }));
    host.gets(fragment({ offset: 65_528, more: false, bytes: counted(64) }));
    host.gets(fragment({ offset: 16, more: false, bytes: counted(0) }));
    assert.equal(host.dropped()['fragment_malformed'], 3);
    assert.equal(host.net.reassembly.live, 0);
  });

  test(`${name}: after 30 s the rest is given up, and a first fragment is reported`, () => {
    const { host, got } = collecting(new Host().knowsPeer());
    host.gets(fragment({ offset: 0, more: true, bytes: counted(64) }));
    host.gets(fragment({ offset: 64, more: true, bytes: counted(64), id: 2 }));
    assert.deepEqual(host.advance(29_000).filter(isIcmp), []);
    const errors = host.advance(1000).filter(isIcmp);
    assert.deepEqual(
      errors.map((frame) => [frame.icmp?.type, frame.icmp?.code, frame.icmp?.checksumGood]),
      [[name === 'IPv4' ? 11 : 3, 1, true]],
    );
    assert.equal(host.dropped()['fragment_timeout'], 2);
    assert.equal(host.net.reassembly.live, 0);
    assert.deepEqual(got, []);
  });

  test(`${name}: one source cannot use up the room of others`, () => {
    const { host, got } = collecting();
    const [evil, good] = name === 'IPv4' ? ['10.0.0.66', PEER] : ['fd00::66', PEER6];
    for (let id = 0; id < 200; id++) {
      host.gets(fragment({ offset: 0, more: true, bytes: counted(64), id, src: evil! }));
    }
    assert.ok(host.net.reassembly.live <= 128);
    assert.ok(host.dropped()['fragment_no_room']! >= 100);
    for (const piece of cut(counted(500), 128)) host.gets(fragment({ ...piece, src: good! }));
    assert.equal(got.length, 1);
  });

  test(`${name}: many sources cannot keep a new one out`, () => {
    const { host, got } = collecting(new Host({ limits: { fragmentBlocks: 16 } }));
    for (let i = 3; i < 100; i++) {
      const src = name === 'IPv4' ? `10.0.0.${i}` : `fd00::${i}`;
      host.gets(fragment({ offset: 0, more: true, bytes: counted(64), src }));
    }
    for (const piece of cut(counted(256), 128)) host.gets(fragment(piece));
    assert.equal(got.length, 1);
  });
}

test('a datagram of the largest size is put together', () => {
  const { host, got } = collecting();
  const whole = counted(65_515);
  for (const piece of cut(whole, 1480)) host.gets(fragment4(piece));
  assert.deepEqual(got[0], whole);
});

test('an IPv6 atomic fragment is a packet of its own, whatever waits under its id', () => {
  const { host, got } = collecting();
  host.gets(fragment6({ offset: 8, more: true, bytes: counted(64) }));
  host.gets(fragment6({ offset: 0, more: false, bytes: counted(24) }));
  assert.deepEqual(got, [counted(24)]);
});

test('extension headers in front of fragments stay in front of the whole', () => {
  const { host, got } = collecting();
  const options = Uint8Array.of(44, 0, 1, 4, 0, 0, 0, 0);
  for (const { offset, more, bytes } of cut(counted(100), 48)) {
    const field = offset | (more ? 1 : 0);
    const header = Uint8Array.of(UDP, 0, field >> 8, field & 255, 0, 0, 0, 9);
    const extensions = { first: 60, bytes: concat(options, header) };
    host.gets(Build.ip({ src: PEER6, dst: HOST6, extensions }, UDP, bytes));
  }
  assert.deepEqual(got, [counted(100)]);
});

test('a first IPv6 fragment without the transport header is refused (RFC 7112)', () => {
  const { host } = collecting(new Host().knowsPeer());
  const header = Uint8Array.of(60, 0, 0, 1, 0, 0, 0, 9);
  const options = Uint8Array.of(UDP, 0, 1, 4, 0, 0, 0, 0);
  const extensions = { first: 44, bytes: header };
  const [error] = host.gets(Build.ip({ src: PEER6, dst: HOST6, extensions }, UDP, options));
  assert.deepEqual([error?.icmp?.type, error?.icmp?.code], [4, 3]);
  assert.deepEqual(host.dropped(), { fragment_malformed: 1 });
});

function isIcmp(frame: Decoded): boolean {
  return frame.icmp !== undefined && frame.icmp.type < 128;
}
