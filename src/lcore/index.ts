/**
 * `dpdk-net/lcore`: threads of DPDK that run functions, with or without a queue of the network.
 * @module
 */
export {
  LaunchHandle,
  type LaunchState,
  LcoreError,
  type LcoreErrorCode,
} from './handle.ts';
export {
  LaunchBuilder,
  LaunchGroup,
  launchOn,
  launchOnWorkers,
  waitAllWorkers,
} from './launch.ts';
export {
  type LaunchTask,
  Lcore,
  type LcoreContext,
  type LcoreFunction,
  type LcoreRole,
} from './lcore.ts';
export { Lcores, type LcoresOptions, type LcoresReport, openLcores, portsOf } from './lcores.ts';
export type { LcoreState } from './roster.ts';
