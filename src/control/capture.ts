/**
 * The frames of a running stack, for `dpdk-net capture`: those that a filter wants, in batches.
 * @module
 */
import { performance } from 'node:perf_hooks';
import type { Stack } from '../stack/index.ts';
import * as Mac from '../wire/mac.ts';
import { filterOf } from './frame-filter.ts';
import { observe } from './observe.ts';
import type { StackPlace } from './report.ts';
import type { Emit, End } from './server.ts';

/** Microseconds since 1970, direction, the frame's length, its beginning in base64. */
export type CapturedFrame = readonly [number, 'in' | 'out', number, string];

export interface CaptureEvent extends StackPlace {
  /** Of the port's interface, 'aa:bb:...'; for the file. */
  readonly mac: string;
  readonly frames: readonly CapturedFrame[];
  /** Frames so far that the client was too slow for. */
  readonly lost: number;
}

/** Frames in one event, at most. */
const BATCH = 64;
const WHOLE_FRAME = 0x40000;

/**
 * Captures until it is ended. `params`: `filter`, and `snaplen`, the bytes of each frame that are
 * wanted. The loopback of the stack is captured when it has nothing else. Throws when the filter
 * is wrong.
 */
export function startCapture(
  stack: Stack,
  place: StackPlace,
  params: Readonly<Record<string, unknown>>,
  emit: Emit,
): End {
  const wanted = filterOf(params);
  const snaplen = Number(params['snaplen'] ?? WHOLE_FRAME);
  const nic = stack.net.nics.find(({ loopback }) => loopback === 0) ?? stack.net.nics[0]!;
  const { arena, mac } = nic.link;
  const text = Mac.text(mac);
  let frames: CapturedFrame[] = [];
  let lost = 0;
  let scheduled: NodeJS.Immediate | null = null;
  const flush = (): void => {
    scheduled = null;
    if (frames.length === 0) return;
    if (!emit({ ...place, mac: text, frames, lost } satisfies CaptureEvent)) lost += frames.length;
    frames = [];
  };
  const end = observe(nic, (direction, at, length) => {
    if (!wanted(arena.view, at, length)) return;
    const kept = Math.min(length, snaplen);
    const { buffer, byteOffset } = arena.bytes;
    const data = Buffer.from(buffer, byteOffset + at, kept).toString('base64');
    const now = Math.round((performance.timeOrigin + performance.now()) * 1000);
    frames.push([now, direction, length, data]);
    if (frames.length >= BATCH) flush();
    else scheduled ??= setImmediate(flush).unref();
  });
  // The client's file has its interfaces before the first frame.
  emit({ ...place, mac: text, frames: [], lost } satisfies CaptureEvent);
  return () => {
    end();
    if (scheduled !== null) clearImmediate(scheduled);
    flush();
  };
}
