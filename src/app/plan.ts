/**
 * What a configuration will come to, before anything is opened: `--dry-run`.
 * @module
 */
import type { Config, ListenerConfig } from '../config/config.ts';
import { placesOf, type QueueReport } from '../control/report.ts';
import type { ServiceListener } from './services.ts';

export type QueuePlan = Omit<QueueReport, 'mac' | 'mtu' | 'features'>;

export interface Plan {
  /** What `dpdk-net queues` will report. */
  readonly queues: readonly QueuePlan[];
  readonly gateways: readonly string[];
  readonly kernelRoutes: readonly string[];
  readonly listeners: readonly { name: string; service: string; address: string; port: number }[];
}

/** Throws an Error that says what to do when a device is not there. */
export function planOf(config: Config): Plan {
  return {
    queues: config.ports.flatMap((port) =>
      placesOf(port, config.workers.pin).map((place) => ({
        ...place,
        addresses: port.network.addresses.map(String),
      })),
    ),
    gateways: config.ports.flatMap(({ network }) => network.gateways.map(String)),
    kernelRoutes: config.routes.kernel.map(String),
    listeners: config.listeners.map(({ name, service, address, port }) => ({
      name,
      service,
      address: address === null ? '*' : String(address),
      port,
    })),
  };
}

/** For the program of services-main.ts. */
export function servicesOf(listeners: readonly ListenerConfig[]): ServiceListener[] {
  return listeners.flatMap(({ name, service, port, address, root, backlog }) =>
    service === 'app'
      ? []
      : [{ name, service, port, address: address === null ? '' : String(address), root, backlog }],
  );
}
