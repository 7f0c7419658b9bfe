/**
 * DPDK under the stack: `dpdk-net/dpdk`.
 * @module
 */

export { Steering } from '../link/steering.ts';
export type {
  DeviceInfo,
  DeviceStats,
  EalState,
  Lcore,
  PoolUsage,
  QueueCounters,
} from './addon.ts';
export { DpdkError } from './dpdk-error.ts';
export { Eal, type EalOptions } from './eal.ts';
export { EthDev } from './eth-dev.ts';
export { DpdkLink, type LinkDescription } from './link.ts';
export { openPort } from './open-port.ts';
export { openLink, type Port } from './port.ts';
export type { PortOptions } from './port-options.ts';
