/**
 * Opens the device that a configuration names, with everything around it; the stacks on its queues
 * are made by start-stack.ts.
 * @module
 */
import type { Config } from '../config/config.ts';
import { openPort, type Port, type PortOptions } from '../dpdk/index.ts';
import type { LinkFeatures } from '../link/link.ts';
import * as Mac from '../wire/mac.ts';
import { findDevice } from './find-device.ts';
import { replaceFlows } from './flow-rules.ts';
import { configureHostSide, removeStaleInterface, tapInterface, whyNoTap } from './tap.ts';

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

export interface OpenDevice {
  readonly port: Port;
  readonly summary: DeviceSummary;
  /** Stops and closes it; returns the packet slots that did not come back. */
  close(): number;
}

/** Throws (DpdkError or Error, with the remedy) and leaves nothing open. */
export function openDevice(config: Config, queues: number): OpenDevice {
  const hostInterface = tapInterface(config.dpdk.vdev);
  if (hostInterface !== null) {
    const reason = whyNoTap();
    if (reason !== null) throw new Error(reason);
    removeStaleInterface(hostInterface);
  }
  const port = openPort(portOptions(config, queues));
  try {
    replaceFlows(port, [], config.flows);
    const notices = [...port.notices];
    if (hostInterface !== null && config.tap.hostAddresses.length > 0) {
      const { mac } = port.links[0]!;
      notices.push(...configureHostSide(hostInterface, config.tap.hostAddresses, mac));
    }
    return { port, summary: summaryOf(port, hostInterface, notices), close: () => release(port) };
  } catch (error) {
    port.close();
    throw error;
  }
}

function portOptions({ dpdk, network, queues }: Config, count: number): PortOptions {
  return {
    device: dpdk.vdev !== '' ? dpdk.vdev : findDevice(dpdk.port).device,
    queues: count,
    rxDescriptors: queues.rxDesc,
    txDescriptors: queues.txDesc,
    join: queues.gro,
    heapBytes: dpdk.memory,
    ...(network.mtu === 0 ? {} : { mtu: network.mtu }),
    ...(network.mtuMax === 0 ? {} : { mtuMax: network.mtuMax }),
    ...(network.mac === null ? {} : { mac: network.mac }),
    eal: { args: dpdk.ealArgs },
  };
}

function summaryOf(
  port: Port,
  hostInterface: string | null,
  notices: readonly string[],
): DeviceSummary {
  const { info } = port.device;
  const { mac, mtu, features } = port.links[0]!;
  return {
    name: info.name,
    driver: info.driver,
    mac: Mac.text(mac),
    mtu,
    features,
    notices,
    hostInterface,
  };
}

function release(port: Port): number {
  port.device.detach();
  const slots = port.usage().reduce((sum, { inUse }) => sum + inUse, 0);
  port.close();
  return slots;
}
