/**
 * The multicast groups that an interface is in because the configuration says so.
 * @module
 */
import type { Address } from '../base/address.ts';
import type { Member } from '../net/groups/groups.ts';
import type { Stack } from '../stack/stack.ts';

export class InterfaceGroups {
  readonly #stack: Stack;
  readonly #members = new Map<string, Member>();

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** Joins and leaves until it is in exactly these. */
  set(groups: readonly Address[]): void {
    const { net } = this.#stack;
    const nic = net.nics.find(({ loopback }) => loopback === 0);
    if (nic === undefined) return;
    const wanted = new Map(groups.map((group) => [String(group), group]));
    for (const [name, member] of this.#members) {
      if (wanted.has(name)) continue;
      net.groups.leave(member);
      this.#members.delete(name);
    }
    for (const [name, group] of wanted) {
      if (!this.#members.has(name)) this.#members.set(name, net.groups.join(group, nic));
    }
  }
}
