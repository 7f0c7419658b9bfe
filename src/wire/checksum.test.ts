import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as Checksum from './checksum.ts';

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** RFC 1071 1, to the letter: 16-bit words in network order, carries added back. */
function reference(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

test('sum() folds to the example of RFC 1071 3', () => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  assert.equal(Checksum.fold(Checksum.sum(viewOf(bytes), 0, 8, 0)), 0xddf2);
  assert.equal(Checksum.finish(Checksum.sum(viewOf(bytes), 0, 8, 0)), 0x220d);
});

test('sum() agrees with the definition, at any offset and length, with any start', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(7),
      fc.nat(0xffff),
      (bytes, skip, start) => {
        const at = Math.min(skip, bytes.length);
        const length = bytes.length - at;
        const actual = Checksum.fold(Checksum.sum(viewOf(bytes), at, length, start));
        const expected = reference(bytes.slice(at)) + start;
        assert.equal(actual % 0xffff, expected % 0xffff);
        if (start > 0) assert.notEqual(actual, 0);
      },
    ),
  );
});

test('sum() does not overflow on the largest packet', () => {
  const bytes = new Uint8Array(65_535).fill(0xff);
  assert.equal(Checksum.fold(Checksum.sum(viewOf(bytes), 0, 65_534, 0)), 0xffff);
  const partial = Checksum.sum(viewOf(bytes), 0, 65_535, 0xffff * 16);
  assert.equal(Checksum.fold(partial), 0xff00);
});

test('a block with its checksum in it sums to 0xffff', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 100 }), (bytes) => {
      const view = viewOf(bytes);
      view.setUint16(0, 0);
      view.setUint16(0, Checksum.finish(Checksum.sum(view, 0, bytes.length, 0)));
      assert.equal(Checksum.fold(Checksum.sum(view, 0, bytes.length, 0)), 0xffff);
    }),
  );
});

test('pseudo() sums what RFC 9293 and RFC 8200 say, whichever the family', () => {
  const header4 = Uint8Array.of(10, 0, 0, 1, 192, 168, 255, 254, 0, 6, 0x12, 0x34);
  const v4 = Checksum.pseudo(0, 0, 0xffff, 0x0a000001, 0, 0, 0xffff, 0xc0a8fffe | 0, 6, 0x1234);
  assert.equal(Checksum.fold(v4), reference(header4));
  const header6 = new Uint8Array(40);
  const words = [0xfd000000, 1, 2, 3, 0xfe800000, 0xffffffff, 5, 6, 70_000, 17];
  for (const [i, word] of words.entries()) viewOf(header6).setUint32(i * 4, word);
  const v6 = Checksum.pseudo(0xfd000000 | 0, 1, 2, 3, 0xfe800000 | 0, -1, 5, 6, 17, 70_000);
  assert.equal(Checksum.fold(v6), reference(header6));
});

test('update() is what a full sum gives after one word has changed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 64 }), fc.nat(0xffff), (bytes, word) => {
      const view = viewOf(bytes);
      bytes[3] = 1;
      const before = Checksum.finish(Checksum.sum(view, 0, bytes.length, 0));
      const old = view.getUint16(0);
      view.setUint16(0, word);
      const after = Checksum.finish(Checksum.sum(view, 0, bytes.length, 0));
      assert.equal(Checksum.update(before, old, word), after);
    }),
  );
});
