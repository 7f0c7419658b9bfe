/**
 * From a checked configuration to a running stack, and back to nothing.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { Prefix } from '../base/address.ts';
import type { Config } from '../config/config.ts';
import type { DpdkLink, Port } from '../dpdk/index.ts';
import type { Link } from '../link/link.ts';
import { createStack, type Stack, type StackOptions } from '../stack/stack.ts';
import { Arena } from '../storage/arena.ts';
import { change } from '../tcp/options.ts';
import { tuneCompiler } from './compiler.ts';
import { abandon, type DrainReport, drain, finish } from './drain.ts';
import { InterfaceGroups } from './groups.ts';
import { type DeviceSummary, openDevice } from './open-device.ts';
import { PollLoop } from './poll-loop.ts';
import { atExit } from './shutdown.ts';

/** What of `[dpdk] memory` is not for socket buffers: loopback slots, waiting packets, fragments. */
const OVERHEAD_BYTES = 8 << 20;
/** With loopback only nothing arrives unasked: sleep as long as the stack likes. */
const LONG_SLEEP_MS = 60_000;

export interface CloseReport extends DrainReport {
  /** Packet slots that did not come back; 0, or something leaks. */
  readonly slots: number;
}

export interface RunningStack {
  /** What holds now. */
  readonly config: Config;
  readonly stack: Stack;
  readonly loop: PollLoop;
  /** Null for a stack with nothing but its loopback. */
  readonly device: DeviceSummary | null;
  /** The device itself, for its counters; null likewise. */
  readonly port: Port | null;
  /** The queue that is served, for what the addon counts; null likewise. */
  readonly link: DpdkLink | null;
  /** Takes over what of another configuration a running stack can (config/reload.ts). */
  reload(config: Config): void;
  /**
   * Refuses new connections and lets those to our listeners end by themselves, for `deadlineMs` or
   * as long as `[shutdown] drain` says; resolves to how many have not. close() resets these.
   */
  finish(deadlineMs?: number): Promise<number>;
  /**
   * Ends every connection (FIN; RST after `deadlineMs`), closes the device, counts what is left.
   * Synchronous, and idempotent: a second call gives the first one's report. It happens by itself
   * when the process ends.
   */
  close(deadlineMs?: number): CloseReport;
  /** Resets every connection and leaves the device as it is, for another stack to take over. */
  abandon(): void;
}

/**
 * Opens the device that `config` names with one queue, makes the stack, gives it its addresses and
 * routes, and starts polling. Throws (DpdkError, StackError or Error, with the remedy) and leaves
 * nothing open.
 */
export function openStack(config: Config): RunningStack {
  tuneCompiler();
  if (config.dpdk.port === 'loopback') return startLoopback(config);
  const device = openDevice(config, 1);
  try {
    const stack = stackOn(config, device.port.links[0]!, {});
    const { port, summary } = device;
    return start(config, stack, {
      device: summary,
      port,
      link: port.links[0]!,
      close: device.close,
    });
  } catch (error) {
    device.port.close();
    throw error;
  }
}

/** A stack with the addresses and routes of `config` on a link, and with its own loopback. */
export function stackOn(config: Config, link: Link, options: Partial<StackOptions>): Stack {
  const stack = newStack(config, link.arena, options);
  const nic = stack.attach(link, {
    addresses: [...config.network.addresses],
    vlan: config.network.vlan,
  });
  for (const gateway of config.network.gateways) {
    stack.addRoute(Prefix.parse(gateway.version === 4 ? '0.0.0.0/0' : '::/0'), gateway, nic);
  }
  stack.attachLoopback();
  return stack;
}

/** A running stack that has nothing but its loopback. */
export function startLoopback(config: Config): RunningStack {
  const stack = newStack(config, Arena.allocate(config.dpdk.memory), {});
  stack.attachLoopback();
  return start(config, stack, { device: null, port: null, link: null, close: () => 0 });
}

function newStack(config: Config, arena: Arena, options: Partial<StackOptions>): Stack {
  return createStack({
    arena,
    heapBytes: config.dpdk.memory - OVERHEAD_BYTES,
    random: () => randomBytes(4).readInt32LE(),
    tcp: config.tcp,
    ...options,
  });
}

/** What is below a stack. */
export interface Below {
  readonly device: DeviceSummary | null;
  readonly port: Port | null;
  /** Null: nothing but the loopback. */
  readonly link: DpdkLink | null;
  /** Closes what is to be closed after the stack; returns the slots that are missing. */
  close(): number;
}

/** Polls a stack. */
export function start(given: Config, stack: Stack, below: Below): RunningStack {
  const { device, port, link } = below;
  let config = given;
  const groups = new InterfaceGroups(stack);
  groups.set(config.network.groups);
  const loop = new PollLoop(stack, {
    spin: config.poll.spin,
    ...(link === null ? { maxSleepMs: LONG_SLEEP_MS } : { sleeper: link }),
    onLinkGone: () => process.emitWarning('the network device is gone', { code: 'DPDK_NET_LINK' }),
  });
  let report: CloseReport | null = null;
  // EAL ends with the process, too; before it, while there is still a device to tell the peers by.
  let isAbandoned = false;
  const atEnd = (): void => {
    if (!isAbandoned) close();
  };
  const close = (deadlineMs?: number): CloseReport => {
    if (report !== null) return report;
    process.removeListener('exit', atEnd);
    loop.stop();
    const drained = drain(stack, deadlineMs);
    report = { ...drained, slots: below.close() };
    return report;
  };
  const leave = (): void => {
    isAbandoned = true;
    loop.stop();
    abandon(stack);
  };
  atExit(atEnd);
  loop.start();
  const end = (deadlineMs: number = config.shutdown.drainMs): Promise<number> =>
    finish(stack, deadlineMs);
  const reload = (next: Config): void => {
    change(stack.tcp.options, next.tcp);
    groups.set(next.network.groups);
    config = next;
    loop.wake();
  };
  return {
    get config() {
      return config;
    },
    stack,
    loop,
    device,
    port,
    link,
    reload,
    finish: end,
    close,
    abandon: leave,
  };
}
