/**
 * The routing table: longest prefix first.
 *
 * Looked at when a path is made, never per packet, so it is a sorted list.
 * @module
 */
import type { Address, Prefix } from '../base/address.ts';
import { StackError } from '../base/errors.ts';
import type { Nic } from './nic.ts';

export interface Route {
  readonly prefix: Prefix;
  /** The router, null when the destination is on the link. */
  readonly gateway: Address | null;
  readonly nic: Nic;
}

export class Routes {
  #routes: Route[] = [];
  readonly #changed: () => void;

  /** `changed` is called after each change. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Longest prefix first. */
  get list(): readonly Route[] {
    return this.#routes;
  }

  /**
   * Adds a route, in place of the one with the same prefix and interface.
   * Throws StackError EINVAL when the gateway is of the other family.
   */
  add(prefix: Prefix, gateway: Address | null, nic: Nic): void {
    if (gateway !== null && gateway.version !== prefix.address.version) {
      throw new StackError('EINVAL', `gateway ${gateway} cannot serve ${prefix}: other family`);
    }
    const others = this.#routes.filter(
      (route) => !(route.nic === nic && sameNet(route.prefix, prefix)),
    );
    others.push({ prefix, gateway, nic });
    this.#routes = others.sort((a, b) => b.prefix.length - a.prefix.length);
    this.#changed();
  }

  /** Removes the routes to a prefix; false when there is none. */
  remove(prefix: Prefix): boolean {
    const left = this.#routes.filter((route) => !sameNet(route.prefix, prefix));
    if (left.length === this.#routes.length) return false;
    this.#routes = left;
    this.#changed();
    return true;
  }

  /** The route with the longest prefix, null when there is none. */
  find(w0: number, w1: number, w2: number, w3: number): Route | null {
    for (const route of this.#routes) {
      if (route.prefix.contains(w0, w1, w2, w3)) return route;
    }
    return null;
  }
}

/** The same network, whatever stands in the host bits. */
function sameNet(a: Prefix, b: Prefix): boolean {
  const { w0, w1, w2, w3 } = b.address;
  return a.length === b.length && a.contains(w0, w1, w2, w3);
}
