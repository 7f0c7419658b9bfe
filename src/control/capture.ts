/**
 * The frames of a running stack, for `dpdk-net capture`: those that a filter wants.
 *
 * The stack's thread copies them into a ring (frame-ring.ts); the thread of the control socket takes
 * them out when it comes by, and they reach the client as they are.
 * @module
 */
import { performance } from 'node:perf_hooks';
import type { Stack } from '../stack/index.ts';
import * as Mac from '../wire/mac.ts';
import { filterOf } from './frame-filter.ts';
import { FrameRing, LARGEST_FRAME } from './frame-ring.ts';
import { observe } from './observe.ts';
import type { StackPlace } from './report.ts';
import type { Emit, End } from './server.ts';

/** With each but the first there are bytes: records of frames (eachFrame() in frame-ring.ts). */
export interface CaptureEvent extends StackPlace {
  /** Of the port's interface, 'aa:bb:...'; for the file. */
  readonly mac: string;
  /** Frames so far that the client was too slow for. */
  readonly lost: number;
}

/** How often the ring is looked into. */
const LOOK_MS = 5;

/**
 * Captures until it is ended, into the ring over `memory`. `params`: `filter`, and `snaplen`, the
 * bytes of each frame that are wanted. The loopback of the stack is captured when it has nothing
 * else. `emit` gets one event, which says what is captured. Throws when the filter is wrong.
 */
export function startCapture(
  stack: Stack,
  place: StackPlace,
  params: Readonly<Record<string, unknown>>,
  memory: SharedArrayBuffer,
  emit: Emit,
): End {
  const wanted = filterOf(params);
  const snaplen = Number(params['snaplen'] ?? LARGEST_FRAME);
  const nic = stack.net.nics.find(({ loopback }) => loopback === 0) ?? stack.net.nics[0]!;
  const { arena, mac } = nic.link;
  const ring = new FrameRing(memory);
  const { clock } = stack;
  const { timeOrigin } = performance;
  // Frames of one poll have one time: the clock is asked once.
  let polledUs = -1;
  let now = 0;
  const end = observe(nic, (direction, at, length, flags, headers) => {
    if (!wanted(arena.view, at, length)) return;
    if (clock.us !== polledUs) {
      polledUs = clock.us;
      now = Math.round((timeOrigin + performance.now()) * 1000);
    }
    const kept = Math.min(length, snaplen);
    ring.put(arena, at, kept, length, now, direction === 'out' ? 1 : 0, flags, headers);
  });
  emit({ ...place, mac: Mac.text(mac), lost: 0 } satisfies CaptureEvent);
  return end;
}

/** The other side: takes frames out of a ring and hands them on while `emit` takes them. */
export class CaptureReader {
  readonly ring: FrameRing = new FrameRing();
  readonly #emit: Emit;
  readonly #timer: NodeJS.Timeout;
  #first: CaptureEvent | null = null;

  constructor(emit: Emit) {
    this.#emit = emit;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** What startCapture() says: the client's file has its interfaces before the first frame. */
  begin(event: unknown): boolean {
    this.#first = event as CaptureEvent;
    return this.#emit(event);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  /** While the client is too slow they stay where they are, until the ring is full. */
  #look(): void {
    if (this.#first === null) return;
    this.#emit({ ...this.#first, lost: this.ring.lost } satisfies CaptureEvent, () =>
      this.ring.take(),
    );
  }
}
