/**
 * openPort(): from 'net_tap0,iface=dtap0' to links that a stack can be attached to, in one call.
 * @module
 */
import { DpdkError } from './dpdk-error.ts';
import { Eal } from './eal.ts';
import { EthDev } from './eth-dev.ts';
import { PacketMemory } from './packet-memory.ts';
import { Port } from './port.ts';
import {
  deviceArguments,
  deviceName,
  ealOptions,
  memoryOptions,
  type PortOptions,
} from './port-options.ts';

/**
 * Opens a device, and EAL if it does not run yet.
 *
 * ```ts
 * const port = openPort({ device: 'net_tap0,iface=dtap0' });
 * stack.attach(port.links[0]);
 * ```
 * Throws DpdkError with DPDK's reason and what to do.
 */
export function openPort(options: PortOptions): Port {
  const eal = Eal.current ?? Eal.init(ealOptions(options));
  if (EthDev.list().some(({ name }) => name === deviceName(options))) {
    // DPDK would hand out the same device again, and closing one port would end the other.
    throw new DpdkError({
      code: 'EBUSY',
      operation: deviceName(options),
      reason: 'the device is open already',
      log: [],
      remedy: 'close the port that has it first, or give the virtual device another number',
    });
  }
  const device = EthDev.attach(deviceArguments(options));
  let memory: PacketMemory | null = null;
  try {
    memory = new PacketMemory(memoryOptions(options, device.info));
    return new Port(eal, device, memory, options);
  } catch (error) {
    // The device first: its queues are full of mbufs from this memory.
    device.detach();
    memory?.close();
    throw error;
  }
}
