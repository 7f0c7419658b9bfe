/**
 * `dpdk-net/bridge`: sockets on the queues of worker threads, for any other thread of the process.
 * @module
 */
export { Address } from '../base/address.ts';
export { StackError } from '../base/errors.ts';
export {
  ACCEPTABLE,
  CLOSED,
  ENDED,
  FAILED,
  FLUSHED,
  READABLE,
  WRITABLE,
} from '../base/events.ts';
export {
  Bridge,
  type BridgeConnectOptions,
  type BridgeCounts,
  type BridgeOptions,
  type BridgeTicket,
} from './bridge.ts';
export { BridgeListener, type BridgeListenOptions } from './listener.ts';
export { BridgeSocket } from './socket.ts';
export { BridgeStream } from './stream.ts';
export { type BridgeBindOptions, BridgeUdp } from './udp.ts';
export { type Served, serveBridge } from './worker-side.ts';
