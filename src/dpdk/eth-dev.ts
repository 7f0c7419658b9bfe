/**
 * A network device: attach, configure, start, stop, count.
 * @module
 */
import {
  addon,
  type Configured,
  type ConfigureOptions,
  type DeviceInfo,
  type DeviceStats,
} from './addon.ts';
import { explained } from './dpdk-error.ts';

export class EthDev {
  /** DPDK's number for it ("port"). */
  readonly port: number;
  readonly info: DeviceInfo;

  private constructor(port: number) {
    this.port = port;
    this.info = addon().deviceInfo(port);
  }

  /** All devices DPDK knows now. */
  static list(): { port: number; name: string }[] {
    return addon().deviceList();
  }

  /** Probes a device: 'net_tap0,iface=dtap0' or '0000:03:00.0'. Throws DpdkError. */
  static attach(devargs: string): EthDev {
    return explained(devargs, () => new EthDev(addon().deviceAttach(devargs)));
  }

  configure(options: ConfigureOptions): Configured {
    return explained(this.info.name, () => addon().configure(this.port, options));
  }

  start(): void {
    explained(this.info.name, () => addon().start(this.port));
  }

  stop(): void {
    explained(this.info.name, () => addon().stop(this.port));
  }

  /** Closes the device and removes it from DPDK. Idempotent. */
  detach(): void {
    addon().deviceDetach(this.port);
  }

  /** Speed in Mbit/s, 0: unknown. */
  get link(): { up: boolean; speed: number; fullDuplex: boolean } {
    return addon().link(this.port);
  }

  /** The six bytes of its address. */
  get mac(): Uint8Array {
    return Uint8Array.from(this.info.mac.split(':'), (byte) => Number.parseInt(byte, 16));
  }

  stats(): DeviceStats {
    return explained(this.info.name, () => addon().stats(this.port));
  }

  /** The driver's own counters, by its own names. */
  xstats(): Record<string, number> {
    return addon().xstats(this.port);
  }

  resetStats(): void {
    addon().resetStats(this.port);
  }

  /** Returns whether it is on now: some devices have no such switch. */
  setPromiscuous(on: boolean): boolean {
    return addon().promiscuous(this.port, on);
  }

  /** Receives what is sent to any group: which ones are wanted the stack knows. */
  receiveGroups(): void {
    addon().allMulticast(this.port);
  }

  /** Returns the MTU that the device has now. Throws DpdkError when it refuses. */
  setMtu(mtu: number): number {
    return explained(this.info.name, () => addon().setMtu(this.port, mtu));
  }

  /** A descriptor that is readable when a frame arrived, -1 where the driver has none. */
  rxInterruptFd(queue: number): number {
    const fd = addon().rxInterruptFd(this.port, queue);
    return fd < 0 ? -1 : fd;
  }

  /** False when the driver has no switch; tap needs none. */
  enableRxInterrupt(queue: number, on: boolean): boolean {
    return addon().rxInterruptEnable(this.port, queue, on);
  }
}
