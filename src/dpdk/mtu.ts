/**
 * Which MTU a running port may be given.
 * @module
 */
import type { DeviceInfo } from './addon.ts';
import { DpdkError } from './dpdk-error.ts';
import type { EthDev } from './eth-dev.ts';

/** What every link of IPv4 carries (RFC 791 3.2). */
const MTU_LEAST = 68;

/** Gives a running device another MTU; returns what it has. Throws DpdkError with the remedy. */
export function changeMtu(device: EthDev, mtu: number, memoryMax: number): number {
  checkMtu(mtu, memoryMax, device.info);
  try {
    return device.setMtu(mtu);
  } catch (error) {
    if (!(error instanceof DpdkError) || error.remedy !== '') throw error;
    const { code, operation, reason, log } = error;
    const remedy =
      code === 'ENOTSUP'
        ? `${device.info.driver} can not change its MTU while it runs: open the port with mtu: ${mtu}`
        : 'what the device takes depends on its buffers too (net_af_packet: framesz)';
    throw new DpdkError({ code, operation, reason, log, remedy });
  }
}

/**
 * Throws DpdkError ERANGE with the remedy when the device, or the memory that the port was opened
 * with, does not allow it.
 */
function checkMtu(mtu: number, memoryMax: number, info: DeviceInfo): void {
  const { name, minMtu, maxMtu } = info;
  const least = Math.max(MTU_LEAST, minMtu);
  if (!Number.isInteger(mtu) || mtu < least || mtu > maxMtu) {
    throw refusal(
      name,
      `an mtu of ${mtu} is none of this device`,
      `choose a whole number from ${least} to ${Math.min(maxMtu, memoryMax)}`,
    );
  }
  if (mtu > memoryMax) {
    throw refusal(
      name,
      `an mtu of ${mtu} needs larger buffers than the port was opened with`,
      `open it with mtuMax: ${mtu} (network.mtu_max in the configuration), or choose at most ${memoryMax}`,
    );
  }
}

function refusal(name: string, reason: string, remedy: string): DpdkError {
  return new DpdkError({ code: 'ERANGE', operation: `${name}: setMtu`, reason, log: [], remedy });
}
