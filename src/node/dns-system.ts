/**
 * What dns.lookup() and the resolvers of a thread share: the settings, hosts(5), and the routes.
 * @module
 */
import type { Address } from '../base/address.ts';
import { Hosts } from '../dns/hosts.ts';
import { type DnsSettings, dnsSettings, type Server } from '../dns/settings.ts';
import type { Engine } from './engine.ts';
import { parseAddress } from './names.ts';

export class DnsSystem {
  readonly settings: DnsSettings;
  readonly hosts: Hosts;
  readonly #engine: Engine;

  constructor(engine: Engine, given: Partial<DnsSettings>) {
    this.#engine = engine;
    this.settings = dnsSettings(given);
    this.hosts = new Hosts(this.settings.hostsFile);
  }

  /** True when all of these servers are the kernel's to ask. */
  isKernel(servers: readonly Server[]): boolean {
    return servers.every(({ address }) => this.isKernelAddress(address));
  }

  isKernelAddress(text: string): boolean {
    const address = parseAddress(text);
    return address !== null && this.#engine.isKernel(address);
  }

  /** True when there is a way to `address`, the kernel's included. */
  readonly canReach = (address: Address): boolean => {
    const { w0, w1, w2, w3 } = address;
    const { net } = this.#engine.stack;
    if (this.#engine.isKernel(address) || net.isLocal(w0, w1, w2, w3)) return true;
    return net.routes.find(w0, w1, w2, w3) !== null;
  };

  /** True when there is a way out of this host for the family. */
  hasFamily(version: 4 | 6): boolean {
    return this.#engine.stack.net.routes.list.some(
      ({ prefix, nic }) => prefix.address.version === version && nic.loopback === 0,
    );
  }
}
