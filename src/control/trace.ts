/**
 * What happens to frames in a running stack, in words, for `dpdk-net trace`: each frame that comes
 * or goes, what was dropped and why, and what became of connections.
 * @module
 */
import * as Drop from '../base/drops.ts';
import { frameText } from '../link/frame-text.ts';
import type { Stack } from '../stack/index.ts';
import type { TcpTraceEvent } from '../tcp/trace.ts';
import { filterOf } from './frame-filter.ts';
import { observe } from './observe.ts';
import type { StackPlace } from './report.ts';
import type { Emit, End } from './server.ts';

export interface TraceEvent extends StackPlace {
  /** Microseconds on the stack's clock. */
  readonly at: number;
  readonly kind: 'in' | 'out' | 'drop' | 'tcp';
  readonly text: string;
  /** Of a drop: its name, as in the counters. */
  readonly drop?: string;
}

/** Traces until it is ended. `params`: `filter`, for the frames. Throws when that is wrong. */
export function startTrace(
  stack: Stack,
  place: StackPlace,
  params: Readonly<Record<string, unknown>>,
  emit: Emit,
): End {
  const wanted = filterOf(params);
  const tell = (kind: TraceEvent['kind'], text: string, drop?: string): void => {
    const at = stack.clock.us >>> 0;
    emit({
      ...place,
      at,
      kind,
      text,
      ...(drop === undefined ? {} : { drop }),
    } satisfies TraceEvent);
  };
  const seen = Float64Array.from(stack.drops);
  // Frames are dropped after they were seen and before the next is, so a drop follows its frame.
  const tellDrops = (): void => {
    for (const [index, { name, meaning }] of Drop.family.names.entries()) {
      const count = stack.drops[index]! - seen[index]!;
      if (count <= 0) continue;
      seen[index] = stack.drops[index]!;
      tell('drop', `${count > 1 ? `${count} times: ` : ''}${meaning}`, name);
    }
  };
  const ends = stack.net.nics.map((nic) =>
    observe(nic, (direction, at, length) => {
      tellDrops();
      const { view } = nic.link.arena;
      if (wanted(view, at, length)) tell(direction, frameText(view, at, length));
      if (direction === 'in') queueMicrotask(tellDrops);
    }),
  );
  const before = stack.tcp.trace;
  const trace = (event: TcpTraceEvent): void => {
    before?.(event);
    tell('tcp', tcpText(event));
  };
  stack.tcp.trace = trace;
  return () => {
    for (const end of ends) end();
    if (stack.tcp.trace === trace) stack.tcp.trace = before;
  };
}

function tcpText(event: TcpTraceEvent): string {
  const { what, localPort, remotePort, from, state, seq, length, cwndBytes, mss } = event;
  const ends = `${localPort} - ${remotePort}`;
  if (what === 'state') return `${ends} ${from} -> ${state}`;
  if (what === 'mss') return `${ends} segments of ${mss} bytes`;
  return `${ends} ${what} seq ${seq >>> 0} len ${length} cwnd ${cwndBytes}`;
}
