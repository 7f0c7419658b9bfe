/**
 * What a stack holds: the numbers that must come back to zero.
 * @module
 */
import { CLOSED, SYN_RECEIVED, SYN_SENT } from '../tcp/state.ts';
import type { Stack } from './stack.ts';

export interface StackCounts {
  /** Connection records in use, TIME-WAIT included. */
  connections: number;
  halfOpen: number;
  timeWait: number;
  listeners: number;
  udpSockets: number;
  pingSockets: number;
  /** Entries on the timer wheel. */
  timers: number;
  /** Bytes of socket buffers and packets that wait. */
  heapBytes: number;
}

export interface StackReport {
  drops: Record<string, number>;
  net: Record<string, number>;
  tcp: Record<string, number>;
}

export function countsOf(stack: Stack): StackCounts {
  const { tcp, udp, ping, heap } = stack;
  let halfOpen = 0;
  for (const c of tcp.connections) {
    if (c.state !== CLOSED && (c.state === SYN_SENT || c.state === SYN_RECEIVED)) halfOpen++;
  }
  return {
    connections: tcp.records.inUse,
    halfOpen,
    timeWait: tcp.timeWaits.count,
    listeners: tcp.listeners.count,
    udpSockets: udp.count,
    pingSockets: ping.count,
    timers: tcp.wheel.size,
    heapBytes: heap.live,
  };
}
