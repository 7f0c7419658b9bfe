/**
 * `dpdk-net/stack`: the bare machine. Runs in Node, Bun, Deno and browsers.
 * @module
 */
export { Address, Prefix } from '../base/address.ts';
export { type ErrorCode, StackError } from '../base/errors.ts';
export {
  ACCEPTABLE,
  CLOSED,
  CONNECTED,
  ENDED,
  EventSource,
  FAILED,
  FLUSHED,
  READABLE,
  WRITABLE,
} from '../base/events.ts';
export * as Layout from '../link/layout.gen.ts';
export { createRing, type Feature, hasRoom, type Link, type LinkFeatures } from '../link/link.ts';
export { createLoopback } from '../link/loopback.ts';
export { createPair } from '../link/pair.ts';
export type { Homing } from '../net/homing.ts';
export { NeighborBoard, type NeighborBoardMemory } from '../net/neighbor/board.ts';
export { Relay, type RelayMemory, type RelayOptions } from '../net/relay.ts';
export { type PingOptions, PingSocket } from '../ping/socket.ts';
export { Arena } from '../storage/arena.ts';
export { allocateSimdArena } from '../storage/simd.ts';
export type { TcpInfo } from '../tcp/info.ts';
export { linuxInfo } from '../tcp/info-linux.ts';
export { TcpListener } from '../tcp/listener.ts';
export type { TcpOptions } from '../tcp/options.ts';
export { TcpSocket } from '../tcp/socket.ts';
export type { SocketOptions } from '../tcp/socket-options.ts';
export { type LinuxCounters, linuxCounters } from '../tcp/stats-linux.ts';
export type { TcpTrace, TcpTraceEvent, TcpTraceKind } from '../tcp/trace.ts';
export { UdpSocket } from '../udp/socket.ts';
export type { StackCounts, StackReport } from './counts.ts';
export { type AttachOptions, createStack, Stack, type StackOptions } from './stack.ts';
