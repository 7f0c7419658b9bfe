/**
 * `dpdk-net`: a stack from a configuration, driven by Node's event loop, and its lean sockets.
 *
 * For Node's own API over the stack see `dpdk-net/register`, `dpdk-net/net` and
 * `dpdk-net/dgram`; for the bare machine, without Node, `dpdk-net/stack`.
 * @module
 */
import { type Config, loadConfig } from './config/config.ts';
import { DEFAULT_FILE } from './config/default-file.ts';
import { setCurrent } from './node/current.ts';
import { openStack as open, type RunningStack } from './runtime/open-stack.ts';

export {
  type AppContext,
  type AppOptions,
  DpdkApp,
} from './app/app.ts';
export { Logger, type LoggerOptions } from './app/logger.ts';
export { type Subsystem, SubsystemError } from './app/subsystems.ts';
export type { AppWorker, WorkerContext } from './app/worker-context.ts';
export { type Config, loadConfig, parseConfig } from './config/config.ts';
export { ConfigError } from './config/problems.ts';
export type { DeviceSummary } from './runtime/open-device.ts';
export type { CloseReport, RunningStack } from './runtime/open-stack.ts';
export type { EventOwner } from './runtime/poll-loop.ts';
export {
  ACCEPTABLE,
  Address,
  CLOSED,
  CONNECTED,
  ENDED,
  type ErrorCode,
  FAILED,
  FLUSHED,
  Prefix,
  READABLE,
  type Stack,
  StackError,
  type TcpListener,
  type TcpSocket,
  type UdpSocket,
  WRITABLE,
} from './stack/index.ts';

/**
 * Opens the stack that a configuration describes and starts polling it.
 *
 * Sockets are those of docs/stack-api.md: set `owner` to an object with onEvents(events, socket),
 * and call `loop.wake()` after writing. `loop.hold()` keeps the process alive.
 * @param config a file's name, or what loadConfig() and parseConfig() return
 *
 * Throws ConfigError, or an error that says why the device cannot be had; then nothing is open.
 */
export function openStack(config: Config | string = DEFAULT_FILE): RunningStack {
  const running = open(typeof config === 'string' ? loadConfig(config) : config);
  setCurrent(running);
  return running;
}
