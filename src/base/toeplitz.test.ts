import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { fillSymmetricKey, goodKey, KEY_BYTES, symmetricHash, toeplitz } from './toeplitz.ts';

/** The key and the vectors of Microsoft's "Verifying the RSS Hash Calculation". */
const KEY = Uint8Array.from(
  Buffer.from(
    '6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa',
    'hex',
  ),
);
/** Source, destination, hash of the addresses, hash with the ports. */
const VECTORS: [string, number, string, number, number, number][] = [
  ['4209 95bb', 2794, 'a18e 6450', 1766, 0x323e8fc2, 0x51ccc178],
  ['c75c 6f02', 14230, '4145 8c53', 4739, 0xd718262a, 0xc626b0ea],
  ['1813 c65f', 12898, '0c16 cfb8', 38024, 0xd2d0a5de, 0x5c2b394a],
  ['261b cd1e', 48228, 'd18e a306', 2217, 0x82989176, 0xafc7327f],
  ['9927 a3bf', 44251, 'cabc 7f02', 1303, 0x5d1809c5, 0x10e828a2],
  [
    '3ffe 2501 0200 1fff 0000 0000 0000 0007',
    2794,
    '3ffe 2501 0200 0003 0000 0000 0000 0001',
    1766,
    0x2cc18cd5,
    0x40207d3d,
  ],
  [
    '3ffe 0501 0008 0000 0260 97ff fe40 efab',
    14230,
    'ff02 0000 0000 0000 0000 0000 0000 0001',
    4739,
    0x0f0c461c,
    0xdde51bbf,
  ],
  [
    '3ffe 1900 4545 0003 0200 f8ff fe21 67cf',
    44251,
    'fe80 0000 0000 0000 0200 f8ff fe21 67cf',
    38024,
    0x4b61e985,
    0x02d1feef,
  ],
];

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

function portBytes(...ports: number[]): Buffer {
  return Buffer.from(ports.flatMap((port) => [port >> 8, port & 255]));
}

test("toeplitz() gives the hashes of Microsoft's vectors, both families", () => {
  for (const [src, srcPort, dst, dstPort, addresses, ports] of VECTORS) {
    const input = Buffer.concat([bytesOf(src), bytesOf(dst)]);
    assert.equal(toeplitz(KEY, input) >>> 0, addresses);
    assert.equal(toeplitz(KEY, Buffer.concat([input, portBytes(srcPort, dstPort)])) >>> 0, ports);
  }
});

test('symmetricHash() of the fold is toeplitz() with the repeated key', () => {
  const key = new Uint8Array(KEY_BYTES);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xffff }),
      fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 18 }),
      (repeated, words) => {
        fillSymmetricKey(key, repeated);
        const fold = words.reduce((all, word) => all ^ word, 0);
        assert.equal(symmetricHash(repeated, fold), toeplitz(key, portBytes(...words)));
      },
    ),
  );
});

test('goodKey() gives every fold a hash of its own, whatever it is given', () => {
  for (const random of [0, 1, 0xffff, 0x8000, 0x1234, 0xbeef, 0x6d5a]) {
    const key = goodKey(random);
    const hashes = new Set<number>();
    for (let fold = 0; fold < 65_536; fold++) hashes.add(symmetricHash(key, fold));
    assert.equal(hashes.size, 65_536, key.toString(16));
  }
});

test('goodKey() ends for each of the 16 bits', () => {
  for (let random = 0; random < 65_536; random++) assert.ok(goodKey(random) <= 0xffff);
});
