/**
 * DPDK under the stack: `dpdk-net/dpdk`.
 * @module
 */

export type { FlowAction, FlowPattern, FlowRule, PortRange } from '../flow/rule.ts';
export { formatRule, parseRule } from '../flow/text.ts';
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
export type { FlowCount, FlowEntry, FlowRules } from './flow-rules.ts';
export { DpdkLink, type LinkDescription } from './link.ts';
export { openPort } from './open-port.ts';
export { openLink, type Port } from './port.ts';
export type { PortOptions } from './port-options.ts';
