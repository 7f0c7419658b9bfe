/**
 * From a checked configuration to a running stack, and back to nothing.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { Prefix } from '../base/address.ts';
import type { Config } from '../config/config.ts';
import { openPort, type Port, type PortOptions } from '../dpdk/index.ts';
import type { LinkFeatures } from '../link/link.ts';
import { createStack, type Stack } from '../stack/stack.ts';
import { Arena } from '../storage/arena.ts';
import { tuneCompiler } from './compiler.ts';
import { type DrainReport, drain } from './drain.ts';
import { findDevice } from './find-device.ts';
import { PollLoop } from './poll-loop.ts';
import { atExit } from './shutdown.ts';
import { configureHostSide, removeStaleInterface, tapInterface, whyNoTap } from './tap.ts';

/** What of `[dpdk] memory` is not for socket buffers: loopback slots, waiting packets, fragments. */
const OVERHEAD_BYTES = 8 << 20;
/** With loopback only nothing arrives unasked: sleep as long as the stack likes. */
const LONG_SLEEP_MS = 60_000;

/** What runs, for banners. */
export interface DeviceSummary {
  readonly name: string;
  readonly driver: string;
  readonly mac: string;
  readonly mtu: number;
  readonly features: LinkFeatures;
  /** What was asked for and could not be had. */
  readonly notices: readonly string[];
  /** The kernel's end of a net_tap device, null for others. */
  readonly hostInterface: string | null;
}

export interface CloseReport extends DrainReport {
  /** Packet slots that did not come back; 0, or something leaks. */
  readonly slots: number;
}

export interface RunningStack {
  readonly config: Config;
  readonly stack: Stack;
  readonly loop: PollLoop;
  /** Null for a stack with nothing but its loopback. */
  readonly device: DeviceSummary | null;
  /** The device itself, for its counters; null likewise. */
  readonly port: Port | null;
  /**
   * Ends every connection (FIN; RST after `deadlineMs`), closes the device, counts what is left.
   * Synchronous, and idempotent: a second call gives the first one's report. It happens by itself
   * when the process ends.
   */
  close(deadlineMs?: number): CloseReport;
}

/**
 * Opens the device that `config` names, makes the stack, gives it its addresses and routes, and
 * starts polling. Throws (DpdkError, StackError or Error, with the remedy) and leaves nothing open.
 */
export function openStack(config: Config): RunningStack {
  tuneCompiler();
  if (config.dpdk.port === 'loopback') return startLoopback(config);
  const { vdev } = config.dpdk;
  const hostInterface = tapInterface(vdev);
  if (hostInterface !== null) {
    const reason = whyNoTap();
    if (reason !== null) throw new Error(reason);
    removeStaleInterface(hostInterface);
  }
  const port = openPort(portOptions(config));
  try {
    const notices = [...port.notices];
    if (hostInterface !== null && config.tap.hostAddresses.length > 0) {
      const { mac } = port.links[0]!;
      notices.push(...configureHostSide(hostInterface, config.tap.hostAddresses, mac));
    }
    return startOnPort(config, port, hostInterface, notices);
  } catch (error) {
    port.close();
    throw error;
  }
}

function portOptions({ dpdk, network, queues }: Config): PortOptions {
  return {
    device: dpdk.vdev !== '' ? dpdk.vdev : findDevice(dpdk.port).device,
    queues: queues.count,
    rxDescriptors: queues.rxDesc,
    txDescriptors: queues.txDesc,
    heapBytes: dpdk.memory,
    ...(network.mtu === 0 ? {} : { mtu: network.mtu }),
    ...(network.mac === null ? {} : { mac: network.mac }),
    eal: { args: dpdk.ealArgs },
  };
}

function startOnPort(
  config: Config,
  port: Port,
  hostInterface: string | null,
  notices: readonly string[],
): RunningStack {
  const link = port.links[0]!;
  const stack = newStack(config, link.arena);
  const nic = stack.attach(link, {
    addresses: [...config.network.addresses],
    vlan: config.network.vlan,
  });
  for (const gateway of config.network.gateways) {
    stack.addRoute(Prefix.parse(gateway.version === 4 ? '0.0.0.0/0' : '::/0'), gateway, nic);
  }
  stack.attachLoopback();
  const { info } = port.device;
  const device: DeviceSummary = {
    name: info.name,
    driver: info.driver,
    mac: formatMac(link.mac),
    mtu: link.mtu,
    features: link.features,
    notices,
    hostInterface,
  };
  const release = (): number => {
    port.device.detach();
    const slots = port.usage().reduce((sum, { inUse }) => sum + inUse, 0);
    port.close();
    return slots;
  };
  return start(config, stack, device, port, release);
}

function startLoopback(config: Config): RunningStack {
  const stack = newStack(config, Arena.allocate(config.dpdk.memory));
  stack.attachLoopback();
  return start(config, stack, null, null, () => 0);
}

function newStack(config: Config, arena: Arena): Stack {
  return createStack({
    arena,
    heapBytes: config.dpdk.memory - OVERHEAD_BYTES,
    random: () => randomBytes(4).readInt32LE(),
    tcp: config.tcp,
  });
}

function start(
  config: Config,
  stack: Stack,
  device: DeviceSummary | null,
  port: Port | null,
  release: () => number,
): RunningStack {
  const loop = new PollLoop(stack, {
    spin: config.poll.spin,
    maxSleepMs: device === null ? LONG_SLEEP_MS : 1,
    onLinkGone: () => process.emitWarning('the network device is gone', { code: 'DPDK_NET_LINK' }),
  });
  let report: CloseReport | null = null;
  // EAL ends with the process, too; before it, while there is still a device to tell the peers by.
  const atEnd = (): void => void close();
  const close = (deadlineMs?: number): CloseReport => {
    if (report !== null) return report;
    process.removeListener('exit', atEnd);
    loop.stop();
    const drained = drain(stack, deadlineMs);
    report = { ...drained, slots: release() };
    return report;
  };
  atExit(atEnd);
  loop.start();
  return { config, stack, loop, device, port, close };
}

function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
