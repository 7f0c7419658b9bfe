/**
 * The counters of a stack where they lie: in memory that its thread writes and any other may read,
 * without a lock and without asking. So a stack that is stuck can still be looked at.
 * @module
 */
import * as Drop from '../base/drops.ts';
import * as NetStats from '../net/stats.ts';
import { LoopMeter, type LoopTimes } from '../runtime/loop-meter.ts';
import type { RunningStack } from '../runtime/open-stack.ts';
import type { StackReport } from '../stack/index.ts';
import * as TcpStats from '../tcp/stats.ts';

/** Can be posted; it stays the same memory. */
export interface Sheet {
  readonly drops: Float64Array;
  readonly net: Float64Array;
  readonly tcp: Float64Array;
  /** Of each interface; that of the port first, if there is one. */
  readonly nics: readonly Float64Array[];
  /** Of the poll loop. */
  readonly times: Float64Array;
}

export interface SheetReport {
  /** Counters that are not zero, by name. */
  readonly counters: StackReport;
  /** Of the port's interface alone, without the loopback. */
  readonly interface: Readonly<Record<string, number>>;
  readonly times: LoopTimes;
}

export function sheetOf({ stack, loop }: RunningStack): Sheet {
  const nics = [...stack.net.nics].sort((a, b) => a.loopback - b.loopback);
  return {
    drops: stack.drops,
    net: stack.net.core.stats,
    tcp: stack.tcp.stats,
    nics: nics.map(({ counters }) => counters),
    times: loop.meter.values,
  };
}

export function readSheet({ drops, net, tcp, nics, times }: Sheet): SheetReport {
  // Sums are kept nowhere, and this memory is another's: they are made on a copy.
  const sums = Float64Array.from(net);
  for (const [sum, counter] of NetStats.SUMS) {
    sums[sum] = nics.reduce((total, counters) => total + counters[counter]!, 0);
  }
  const values = nics[0] ?? NetStats.nicFamily.values();
  return {
    counters: {
      drops: Drop.family.report(drops),
      net: NetStats.family.report(sums),
      tcp: TcpStats.family.report(tcp),
    },
    interface: Object.fromEntries(
      NetStats.nicFamily.names.map(({ name }, index) => [name, values[index]!]),
    ),
    times: new LoopMeter(times).read(),
  };
}
