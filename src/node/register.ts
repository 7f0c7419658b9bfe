/**
 * `node --import dpdk-net/register app.js`: the program's sockets are the stack's.
 *
 * The stack is the one that the file named by DPDK_NET_CONFIG describes; without it, one that has
 * nothing but its own loopback: the program can talk to itself, and to no one else.
 * @module
 */
import { basename } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { type Config, loadConfig } from '../config/config.ts';
import { toConfig } from '../config/from-document.ts';
import { devicesOf, openControl, reporterOf } from '../control/process.ts';
import { openStack, type RunningStack } from '../runtime/open-stack.ts';
import { atExit, exitOnSignals } from '../runtime/shutdown.ts';
import { install } from './install.ts';

const LOOPBACK_ONLY = { dpdk: { port: 'loopback' }, routes: { kernel: [] } };

/** Tells child processes which configuration's device is taken. */
const OPENED = 'DPDK_NET_OPENED';

function configuration(): Config {
  const file = process.env['DPDK_NET_CONFIG'];
  return file ? loadConfig(file) : toConfig(LOOPBACK_ONLY, '.');
}

function start(config: Config): void {
  const hasDevice = config.dpdk.port !== 'loopback';
  if (hasDevice && !isMainThread) {
    // A device has one owner in a process; it is the main thread.
    process.emitWarning("this worker thread has no stack: its sockets are the kernel's", {
      code: 'DPDK_NET_WORKER',
    });
    return;
  }
  if (hasDevice && process.env[OPENED] === process.env['DPDK_NET_CONFIG']) {
    // A device has one owner on a machine as well: whoever started this process with NODE_OPTIONS.
    process.emitWarning("the parent process has the device: this one's sockets are the kernel's", {
      code: 'DPDK_NET_CHILD',
    });
    return;
  }
  const running = openStack(config);
  if (hasDevice) openToQuestions(running);
  if (hasDevice) process.env[OPENED] = process.env['DPDK_NET_CONFIG'];
  if (hasDevice) exitOnSignals(() => running.finish());
  install(running, { kernelRoutes: config.routes.kernel, dns: config.dns });
}

/** `dpdk-net queues` and its like can ask this process, too. */
function openToQuestions(running: RunningStack): void {
  const [reporters, devices] = [[reporterOf(running)], devicesOf(running)];
  const title = `register ${basename(process.argv[1] ?? '')}`;
  const options = { title, reporters: () => reporters, devices: () => devices };
  const control = openControl(options);
  atExit(() => control?.close());
}

start(configuration());
