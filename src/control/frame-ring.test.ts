import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arena } from '../storage/arena.ts';
import { countFrames, eachFrame, FrameRing } from './frame-ring.ts';

const TIME = 1_700_000_000_123_456;
const arena = Arena.allocate(1 << 20);
for (let at = 0; at < arena.bytes.length; at++) arena.bytes[at] = at * 7;

/** Offset, bytes kept and length of what take() returned, as put() got them. */
function framesOf(records: Uint8Array | null): { bytes: number[]; length: number }[] {
  const frames: { bytes: number[]; length: number }[] = [];
  eachFrame(records!, (time, direction, bytes, length) => {
    assert.equal(time, TIME + length);
    assert.equal(direction, length % 2 === 1 ? 'out' : 'in');
    frames.push({ bytes: [...bytes], length });
  });
  assert.equal(countFrames(records!), frames.length);
  return frames;
}

function put(ring: FrameRing, at: number, kept: number, length: number): void {
  ring.put(arena, at, kept, length, TIME + length, length % 2, 0, 0);
}

test('frames of any length and alignment come out as they went in, also around the end', () => {
  const ring = new FrameRing();
  const reader = new FrameRing(ring.memory);
  assert.equal(reader.take(), null);
  const kept = [1, 60, 62, 63, 128, 512, 513, 1514, 65_549];
  let bytes = 0;
  for (let round = 0; bytes < 9 << 20; round++) {
    for (const [index, count] of kept.entries())
      put(ring, index + round, count, count + 10 + index);
    const frames = framesOf(reader.take());
    for (const [index, frame] of frames.entries()) {
      const at = index + round;
      const count = kept[index]!;
      assert.equal(frame.length, count + 10 + index);
      assert.deepEqual(
        Buffer.compare(Buffer.from(frame.bytes), arena.bytes.subarray(at, at + count)),
        0,
      );
      bytes += count;
    }
    assert.equal(frames.length, kept.length);
  }
  assert.equal(reader.lost, 0);
});

test('what there is no room for is lost and counted; what is there stays whole', () => {
  const ring = new FrameRing();
  const reader = new FrameRing(ring.memory);
  const put300 = (): void => {
    for (let i = 0; i < 300; i++) put(ring, i, 65_000, 65_001);
  };
  put300();
  assert.ok(reader.lost > 0);
  const taken = countFrames(reader.take()!);
  assert.equal(taken + reader.lost, 300);
  put300();
  assert.equal(countFrames(reader.take()!), taken);
  assert.equal(reader.lost, 2 * (300 - taken));
});
