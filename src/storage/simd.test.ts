import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { allocateSimdArena, type Simd } from './simd.ts';

const ETHERNET = 14;
const AT = 128;
const arena = allocateSimdArena(4096);
const simd = arena.simd as Simd;
const { bytes, view } = arena;

/** A frame of TCP over IPv4 at AT with these payload bytes and zero checksums; its length. */
function writeFrame(payload: Uint8Array, source: number, destination: number): number {
  const ipAt = AT + ETHERNET;
  const total = 40 + payload.length;
  bytes.fill(0, AT, ipAt + 40);
  view.setUint16(AT + 12, 0x0800);
  view.setInt32(ipAt, (0x4500 << 16) | total);
  view.setInt32(ipAt + 4, 0x12344000);
  view.setInt32(ipAt + 8, (64 << 24) | (6 << 16));
  view.setInt32(ipAt + 12, source);
  view.setInt32(ipAt + 16, destination);
  view.setInt32(ipAt + 20, 0x04d20050);
  view.setInt32(ipAt + 32, 0x50180400);
  bytes.set(payload, ipAt + 40);
  return ETHERNET + total;
}

/** RFC 1071, word by word. */
function checksum(at: number, length: number, initial: number): number {
  let total = initial;
  for (let i = 0; i < length; i++) total += i % 2 === 0 ? bytes[at + i]! << 8 : bytes[at + i]!;
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}

const anyFrame = fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.integer(), fc.integer());

test('seal() writes the checksums of RFC 1071', () => {
  fc.assert(
    fc.property(anyFrame, ([payload, source, destination]) => {
      writeFrame(payload, source, destination);
      const ipAt = AT + ETHERNET;
      const header = checksum(ipAt, 20, 0);
      const segment = checksum(ipAt + 12, 28 + payload.length, 6 + 20 + payload.length);
      view.setUint16(ipAt + 10, 0xabcd);
      view.setUint16(ipAt + 36, 0xabcd);
      simd.seal(ipAt);
      assert.equal(view.getUint16(ipAt + 10), header);
      assert.equal(view.getUint16(ipAt + 36), segment);
    }),
  );
});

test('isWhole() finds a sealed frame whole, with padding behind it too', () => {
  fc.assert(
    fc.property(anyFrame, fc.nat({ max: 20 }), ([payload, source, destination], padding) => {
      const length = writeFrame(payload, source, destination);
      simd.seal(AT + ETHERNET);
      assert.equal(simd.isWhole(AT, length + padding), 1);
    }),
  );
});

test('isWhole() finds any changed bit behind the MAC addresses', () => {
  fc.assert(
    fc.property(
      anyFrame,
      fc.nat(),
      fc.nat({ max: 7 }),
      ([payload, source, destination], n, bit) => {
        const length = writeFrame(payload, source, destination);
        simd.seal(AT + ETHERNET);
        bytes[AT + 12 + (n % (length - 12))]! ^= 1 << bit;
        assert.equal(simd.isWhole(AT, length), 0);
      },
    ),
  );
});

test('isWhole() refuses what is cut off, a fragment and what is not TCP', () => {
  const payload = Uint8Array.from({ length: 10 }, (_, i) => i);
  const ipAt = AT + ETHERNET;
  const length = writeFrame(payload, 1, 2);
  simd.seal(ipAt);
  for (let cut = 1; cut <= length; cut++) assert.equal(simd.isWhole(AT, length - cut), 0);
  for (const [at, value] of [
    [ipAt + 6, 0x2000],
    [ipAt + 6, 0x0001],
    [ipAt + 8, 0x4011],
    [ipAt + 2, 39],
  ] as const) {
    writeFrame(payload, 1, 2);
    view.setUint16(at, value);
    simd.seal(ipAt);
    assert.equal(simd.isWhole(AT, length), 0);
  }
});
